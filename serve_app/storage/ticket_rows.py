"""The tickets that wait in the store to be used."""

import sqlalchemy as sa

from serve_app.storage.database import Database
from serve_app.storage.schema import tickets


class TicketRows:
    """Adds and takes tickets; every method raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, ticket_hash: str, key_id: str, *, now: float, expires_at: float) -> None:
        """Keep a ticket; those that expired before `now` go."""
        row = {"ticket_hash": ticket_hash, "key_id": key_id, "expires_at": expires_at}
        with self._database.writing() as connection:
            connection.execute(sa.delete(tickets).where(tickets.c.expires_at <= now))
            connection.execute(sa.insert(tickets).values(row))

    def take(self, ticket_hash: str, now: float) -> str | None:
        """Remove a ticket; the id of its key, None where there is none that is good.

        Deleting tells who deleted it: of several calls with one ticket a single one gets the id.
        """
        removal = (
            sa.delete(tickets)
            .where(tickets.c.ticket_hash == ticket_hash)
            .returning(tickets.c.key_id, tickets.c.expires_at)
        )
        with self._database.writing() as connection:
            row = connection.execute(removal).first()
        return str(row.key_id) if row is not None and now < row.expires_at else None
