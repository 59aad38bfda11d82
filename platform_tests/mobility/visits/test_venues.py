from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from platform_tests.mobility.visits.house import House

if TYPE_CHECKING:
    from pathlib import Path

HERE = (51.05, 3.72)
EAST_60_M = (51.05, 3.72 + 60 / 70_000)
EAST_20_M = (51.05, 3.72 + 20 / 70_000)
NEAR = (51.05005, 3.72)
TUESDAY = datetime(2018, 12, 4)  # noqa: DTZ001 - UTC without zone


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def visit(house: House, hour: float = 12, minutes: int = 60, days: int = 1, place: tuple[float, float] = HERE) -> None:
    for day in range(days):
        start = TUESDAY - timedelta(days=day) + timedelta(hours=hour)
        house.stay(start, start + timedelta(minutes=minutes), *place)


def matched(house: House) -> tuple[str | None, str]:
    place = house.build()["places"].row(0, named=True)
    return place["venue_name"], place["significance"]


def test_the_nearest_venue_is_the_place(house: House) -> None:
    visit(house)
    house.venue("far", EAST_20_M, '["shop", "food", "supermarket"]')
    house.venue("near", NEAR, '["shop", "food", "supermarket"]')
    assert matched(house) == ("near", "poi")


def test_a_venue_beyond_50_m_is_not_the_place(house: House) -> None:
    visit(house)
    house.venue("far", EAST_60_M, '["shop"]')
    assert matched(house) == (None, "nonregular")


def test_a_venue_that_was_closed_is_not_the_place(house: House) -> None:
    visit(house, hour=1)
    house.venue("closed", HERE, '["shop"]', "Mo-Fr 08:00-18:00; Sa 09:00-14:00")
    house.venue("open", EAST_20_M, '["shop"]', "24/7")
    assert matched(house) == ("open", "poi")


def test_opening_hours_are_read_on_the_clocks_of_the_place(house: House) -> None:
    visit(house, hour=7.2, minutes=30)
    house.venue("opens at 8 in Gent, 7 in UTC", HERE, '["shop"]', "Mo-Su 08:00-09:00")
    assert matched(house)[1] == "poi"


def test_a_venue_of_unknown_hours_loses_to_one_that_is_open_beside_it(house: House) -> None:
    visit(house)
    house.venue("unknown", HERE, '["shop"]', "ask inside")
    house.venue("open", NEAR, '["shop"]', "Mo-Su 08:00-20:00")
    assert matched(house) == ("open", "poi")


@pytest.mark.parametrize(("minutes", "name"), [(300, "hotel"), (8, "stop")])
def test_how_long_a_visit_was_tells_venues_at_one_point_apart(house: House, minutes: int, name: str) -> None:
    visit(house, hour=2, minutes=minutes)
    house.venue("stop", HERE, '["travel", "publictransport", "bus", "busstop"]')
    house.venue("hotel", HERE, '["travel", "hotel", "expensive"]')
    assert matched(house) == (name, "poi")


def test_of_equal_venues_the_smaller_id_is_taken(house: House) -> None:
    visit(house)
    house.venue("first", HERE, '["shop"]')
    house.venue("second", HERE, '["shop"]')
    assert matched(house)[0] == "first"


def test_a_dwelling_is_no_point_of_interest(house: House) -> None:
    visit(house, days=3)
    house.venue("house 7", HERE, '["residential"]')
    assert matched(house)[1] == "regular"


def test_three_visits_on_three_days_are_regular_and_on_two_days_not(house: House) -> None:
    visit(house, days=2)
    visit(house, hour=15, days=2)
    assert matched(house) == (None, "nonregular")
    visit(house, hour=18, days=3)
    assert matched(house) == (None, "regular")


@pytest.mark.parametrize("types", ["not json", '{"a": 1}', "", "null", "[1, null]"])
def test_types_that_are_no_list_are_no_types(house: House, types: str) -> None:
    visit(house)
    house.venue("odd", HERE, types)
    name, _ = matched(house)
    assert name == "odd"


def test_venues_are_found_across_the_date_line(house: House) -> None:
    visit(house, place=(-16.8, 179.9999))
    house.venue("other side", (-16.8, -179.9999), '["shop"]')
    assert matched(house) == ("other side", "poi")
