"""The store: all that the service keeps, part by part, over one database."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TypeVar

from serve_app.storage.archive import FOLDER_NAME, Archive
from serve_app.storage.database import FILE_NAME, Database, postgresql_url
from serve_app.storage.deliveries import Deliveries
from serve_app.storage.errors import StoreUnavailableError
from serve_app.storage.games import Games, StoredGame
from serve_app.storage.journal import Journal, JournalRow, ScoreRows
from serve_app.storage.lessons import Lessons
from serve_app.storage.predictions import Predictions
from serve_app.storage.webhooks import Webhooks

T = TypeVar("T")


class Store:
    """The parts of the store. Several processes may each have one over the same database.

    `archive_dir` is the folder of archived journals; by default the one beside an embedded store.
    """

    def __init__(self, database: Database, archive_dir: Path | None = None) -> None:
        self.database = database
        self.archive = Archive(archive_dir or _beside(database))
        self.games = Games(database)
        self.journal = Journal(database)
        self.predictions = Predictions(database)
        self.lessons = Lessons(database)
        self.webhooks = Webhooks(database)
        self.deliveries = Deliveries(database)

    @classmethod
    def existing(
        cls, data_dir: Path, store_url: str | None = None, archive_dir: Path | None = None
    ) -> Self:
        """As `at`; raises StoreUnavailableError where there is no embedded store in the folder."""
        if store_url is None and not (data_dir / FILE_NAME).exists():
            raise StoreUnavailableError(
                f"{data_dir}: expected the service's data folder with {FILE_NAME} in it"
            )
        return cls.at(data_dir, store_url, archive_dir)

    @classmethod
    def at(
        cls, data_dir: Path, store_url: str | None = None, archive_dir: Path | None = None
    ) -> Self:
        """The store on PostgreSQL where a URL is given, else the embedded one in a data folder.

        Either has its archive in the data folder where no other is given.
        """
        archive_dir = archive_dir or data_dir / FOLDER_NAME
        if store_url is None:
            return cls(Database.in_folder(data_dir), archive_dir)
        return cls(Database(postgresql_url(store_url)), archive_dir)

    # --- the journal and its archive -------------------------------------------------------

    def scores(self, stored: StoredGame) -> ScoreRows:
        """A game's score updates in their order, archived or not.

        Raises ArchiveError where they are archived and the archive cannot be read.
        """
        archived, live = self._with_archive(stored, self.journal.scores)
        scores = [row for row in archived if row.type == "score"]
        if not scores:
            return live
        payloads = [row.payload for row in scores]
        latest_time = scores[-1].time
        if live.payloads is not None:
            payloads.append(live.payloads)
            latest_time = live.latest_time or latest_time
        return ScoreRows(",".join(payloads), latest_time)

    def forecasts(self, stored: StoredGame) -> list[str]:
        """The payloads of a game's running forecasts in their order; raises as `scores`."""
        archived, live = self._with_archive(stored, self.journal.forecasts)
        return [*(row.payload for row in archived if row.type == "forecast"), *live]

    def journal_of(self, stored: StoredGame) -> list[JournalRow]:
        """All that happened in one game, in order, archived or not; raises as `scores`."""
        archived, rows = self._with_archive(stored, self.journal.of_game)
        return [*archived, *rows]

    def score_payload(self, game_id: str, identity: str) -> str | None:
        """The payload of the update with this identity, archived or not; raises as `scores`."""
        payload = self.journal.score_payload(game_id, identity)
        if payload is not None or (file := self.games.archive_of(game_id)) is None:
            return payload
        archived = self.archive.rows(file, game_id)
        return next((row.payload for row in archived if row.identity == identity), None)

    def _with_archive(
        self, stored: StoredGame, read: Callable[[str], T]
    ) -> tuple[Sequence[JournalRow], T]:
        """What is archived of a game, and what `read` finds in the journal after it.

        The journal may go to the archive at any moment: then it is read again.
        """
        game_id, file = stored.registration.game_id, stored.archive
        while True:
            found = read(game_id)
            before, file = file, self.games.archive_of(game_id)
            if file == before:
                return (self.archive.rows(file, game_id) if file else ()), found

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction over all parts: kept as a whole or not at all."""
        with self.database.writing():
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One connection for all that this thread reads inside; in SQLite also one view."""
        with self.database.reading():
            yield

    def close(self) -> None:
        """Close the connections."""
        self.database.close()


def _beside(database: Database) -> Path:
    is_sqlite = database.url.get_backend_name() == "sqlite"
    return (Path(str(database.url.database)).parent if is_sqlite else Path("data")) / FOLDER_NAME
