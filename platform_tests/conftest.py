"""Servers that the suites share: each starts once in a session (or a worker of pytest-xdist) when first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from platform_tests.servers.postgres import PostgresServer, run_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

# Other work on the machine fails no test.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL server."""
    with run_postgres() as server:
        yield server


@pytest.fixture
def postgres_dsn(postgres_server: PostgresServer) -> Iterator[str]:
    """The conninfo, with its password, of an empty database of its own."""
    with postgres_server.database() as dsn:
        yield dsn
