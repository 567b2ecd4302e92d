"""The database of the store: opened when it is first used, written by one writer at a time.

SQLite runs with WAL and `synchronous=FULL`, PostgreSQL with `synchronous_commit=on`: what was
written is on disk when `writing` ends. Nothing is opened in the constructor, and a connection that
broke is replaced, so a database that was away is used again as soon as it is back.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from serve_app.storage.errors import StaleWriteError, StoreAddressError, StoreUnavailableError
from serve_app.storage.migrate import bring_up_to_date

FILE_NAME = "halftime.sqlite3"
WAIT_SECONDS = 3.0
# "half" in ASCII: writers of one PostgreSQL database queue up behind this advisory lock. So the
# numbers of the journal are given out in the order of the commits, and no reader can pass over one.
WRITERS_LOCK = 0x68616C66
# Parameters of libpq by which a URL can carry a password besides the place before the host.
PASSWORD_PARAMETERS = frozenset({"password", "sslpassword"})


def postgresql_url(text: str) -> sa.URL:
    """A PostgreSQL address with the driver that is used here.

    Raises StoreAddressError on any other, and on one with a password: configs are shown and kept,
    and others on the machine read a process's arguments.
    """
    expected = "the store's URL: expected postgresql://user@host:5432/database"
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        raise StoreAddressError(f"{expected}; got something else") from None
    if url.get_backend_name() != "postgresql" or not url.database:
        raise StoreAddressError(f"{expected}; got something else")
    if url.password is not None or PASSWORD_PARAMETERS & url.query.keys():
        raise StoreAddressError(
            f"{expected} without a password, whose place is PGPASSWORD or ~/.pgpass; got one in it"
        )
    return url.set(drivername="postgresql+psycopg")


class Database:
    """Connections to one database; several processes may use the same one.

    `url` is `sqlite:///PATH` or `postgresql+psycopg://...`. `durable=False` gives up the promise
    above for SQLite; benchmarks compare with it. A caller waits at most `wait_seconds` for a lock
    or a server.
    """

    def __init__(
        self, url: sa.URL, *, durable: bool = True, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self.url = url
        self._durable = durable
        self._wait_seconds = wait_seconds
        self._is_sqlite = url.get_backend_name() == "sqlite"
        self._engine = self._sqlite() if self._is_sqlite else self._postgresql()
        self._writers = self._engine.execution_options(writing=True)
        self._active = threading.local()
        self._opening = threading.Lock()
        self._is_open = False

    @classmethod
    def in_folder(
        cls, folder: Path, *, durable: bool = True, wait_seconds: float = WAIT_SECONDS
    ) -> "Database":
        """The embedded database in a data folder."""
        url = sa.URL.create("sqlite", database=str(folder / FILE_NAME))
        return cls(url, durable=durable, wait_seconds=wait_seconds)

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        self._engine.dispose()

    # --- transactions ----------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction: all inside is on disk when it ends, or nothing where it raises.

        Inside another `writing` of the same thread it is a part of that one. Raises
        StoreUnavailableError, and StaleWriteError where a row is there that must not be.
        """
        if (active := self._of_this_thread()) is not None:
            yield active
            return
        with _store_errors():
            self._open()
            with self._writers.connect() as connection:
                try:
                    with connection.begin():
                        self._active.connection = connection
                        yield connection
                finally:
                    self._active.connection = None

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection to read by; inside a `writing` or `reading` of this thread, that one's.

        SQLite shows one view in it, PostgreSQL at each statement what is committed by then.
        Raises StoreUnavailableError.
        """
        active = self._of_this_thread() or getattr(self._active, "reader", None)
        if active is not None:
            yield active
            return
        with _store_errors():
            self._open()
            with self._engine.connect() as connection:
                try:
                    self._active.reader = connection
                    yield connection
                finally:
                    self._active.reader = None

    @property
    def transaction(self) -> sa.Connection:
        """The transaction that this thread is in; writes belong to one."""
        active = self._of_this_thread()
        if active is None:
            raise RuntimeError("the store: expected to be written inside `writing`; it is not")
        return active

    def _of_this_thread(self) -> sa.Connection | None:
        active: sa.Connection | None = getattr(self._active, "connection", None)
        return active

    def _open(self) -> None:
        """Bring the tables up to date at the first use."""
        if self._is_open:
            return
        with self._opening:
            if not self._is_open:
                bring_up_to_date(self._writers)
                self._is_open = True

    # --- the two kinds ---------------------------------------------------------------------

    def _sqlite(self) -> sa.Engine:
        engine = sa.create_engine(
            self.url,
            hide_parameters=True,
            connect_args={"timeout": self._wait_seconds},
            pool_timeout=self._wait_seconds,
        )

        @sa.event.listens_for(engine, "connect")
        def _connect(connection: Any, _: object) -> None:  # noqa: ANN401 - sqlite3.Connection
            # The driver's own BEGIN comes late and never takes the write lock: ours does.
            connection.isolation_level = None
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={'FULL' if self._durable else 'OFF'}")
            connection.execute("PRAGMA foreign_keys=ON")

        @sa.event.listens_for(engine, "begin")
        def _begin(connection: sa.Connection) -> None:
            is_writing = connection.get_execution_options().get("writing", False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")

        return engine

    def _postgresql(self) -> sa.Engine:
        milliseconds = round(self._wait_seconds * 1000)
        options = (
            f"-c synchronous_commit=on -c lock_timeout={milliseconds} "
            f"-c statement_timeout={5 * milliseconds} "
            f"-c idle_in_transaction_session_timeout={10 * milliseconds}"
        )
        engine = sa.create_engine(
            self.url,
            hide_parameters=True,
            isolation_level="READ COMMITTED",
            connect_args={
                "connect_timeout": ceil(self._wait_seconds),
                "options": options,
                # A server that is gone without a word is noticed by the network, not by a timer.
                "tcp_user_timeout": milliseconds,
                "keepalives_idle": 1,
                "keepalives_interval": 1,
                "keepalives_count": 3,
            },
            pool_pre_ping=True,
            pool_timeout=self._wait_seconds,
        )

        @sa.event.listens_for(engine, "begin")
        def _begin(connection: sa.Connection) -> None:
            if connection.get_execution_options().get("writing", False):
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITERS_LOCK)))

        return engine


@contextmanager
def _store_errors() -> Iterator[None]:
    """The drivers' errors as the store's; no message holds a password or a value."""
    try:
        yield
    except IntegrityError as error:
        raise StaleWriteError(f"the store: expected a new row; {_reason(error)}") from error
    except (DBAPIError, PoolTimeoutError) as error:
        raise StoreUnavailableError(f"the store does not answer: {_reason(error)}") from error


def _reason(error: DBAPIError | PoolTimeoutError) -> object:
    """What the driver says; of PostgreSQL's errors the first line, for the others show rows."""
    if not isinstance(error, DBAPIError):
        return error
    diagnosis = getattr(error.orig, "diag", None)
    return (diagnosis and diagnosis.message_primary) or error.orig
