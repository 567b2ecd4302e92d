"""The integrity of a store: that it is sound, and that nothing in it is without its evidence."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from serve_app.storage.errors import StoreUnavailableError
from serve_app.storage.journal import JournalRow
from serve_app.storage.schema import cursors, games, journal, predictions
from serve_app.storage.snapshot import snapshot
from serve_app.storage.store import Store


def findings(store: Store) -> list[str]:
    """What is wrong with a store, a line each; empty where it is sound. Raises StoreError."""
    with snapshot(store.database) as connection:
        found = list(_damage(connection)) if connection.dialect.name == "sqlite" else []
        found += _unversioned(connection)
        found += _passed_over(connection)
        rows = connection.execute(_GAMES).all()
    for game in rows:
        archived: tuple[JournalRow, ...] = ()
        if game.archive is not None:
            try:
                archived = store.archive.rows(game.archive, game.game_id)
            except StoreUnavailableError as error:
                found.append(str(error))
                continue
        found += _without_evidence(game, archived)
    return found


def _damage(connection: sa.Connection) -> Iterator[str]:
    """What SQLite itself finds; PostgreSQL keeps its own checksums and foreign keys."""
    for (said,) in connection.exec_driver_sql("PRAGMA integrity_check"):
        if said != "ok":
            yield f"the database file: {said}"
    for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"{table}, row {row}: expected its row in {parent}; there is none"


def _unversioned(connection: sa.Connection) -> Iterator[str]:
    advanced = sa.select(games.c.game_id).where(games.c.updates.is_not(None), games.c.version < 1)
    for game_id in connection.execute(advanced).scalars():
        yield f"game {game_id!r}: expected a version from 1, for it was written; got less"


def _passed_over(connection: sa.Connection) -> Iterator[str]:
    """Readers of the journal that are beyond its end, and would miss what comes next."""
    last = connection.execute(sa.select(sa.func.coalesce(sa.func.max(journal.c.seq), 0))).scalar()
    for name, seq in connection.execute(sa.select(cursors).where(cursors.c.seq > last)):
        yield f"the cursor {name!r}: expected at most {last}, the journal's last row; got {seq}"


def _without_evidence(
    game: sa.Row[*tuple[Any, ...]], archived: tuple[JournalRow, ...]
) -> Iterator[str]:
    """What a game was written with, against its journal in the archive and after it."""
    name = f"game {game.game_id!r}"
    if archived and game.first is not None and game.first <= archived[-1].seq:
        yield (
            f"{name}: expected its journal to go on after row {archived[-1].seq}, the last in the "
            f"archive; it begins with row {game.first}"
        )
    scores = (game.scores or 0) + sum(row.type == "score" for row in archived)
    if scores < (game.updates or 0):
        yield f"{name}: expected {game.updates} updates in its journal; got {scores}"
    told = (game.told or 0) + sum(row.type == "prediction" for row in archived)
    if told != game.kept:
        yield f"{name}: expected its journal to tell of {game.kept} predictions; it does of {told}"


_JOURNALS = (
    sa.select(
        journal.c.game_id,
        sa.func.min(journal.c.seq).label("first"),
        sa.func.count().filter(journal.c.type == "score").label("scores"),
        sa.func.count().filter(journal.c.type == "prediction").label("told"),
    )
    .group_by(journal.c.game_id)
    .subquery()
)
_KEPT = (
    sa.select(sa.func.count(predictions.c.id))
    .where(predictions.c.game_id == games.c.game_id)
    .scalar_subquery()
)
_GAMES = (
    sa.select(
        games.c.game_id,
        games.c.archive,
        games.c.updates,
        _JOURNALS.c.first,
        _JOURNALS.c.scores,
        _JOURNALS.c.told,
        _KEPT.label("kept"),
    )
    .outerjoin_from(games, _JOURNALS, games.c.game_id == _JOURNALS.c.game_id)
    .order_by(games.c.game_id)
)
