"""What only the databases under the ledger have: URLs, locks, servers that go away, versions of tables."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import traceback
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from sqlalchemy import create_engine, text

from offramp.domain.errors import LedgerUnreachable, WrongUse
from offramp.ledger.schema import VERSION, prepare
from offramp.ledger.sql_ledger import SqlLedger
from platform_tests.ledger.samples import NOW, TTL, make_delivery, postgres_url

if TYPE_CHECKING:
    from pathlib import Path

    from platform_tests.servers.postgres import PostgresServer

AT_ONCE = timedelta(milliseconds=50)


def shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)


@pytest.mark.parametrize(
    "url",
    [
        "", "ledger.sqlite", "sqlite://", "sqlite:///:memory:", "mysql://me:hunter2@db/ledger", "postgresql://me:hunter2@db",
        "postgresql+psycopg2://me:hunter2@db/ledger", "postgresql://me:hunter2@db:port/ledger",
        "postgresql://me:hunter@hunter2@db/ledger",
    ],
)  # fmt: skip
def test_a_url_that_cannot_keep_a_ledger_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(WrongUse, match="to do") as refused:
        SqlLedger(url)

    assert "hunter2" not in shown(refused.value)


def test_neither_repr_nor_errors_show_the_password(postgres_server: PostgresServer) -> None:
    url = postgres_url(postgres_server.dsn()).replace("s3cret", "hunter2")
    ledger = SqlLedger(url)

    with pytest.raises(WrongUse, match="authentication failed") as refused:
        ledger.find()

    assert "hunter2" not in shown(refused.value) + repr(ledger) + str(vars(ledger)) + repr(ledger._database)
    assert f"127.0.0.1:{postgres_server.port}/postgres" in repr(ledger)


def test_a_database_that_does_not_exist_is_wrong_use(postgres_server: PostgresServer) -> None:
    with pytest.raises(WrongUse, match="does not exist"):
        SqlLedger(postgres_url(postgres_server.dsn("nowhere"))).find()


def test_a_missing_right_is_wrong_use(postgres_dsn: str) -> None:
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        connection.execute("create role onlooker login password 'x'")
    ledger = SqlLedger(postgres_url(make_conninfo(postgres_dsn, user="onlooker", password="x")))  # noqa: S106 - a throwaway server
    try:
        # Since version 15 nobody but the owner creates tables in the schema public.
        with pytest.raises(WrongUse, match="rights"):
            ledger.find()
    finally:
        ledger.close()
        with psycopg.connect(postgres_dsn, autocommit=True) as connection:
            connection.execute("drop role onlooker")


def test_a_server_that_is_not_there_can_be_tried_again() -> None:
    ledger = SqlLedger("postgresql://me:hunter2@127.0.0.1:1/ledger")

    with pytest.raises(LedgerUnreachable, match="run again") as unreachable:
        ledger.find()

    assert "hunter2" not in shown(unreachable.value)


def test_connections_that_the_server_closed_are_opened_again(postgres_dsn: str) -> None:
    ledger = SqlLedger(postgres_url(postgres_dsn))
    claim = ledger.claim(make_delivery(), owner="run 1", ttl=TTL, now=NOW)
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )

    ledger.check(claim)

    ledger.close()


def test_a_locked_delivery_in_postgresql_can_be_tried_again(postgres_dsn: str) -> None:
    ledger = SqlLedger(postgres_url(postgres_dsn), busy_timeout=AT_ONCE)
    delivery = make_delivery()
    claim = ledger.claim(delivery, owner="run 1", ttl=TTL, now=NOW)
    lock = int.from_bytes(bytes.fromhex(delivery.id), "big", signed=True)

    with psycopg.connect(postgres_dsn) as connection:
        connection.execute("select pg_advisory_xact_lock(%s)", [lock])
        with pytest.raises(LedgerUnreachable, match="lock timeout"):
            ledger.release(claim)

    ledger.release(claim)
    ledger.close()


def test_a_locked_file_can_be_tried_again_and_still_be_read(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = SqlLedger(f"sqlite:///{path}", busy_timeout=AT_ONCE)
    claim = ledger.claim(make_delivery(), owner="run 1", ttl=TTL, now=NOW)

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(LedgerUnreachable, match="locked"):
            ledger.release(claim)
        assert len(ledger.find()) == 1

    ledger.release(claim)
    ledger.close()


def test_a_file_that_is_no_database_is_wrong_use(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_text("id,name\n" * 1000)

    with pytest.raises(WrongUse, match="not a database"):
        SqlLedger(f"sqlite:///{path}").find()


def test_a_folder_that_cannot_be_made_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in the way")

    with pytest.raises(WrongUse, match="rights of its folder"):
        SqlLedger(f"sqlite:///{tmp_path / 'state' / 'ledger.sqlite'}").find()


def test_the_file_uses_wal_and_full_sync(tmp_path: Path) -> None:
    ledger = SqlLedger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    ledger.find()

    with ledger._database.read() as connection:
        pragmas = [
            connection.exec_driver_sql(f"pragma {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    ledger.close()

    assert pragmas == ["wal", 2, 1]


def test_tables_of_a_newer_version_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    SqlLedger(f"sqlite:///{path}").find()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update ledger_version set version = 99")

    with pytest.raises(WrongUse, match="newer version") as refused:
        SqlLedger(f"sqlite:///{path}").find()

    assert "99" in str(refused.value)


def test_older_tables_are_brought_up_step_by_step(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    steps = {
        VERSION: ["alter table deliveries add column note text"],
        VERSION + 1: ["alter table deliveries rename column note to remark"],
    }
    with engine.begin() as connection:
        prepare(connection)
        prepare(connection, version=VERSION + 2, migrations=steps)
        prepare(connection, version=VERSION + 2, migrations=steps)

        assert connection.execute(text("select version from ledger_version")).scalar_one() == VERSION + 2
        assert connection.execute(text("select remark from deliveries")).all() == []
    engine.dispose()


def test_importing_the_ledger_loads_no_driver_and_no_object_mapper() -> None:
    """Quick commands pay for every import."""
    code = (
        "import sys, offramp.ledger.sql_ledger; "
        "print([name for name in ('psycopg', 'sqlalchemy.orm', 'dagster', 'duckdb', 'polars') if name in sys.modules])"
    )

    answer = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env={"PYTHONPATH": ":".join(sys.path)}
    )

    assert answer.stdout.strip() == "[]"
