from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import duckdb
import psycopg
import pytest

from offramp.sources.demo.load import load_demo
from offramp.sources.demo.schema import TABLES
from offramp.sources.postgres.source import PostgresSource
from platform_tests.sources.landing_folder import START, FolderWriter, specs_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from offramp.sources.demo.source import DemoSource

READ_POINT = "select as_of from demo_clock"


def differences(one: object, other: object, table: str) -> int:
    left, right = (f"(select * from '{folder}/{table}.parquet')" for folder in (one, other))
    query = f"select count(*) from (({left} except all {right}) union all ({right} except all {left}))"
    return duckdb.sql(query).fetchall()[0][0]


@pytest.mark.parametrize("hours", [[26.5, 130.25], [200, 60]], ids=["forward", "backward"])
def test_postgresql_loaded_from_the_demo_lands_the_same_rows_at_each_instant(
    demo_of: Callable[..., DemoSource],
    tmp_path: Path,
    postgres_dsn: str,
    hours: list[float],
) -> None:
    demo = demo_of(scale=0.3)
    for number, hour in enumerate(hours):
        as_of = START + timedelta(hours=hour)
        from_demo, from_server = tmp_path / f"demo{number}", tmp_path / f"server{number}"
        from_demo.mkdir()
        from_server.mkdir()
        told: list[tuple[str, int]] = []
        rows = load_demo(
            demo,
            postgres_dsn,
            schema="public",
            as_of=as_of,
            progress=lambda step, *, rows, to=told: to.append((step, rows)),
        )
        demo.land(specs_of("demo"), lambda _, to=from_demo: FolderWriter(to), as_of=as_of)
        source = PostgresSource("core", postgres_dsn, read_point_sql=READ_POINT)
        point = source.land(specs_of("core"), lambda _, to=from_server: FolderWriter(to), as_of=None)
        assert point == as_of
        for name in TABLES:
            assert differences(from_demo, from_server, name) == 0, name
            types = [duckdb.sql(f"describe select * from '{folder}/{name}.parquet'").fetchall()
                     for folder in (from_demo, from_server)]  # fmt: skip
            assert types[0] == types[1]
            count = duckdb.sql(f"select count(*) from '{from_demo}/{name}.parquet'").fetchall()[0][0]
            assert rows[name] == count > 0
        assert told == [(f"load {name}", rows[name]) for name in TABLES]


def test_loading_the_same_instant_again_writes_no_row(demo_of: Callable[..., DemoSource], postgres_dsn: str) -> None:
    demo = demo_of()
    as_of = START + timedelta(days=2, minutes=7)
    first = load_demo(demo, postgres_dsn, schema="Core data", as_of=as_of)
    query = 'select max(xmin::text::bigint) from "Core data".users'
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        before = connection.execute(query).fetchone()
        assert load_demo(demo, postgres_dsn, schema="Core data", as_of=as_of) == first
        assert connection.execute(query).fetchone() == before
        assert connection.execute('select as_of from "Core data".demo_clock').fetchall() == [(as_of,)]


def test_a_load_that_fails_leaves_the_earlier_state(demo_of: Callable[..., DemoSource], postgres_dsn: str) -> None:
    demo = demo_of()
    load_demo(demo, postgres_dsn, schema="public", as_of=START + timedelta(days=1))
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        before = connection.execute("select count(*), max(last_updated) from users").fetchone()
        connection.execute("alter table categories add constraint broken check (id < 0) not valid")
        with pytest.raises(psycopg.errors.CheckViolation):
            load_demo(demo, postgres_dsn, schema="public", as_of=START + timedelta(days=3))
        assert connection.execute("select count(*), max(last_updated) from users").fetchone() == before
        assert connection.execute("select as_of from demo_clock").fetchall() == [(START + timedelta(days=1),)]
