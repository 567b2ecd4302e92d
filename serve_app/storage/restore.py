"""Restores a backup into an empty store, of the same kind of database or of the other one."""

import re
from pathlib import Path

import sqlalchemy as sa

from serve_app.storage.archive import FOLDER_NAME as ARCHIVE
from serve_app.storage.backup import TABLES, BackupFile, Manifest, Told, copy_files
from serve_app.storage.errors import BackupError, StaleWriteError
from serve_app.storage.migrate import NEWEST
from serve_app.storage.schema import journal
from serve_app.storage.snapshot import lift_timeouts
from serve_app.storage.store import Store
from serve_app.storage.table_file import FileErrors, read_pages

JOURNAL_GAP = 1_000_000_000  # more rows than are written between two backups
ARCHIVED_NAME = re.compile(rf"{ARCHIVE}/journal-[\w-]+\.parquet")


def restore(store: Store, folder: Path, *, tell: Told = lambda _: None) -> Manifest:
    """Fill an empty store from a backup, in one transaction: all of it or nothing.

    `tell` hears of each table as it is done. Raises StoreError; BackupError where the backup is not
    whole or is of another revision of the tables, and where the store is not empty.
    """
    manifest = Manifest.read(folder)
    _expect_revision(manifest)
    _expect_whole(folder, manifest)
    try:
        with store.database.writing() as connection:
            lift_timeouts(connection)
            _expect_empty(connection)
            _restore_archive(store.archive.folder, folder, manifest)
            for table in TABLES:
                count = _fill(connection, table, folder / f"{table.name}.parquet")
                tell(f"{table.name}: {count:,} rows")
    except (*FileErrors, StaleWriteError) as error:
        raise BackupError(f"the backup {folder} cannot be restored: {error}") from error
    return manifest


def _expect_revision(manifest: Manifest) -> None:
    if manifest.revision != NEWEST:
        raise BackupError(
            f"expected a backup of revision {NEWEST} of the tables; got {manifest.revision}, made "
            f"by version {manifest.service} of the service: restore it with that version; one that "
            "is older is brought up to date when a newer service opens it"
        )


def _expect_whole(folder: Path, manifest: Manifest) -> None:
    """Every file that belongs there is there and says what it said."""
    expected = {f"{table.name}.parquet" for table in TABLES}
    tables = {name for name in manifest.files if ARCHIVED_NAME.fullmatch(name) is None}
    if tables != expected:
        raise BackupError(
            f"{folder}: expected the manifest to list {', '.join(sorted(expected))} and archived "
            f"journals; got {', '.join(sorted(tables))}"
        )
    for name, listed in manifest.files.items():
        try:
            found = BackupFile.of(folder / name)
        except FileErrors as error:
            raise BackupError(
                f"expected a file of the backup in {folder / name}; {error}"
            ) from error
        if found != listed:
            raise BackupError(
                f"{folder / name}: expected {listed.rows} rows and SHA-256 {listed.sha256}, as the "
                f"manifest says; got {found.rows} rows and {found.sha256}"
            )


def _expect_empty(connection: sa.Connection) -> None:
    for table in TABLES:
        count = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        if count:
            raise BackupError(
                f"expected an empty store to restore into; got {count} rows in {table.name}"
            )


def _restore_archive(target: Path, folder: Path, manifest: Manifest) -> None:
    """Archived journals first: until a game names one, it is only a file more."""
    for name in manifest.archived:
        if (target / name).exists() and BackupFile.of(target / name) != manifest.files[
            f"{ARCHIVE}/{name}"
        ]:
            raise BackupError(
                f"{target / name}: expected no file there, or the one of the backup; got another"
            )
    copy_files(folder / ARCHIVE, target, manifest.archived)


def _fill(connection: sa.Connection, table: sa.Table, path: Path) -> int:
    count = 0
    for page in read_pages(path, table):
        connection.execute(sa.insert(table), page)
        count += len(page)
    if count and table.autoincrement_column is not None:
        _count_on(connection, table, table.autoincrement_column)
    return count


def _count_on(connection: sa.Connection, table: sa.Table, number: sa.Column[int]) -> None:
    """Have new rows numbered after the restored ones; those of the journal far after them.

    A watcher may have been told of numbers that came after the backup, and must not take them for
    those of other rows.
    """
    gap = JOURNAL_GAP if table is journal else 0
    highest = sa.select(sa.func.max(number) + gap)
    if connection.dialect.name == "postgresql":
        sequence = sa.func.pg_get_serial_sequence(table.name, number.name)
        connection.execute(sa.select(sa.func.setval(sequence, highest.scalar_subquery())))
    else:
        connection.execute(
            sa.text("UPDATE sqlite_sequence SET seq = seq + :gap WHERE name = :name"),
            {"gap": gap, "name": table.name},
        )
