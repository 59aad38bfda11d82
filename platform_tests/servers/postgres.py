"""A throwaway PostgreSQL server on a free port of 127.0.0.1."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from platform_tests.servers.ports import free_port
from platform_tests.servers.programs import postgresql

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "offramp"
PASSWORD = "s3cret/pass:word@1"  # noqa: S105 - a throwaway server; characters that URLs must escape
START_SECONDS = 30


@dataclass(frozen=True)
class PostgresServer:
    """A running server and its one superuser."""

    port: int
    folder: Path
    pid: int

    def dsn(self, database: str = "postgres") -> str:
        """Return a conninfo text with the password in it."""
        return make_conninfo("", host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname=database)

    @contextmanager
    def database(self) -> Iterator[str]:
        """Create an empty database, yield its conninfo, and drop it."""
        name = f"test_{next(_NUMBERS)}"
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            yield self.dsn(name)
        finally:
            with psycopg.connect(self.dsn(), autocommit=True) as connection:
                connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


_NUMBERS = iter(range(1_000_000))


def _binaries() -> Path:
    return postgresql() or pytest.fail("no PostgreSQL server: run platform_tests/servers/install")


def _account() -> str | None:
    """PostgreSQL refuses to run as root; then the account of the Debian package runs it."""
    return "postgres" if os.geteuid() == 0 else None


@contextmanager
def run_postgres() -> Iterator[PostgresServer]:
    """Create a cluster in a temporary folder, run it, and end it by its own pid."""
    binaries = _binaries()
    account = _account()
    folder = Path(tempfile.mkdtemp(prefix="offramp-postgres-"))
    password_file = folder / "password"
    password_file.write_text(PASSWORD)
    cluster = folder / "cluster"
    if account:
        owner = pwd.getpwnam(account)
        for path in (folder, password_file):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    subprocess.run(
        [
            binaries / "initdb", "--pgdata", cluster, "--username", USER, "--pwfile", password_file,
            "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync",
        ],
        check=True, stdout=subprocess.DEVNULL, cwd="/", **_as_account(),
    )  # fmt: skip
    try:
        with _serve(binaries, cluster, folder) as running:
            yield running
    finally:
        shutil.rmtree(folder)


@contextmanager
def run_standby(primary: PostgresServer) -> Iterator[PostgresServer]:
    """Run a hot standby that follows a server."""
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="standby-", dir=primary.folder))
    if account := _account():
        shutil.chown(folder, account)
    cluster = folder / "cluster"
    subprocess.run(
        [
            binaries / "pg_basebackup", "--dbname", primary.dsn(), "--pgdata", cluster, "--write-recovery-conf",
            "--checkpoint", "fast", "--no-sync",
        ],
        check=True, cwd="/", **_as_account(),
    )  # fmt: skip
    with _serve(binaries, cluster, folder) as running:
        yield running


def _as_account() -> dict[str, Any]:
    account = _account()
    return {"user": account, "group": account, "extra_groups": []} if account else {}


@contextmanager
def _serve(binaries: Path, cluster: Path, folder: Path) -> Iterator[PostgresServer]:
    port = free_port()
    # A zone that is not UTC, so that nobody leans on the server's.
    settings = {
        "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder, "fsync": "off",
        "synchronous_commit": "off", "full_page_writes": "off", "max_connections": 60, "timezone": "Asia/Kathmandu",
    }  # fmt: skip
    log = (folder / "log").open("wb")
    server = subprocess.Popen(
        [binaries / "postgres", "-D", cluster, *(f"--{name}={value}" for name, value in settings.items())],
        stdout=log, stderr=log, cwd="/", **_as_account(),
    )  # fmt: skip
    try:
        running = PostgresServer(port, folder, server.pid)
        _wait_until_it_answers(running, server)
        yield running
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(START_SECONDS)
        log.close()


def _wait_until_it_answers(running: PostgresServer, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(running.dsn()).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"PostgreSQL does not start: {(running.folder / 'log').read_text()}")
            time.sleep(0.05)
        else:
            return
