"""What columns of models are made of."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import polars as pl
import pytest

from offramp.feeds.registry import FEEDS, layers_of
from offramp.sources.phones.schema import TABLES
from offramp.sql.lineage import column_lineage, lineages_of
from offramp.sql.lineage_rows import UNKNOWN, Rows, rows_of
from offramp.sql.project import load_project
from platform_tests.mobility.model_house import APP, COLUMNS, run_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from offramp.sql.lineage import Lineages
    from offramp.sql.project import Project

DECLARED = {"stays": ("app", "who", "place", "seconds", "kinds"), "people": ("app", "who", "name")}


def _relation(name: str) -> Rows:
    if name not in DECLARED:
        return Rows({}, any_of=name)
    return Rows({one: frozenset({(name, one)}) for one in DECLARED[name]})


def made_of(sql: str) -> dict[str, str]:
    """Return by column what a query's rows are made of; ``?`` before what is not known."""
    rows = rows_of(sql, _relation)
    return {name: " ".join(sorted(".".join(one) for one in found)) for name, found in rows.columns.items()}


@pytest.fixture(scope="module")
def lineages(real: Project) -> Lineages:
    return lineages_of(real, layers_of(FEEDS))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select place, seconds + 1 as more from stays", {"place": "stays.place", "more": "stays.seconds"}),
        ("select seconds, name from stays join people using (app)",
         {"seconds": "stays.seconds", "name": "people.name"}),
        ("select s.seconds as a, a + 1 as b from stays as s", {"a": "stays.seconds", "b": "stays.seconds"}),
        ("select t.anything.field from other as t", {"field": "other.anything"}),
        ("select * exclude (app, who, place) replace (place as kinds) from stays",
         {"seconds": "stays.seconds", "kinds": "stays.place"}),
        ("with a as (select place from stays), b as (select place as p from a) select p from b", {"p": "stays.place"}),
        ("with a(x) as (select place from stays) select x from a", {"x": "stays.place"}),
        ("select place as x from stays union all select name from people", {"x": "people.name stays.place"}),
        ("select name as y, who as x from people union all by name select place as x, app as y from stays",
         {"y": "people.name stays.app", "x": "people.who stays.place"}),
        ("select sum(seconds) filter (where place = 1) as x from stays", {"x": "stays.place stays.seconds"}),
        ("select sum(seconds) over w as x from stays window w as (partition by who)",
         {"x": "stays.seconds stays.who"}),
        ("select list_transform(kinds, lambda place: place + seconds) as x from stays",
         {"x": "stays.kinds stays.seconds"}),
        ("select [place + n for place, n in kinds] as x from stays", {"x": "stays.kinds"}),
        ("select kind from stays, unnest(stays.kinds) as k(kind)", {"kind": "stays.kinds"}),
        ("select place, (select max(p.name) from people as p where p.who = s.who) as x from stays as s",
         {"place": "stays.place", "x": "people.name people.who stays.who"}),
        ("select q.x from stays as s cross join lateral (select s.place + 1 as x) as q", {"x": "stays.place"}),
        ("select unnest([case when seconds > 9 then 'long' end, case when place = 1 then 'one' end]) as x from stays",
         {"x": "stays.place stays.seconds"}),
        ("select who from stays where seconds > 9", {"who": "stays.who"}),
        ("select cast(null as varchar) as x from stays where place = 1", {"x": ""}),
    ],
)  # fmt: skip
def test_a_column_is_made_of_what_its_expression_names(sql: str, expected: dict[str, str]) -> None:
    assert made_of(sql) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 'long' as x from stays where seconds > 9", "stays.seconds"),
        ("select count(*) as x from stays join people on people.who = stays.who group by place",
         "people.who stays.place stays.who"),
        ("select count(*) as x from stays left join people on people.who = stays.who", ""),
        ("with a as (select app from stays where place = 1) select 'x' as x from a", "stays.place"),
        ("select 1 as x from stays where exists (select 1 from people where name = 'a')", "people.name"),
    ],
)  # fmt: skip
def test_a_constant_and_a_count_are_made_of_what_decides_the_rows(sql: str, expected: str) -> None:
    assert made_of(sql) == {"x": expected}


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("select height as x from stays", "height"),
        ("select s.height as x from stays as s", "s.height"),
        ("select height as x from one cross join other", "height"),
    ],
)
def test_a_name_that_may_be_of_no_table_or_of_several_is_told(sql: str, name: str) -> None:
    assert made_of(sql) == {"x": f"{UNKNOWN}.{name}"}


def test_a_model_that_is_not_stored_is_followed(write: Callable[..., Path], shops_files: dict[str, str]) -> None:
    above = shops_files["models/shop/shops.yml"].split("models:")[1].replace("- name: shops", "- name: malls")
    folder = write(
        {
            "models/shop/malls.yml": f"version: 2\n\nmodels:{above}",
            "models/shop/malls.sql": "select id, size as name, changed_at, tenant from {{ ref('shops') }}",
        }
    )
    found = column_lineage(load_project(folder), "shop.malls")
    assert found.columns["id"] == (("core.shops", "id"),)
    assert found.columns["tenant"] == (("core.shops", "tenant"),)
    assert found.unresolved == {"name": ("size",)}


