"""The API keys in the store; none is ever deleted, for a store that had one asks for keys."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from serve_app.access.keys import KeyRecord
from serve_app.access.scopes import SCOPES
from serve_app.storage.database import Database
from serve_app.storage.schema import api_keys


class ApiKeys:
    """Reads, adds and revokes keys; every method raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> Sequence[KeyRecord]:
        """Every key that was ever made, in the order of making, revoked ones too."""
        query = sa.select(api_keys).order_by(api_keys.c.created_at, api_keys.c.key_id)
        with self._database.reading() as connection:
            return [_record(row) for row in connection.execute(query)]

    def add(self, record: KeyRecord) -> None:
        """Keep a new key."""
        row = {
            "key_id": record.key_id,
            "secret_hash": record.secret_hash,
            "name": record.name,
            "scopes": " ".join(scope for scope in SCOPES if scope in record.scopes),
            "created_at": record.created_at,
            "expires_at": record.expires_at,
            "revoked_at": record.revoked_at,
        }
        with self._database.writing() as connection:
            connection.execute(sa.insert(api_keys).values(row))

    def revoke(self, key_id: str, now: float) -> bool:
        """Revoke a key for good; False where there is none that could be revoked."""
        change = (
            sa.update(api_keys)
            .where(api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None))
            .values(revoked_at=now)
            .returning(api_keys.c.key_id)
        )
        with self._database.writing() as connection:
            return connection.execute(change).first() is not None


def _record(row: "sa.Row[Any]") -> KeyRecord:
    held = set(row.scopes.split())
    return KeyRecord(
        key_id=row.key_id,
        secret_hash=row.secret_hash,
        name=row.name,
        scopes=frozenset(scope for scope in SCOPES if scope in held),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
