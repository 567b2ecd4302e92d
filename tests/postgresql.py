"""A real PostgreSQL server of the tests' own: on loopback, in a folder of its own.

Debian's package `postgresql` is enough. Where no server can be started, tests that need one skip.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import psycopg

from serve_app.process.environment import LOOPBACK, free_port

FOLDERS = "/usr/lib/postgresql/*/bin"  # Debian keeps them out of PATH
USER = "postgres"
SECONDS = 60


class NoPostgresError(RuntimeError):
    """No server can be started here: says why."""


class PostgresServer:
    """One server; `url` is the address of a database in it."""

    def __init__(self) -> None:
        self._programs = _programs()
        self._account = _account()
        self._folder = Path(tempfile.mkdtemp(prefix="halftime-postgresql-"))
        if self._account is not None:
            os.chown(self._folder, self._account.pw_uid, self._account.pw_gid)
        self.port = free_port()
        self._databases = 0
        self._run("initdb", "-D", self._data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync")

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-h {LOOPBACK} -p {self.port} -k {self._folder}"
        log = str(self._folder / "log")
        self._run("pg_ctl", "start", "-w", "-D", self._data, "-l", log, "-o", options)

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is as if its machine had lost power."""
        self._run("pg_ctl", "stop", "-w", "-D", self._data, "-m", mode)

    def remove(self) -> None:
        """Stop it and leave nothing behind."""
        with suppress(NoPostgresError):
            self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str = USER) -> str:
        return f"postgresql://{USER}@{LOOPBACK}:{self.port}/{database}"

    def new_database(self) -> str:
        """The address of a new, empty database."""
        self._databases += 1
        name = f"test_{self._databases}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        with (self._folder / "said").open("w+") as said:
            # Not a pipe: the server would keep it open.
            done = subprocess.run(
                command,
                stdout=said,
                stderr=said,
                timeout=SECONDS,
                check=False,
                cwd="/",
                user=self._account and self._account.pw_uid,
                group=self._account and self._account.pw_gid,
            )
            said.seek(0)
            if done.returncode != 0:
                raise NoPostgresError(f"{program} ended with {done.returncode}: {said.read()}")


def _programs() -> Path:
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/").glob(FOLDERS[1:]))
    if not folders:
        raise NoPostgresError(
            "expected PostgreSQL's initdb in PATH or /usr/lib/postgresql; install Debian's package "
            "postgresql to run these tests"
        )
    return folders[-1]


def _account() -> pwd.struct_passwd | None:
    """The account to run as: the server refuses to be root."""
    if os.geteuid() != 0:
        return None
    for name in (USER, "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoPostgresError("expected an account other than root to run PostgreSQL as; got none")
