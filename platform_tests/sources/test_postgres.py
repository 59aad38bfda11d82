from __future__ import annotations

import logging
import threading
import traceback
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from offramp.domain.errors import OfframpError, SourceRefused, SourceUnreachable
from offramp.domain.landings import Increment, TableSpec
from offramp.sources.postgres.source import PostgresSource
from platform_tests.servers.postgres import PostgresServer, run_standby
from platform_tests.sources.landing_folder import FolderWriter

if TYPE_CHECKING:
    from pathlib import Path


def spec(name: str, key: str = "id", **options: object) -> TableSpec:
    return TableSpec("core", name, (key,), None, **options)


def read(folder: Path, table: str, query: str = "select * from {file}") -> list[tuple]:
    return duckdb.sql(query.format(file=f"'{folder}/{table}.parquet'")).fetchall()


def test_every_landing_holds_one_snapshot_of_all_tables_while_writers_run(
    postgres_dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    """Each transfer takes from one table and gives to the other: the sum over both never changes."""
    for name in ("left_account", "right_account"):
        connection.execute(f"create table {name} (id bigint primary key, amount bigint not null)")
        connection.execute(f"insert into {name} select n, 100 from generate_series(1, 20000) n")
    stop = threading.Event()
    transfers = 0

    def transfer() -> None:
        nonlocal transfers
        with psycopg.connect(postgres_dsn) as own:
            while not stop.is_set():
                amount = transfers % 7 + 1
                own.execute("update left_account set amount = amount - %s where id %% 50 = 0", [amount])
                own.execute("insert into right_account values (%s, %s)", [100_000 + transfers, amount * 400])
                own.commit()
                transfers += 1

    worker = threading.Thread(target=transfer)
    worker.start()
    source = PostgresSource("core", postgres_dsn)
    totals, moved = [], []
    try:
        while len(totals) < 6 or transfers < 5:
            folder = tmp_path / str(len(totals))
            folder.mkdir()
            source.land(
                [spec("left_account"), spec("right_account")], lambda _, to=folder: FolderWriter(to), as_of=None
            )
            left, right = (
                read(folder, name, "select sum(amount)::bigint from {file}")[0][0]
                for name in ("left_account", "right_account")
            )
            totals.append(left + right)
            moved.append(right)
    finally:
        stop.set()
        worker.join()
    assert set(totals) == {4_000_000}
    assert moved == sorted(moved)
    assert moved[-1] > moved[0]


def test_all_connections_that_read_a_large_table_see_its_one_snapshot(
    postgres_dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    connection.execute("create table big (id bigint primary key, filler text)")
    connection.execute("insert into big select n, repeat('x', 200) from generate_series(1, 100000) n")
    connection.execute("analyze big")

    def begin(_: datetime) -> object:
        """Change the table once the read point is known, before a reader has begun."""
        connection.execute("delete from big where id % 2 = 0")
        connection.execute("insert into big select n, 'late' from generate_series(100001, 200000) n")
        return FolderWriter(tmp_path)

    PostgresSource("core", postgres_dsn, readers=3).land([spec("big")], begin, as_of=None)
    assert read(tmp_path, "big", "select count(*), sum(id)::bigint, count(distinct id) from {file}") == [
        (100_000, 5_000_050_000, 100_000)
    ]


def test_true_types_and_exact_values_survive(postgres_dsn: str, connection: psycopg.Connection, tmp_path: Path) -> None:
    connection.execute("""
        create type mood as enum ('good', 'bad');
        create table every_type (id bigint primary key, small smallint, whole integer, fraction double precision,
            price numeric(12,3), huge numeric(38,10), title text, short varchar(20), flag boolean, day date,
            local timestamp, instant timestamptz, code uuid, document jsonb, raw bytea, feeling mood);
        insert into every_type values
          (9223372036854775807, -32768, -2147483648, 0.1, 123456789.001, 1234567890123456789012345678.0123456789,
           E'a"b;c,d\\r\\n\\té e\u0301 🎬 ', '', true, '1969-12-31', '2026-01-01 00:00:00.123456',
           '2026-01-01 05:45:00.000001+05:45', '0b5c4a5e-0000-4000-a000-00000000000f', '{"b": [1, null]}',
           '\\x00ff', 'bad'),
          (0, null, null, null, -0.001, 0, ' ', null, false, null, null, null, null, null, null, null)
    """)
    PostgresSource("core", postgres_dsn).land([spec("every_type")], lambda _: FolderWriter(tmp_path), as_of=None)
    kinds = [kind for _, kind, *_ in duckdb.sql(f"describe select * from '{tmp_path}/every_type.parquet'").fetchall()]
    assert kinds == [
        "BIGINT", "SMALLINT", "INTEGER", "DOUBLE", "DECIMAL(12,3)", "DECIMAL(38,10)", "VARCHAR", "VARCHAR", "BOOLEAN",
        "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "UUID", "JSON", "BLOB", "VARCHAR",
    ]  # fmt: skip
    texts = "(columns(* exclude (raw, instant)))::varchar, epoch_us(instant), hex(raw)"
    assert read(tmp_path, "every_type", f"select {texts} from {{file}} order by id desc") == [
        ("9223372036854775807", "-32768", "-2147483648", "0.1", "123456789.001",
         "1234567890123456789012345678.0123456789", 'a"b;c,d\r\n\té e\u0301 🎬 ', "", "true", "1969-12-31",
         "2026-01-01 00:00:00.123456", "0b5c4a5e-0000-4000-a000-00000000000f", '{"b": [1, null]}', "bad",
         1767225600000001, "00FF"),
        ("0", None, None, None, "-0.001", "0.0000000000", " ", None, "false", *[None] * 7),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value"),
    [("numeric", "1.23456"), ("numeric(40,2)", "1"), ("interval", "'1 day'"), ("integer[]", "'{1}'"),
     ("inet", "'192.0.2.1'"), ("time", "'10:00'"), ("money", "'1'")],
)  # fmt: skip
def test_a_type_that_cannot_be_carried_exactly_is_refused_by_table_and_column(
    postgres_dsn: str,
    connection: psycopg.Connection,
    kind: str,
    value: str,
) -> None:
    connection.execute(f"create table odd (id bigint primary key, strange {kind})")
    connection.execute(f"insert into odd values (1, {value})")
    begun = []
    with pytest.raises(SourceRefused, match=r"column 'strange' of table 'public.odd' of source 'core'") as caught:
        PostgresSource("core", postgres_dsn).land([spec("odd")], begun.append, as_of=None)
    assert f"found:    {kind}" in str(caught.value)
    assert begun == []


def test_numeric_nan_is_refused_and_zero_is_not(
    postgres_dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    connection.execute("create table prices (id bigint primary key, price numeric(12,2))")
    connection.execute("insert into prices values (1, 0), (2, 1.5)")
    source = PostgresSource("core", postgres_dsn)
    source.land([spec("prices")], lambda _: FolderWriter(tmp_path), as_of=None)
    assert read(tmp_path, "prices", "select count(*) from {file} where price = 0") == [(1,)]
    connection.execute("insert into prices values (3, 'NaN')")
    with pytest.raises(SourceRefused, match=r"'public.prices' of source 'core' holds numeric NaN"):
        source.land([spec("prices")], lambda _: FolderWriter(tmp_path), as_of=None)


def test_wrong_names_are_refused_with_the_nearest_ones(
    postgres_dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    connection.execute("create table users (id bigint primary key, last_updated timestamp)")
    source = PostgresSource("core", postgres_dsn)
    for table, message in [
        (spec("user"), "no table 'user' in schema 'public'.*\n.*did you mean 'users'"),
        (spec("users", "idd"), "no column 'idd'.*\n.*did you mean 'id'"),
        (spec("users", change_column="last_update"), "no column 'last_update'.*\n.*did you mean 'last_updated'"),
        (spec("users", increment=Increment("id", timedelta(0), timedelta(0))), "cannot order an increment"),
    ]:
        with pytest.raises(SourceRefused, match=message):
            source.land([table], lambda _: FolderWriter(tmp_path), as_of=None)


def test_a_table_without_the_right_to_read_it_is_refused(
    postgres_dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    connection.execute("create table hidden (id bigint primary key)")
    connection.execute("drop role if exists stranger")
    connection.execute("create role stranger login password 'x9-stranger'")
    dsn = make_conninfo(postgres_dsn, user="stranger", password="x9-stranger")  # noqa: S106 - a throwaway role
    with pytest.raises(SourceRefused, match=r"may not read table 'public.hidden'.*\n.*grant select"):
        PostgresSource("core", dsn).land([spec("hidden")], lambda _: FolderWriter(tmp_path), as_of=None)


def test_other_schemas_and_views_are_read_too(
    postgres_dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    connection.execute('create schema "Odd schema"')
    connection.execute("""create table "Odd schema"."a table" (id bigint primary key, "a ""b" text)""")
    connection.execute("""insert into "Odd schema"."a table" values (1, 'x')""")
    connection.execute("""create view "Odd schema".seen as select id, "a ""b" from "Odd schema"."a table" """)
    source = PostgresSource("core", postgres_dsn, schema="Odd schema")
    source.land([spec("a table"), spec("seen")], lambda _: FolderWriter(tmp_path), as_of=None)
    assert read(tmp_path, "a table") == read(tmp_path, "seen") == [(1, "x")]


@pytest.mark.parametrize("kind", ["timestamp", "timestamptz"])
def test_an_increment_holds_what_was_ingested_after_the_given_instant_in_utc(
    postgres_dsn: str, connection: psycopg.Connection, tmp_path: Path, kind: str
) -> None:
    connection.execute("set timezone = 'UTC'")
    connection.execute(f"create table events (id bigint primary key, ingested_at {kind})")
    connection.execute("insert into events select n, timestamp '2026-01-01' + n * interval '1 hour' "
                       "from generate_series(0, 9) n")  # fmt: skip
    table = spec("events", increment=Increment("ingested_at", timedelta(minutes=5), timedelta(days=7)))
    since = datetime(2026, 1, 1, 6, tzinfo=UTC)
    source = PostgresSource("core", postgres_dsn)
    source.land([table], lambda _: FolderWriter(tmp_path, since), as_of=None)
    assert read(tmp_path, "events", "select id from {file} order by id") == [(7,), (8,), (9,)]
    source.land([table], lambda _: FolderWriter(tmp_path, None), as_of=None)
    assert len(read(tmp_path, "events")) == 10


def test_the_read_point_lies_at_the_snapshot_and_never_after_it(
    postgres_dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    connection.execute("create table one (id bigint primary key)")
    before = connection.execute("select clock_timestamp()").fetchone()[0]
    points = []

    def begin(read_point: datetime) -> object:
        points.append(read_point)
        return FolderWriter(tmp_path)

    returned = PostgresSource("core", postgres_dsn).land([spec("one")], begin, as_of=None)
    after = connection.execute("select clock_timestamp()").fetchone()[0]
    assert points == [returned]
    assert before <= returned <= after
    assert returned.utcoffset() == timedelta(0)
    assert before <= PostgresSource("core", postgres_dsn).read_point()


def test_a_row_committed_by_the_read_point_is_in_the_landing(
    postgres_dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    """Writers stamp rows before they commit; every stamp of a commit that ended before the read point must be in."""
    connection.execute("create table stamped (id bigserial primary key, at timestamptz)")
    stop, seen = threading.Event(), []

    def write() -> None:
        with psycopg.connect(postgres_dsn, autocommit=True) as own:
            while not stop.is_set():
                number = own.execute("insert into stamped (at) values (clock_timestamp()) returning id").fetchone()[0]
                seen.append((own.execute("select clock_timestamp()").fetchone()[0], number))

    worker = threading.Thread(target=write)
    worker.start()
    try:
        while not seen:
            worker.join(0.01)
        point = PostgresSource("core", postgres_dsn).land(
            [spec("stamped")], lambda _: FolderWriter(tmp_path), as_of=None
        )
    finally:
        stop.set()
        worker.join()
    landed = {number for (number,) in read(tmp_path, "stamped", "select id from {file}")}
    assert {number for done_at, number in seen if done_at <= point} <= landed
    assert landed


def test_a_restored_copy_tells_its_own_read_point(
    postgres_dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    connection.execute("create table one (id bigint primary key)")
    source = PostgresSource("core", postgres_dsn, read_point_sql="select timestamptz '2025-03-04 05:06:07+00'")
    told = datetime(2025, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert source.land([spec("one")], lambda _: FolderWriter(tmp_path), as_of=None) == source.read_point() == told
    for query in (
        "select null::timestamptz",
        "select timestamp '2025-03-04'",
        "select now() where false",
        "select 1, 2",
    ):
        wrong = PostgresSource("core", postgres_dsn, read_point_sql=query)
        with pytest.raises(SourceRefused, match="tells no read point"):
            wrong.read_point()
    with pytest.raises(SourceRefused, match="cannot be read as of 2025-03-04"):
        source.land([spec("one")], lambda _: FolderWriter(tmp_path), as_of=told)


def test_a_standby_promises_what_it_has_replayed(postgres_server: PostgresServer, tmp_path: Path) -> None:
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as primary:
        primary.execute("create table replayed as select n::bigint as id from generate_series(1, 300000) n")
        primary.execute("analyze replayed")
        try:
            with run_standby(postgres_server) as standby:
                primary.execute("insert into replayed values (0)")
                committed = primary.execute("select clock_timestamp()").fetchone()
                # A standby's read point moves with the commits that reach it.
                source = PostgresSource("core", standby.dsn())
                assert committed

                def has_followed() -> bool:
                    try:
                        return source.read_point() >= committed[0]
                    except SourceUnreachable:  # it has not replayed any commit yet
                        return False

                while not has_followed():
                    primary.execute("create table moving_on as select 1 as one")
                    primary.execute("drop table moving_on")
                point = source.land([spec("replayed")], lambda _: FolderWriter(tmp_path), as_of=None)
                assert point >= committed[0]
                assert read(tmp_path, "replayed", "select count(*), min(id) from {file}") == [(300_001, 0)]
        finally:
            primary.execute("drop table replayed")


def _everything_told(error: BaseException) -> str:
    """What any log could show: the error, and whatever it still knows of its cause and context."""
    others = [other for other in (error.__cause__, error.__context__) if other is not None]
    told = ["".join(traceback.format_exception(error)), repr(error), *map(_everything_told, others)]
    return "\n".join(told)


@pytest.mark.parametrize("change", [
    {"port": "1"}, {"password": "wr0ng'password"}, {"dbname": "no_such"}, {"host": "no-such-host.invalid"},
])  # fmt: skip
def test_a_server_that_does_not_answer_is_unreachable_and_its_password_stays_unsaid(
    postgres_dsn: str,
    tmp_path: Path,
    change: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    dsn = make_conninfo(postgres_dsn, **change)
    password = conninfo_to_dict(dsn)["password"]
    source = PostgresSource("core", dsn)
    for action in (lambda: source.land([spec("one")], lambda _: FolderWriter(tmp_path), as_of=None), source.read_point):
        with pytest.raises(SourceUnreachable) as caught:
            action()
        assert password not in _everything_told(caught.value)
    assert password not in repr(source) + caplog.text


@pytest.mark.parametrize("password", ["plain-pass", "it's \\ a 'quoted' one", 'doub"le ;--'])
def test_a_failure_inside_duckdb_keeps_the_password_unsaid(
    postgres_server: PostgresServer, postgres_dsn: str, tmp_path: Path, password: str
) -> None:
    """The server refuses new connections after the snapshot was taken: DuckDB repeats its connection text then."""
    database = str(conninfo_to_dict(postgres_dsn)["dbname"])
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as server:
        server.execute("drop role if exists reader")
        server.execute(SQL("create role reader login superuser password {}").format(password))
        with psycopg.connect(postgres_dsn) as own:
            own.execute("create table one (id bigint primary key)")

        def begin(_: datetime) -> FolderWriter:
            server.execute(SQL("alter database {} with allow_connections false").format(Identifier(database)))
            return FolderWriter(tmp_path)

        dsn = make_conninfo(postgres_dsn, user="reader", password=password)
        with pytest.raises(SourceUnreachable) as caught:
            PostgresSource("core", dsn).land([spec("one")], begin, as_of=None)
    told = _everything_told(caught.value)
    assert "***" in told
    assert not [word for word in password.split() if len(word) > 3 and word in told]


@pytest.mark.parametrize("dsn", [
    "postgresql://u:hush hush@[::1/db", "host=x password=hush-hush nonsense", "postgresql://u:hush-hush@h/db?nonsense=1",
])  # fmt: skip
def test_a_text_that_is_no_dsn_is_refused_without_repeating_it(dsn: str) -> None:
    with pytest.raises(OfframpError) as caught:
        PostgresSource("core", dsn).read_point()
    assert "hush" not in _everything_told(caught.value)


def test_a_read_that_fails_stops_the_others_and_leaves_no_connection(
    postgres_dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    connection.execute("create table good (id bigint primary key, price numeric(5,2))")
    connection.execute("create table bad (id bigint primary key, price numeric(5,2))")
    connection.execute("insert into bad values (1, 'NaN')")
    with pytest.raises(SourceRefused):
        PostgresSource("core", postgres_dsn).land(
            [spec("bad"), spec("good")], lambda _: FolderWriter(tmp_path), as_of=None
        )
    query = "select count(*) from pg_stat_activity where application_name = 'offramp' and datname = current_database()"
    while connection.execute(query).fetchone()[0]:
        connection.execute("select pg_stat_clear_snapshot()")
    assert connection.execute(query).fetchone() == (0,)


def test_a_statement_that_takes_too_long_can_be_tried_again(
    postgres_dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    connection.execute("create view slow as select 1::bigint as id, pg_sleep(30)::text as t")
    source = PostgresSource("core", postgres_dsn, statement_timeout_seconds=1)
    with pytest.raises(SourceUnreachable, match="reading table 'slow'"):
        source.land([spec("slow")], lambda _: FolderWriter(tmp_path), as_of=None)
