from __future__ import annotations

import hashlib
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from offramp.domain.contracts import DataType
from offramp.domain.errors import SourceRefused
from offramp.domain.landings import TableSpec
from offramp.sources.demo.schema import TABLES
from offramp.sql.project import load_project
from platform_tests.sources.landing_folder import START, FolderWriter, specs_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from offramp.sources.demo.source import DemoSource

DAY = timedelta(days=1)
REPOSITORY = Path(__file__).parents[2]


def land(demo: DemoSource, specs: list[TableSpec], folder: Path, **options: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    demo.land(specs, lambda _: FolderWriter(folder, options.get("since")), as_of=options.get("as_of"))
    return folder


def sums(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.glob("**/*.parquet"))
    }


def rows(demo: DemoSource, table: str, instant: datetime, query: str) -> list[tuple]:
    with demo.connect() as connection:
        select = demo.select_as_of(table, instant)
        return connection.execute(query.format(rows=f"({select})")).fetchall()


def log(demo: DemoSource, table: str) -> str:
    """All versions of a table that the demo's days hold."""
    return f"read_parquet('{next(demo.folder.glob('v*'))}/2*/{table}.parquet')"


def test_the_same_seed_gives_the_same_bytes_in_another_process_and_at_other_thread_counts(
    demo_of: Callable[..., DemoSource],
    tmp_path: Path,
) -> None:
    as_of = START + timedelta(days=9, hours=11)
    wanted = land(demo_of(threads=1), specs_of("demo"), tmp_path / "one", as_of=as_of)
    land(demo_of(threads=4), specs_of("demo"), tmp_path / "four", as_of=as_of)
    script = (
        "import sys; from datetime import date, datetime, UTC; from pathlib import Path\n"
        "from offramp.sources.demo.source import DemoSource\n"
        "demo = DemoSource('demo', Path(sys.argv[1]), 7, date(2026, 1, 1), None, 0.1, lambda: datetime.now(UTC))\n"
        "demo.select_as_of('users', datetime.fromisoformat(sys.argv[2]))\n"
    )
    other = tmp_path / "other"
    subprocess.run(
        [sys.executable, "-c", script, other, as_of.isoformat()],
        check=True,
        env={"PYTHONPATH": ":".join(sys.path), "POLARS_MAX_THREADS": "1"},
    )
    assert sums(wanted) == sums(tmp_path / "four")
    assert sums(tmp_path / "demo") == sums(other)


