"""Stays that jitter parted are one visit; whoever was away has two."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from platform_tests.mobility.visits.house import UNTIL, House

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2018, 12, 3, 12)  # noqa: DTZ001 - UTC without zone
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NORTH = 1 / 111_194.9  # degrees of latitude in a metre


def at(metres: float, longitude: float = 3.72) -> tuple[float, float]:
    return 51.05 + metres * NORTH, longitude


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def visits(house: House) -> list[tuple[datetime, datetime]]:
    return house.build()["visits"].select("started_at", "until_at").rows()


def test_two_stays_that_jitter_parted_are_one_visit_and_no_trip(house: House) -> None:
    house.leg(NOON - HOUR, NOON, [at(9_000), at(0)])
    house.stay(NOON, NOON + HOUR, *at(0))
    house.leg(NOON + HOUR, NOON + HOUR + MINUTE, [at(5), at(20)])
    house.stay(NOON + HOUR + MINUTE, NOON + 4 * HOUR + MINUTE, *at(40))
    house.leg(NOON + 4 * HOUR + MINUTE, NOON + 5 * HOUR, [at(40), at(9_000)])

    assert visits(house) == [(NOON, NOON + 4 * HOUR + MINUTE)]
    visit = house.tables["visits"].row(0, named=True)
    assert visit["seconds"] == 4 * 3600 + 60
    assert round((visit["latitude"] - 51.05) / NORTH, 1) == 30.0
    trips = house.tables["trips"]
    assert trips["started_at"].to_list() == [NOON - HOUR, NOON + 4 * HOUR + MINUTE]
    assert trips.select("to_place_id", "from_place_id").rows() == [(1, None), (None, 1)]
    assert house.tables["places"]["visits"].to_list() == [1]


def test_a_row_of_stays_and_the_open_one_are_one_open_visit(house: House) -> None:
    for number in range(3):
        start = NOON + number * HOUR
        house.stay(start, start + HOUR - MINUTE, *at(10 * number, 180 - 1e-4 * (number == 1)))
        house.leg(start + HOUR - MINUTE, start + HOUR, [at(0, 180.0), at(10, -180.0)])
    house.open_stay(NOON + 3 * HOUR, NOON + 4 * HOUR, at(0, -179.9999))

    assert visits(house) == [(NOON, UNTIL)]
    assert house.tables["visits"]["ended_at"].to_list() == [None]
    assert house.tables["visits"]["longitude"].abs().to_list() == pytest.approx([180], abs=2e-4)
    assert house.tables["trips"].is_empty()


@pytest.mark.parametrize(
    ("minutes", "points", "second"),
    [
        (15, [at(0), at(20)], at(20)),
        (10, [at(0), at(150), at(20)], at(20)),
        (10, [at(0), at(60), at(99)], at(101)),
        (10, [at(-60), at(45)], at(45)),
    ],
    ids=["for long", "round the block", "another place", "away from the second"],
)
def test_who_was_away_has_two_visits(
    house: House, minutes: int, points: list[tuple[float, float]], second: tuple[float, float]
) -> None:
    again = NOON + HOUR + minutes * MINUTE
    house.stay(NOON, NOON + HOUR, *at(0))
    house.leg(NOON + HOUR, again, points)
    house.stay(again, again + HOUR, *second)

    assert visits(house) == [(NOON, NOON + HOUR), (again, again + HOUR)]
    assert house.tables["trips"].height == 1


def test_time_of_which_nothing_is_known_parts_two_visits(house: House) -> None:
    house.stay(NOON, NOON + HOUR, *at(0))
    house.leg(NOON + HOUR, NOON + HOUR + MINUTE, [at(0), at(20)])
    house.stay(NOON + HOUR + 3 * MINUTE, NOON + 2 * HOUR, *at(20))

    assert len(visits(house)) == 2


def test_a_leg_that_was_superseded_merges_nothing_and_another_user_neither(house: House) -> None:
    house.stay(NOON, NOON + HOUR, *at(0))
    house.leg(NOON + HOUR, NOON + HOUR + MINUTE, [at(0), at(20)], who=2)
    house.stay(NOON + HOUR + MINUTE, NOON + 2 * HOUR, *at(20))
    house.leg(NOON + HOUR, NOON + HOUR + MINUTE, [at(0), at(20)])
    later = {"built_on": NOON.date() + timedelta(days=1)}
    house.rows["layers.stays"] = [row | later for row in house.rows["layers.stays"]]
    house.rebuild(later["built_on"], NOON.date())

    assert len(visits(house)) == 2
    assert house.tables["trips"].select(pl.len()).item() == 1
