"""Servers that the suites share: each starts once in a session (or a worker of pytest-xdist) when first asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

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


def _server(module: str) -> Iterator[Any]:
    with importlib.import_module(f"platform_tests.servers.{module}").run() as server:
        yield server


@pytest.fixture(scope="session")
def seaweedfs() -> Iterator[Any]:
    """A real S3 server, with identities, roles and STS."""
    yield from _server("seaweedfs")


@pytest.fixture(scope="session")
def gcs_server() -> Iterator[Any]:
    """fake-gcs-server behind a proxy that checks tokens and preconditions as Google Cloud Storage does."""
    yield from _server("gcs")


@pytest.fixture(scope="session")
def gcs_xml_server(seaweedfs: Any) -> Iterator[Any]:
    """SeaweedFS behind a proxy that speaks the XML API's dialect of Google Cloud Storage."""
    with importlib.import_module("platform_tests.servers.gcs_xml").run(seaweedfs) as server:
        yield server


@pytest.fixture(scope="session")
def sshd() -> Iterator[Any]:
    """A real OpenSSH server for SFTP."""
    yield from _server("sshd")


@pytest.fixture(scope="session")
def vsftpd() -> Iterator[Any]:
    """A real vsftpd: FTP and FTPS with session reuse required."""
    yield from _server("vsftpd")


@pytest.fixture(scope="session")
def pyftpd() -> Iterator[Any]:
    """A real pyftpdlib server: FTP and FTPS."""
    yield from _server("pyftpd")