def test_two_processes_can_make_the_same_days_at_once(tmp_path: Path, demo_of: Callable[..., DemoSource]) -> None:
    script = (
        "import sys; from datetime import date, datetime, UTC; from pathlib import Path\n"
        "from offramp.sources.demo.source import DemoSource\n"
        "demo = DemoSource('demo', Path(sys.argv[1]), 7, date(2026, 1, 1), None, 0.1, lambda: datetime.now(UTC))\n"
        "demo.select_as_of('users', datetime(2026, 1, 7, tzinfo=UTC))\n"
    )
    shared = tmp_path / "shared"
    environment = {"PYTHONPATH": ":".join(sys.path)}
    both = [subprocess.Popen([sys.executable, "-c", script, shared], env=environment) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    demo_of().select_as_of("users", START + 6 * DAY)
    assert sums(shared) == sums(tmp_path / "demo")
    assert not list(shared.glob("*/.making-*"))


def test_a_life_is_the_same_whether_made_at_once_or_day_by_day_by_new_readers(
    demo_of: Callable[..., DemoSource], tmp_path: Path
) -> None:
    demo_of(folder=tmp_path / "at_once").select_as_of("users", START + 20 * DAY)
    for number in range(2, 21, 3):
        demo_of(folder=tmp_path / "in_steps").select_as_of("users", START + number * DAY)
    assert sums(tmp_path / "at_once") == sums(tmp_path / "in_steps")


def test_another_seed_gives_another_life(
    demo_of: Callable[..., DemoSource],
) -> None:
    query = "select sum(hash(user_name, first_name, zip)) from {rows}"
    assert rows(demo_of(seed=1), "users", START, query) != rows(demo_of(seed=2), "users", START, query)


def references() -> list[tuple[str, str, str, str]]:
    """Every reference of the models: table, column, target table, target column."""
    return [
        (loaded.model.entity, column.name, *column.references.split("."))
        for loaded in load_project(REPOSITORY / "dbt_like_sql").models.values()
        for column in loaded.model.contract.columns
        if column.references
    ]  # type: ignore[return-value]


def orphans(table: str, column: str, target: str, target_column: str) -> str:
    """Return the query that counts rows whose reference leads nowhere, or to another tenant."""
    both = all("tenant" in dict(TABLES[name].columns) for name in (table, target))
    tenant = "and t.tenant = o.tenant" if both else ""
    signed_in = "and o.user_id <> -1" if (table, column) == ("assets_views", "user_id") else ""
    return (
        f"select '{table}.{column}', count(*) from {table} o where o.{column} is not null {signed_in} "
        f"and not exists (from {target} t where t.{target_column} = o.{column} {tenant})"
    )


RULES = """
    select 'category of view', count(*) from assets_views v join assets a on a.id = v.asset_id
      where not exists (from categories c where c.id = v.category_id and c.asset_type_id = a.asset_type_id)
    union all select 'parent of category', count(*) from categories c where c.level_type <> 'GENRE'
      and not exists (from categories p where p.id = c.parent_id and p.tenant = c.tenant)
    union all select 'one category per type', count(asset_type_id) - count(distinct asset_type_id) from categories
    union all select 'publisher of category', count(*) from categories c where c.level_type = 'CHANNEL'
      and 1 <> (select count(*) from categories_metadata m join publishers p on m.value = p.id::varchar
                where m.category_id = c.id and m.name = 'publisher-id' and p.tenant = c.tenant)
    union all select 'publishing within the licence', count(*) from assets_platforms
      where publish_start < license_start or publish_end > license_end
    union all select 'cuts add up', count(*) from (
      select sum(c.amount) <> any_value(t.amount) or sum(c.percentage) <> 100 as is_wrong
      from payment_transaction_cuts c join payment_transactions t on t.id = c.payment_transaction_id group by t.id)
      where is_wrong
    union all select 'placed and removed', count(*) from video_files_published p join video_files_deleted d
      using (file_id, server_id) where d.deleted_at > p.last_updated
    union all select 'sub-profiles of a user', count(*) from (
      select 1 from users_profiles group by user_id having count(*) filter (not deleted) > 5)
    union all select 'codes of a pool', count(*) from vvs_pools p
      where p.size <> (select count(*) from vvs_vouchers v where v.pool_id = p.id)
    union all select 'content of a licence', count(*) from acquisition_manager_licenses l where not exists (
      select id from acquisition_manager_movies m where l.content_type = 'MOVIE' and m.id = l.content_id
      union all select id from acquisition_manager_shows m where l.content_type = 'SHOW' and m.id = l.content_id
      union all select id from acquisition_manager_seasons m where l.content_type = 'SEASON' and m.id = l.content_id
      union all select id from acquisition_manager_episodes m where l.content_type = 'EPISODE' and m.id = l.content_id)
"""


@pytest.mark.parametrize("hours", [0, 0.001, 3.5, 24, 50.25, 77.7, 144.01, 168, 191.9, 192.1, 263.3, 288])
def test_references_and_rules_hold_at_any_instant(lived: DemoSource, hours: float) -> None:
    instant = START + timedelta(hours=hours)
    every = references()
    with lived.connect() as connection:
        for table in TABLES:
            connection.execute(f"create table {table} as {lived.select_as_of(table, instant)}")
        queries = [*(orphans(*one) for one in every), RULES]
        broken = connection.execute(" union all ".join(queries)).fetchall()
    assert len(every) > 80
    assert [fault for fault in broken if fault[1]] == []


def test_after_four_days_no_table_is_empty_and_each_tenant_has_rows(lived: DemoSource) -> None:
    with lived.connect() as connection:
        for name, table in TABLES.items():
            wanted = 2 if "tenant" in dict(table.columns) else 1
            owner = "tenant" if wanted == 2 else "1"
            select = lived.select_as_of(name, START + 4 * DAY)
            assert connection.execute(f"select count(distinct {owner}) from ({select})").fetchall() == [(wanted,)], name


@pytest.mark.parametrize("name", list(TABLES))
def test_keys_are_unique_and_rows_come_in_their_order(
    lived: DemoSource,
    tmp_path: Path,
    name: str,
) -> None:
    land(lived, specs_of("demo", [name]), tmp_path, as_of=START + 11 * DAY)
    key = ", ".join(TABLES[name].key)
    file = f"'{tmp_path}/{name}.parquet'"
    total, keys = duckdb.sql(f"select count(*), count(distinct ({key})) from {file}").fetchall()[0]
    assert total == keys > 0
    ordered = f"select count(*) from (select row({key}) < lag(row({key})) over () as falls from {file}) where falls"
    assert duckdb.sql(ordered).fetchall() == [(0,)]


@pytest.mark.parametrize("name", list(TABLES))
def test_columns_have_the_names_order_and_types_of_the_spec(
    lived: DemoSource,
    tmp_path: Path,
    name: str,
) -> None:
    land(lived, specs_of("demo", [name]), tmp_path, as_of=START + DAY)
    found = duckdb.sql(f"describe select * from '{tmp_path}/{name}.parquet'").fetchall()
    aliases = {"timestamptz": "timestamp with time zone"}
    wanted = [(column, aliases.get(kind, kind).upper()) for column, kind in TABLES[name].columns]
    assert [(column, kind) for column, kind, *_ in found] == wanted


def test_what_was_visible_at_an_instant_never_changes_later(
    demo_of: Callable[..., DemoSource],
    tmp_path: Path,
) -> None:
    as_of = START + timedelta(days=3, hours=9, minutes=30)
    before = land(demo_of(), specs_of("demo"), tmp_path / "before", as_of=as_of)
    demo_of().select_as_of("users", START + 30 * DAY)
    after = land(demo_of(), specs_of("demo"), tmp_path / "after", as_of=as_of)
    assert sums(before) == sums(after)


def test_later_landings_know_every_view_of_earlier_ones(
    lived: DemoSource,
) -> None:
    counts = [rows(lived, "assets_views", START + timedelta(hours=hour), "select count(*) from {rows}")[0][0]
              for hour in (1, 12, 24, 100, 200, 288)]  # fmt: skip
    assert counts == sorted(counts)
    assert len(set(counts)) == len(counts)


@pytest.mark.parametrize("name", ["users", "vvs_pools"])
def test_some_changes_become_visible_after_their_day_and_its_safety_lag(lived: DemoSource, name: str) -> None:
    change = TABLES[name].change_column
    late = f"""
        select count(*) from {log(lived, name)}
        where {change}::timestamp < date_trunc('day', _committed_at)
          and _committed_at > date_trunc('day', _committed_at) + interval 5 minutes
    """
    soon = f"""
        select count(*) from {log(lived, name)}
        where date_trunc('day', {change}::timestamp) = date_trunc('day', _committed_at)
          and _committed_at < date_trunc('day', _committed_at) + interval 5 minutes
    """
    assert duckdb.sql(late).fetchall()[0][0] > 0
    assert duckdb.sql(soon).fetchall()[0][0] > 0


def test_nothing_is_visible_before_it_happened_and_a_change_column_never_moves_back(lived: DemoSource) -> None:
    living = {name: table for name, table in TABLES.items() if list(lived.folder.glob(f"v*/2*/{name}.parquet"))}
    still = {"payment_types", "payment_transaction_types", "product_periods"}
    assert set(TABLES) - set(living) <= still | {"tenants"}
    for name, table in living.items():
        key = ", ".join(table.key)
        change = f"{table.change_column}::timestamp"
        early = f"select count(*) from {log(lived, name)} where {change} > _committed_at"
        back = f"""
            select count(*) from (
            select {change} < lag({change}) over (partition by {key} order by _version) as back
            from {log(lived, name)}) where back
        """
        swapped = f"""
            select count(*) from (
            select _committed_at <= lag(_committed_at) over (partition by {key} order by _version) as swapped
            from {log(lived, name)}) where swapped
        """
        assert [duckdb.sql(query).fetchall() for query in (early, back, swapped)] == [[(0,)]] * 3, name


def test_some_views_are_uploaded_days_after_they_happened_and_ids_rise_with_ingestion(lived: DemoSource) -> None:
    views = log(lived, "assets_views")
    late = f"select count(*) filter (ingested_at - registered > interval 1 day) from {views}"
    falls = f"select count(*) from (select ingested_at < lag(ingested_at) over (order by id) as f from {views}) where f"
    assert duckdb.sql(late).fetchall()[0][0] > 20
    assert duckdb.sql(falls).fetchall() == [(0,)]


def test_rows_are_removed_for_good_and_users_are_forgotten(
    lived: DemoSource,
) -> None:
    for name in ("vvs_pools", "assets"):
        assert duckdb.sql(f"select count(*) from {log(lived, name)} where _is_deleted").fetchall()[0][0] > 0
    kept = rows(
        lived,
        "users",
        START + 12 * DAY,
        "select count(*), count(email), count(first_name), count(date_of_birth), count(zip) from {rows} where deleted",
    )
    assert kept[0][0] > 10
    assert kept[0][1:] == (0, 0, 0, 0)


def test_a_quiet_day_changes_nothing_and_one_tenant_has_no_views(
    lived: DemoSource,
) -> None:
    quiet = next(lived.folder.glob("v*")) / "2026-01-07"
    assert [file.name for file in quiet.glob("[!s]*.parquet")] == ["assets_views.parquet"]
    tenants = duckdb.sql(f"select distinct tenant from '{quiet}/assets_views.parquet'").fetchall()
    assert tenants == [("aurora",)]


def test_small_tables_change_on_few_days(lived: DemoSource) -> None:
    days = {name: len(list(lived.folder.glob(f"v*/2*/{name}.parquet"))) for name in ("platforms", "asset_types")}
    assert 1 <= days["platforms"] <= 2
    assert 2 <= days["asset_types"] <= 3


def test_text_that_breaks_exports_is_there(
    lived: DemoSource,
) -> None:
    query = """
        select bool_or(title like '%"%'), bool_or(title like '%;%'), bool_or(title like '%,%'),
               bool_or(title like '%' || chr(13) || chr(10) || '%'), bool_or(title like '%' || chr(9) || '%'),
               bool_or(title like '=%'), bool_or(title like ' %'), bool_or(title like '% '), bool_or(description = ''),
               bool_or(description is null), bool_or(regexp_matches(title, '[\\x{1F300}-\\x{1FAFF}]')),
               bool_or(regexp_matches(title, '[\\x{0590}-\\x{06FF}]')), bool_or(external_id like '00%')
        from {rows}
    """
    with lived.connect() as connection:
        parts = " union all ".join(f"(select title, description, external_id from ({lived.select_as_of(name, START)}))"
                                   for name in ("assets", "categories"))  # fmt: skip
        found = connection.execute(query.replace("{rows}", f"({parts})")).fetchall()[0]
    assert all(found), found


def test_an_increment_holds_what_was_ingested_after_the_given_instant(
    lived: DemoSource,
    tmp_path: Path,
) -> None:
    since, until = START + timedelta(days=3, hours=23, minutes=55), START + timedelta(days=5, minutes=5)
    land(lived, specs_of("demo", ["assets_views"]), tmp_path / "part", as_of=until, since=since)
    land(lived, specs_of("demo", ["assets_views"]), tmp_path / "all", as_of=until)
    part, whole = (f"'{tmp_path}/{name}/assets_views.parquet'" for name in ("part", "all"))
    newer = f"select * from {whole} where ingested_at > '{since:%Y-%m-%d %H:%M:%S}'"
    assert duckdb.sql(f"select count(*) from ({newer})").fetchall()[0][0] > 1000
    assert duckdb.sql(f"({newer} except from {part}) union all (from {part} except {newer})").fetchall() == []


@pytest.mark.parametrize("hours", [0, 1, 23])
def test_tables_without_a_commit_since_they_landed_are_kept(lived: DemoSource, tmp_path: Path, hours: float) -> None:
    at = START + timedelta(days=3, hours=1)
    then = land(lived, specs_of("demo"), tmp_path / "then", as_of=at)
    now = land(lived, specs_of("demo"), tmp_path / "now", as_of=at + timedelta(hours=hours))
    (tmp_path / "kept").mkdir()
    writer = FolderWriter(tmp_path / "kept", kept_from=at)

    lived.land(specs_of("demo"), lambda _: writer, as_of=at + timedelta(hours=hours))

    files = [f"{spec.name}.parquet" for spec in specs_of("demo")]
    same = {name for name in files if sums(then)[name] == sums(now)[name]}
    assert {f"{name}.parquet" for name in writer.kept} == same
    assert {name: sums(now)[name] for name in sums(writer.folder)} == sums(writer.folder)
    assert len(writer.kept) + len(writer.added) == len(files)


def test_a_demo_with_days_is_frozen_after_them(
    demo_of: Callable[..., DemoSource],
    tmp_path: Path,
) -> None:
    demo = demo_of(days=3)
    end = land(demo, specs_of("demo"), tmp_path / "end", as_of=START + 3 * DAY)
    later = land(demo, specs_of("demo"), tmp_path / "later", as_of=START + 300 * DAY)
    land(demo, specs_of("demo"), tmp_path / "nothing", as_of=START + 300 * DAY, since=START + 299 * DAY)
    assert sums(end) == sums(later)
    assert duckdb.sql(f"select count(*) from '{tmp_path}/nothing/assets_views.parquet'").fetchall() == [(0,)]
    assert not list(demo.folder.glob("v*/2026-01-04"))


def test_without_an_instant_it_lands_what_the_clock_says(
    demo_of: Callable[..., DemoSource],
    tmp_path: Path,
) -> None:
    now = datetime(2026, 1, 2, 13, 14, 15, tzinfo=UTC)
    demo = demo_of(clock=lambda: now)
    points = []

    def begin(read_point: datetime) -> object:
        points.append(read_point)
        return FolderWriter(tmp_path)

    assert demo.land(specs_of("demo", ["platforms"]), begin, as_of=None) == now
    assert points == [now]
    assert demo.read_point() == now


def test_wrong_names_and_instants_are_refused_with_what_is_right(
    demo_of: Callable[..., DemoSource],
    tmp_path: Path,
) -> None:
    demo = demo_of()
    with pytest.raises(SourceRefused, match="did you mean 'users'"):
        demo.land([TableSpec("demo", "user", ("id",), "tenant")], lambda _: FolderWriter(tmp_path), as_of=START)
    with pytest.raises(SourceRefused, match=r"no column 'last_update'.*\n.*did you mean 'last_updated'"):
        demo.land(
            [TableSpec("demo", "users", ("id",), "tenant", "last_update")],
            lambda _: FolderWriter(tmp_path),
            as_of=START,
        )
    with pytest.raises(SourceRefused, match="no past before its first day"):
        demo.land(specs_of("demo"), lambda _: FolderWriter(tmp_path), as_of=START - timedelta(seconds=1))


def test_the_demos_columns_are_those_of_the_models() -> None:
    """The models' columns are held against the specification by their golden catalogue."""
    project = load_project(REPOSITORY / "dbt_like_sql")
    media = [loaded for loaded in project.models.values() if loaded.model.feed == "media"]
    assert set(TABLES) == {loaded.model.entity for loaded in media}
    for loaded in media:
        model, table = loaded.model, TABLES[loaded.model.entity]
        extra = [*(["tenant"] if model.tenant_column else []), *(["ingested_at"] if table.is_log else [])]
        assert [column for column, _ in table.columns] == [*model.contract.names, *extra], model.entity
        kinds = dict(table.columns)
        differ = [
            one.name for one in model.contract.columns if one.type.duckdb != DataType.parse(kinds[one.name]).duckdb
        ]
        assert differ == [], model.entity
        assert table.key == model.contract.key


@pytest.mark.parametrize("scale", [0.01, 0.05])
def test_the_smallest_demos_live_on(demo_of: Callable[..., DemoSource], scale: float) -> None:
    demo = demo_of(scale=scale)
    select = demo.select_as_of("users", START + 45 * DAY)
    with demo.connect() as connection:
        assert connection.execute(f"select count(*) > 5 from ({select}) where not deleted").fetchall() == [(True,)]
