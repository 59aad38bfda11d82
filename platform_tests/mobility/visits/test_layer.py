from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from offramp.feeds.mobility.visits.layer import VisitsLayer
from platform_tests.mobility.visits.house import DAY_ON, UNTIL, House, user

if TYPE_CHECKING:
    from pathlib import Path

GENT, BRUSSELS, LONDON = (51.05, 3.72), (50.85, 4.35), (51.5074, -0.1278)
NOON = datetime(2018, 12, 3, 12)  # noqa: DTZ001 - UTC without zone


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_without_rows_only_the_day_is_written(house: House) -> None:
    tables = house.build()
    assert tables["day"].rows() == [(DAY_ON, UNTIL, UNTIL - timedelta(days=63))]
    assert [tables[name].height for name in ("places", "visits", "trips")] == [0, 0, 0]


def test_what_a_later_build_made_anew_is_left_out(house: House) -> None:
    old, new = date(2018, 12, 3), date(2018, 12, 5)
    house.stay(NOON, NOON + timedelta(hours=1), *GENT, built_on=old)
    house.stay(NOON - timedelta(days=1), NOON - timedelta(hours=23), *GENT, built_on=old)
    house.stay(NOON, NOON + timedelta(hours=2), *BRUSSELS, built_on=new)
    house.rebuild(old, date(2018, 12, 2))
    house.rebuild(new, date(2018, 12, 3))
    house.rebuild(new, date(2018, 12, 1), who=2)
    visits = house.build()["visits"]
    assert visits.select("started_at", "latitude").rows() == [(NOON - timedelta(days=1), GENT[0]), (NOON, BRUSSELS[0])]


def test_a_visit_is_in_the_window_if_it_ends_in_it(house: House) -> None:
    start = UNTIL - timedelta(days=63)
    house.stay(start - timedelta(hours=2), start, *GENT)
    house.stay(start - timedelta(hours=1), start + timedelta(hours=1), *BRUSSELS, who=2)
    visits = house.build()["visits"]
    assert visits.get_column("user_id").to_list() == [user(2)]


def test_an_open_stay_is_a_visit_without_end(house: House) -> None:
    house.open_stay(NOON, NOON + timedelta(hours=1), GENT)
    house.open_stay(NOON, NOON + timedelta(minutes=2), GENT, who=2, is_stay=False)
    house.open_stay(NOON - timedelta(days=3), NOON, BRUSSELS, day=DAY_ON - timedelta(days=2))
    visit = house.build()["visits"].row(0, named=True)
    assert house.tables["visits"].height == 1
    assert (visit["started_at"], visit["ended_at"], visit["until_at"]) == (NOON, None, UNTIL)
    assert (visit["start_text"], visit["end_text"]) == ("2018-12-03T13:00:00+01:00", None)
    assert visit["seconds"] == (UNTIL - NOON).total_seconds()
    assert visit["local_end"] == UNTIL + timedelta(hours=1)


def test_texts_carry_the_offset_of_their_instant_and_z_for_none(house: House) -> None:
    change = datetime(2018, 10, 28)  # noqa: DTZ001 - UTC without zone
    house.stay(change, change + timedelta(hours=3), *GENT)
    house.stay(NOON, NOON + timedelta(minutes=30), *LONDON)
    visits = house.build()["visits"]
    assert visits.select("start_text", "end_text", "start_offset", "end_offset").rows() == [
        ("2018-10-28T02:00:00+02:00", "2018-10-28T04:00:00+01:00", 7200, 3600),
        ("2018-12-03T12:00:00Z", "2018-12-03T12:30:00Z", 0, 0),
    ]


def test_a_trip_knows_the_visits_beside_it(house: House) -> None:
    house.stay(NOON - timedelta(hours=1), NOON, *GENT)
    house.leg(NOON + timedelta(minutes=2), NOON + timedelta(hours=1), [GENT, (51.0, 4.0), BRUSSELS])
    house.stay(NOON + timedelta(hours=1), NOON + timedelta(hours=2), *BRUSSELS)
    house.leg(NOON + timedelta(hours=2, minutes=31), NOON + timedelta(hours=3), [BRUSSELS, GENT])
    house.open_stay(NOON + timedelta(hours=3, minutes=30), UNTIL, GENT)
    trips = house.build()["trips"]
    assert trips.select("from_place_id", "to_place_id", "from_significance", "to_significance", "seconds").rows() == [
        (1, 2, "home", "nonregular", 3480),
        (None, 1, None, "home", 1740),
    ]
    assert trips.get_column("city_type").to_list()[0] in {"rural", "town"}
    assert trips.get_column("city_type").to_list()[1] == "city"


