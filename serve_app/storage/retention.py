"""Retention: the journals of games long over go from the database to the archive.

A file is written, is on disk and has been read back before the rows are deleted, in the transaction
that names the file. Cut short at any point, the journal or the archive has the rows, or both have,
and then the next run takes them again. A late update to an archived game begins a new journal; the
next run writes both parts to a file of their own, which takes the place of the first.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path

import sqlalchemy as sa

from serve_app.storage.deliveries import CURSOR
from serve_app.storage.errors import StaleWriteError, StoreUnavailableError
from serve_app.storage.journal import JournalRow
from serve_app.storage.schema import cursors, games, journal, webhooks
from serve_app.storage.snapshot import snapshot
from serve_app.storage.store import Store

# A usual night is one file, and no writer waits long for the rows of so many games to go.
GAMES_A_FILE = 20

Told = Callable[[str], object]


def archive_ended(store: Store, *, before: float, tell: Told = lambda _: None) -> list[str]:
    """Archive the games that were over before `before` (epoch seconds), files by day.

    Over is what was declared so, and what nobody has posted to since.
    Returns the names of the files. `tell` hears of each once it is written and once it is in use.
    Raises StoreError; the files before that one are in use then.
    """
    with snapshot(store.database) as connection:
        found = connection.execute(_archivable(before)).all()
    files = []
    for day, of_day in groupby(found, key=lambda row: row.day):
        game_ids = [row.game_id for row in of_day]
        for place in range(0, len(game_ids), GAMES_A_FILE):
            chosen = _archivable(before, game_ids[place : place + GAMES_A_FILE])
            if (file := _archive(store, day, chosen, tell)) is not None:
                files.append(file)
    return files


def _archivable(before: float, among: Sequence[str] | None = None) -> sa.Select[str, str, str]:
    """Games that are over with updates in the journal; never the one of its last row.

    The live feed counts on from the number of that row, and who comes back to it is told all that
    is younger than a day: a game that was updated since is not over for long.
    """
    last = sa.select(journal.c.game_id).order_by(journal.c.seq.desc()).limit(1).scalar_subquery()
    has_scores = sa.exists().where(journal.c.game_id == games.c.game_id, journal.c.type == "score")
    query = sa.select(games.c.game_id, games.c.day, games.c.archive).where(
        sa.func.coalesce(games.c.ended_at, games.c.last_received) < before,
        sa.func.coalesce(games.c.last_received, games.c.ended_at) < before,
        has_scores,
        games.c.game_id != last,
        sa.not_(_is_to_be_sent()),
    )
    if among is not None:
        query = query.where(games.c.game_id.in_(among))
    return query.order_by(games.c.day, games.c.game_id)


def _is_to_be_sent() -> sa.ColumnElement[bool]:
    """Whether webhooks have yet to be told of something in a game: it is read from the journal."""
    position = sa.select(sa.func.max(cursors.c.seq)).where(cursors.c.name == CURSOR)
    heard = sa.select(sa.func.min(webhooks.c.after_seq)).where(webhooks.c.disabled.is_(None))
    # Without a webhook that is sent to, `heard` is NULL and nothing is to be sent.
    return sa.exists().where(
        journal.c.game_id == games.c.game_id,
        journal.c.seq > sa.func.coalesce(position.scalar_subquery(), 0),
        journal.c.seq > heard.scalar_subquery(),
    )


def _archive(store: Store, day: str, chosen: sa.Select[str, str, str], tell: Told) -> str | None:
    """Archive the chosen games into one file; None where there is nothing left to do."""
    with snapshot(store.database) as connection:
        before = {row.game_id: row.archive for row in connection.execute(chosen)}
        rows = connection.execute(
            sa.select(journal).where(journal.c.game_id.in_(list(before))).order_by(journal.c.seq)
        ).all()
    if not rows:
        return None
    pages: dict[str, list[JournalRow]] = {
        game_id: list(store.archive.rows(file, game_id)) if file else []
        for game_id, file in before.items()
    }
    for row in rows:
        pages[row.game_id].append(JournalRow(*row))
    file = _write(store.archive.folder, next(store.archive.names(day)), list(pages.values()))
    tell(f"{file}: {len(rows):,} rows of {len(pages)} games are written")
    with store.writing():
        store.games.set_archive(pages, file)
        dropped = store.journal.drop(pages, rows[0].seq, rows[-1].seq)
        if dropped != len(rows):
            raise StaleWriteError(
                f"the journal: expected to delete {len(rows)} rows that are in {file}; got "
                f"{dropped}: another run was faster"
            )
    tell(f"{file} is in use")
    return file


def _write(folder: Path, file: str, pages: Sequence[Sequence[JournalRow]]) -> str:
    """Write a new file, have it on disk, and read it back."""
    # pyarrow costs its 0.4 s and 40 MB only where something is archived.
    from serve_app.storage.table_file import (  # noqa: PLC0415
        FileErrors,
        read_pages,
        sync_folder,
        write_rows,
    )

    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_rows(folder / file, journal, [[_cells(row) for row in page] for page in pages])
        sync_folder(folder)
        back = [JournalRow(**row) for page in read_pages(folder / file, journal) for row in page]
    except FileErrors as error:
        with suppress(OSError):
            (folder / file).unlink()
        raise StoreUnavailableError(
            f"the archive {folder}: expected to write and read {file}; {error}"
        ) from error
    if back != [row for page in pages for row in page]:
        raise StoreUnavailableError(
            f"the archive {folder}: expected {file} to say what was written; it does not"
        )
    return file


def _cells(row: JournalRow) -> tuple[object, ...]:
    return tuple(getattr(row, column.name) for column in journal.columns)
