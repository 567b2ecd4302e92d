"""What all tests share: a PostgreSQL server of their own, where one can be had."""

from collections.abc import Iterator

import pytest

from tests.postgresql import NoPostgresError, PostgresServer


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    """A PostgreSQL server; tests that want one skip where none can be had."""
    try:
        server = PostgresServer()
    except NoPostgresError as reason:
        pytest.skip(f"no PostgreSQL server here: {reason}")
    try:
        server.start()
        yield server
    finally:
        server.remove()
