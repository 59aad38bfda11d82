"""What every engine does; more of one engine stands in engine/."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from offramp.domain.errors import ContractBroken, OfframpError
from offramp.domain.landings import Relation
from offramp.engine.duckdb_engine import DuckDBEngine

if TYPE_CHECKING:
    from pathlib import Path

    from offramp.domain.ports import Engine

ENGINES = {"duckdb": lambda scratch: DuckDBEngine(scratch, memory_bytes=200_000_000, threads=2)}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    return ENGINES[request.param](tmp_path / "scratch")


def _file(path: Path, **columns: pa.Array) -> str:
    pq.write_table(pa.table(columns), path)
    return str(path)


def _users(tmp_path: Path, rows: int = 3) -> Relation:
    uri = _file(
        tmp_path / "users.parquet",
        user_id=pa.array(range(rows), pa.int64()),
        name=pa.array([f"user {number}" for number in range(rows)]),
    )
    return Relation("users", (uri,), (("user_id", "BIGINT"), ("name", "VARCHAR")))


def test_a_relation_is_selected_from_by_its_name(engine: Engine, tmp_path: Path) -> None:
    with engine.open([_users(tmp_path)]) as session:
        assert session.rows("select user_id, name from users order by user_id desc limit 1") == [(2, "user 2")]


def test_a_relation_without_files_has_its_columns_and_no_rows(engine: Engine) -> None:
    empty = Relation("users", (), (("user_id", "BIGINT"), ("price", "DECIMAL(12,3)")))

    with engine.open([empty]) as session:
        assert session.describe("select * from users") == (("user_id", "BIGINT"), ("price", "DECIMAL(12,3)"))
        assert session.rows("select count(*) from users") == [(0,)]


def test_files_of_different_columns_and_types_read_as_the_relation_declares(engine: Engine, tmp_path: Path) -> None:
    old = _file(tmp_path / "old.parquet", id=pa.array([1], pa.int32()), dropped=pa.array(["x"]))
    new = _file(tmp_path / "new.parquet", added=pa.array([True]), id=pa.array([2**40], pa.int64()))
    plays = Relation("plays", (old, new), (("id", "BIGINT"), ("added", "BOOLEAN"), ("later", "DATE")))

    with engine.open([plays]) as session:
        assert session.rows("select * from plays order by id") == [(1, None, None), (2**40, True, None)]
        assert session.describe("select * from plays") == plays.schema


def test_a_value_that_does_not_fit_its_declared_type_is_named(engine: Engine, tmp_path: Path) -> None:
    uri = _file(tmp_path / "text.parquet", id=pa.array(["7", "seven"]))

    with (
        engine.open([Relation("texts", (uri,), (("id", "BIGINT"),))]) as session,
        pytest.raises(ContractBroken, match="seven"),
    ):
        list(session.stream("select id from texts"))


def test_a_stream_keeps_the_order_of_its_query(engine: Engine, tmp_path: Path) -> None:
    with engine.open([_users(tmp_path, rows=50_000)]) as session:
        batches = list(session.stream("select user_id from users order by user_id desc", batch_rows=4_096))

    assert pa.Table.from_batches(batches)["user_id"].to_pylist() == list(range(49_999, -1, -1))
    assert max(batch.num_rows for batch in batches) <= 4_096


def test_a_stream_goes_on_while_other_queries_run(engine: Engine, tmp_path: Path) -> None:
    with engine.open([_users(tmp_path, rows=50_000)]) as session:
        stream = session.stream("select user_id from users order by user_id", batch_rows=4_096)
        first = next(stream).num_rows
        count = session.rows("select count(*) from users")
        rest = sum(batch.num_rows for batch in stream)

    assert (first + rest, count) == (50_000, [(50_000,)])


def test_the_schema_of_a_stream_is_known_before_it_runs(engine: Engine, tmp_path: Path) -> None:
    sql = "select name, user_id, timestamptz '2026-01-01 00:00:00+00' as at, 1.5::decimal(12,3) as price from users"

    with engine.open([_users(tmp_path)]) as session:
        assert session.schema(sql) == next(session.stream(sql)).schema
        assert session.schema(sql).types == [pa.string(), pa.int64(), pa.timestamp("us", "UTC"), pa.decimal128(12, 3)]


def test_instants_are_in_utc(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Oslo")

    with engine.open([]) as session:
        assert session.rows("select (timestamptz '2026-01-01 00:00:00+00')::varchar") == [("2026-01-01 00:00:00+00",)]


def test_a_stored_result_reads_back_in_its_order(engine: Engine, tmp_path: Path) -> None:
    target = tmp_path / "it's stored.parquet"

    with engine.open([_users(tmp_path, rows=300_000)]) as session:
        rows = session.store("select user_id from users order by user_id desc", target)

    assert rows == 300_000
    assert pq.read_table(target)["user_id"].to_pylist() == list(range(299_999, -1, -1))


def test_a_result_that_is_held_keeps_its_order_until_the_session_ends(engine: Engine, tmp_path: Path) -> None:
    with engine.open([_users(tmp_path, rows=5_000)]) as session:
        session.hold("select user_id, name from users order by user_id desc", "held")
        ids = [id_ for (id_,) in session.rows("select user_id from held")]
        kinds = session.describe("select * from held")
    with engine.open([_users(tmp_path)]) as session, pytest.raises(OfframpError, match="held"):
        session.rows("select count(*) from held")

    assert ids == list(range(4_999, -1, -1))
    assert kinds == (("user_id", "BIGINT"), ("name", "VARCHAR"))


def test_a_session_sees_its_own_relations_only(engine: Engine, tmp_path: Path) -> None:
    with engine.open([_users(tmp_path)]) as session:
        session.rows("select count(*) from users")

    with engine.open([]) as session, pytest.raises(OfframpError, match="users"):
        session.rows("select count(*) from users")


def test_what_a_query_gives_follows_the_columns_that_its_relations_declare(engine: Engine, tmp_path: Path) -> None:
    users = _users(tmp_path)
    texts = Relation("users", users.uris, (("user_id", "VARCHAR"),))

    for relation, kind in ((users, "BIGINT"), (texts, "VARCHAR"), (users, "BIGINT")):
        with engine.open([relation]) as session:
            assert session.describe("select user_id from users") == (("user_id", kind),)
            assert (
                session.schema("select user_id from users") == next(session.stream("select user_id from users")).schema
            )


@pytest.mark.parametrize(
    "sql",
    [
        "with few as (select * from users where user_id < 2) select count(*) from few",
        "-- those below two\nWITH few AS (select * from users where user_id < 2)\nselect count(*) from few -- only",
        '/* those; "below" */ -- two\n with"few"as (select * from users where user_id < 2) select count(*) from few',
        "with recursive n as (select 0 as i union all select i + 1 from n where i < 1) select count(*) from n",
    ],
)
def test_a_query_may_name_subqueries_of_its_own(engine: Engine, tmp_path: Path, sql: str) -> None:
    with engine.open([_users(tmp_path)]) as session:
        assert session.rows(sql) == [(2,)]


def test_sessions_may_be_open_at_once_each_with_its_own_relations(engine: Engine, tmp_path: Path) -> None:
    more = _users(tmp_path, rows=9)

    with engine.open([more]) as outer, engine.open([]) as inner:
        assert outer.rows("select count(*) from users") == [(9,)]
        with pytest.raises(OfframpError, match="users"):
            inner.rows("select count(*) from users")
        assert outer.rows("select max(user_id) from users") == [(8,)]


def test_names_and_paths_with_quotes_are_read(engine: Engine, tmp_path: Path) -> None:
    uri = _file(tmp_path / "o'brien.parquet", **{'a "b"': pa.array([1])})

    with engine.open([Relation('odd "name"', (uri,), (('a "b"', "BIGINT"),))]) as session:
        assert session.rows('select "a ""b""" from "odd ""name"""') == [(1,)]


