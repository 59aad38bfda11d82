# ruff: noqa: DTZ001 - instants of tables are UTC without zone
from __future__ import annotations

import itertools
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from offramp.domain.landings import Relation
from offramp.engine.duckdb_engine import DuckDBEngine
from offramp.sql.contracts import expected_columns
from platform_tests.mobility.model_house import APP, COLUMNS, project, run_model
from platform_tests.mobility.models.life_rows import hexadecimal
from platform_tests.mobility.models.lives import HOME, WORK, Life, links, tables
from platform_tests.mobility.models.segment_drives import DRIVERS, drives
from platform_tests.mobility.models.segment_personas import FOREST, MARKET, OFFICE, Persona, everyone
from platform_tests.mobility.models.segment_weeks import DAY, WORKDAYS, Outing, live, spot, weekly

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EVERYONE = everyone()
STOP = spot(50, "travel", "publictransport", "bus", "busstop")


def segments(frames: Mapping[str, pl.DataFrame], folder: Path) -> dict[str, set[str]]:
    """Return the segments of each user."""
    rows = run_model("mobility.segments", frames, folder)
    assert rows.select("app_id", "user_id", "segment_id").is_unique().all()
    return {user: set(ids) for user, ids in rows.group_by("user_id").agg("segment_id").iter_rows()}


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The segments of everyone, computed at once."""
    drivers = [live(name, weekly(WORKDAYS, OFFICE)) for name in DRIVERS]
    frames = tables(*(one.life for one in EVERYONE.values()), *drivers, day=DAY) | {
        "mobility_layers.drives": drives(
            {life.user_id: DRIVERS[name] for name, life in zip(DRIVERS, drivers, strict=True)}
        )
    }
    return segments(frames, tmp_path_factory.mktemp("segments"))


@pytest.mark.parametrize("persona", EVERYONE.values(), ids=EVERYONE.keys())
def test_a_planted_life_has_its_segments(persona: Persona, given: dict[str, set[str]]) -> None:
    found = given.get(persona.life.user_id, set())

    assert set(persona.has) - found == set()
    assert {one for one in found for part in persona.has_not if part in one} == set()


@pytest.mark.parametrize("name", DRIVERS)
def test_a_planted_driver_has_the_segments_of_driving(name: str, given: dict[str, set[str]]) -> None:
    found = {one for one in given[hexadecimal(name, 24)] if one.startswith("mobility.driving.")}

    assert found - {"mobility.driving.die_hard_driver"} == {f"mobility.driving.{one}" for one in DRIVERS[name].has}


def test_every_segment_that_is_computed_is_given_to_somebody(given: dict[str, set[str]], tmp_path: Path) -> None:
    definitions = run_model("mobility.segment_definitions", {}, tmp_path)
    computed = set(definitions.filter("is_computed")["id"])

    assert set(itertools.chain.from_iterable(given.values())) == computed


def test_users_who_sent_nothing_for_a_week_vanish_and_come_back_whole(tmp_path: Path) -> None:
    life = EVERYONE["office"].life
    until = datetime(2018, 12, 8)

    silent = tables(life, day=DAY, received_at=datetime(2018, 11, 30, 23, 59, 59))
    back = tables(life, day=DAY, received_at=datetime(2018, 12, 1))
    late = tables(life, day=DAY, received_at=until)

    assert segments(silent, tmp_path) == {}
    assert segments(late, tmp_path) == {}
    assert set(EVERYONE["office"].has) <= segments(back, tmp_path)[life.user_id]


def test_one_user_id_of_two_apps_is_two_users(tmp_path: Path) -> None:
    lives = [live("twin", weekly(WORKDAYS, OFFICE)), live("twin", weekly(WORKDAYS, Outing(WORK, 1, 22, 30)))]
    lives[1].app_id = "5a689ab0e97b960500002110"
    user = lives[0].user_id
    frames = tables(*lives, day=DAY) | {"mobility.user_links": links({user: "K-1"}, linked_at=datetime(2018, 11, 1))}

    rows = run_model("mobility.segments", frames, tmp_path)

    night = rows.filter(pl.col("segment_id") == "work_life.work.nightworker")
    assert night["app_id"].to_list() == [lives[1].app_id]
    assert set(rows.filter(pl.col("app_id") == APP)["metadata_user_id"]) == {"K-1"}
    assert set(rows.filter(pl.col("app_id") != APP)["metadata_user_id"]) == {None}


def test_waiting_at_a_stop_is_part_of_the_way_to_work(tmp_path: Path) -> None:
    life = Life()
    for day in ("05", "06", "07"):
        life.at(HOME, f"2018-11-{day} 00:00", f"2018-11-{day} 08:00")
        life.go("walking", f"2018-11-{day} 08:00", f"2018-11-{day} 08:10", metres=800)
        life.at(STOP, f"2018-11-{day} 08:10", f"2018-11-{day} 08:35")
        life.go("bus", f"2018-11-{day} 08:35", f"2018-11-{day} 09:00", metres=9200)
        life.at(WORK, f"2018-11-{day} 09:00", f"2018-11-{day} 17:00")
        life.go("car", f"2018-11-{day} 17:00", f"2018-11-{day} 17:20", metres=11000)
        life.at(MARKET, f"2018-11-{day} 17:20", f"2018-11-{day} 17:40")
        life.go("car", f"2018-11-{day} 17:40", f"2018-11-{day} 17:45", metres=1000)
        life.at(HOME, f"2018-11-{day} 17:45", f"2018-11-{day} 23:59")

    rows = run_model("mobility.segment_commutes", tables(life, day=DAY), tmp_path).sort("started_at")

    assert rows.select("origin", "seconds", "distance", "green_distance", "public_legs").unique().rows() == [
        ("home", 3600, 10000, 10000, 1)
    ]
    assert rows.height == 3


def test_what_lies_before_the_window_does_not_count(tmp_path: Path) -> None:
    # 292 days at home until two weeks after the window's start, then away.
    life = Life().at(HOME, "2018-01-01 00:00", "2018-10-20 08:00").at(FOREST, "2018-10-20 09:00", "2018-12-07 12:00")
    stayer = Life(user_id=hexadecimal("stayer", 24)).at(HOME, "2018-01-01 00:00", None)

    found = segments(tables(life, stayer, day=DAY), tmp_path)

    assert "work_life.home.homebody" not in found[life.user_id]
    assert {"work_life.home.homebody", "work_life.home.home_bound"} <= found[stayer.user_id]


def test_the_gate_lets_planted_lives_through(tmp_path: Path) -> None:
    frames = tables(*(EVERYONE[name].life for name in ("office", "diner", "parent")), day=DAY)
    gate = project().gate_sql("mobility.segments")
    relations = []
    for use in gate.relations:
        is_stored = not use.is_landed
        schema = COLUMNS.get(use.name, ())
        uris: tuple[str, ...] = ()
        rows = run_model(use.table, frames, tmp_path) if is_stored else frames.get(use.name)
        if rows is not None:
            uris = (str(tmp_path / f"gate.{use.name}.parquet"),)
            rows.write_parquet(uris[0])
        if is_stored:
            loaded = project().model(use.table).model
            schema = tuple((name, kind.duckdb) for name, kind in expected_columns(loaded))
        relations.append(Relation(use.name, uris, schema))

    with DuckDBEngine(tmp_path / "engine", memory_bytes=256 * 2**20, threads=2).open(relations) as session:
        (batch,) = session.stream(gate.sql)

    (counted,) = batch.to_pylist()
    assert counted.pop("rows_read") > 30
    assert set(counted.values()) == {0}
