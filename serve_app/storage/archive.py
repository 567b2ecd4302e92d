"""The archive: a folder of Parquet files that hold the journals of games long over.

`retention` writes it. A file is named in the store's table of games once it is whole and on disk,
and is never changed after that; one that no game names is left over from a run that was cut short.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import count
from pathlib import Path

from serve_app.storage.errors import ArchiveError
from serve_app.storage.journal import JournalRow

FOLDER_NAME = "archive"


class Archive:
    """Reads the files of one folder; a game has a row group of its own in each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # A scraper that repeats itself asks for the same game again and again.
        self._newest = lru_cache(maxsize=1)(self._read)

    def rows(self, file: str, game_id: str) -> tuple[JournalRow, ...]:
        """The rows of one game, in order; raises ArchiveError where there are none."""
        return self._newest(file, game_id)

    def _read(self, file: str, game_id: str) -> tuple[JournalRow, ...]:
        # pyarrow costs its 0.4 s and 40 MB only where something is archived.
        from serve_app.storage.table_file import FileErrors, rows_where  # noqa: PLC0415

        path = self.folder / file
        try:
            rows = tuple(JournalRow(**row) for row in rows_where(path, "game_id", game_id))
        except FileErrors as error:
            raise ArchiveError(
                f"game {game_id!r}: expected its journal in the archive {path}; {error}"
            ) from error
        if not rows:
            raise ArchiveError(
                f"game {game_id!r}: expected its journal in the archive {path}; it has none of it"
            )
        return rows

    def names(self, day: str | None) -> Iterator[str]:
        """Names for a new file with games of a day (YYYY-MM-DD) that are not taken yet."""
        for number in count(1):
            name = f"journal-{day or 'undated'}-{number}.parquet"
            if not (self.folder / name).exists():
                yield name
