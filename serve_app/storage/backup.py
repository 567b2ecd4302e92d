"""Backups: a folder with the whole store, of either kind of database, taken while it is written.

Each table is a Parquet file, archived journals are copied as they are, and `manifest.json` says
what belongs there. Tickets are left out: they are good for seconds. Of API keys there are hashes;
secrets of webhooks are there as they are, for they have to sign.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Literal

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, ValidationError

from serve_app.storage.archive import FOLDER_NAME as ARCHIVE
from serve_app.storage.errors import BackupError
from serve_app.storage.schema import METADATA, games, tickets
from serve_app.storage.snapshot import snapshot
from serve_app.storage.store import Store
from serve_app.storage.table_file import (
    PAGE_ROWS,
    FileErrors,
    count_rows,
    sync_folder,
    write_rows,
)

MANIFEST = "manifest.json"
# In an order in which each row finds the rows that it refers to.
TABLES = tuple(table for table in METADATA.sorted_tables if table is not tickets)

Told = Callable[[str], object]


class BackupFile(BaseModel):
    """One file of a backup; `sha256` in hexadecimal digits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "BackupFile":
        """What a Parquet file comes to; raises one of `FileErrors`."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
        return cls(rows=count_rows(path), sha256=digest.hexdigest())


class Manifest(BaseModel):
    """What a backup holds: `revision` is that of the tables, `files` are paths within its folder.

    `service` is the version of the service that made it, `database` the kind it was made of.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    revision: str
    service: str
    database: str
    made_at: datetime
    files: dict[str, BackupFile]

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """The manifest of a backup; raises BackupError."""
        path = folder / MANIFEST
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise BackupError(f"expected the manifest of a backup in {path}; {error}") from error

    @property
    def archived(self) -> list[str]:
        """The names of the archived journals."""
        paths = map(PurePosixPath, self.files)
        return [path.name for path in paths if path.parent.name == ARCHIVE]


def back_up(store: Store, folder: Path, *, tell: Told = lambda _: None) -> Manifest:
    """Write the store as it is at one moment into a new folder, which is there whole or not at all.

    `tell` hears of each table as it is done. Raises StoreError; BackupError where the folder is
    there already or cannot be written.
    """
    if folder.exists():
        raise BackupError(f"expected a folder that is not there yet for the backup; got {folder}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Only for the eyes of its owner, as mkdtemp makes it.
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            manifest = _write(store, draft, tell)
            draft.rename(folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        sync_folder(folder.parent)
    except FileErrors as error:
        raise BackupError(f"the backup {folder} cannot be written: {error}") from error
    return manifest


def _write(store: Store, folder: Path, tell: Told) -> Manifest:
    with snapshot(store.database) as connection:
        revision = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        for table in TABLES:
            rows = connection.execute(
                sa.select(table)
                .order_by(*table.primary_key.columns)
                .execution_options(yield_per=PAGE_ROWS)
            )
            count = write_rows(folder / f"{table.name}.parquet", table, rows.partitions())
            tell(f"{table.name}: {count:,} rows")
        archived = connection.execute(
            sa.select(games.c.archive).where(games.c.archive.is_not(None)).distinct()
        )
        names = sorted(archived.scalars())
    # An archived journal is never changed nor deleted, so these need no snapshot.
    copy_files(store.archive.folder, folder / ARCHIVE, names)
    manifest = Manifest(
        revision=str(revision),
        service=version("halftime-forecaster"),
        database=store.database.url.get_backend_name(),
        made_at=datetime.now(UTC),
        files={
            str(path.relative_to(folder)): BackupFile.of(path)
            for path in sorted(folder.rglob("*.parquet"))
        },
    )
    _write_text(folder / MANIFEST, manifest.model_dump_json(indent=2) + "\n")
    sync_folder(folder)
    return manifest


def copy_files(source: Path, target: Path, names: list[str]) -> None:
    """Copy files into a folder, on disk afterwards, each there whole or not at all."""
    if not names:
        return
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        draft = target / f".{name}.partial"
        with (source / name).open("rb") as given, draft.open("wb") as copy:
            shutil.copyfileobj(given, copy)
            copy.flush()
            os.fsync(copy.fileno())
        draft.rename(target / name)
    sync_folder(target)


def _write_text(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
