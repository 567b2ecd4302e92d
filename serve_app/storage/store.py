"""The store: all that the service keeps, part by part, over one database."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from serve_app.storage.database import FILE_NAME, Database, postgresql_url
from serve_app.storage.errors import StoreUnavailableError
from serve_app.storage.games import Games, StoredGame
from serve_app.storage.journal import Journal
from serve_app.storage.lessons import Lessons
from serve_app.storage.predictions import Predictions


class Store:
    """The parts of the store. Several processes may each have one over the same database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.games = Games(database)
        self.journal = Journal(database)
        self.predictions = Predictions(database)
        self.lessons = Lessons(database)

    @classmethod
    def existing(cls, data_dir: Path, store_url: str | None = None) -> Self:
        """As `at`; raises StoreUnavailableError where there is no embedded store in the folder."""
        if store_url is None and not (data_dir / FILE_NAME).exists():
            raise StoreUnavailableError(
                f"{data_dir}: expected the service's data folder with {FILE_NAME} in it"
            )
        return cls.at(data_dir, store_url)

    @classmethod
    def at(cls, data_dir: Path, store_url: str | None = None) -> Self:
        """The store on PostgreSQL where a URL is given, else the embedded one in a data folder."""
        if store_url is None:
            return cls(Database.in_folder(data_dir))
        return cls(Database(postgresql_url(store_url)))

    def scores(self, stored: StoredGame) -> Sequence[tuple[float, str]]:
        """Time and payload of a game's score updates in their order."""
        return self.journal.scores(stored.registration.game_id)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction over all parts: kept as a whole or not at all."""
        with self.database.writing():
            yield

    def close(self) -> None:
        """Close the connections."""
        self.database.close()