def test_a_cut_file_is_named_when_the_session_opens(engine: Engine, tmp_path: Path) -> None:
    users = _users(tmp_path, rows=10_000)
    whole = (tmp_path / "users.parquet").read_bytes()
    (tmp_path / "users.parquet").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(OfframpError, match=r"users\.parquet"), engine.open([users]):
        pass


def test_a_file_whose_pages_are_damaged_is_named_by_the_stream(engine: Engine, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.parquet", tmp_path / "bad.parquet"
    for path in (good, bad):
        pq.write_table(pa.table({"id": range(100_000)}), path, compression="zstd", use_dictionary=False)
    content = bytearray(bad.read_bytes())
    content[4:200] = b"\xff" * 196
    bad.write_bytes(content)

    with (
        engine.open([Relation("ids", (str(good), str(bad)), (("id", "BIGINT"),))]) as session,
        pytest.raises(OfframpError, match=r"bad\.parquet"),
    ):
        list(session.stream("select id from ids order by id"))


def test_a_wrong_query_is_shown_with_the_reason(engine: Engine, tmp_path: Path) -> None:
    with engine.open([_users(tmp_path)]) as session, pytest.raises(OfframpError, match="user_idd"):
        session.rows("select user_idd from users")


def test_nothing_is_left_in_the_scratch_folder(engine: Engine, tmp_path: Path) -> None:
    with engine.open([_users(tmp_path)]) as session:
        session.rows("select 1")
    engine.close()

    assert list((tmp_path / "scratch").iterdir()) == []