def test_sql_that_is_not_understood_leaves_all_columns_unresolved(write: Callable[..., Path]) -> None:
    text = "select id, name, changed_at, tenant from {{ source('core', 'shops') }} where where"
    found = column_lineage(load_project(write({"models/shop/shops.sql": text})), "shop.shops")
    assert found.columns == {"id": (), "name": (), "changed_at": (), "tenant": ()}
    assert found.unresolved == {name: (name,) for name in found.columns}


def test_every_column_of_every_real_model_is_resolved(lineages: Lineages, real: Project) -> None:
    found = {name: lineages.of(name) for name in real.models}
    assert {name: one.unresolved for name, one in found.items() if one.unresolved} == {}
    for name, loaded in real.models.items():
        assert set(found[name].columns) >= {*loaded.model.contract.names, *(it.name for it in loaded.model.hidden)}


def test_origins_are_columns_of_what_the_model_reads(lineages: Lineages, real: Project) -> None:
    known = {name: {column for column, _ in columns} for name, columns in COLUMNS.items()}
    known |= {f"mobility.{name}": {column for column, _ in table.columns} for name, table in TABLES.items()}
    for name in real.models:
        reads = {f"{use.source}.{use.table}" for use in real.compile(name).relations}
        for origins in lineages.of(name).columns.values():
            assert {relation for relation, _ in origins} <= reads
            for relation, column in origins:
                if relation.startswith("mobility"):
                    assert column in known[relation]
                elif relation.startswith("model."):
                    assert column in lineages.of(relation.removeprefix("model.")).columns


def test_a_segment_leads_to_the_visits_trips_and_drives_that_decide_it(lineages: Lineages) -> None:
    todo = [("model.mobility.segments", "segment_id")]
    found: set[tuple[str, str]] = set()
    while todo:
        model, column = todo.pop()
        new = set(lineages.of(model.removeprefix("model.")).columns[column]) - found
        found |= new
        todo += [one for one in new if one[0].startswith("model.")]
    assert {
        ("mobility_layers.trips", "mode"),
        ("mobility_layers.visits", "venue_types"),
        ("mobility_layers.places", "city_type"),
        ("mobility_layers.drives", "smooth_v2"),
    } <= found


def test_what_reads_nothing_is_made_of_nothing(lineages: Lineages) -> None:
    assert set(lineages.of("mobility.attribute_definitions").columns.values()) == {()}
    assert lineages.of("mobility.stationaries").columns["address.streetname"] == ()


def test_the_lineage_of_a_whole_feed_takes_seconds(real: Project) -> None:
    fresh = lineages_of(real, layers_of(FEEDS))
    began = time.process_time()
    for name in real.models:
        fresh.of(name)
    assert time.process_time() - began < 10


@pytest.fixture(scope="module")
def visit() -> dict[str, object]:
    row: dict[str, object] = {"app_id": APP, "user_id": "5b1a6f8a3e2c4d0001f0a001", "venue_types": ["shop"]}
    for column, kind in COLUMNS["mobility_layers.visits"]:
        made = {"VARCHAR": "Gent", "DOUBLE": 51.0, "BIGINT": 600, "INTEGER": 3600}.get(kind)
        row.setdefault(column, made if made is not None else None)
    instants = pl.Series(["2018-12-03 12:00:00", "2018-12-03 12:10:00"]).str.to_datetime(time_unit="us").to_list()
    return row | {
        "started_at": instants[0], "ended_at": instants[1], "until_at": instants[1],
        "local_start": instants[0], "local_end": instants[1],
    }  # fmt: skip


def test_to_break_a_column_changes_those_that_are_made_of_it(
    lineages: Lineages, visit: dict[str, object], tmp_path: Path
) -> None:
    name, table = "mobility.stationaries", "mobility_layers.visits"
    until = pl.Series(["2018-12-04"]).str.to_datetime(time_unit="us").item()
    day = pl.DataFrame({"day": [until.date()], "until": [until], "window_start": [until.replace(month=10)]})
    payload = {"app_id": APP, "user_id": visit["user_id"], "received_at": visit["until_at"]}

    def rows(**broken: object) -> dict[str, object]:
        frames = {
            table: pl.DataFrame([visit | broken], schema_overrides={"ended_at": pl.Datetime("us")}),
            "mobility_layers.day": day.cast({"until": pl.Datetime("us"), "window_start": pl.Datetime("us")}),
            "mobility.payloads": pl.DataFrame([payload]),
        }
        [row] = run_model(name, frames, tmp_path).to_dicts()
        return row

    whole = rows()
    declared = lineages.of(name).columns
    for column in ("venue_name", "city", "country", "city_type", "start_text", "end_text", "latitude", "longitude"):
        broken = rows(**{column: 8.5 if isinstance(visit[column], float) else "Brugge"})
        changed = {one for one in whole if whole[one] != broken[one]}
        assert changed == {one for one, origins in declared.items() if (table, column) in origins}, column
