"""A snapshot of the store: many reads of one state, however long they take."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from serve_app.storage.database import Database


@contextmanager
def snapshot(database: Database) -> Iterator[sa.Connection]:
    """A transaction that reads; what others commit meanwhile is not seen, and nobody waits for it.

    Raises StoreUnavailableError.
    """
    with database.reading() as connection:
        if connection.dialect.name == "postgresql":
            # As the first statement; SQLite's transactions see one state by themselves.
            connection.execute(
                sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            )
        lift_timeouts(connection)
        yield connection


def lift_timeouts(connection: sa.Connection) -> None:
    """Let this one transaction take its time."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
        connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