def test_a_trip_of_another_user_has_no_neighbours_here(house: House) -> None:
    house.stay(NOON - timedelta(hours=1), NOON, *GENT)
    house.leg(NOON, NOON + timedelta(hours=1), [GENT, BRUSSELS], who=2)
    assert house.build()["trips"].select("from_place_id", "to_place_id").row(0) == (None, None)


def test_a_trip_across_zones_has_the_local_time_of_each_end(house: House) -> None:
    house.leg(NOON, NOON + timedelta(hours=2), [BRUSSELS, LONDON])
    trip = house.build()["trips"].row(0, named=True)
    assert (trip["start_text"], trip["end_text"]) == ("2018-12-03T13:00:00+01:00", "2018-12-03T14:00:00Z")
    assert trip["timezone"] == "Europe/Brussels"
    assert trip["city_type"] == "big_city"


def _mixed(house: House, seed: int) -> None:
    source = np.random.default_rng(7)
    for who in range(1, 8):
        for number in range(30):
            start = NOON - timedelta(days=number, minutes=int(source.integers(0, 300)))
            north, east = source.normal(0, 0.0008, 2).tolist()
            house.stay(
                start, start + timedelta(minutes=int(source.integers(10, 300))), 51.05 + north, 3.72 + east, who=who
            )
            house.leg(start - timedelta(minutes=20), start, [GENT, (51.05 + north, 3.72 + east)], who=who)
            if number % 3 == 0:
                house.venue(f"v{who}.{number}", (51.05 + north, 3.72 + east), '["shop"]', "Mo-Fr 08:00-18:00")
    for rows in house.rows.values():
        np.random.default_rng(seed).shuffle(rows)


def test_neither_the_order_of_rows_nor_the_size_of_ranges_changes_anything(tmp_path: Path) -> None:
    found = []
    for number, range_rows in enumerate((200_000, 1, 70)):
        (tmp_path / str(number)).mkdir()
        house = House(tmp_path / str(number))
        _mixed(house, seed=0)
        for name, rows in house.rows.items():
            if name != "mobility.venues":
                np.random.default_rng(number).shuffle(rows)
        found.append(house.build(range_rows=range_rows))
    for other in found[1:]:
        for name, table in found[0].items():
            assert table.equals(other[name]), name
    assert found[0]["places"].height > 20


def test_what_was_kept_beyond_the_memory_comes_back_from_disk(tmp_path: Path) -> None:
    found = []
    for name, memory in (("much", 10**9), ("little", 80)):
        (tmp_path / name).mkdir()
        house = House(tmp_path / name, memory_bytes=memory)
        _mixed(house, seed=0)
        found.append(house.build(range_rows=70)["visits"])
    assert found[0].equals(found[1])


def test_users_of_two_apps_are_two_users(house: House) -> None:
    house.stay(NOON, NOON + timedelta(hours=1), *GENT)
    house.stay(NOON, NOON + timedelta(hours=1), *BRUSSELS, app_id="5a689ab0e97b960500002110")
    places = house.build(range_rows=10)["places"]
    assert places.select("app_id", "place_id", "latitude").rows() == [
        ("5a689ab0e97b960500002109", 1, 51.05),
        ("5a689ab0e97b960500002110", 1, 50.85),
    ]


def test_rows_have_the_columns_and_types_that_the_layer_declares(house: House) -> None:
    _mixed(house, seed=1)
    tables = house.build()
    kinds = {
        "VARCHAR": pl.String,
        "INTEGER": pl.Int32,
        "BIGINT": pl.Int64,
        "DOUBLE": pl.Float64,
        "TIMESTAMP": pl.Datetime("us"),
        "DATE": pl.Date,
        "VARCHAR[]": pl.List(pl.String),
    }
    for name, table in VisitsLayer().tables.items():
        schema = tables[name].schema
        assert {column: schema[column] for column, kind in table.columns if kind in kinds} == {
            column: kinds[kind] for column, kind in table.columns if kind in kinds
        }


def test_every_place_is_visited_and_the_sums_agree(house: House) -> None:
    _mixed(house, seed=2)
    tables = house.build()
    by_place = (
        tables["visits"]
        .group_by("app_id", "user_id", "place_id")
        .agg(pl.len().cast(pl.Int64).alias("visits"), pl.sum("seconds"))
        .sort("app_id", "user_id", "place_id")
    )
    assert by_place.equals(tables["places"].select(by_place.columns))
    assert house.reported == tables["visits"].height + tables["trips"].height


def test_the_version_names_the_rules_and_the_data() -> None:
    assert VisitsLayer().version == VisitsLayer(range_rows=5).version
    assert len(VisitsLayer().version) == 16
