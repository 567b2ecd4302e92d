"""Brings the tables of a store up to date by itself, whatever version wrote it (Alembic)."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from serve_app.storage.errors import StoreUnavailableError, StoreVersionError

MIGRATIONS = Path(__file__).parent / "migrations"
NEWEST = "0003"


def bring_up_to_date(writers: sa.Engine) -> None:
    """Run the migrations that are missing, once, however many processes come at the same time.

    Raises StoreVersionError where a later version of the service was here, and
    StoreUnavailableError where the folder of an embedded store cannot be used.
    """
    with _one_at_a_time(writers.url):
        if _revision(writers.execution_options(writing=False)) != NEWEST:
            with writers.begin() as connection:
                _migrate(connection)


def _revision(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(connection: sa.Connection) -> None:
    # Imported where it is needed: a store that is up to date opens in half the time.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SET LOCAL statement_timeout = 0"))  # a big store takes its time
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreVersionError(
            f"the store: expected a version up to {NEWEST}; {error}. Run the version of the "
            "service that wrote it, or a later one"
        ) from error


@contextmanager
def _one_at_a_time(url: sa.URL) -> Iterator[None]:
    """SQLite's switch to WAL waits for nobody: a file lock keeps other processes out meanwhile.

    On PostgreSQL the lock of the writers does.
    """
    if url.get_backend_name() != "sqlite":
        yield
        return
    folder = Path(str(url.database)).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        opening = (folder / "opening.lock").open("w")
    except OSError as error:
        raise StoreUnavailableError(f"the store's folder cannot be used: {error}") from error
    with opening:
        fcntl.flock(opening, fcntl.LOCK_EX)
        yield
