"""The daily archive: beside a service, old journals go to the archive once a day."""

import threading
import time
from collections.abc import Callable

from serve_app.settings import Settings
from serve_app.storage.errors import StoreError
from serve_app.storage.retention import archive_ended
from serve_app.storage.store import Store

SECONDS_PER_DAY = 86_400


class DailyArchive:
    """Archives in a thread, at first right away; `say` hears what goes wrong."""

    def __init__(
        self, settings: Settings, say: Callable[[str], object], now: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._say = say
        self._now = now
        self._due = now()
        self._running: threading.Thread | None = None

    def look(self) -> threading.Thread | None:
        """Start to archive where it is time to; returns what was started."""
        days = self._settings.archive_after_days
        is_running = self._running is not None and self._running.is_alive()
        if days == 0 or is_running or self._now() < self._due:
            return None
        self._due = self._now() + SECONDS_PER_DAY
        # A service that stops does not wait for it: it may be cut short at any point.
        self._running = threading.Thread(target=self._archive, args=(days,), daemon=True)
        self._running.start()
        return self._running

    def _archive(self, days: int) -> None:
        store = Store.at(self._settings.data_dir, self._settings.store_url)
        try:
            archive_ended(store, before=self._now() - days * SECONDS_PER_DAY)
        except StoreError as error:
            self._say(f"old journals are not archived today: {error}")
        finally:
            store.close()
