"""False positions far away are no visits, and journeys are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from platform_tests.mobility.visits.house import APP, House, user

if TYPE_CHECKING:
    from pathlib import Path

GENT, NULL_ISLAND, BRUSSELS, NEW_YORK = (51.05, 3.72), (0.0, 0.0), (50.85, 4.35), (40.75, -73.99)
NOON = datetime(2018, 12, 3, 12)  # noqa: DTZ001 - UTC without zone
MINUTE = timedelta(minutes=1)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def between(house: House, place: tuple[float, float], minutes: float, beside: float = 2, who: int = 1) -> None:
    """Plant a stay of minutes at a place between two at home, which are so many minutes away."""
    end = NOON + minutes * MINUTE
    house.stay(NOON - 600 * MINUTE, NOON - beside * MINUTE, *GENT, who=who)
    house.stay(NOON, end, *place, who=who)
    house.stay(end + beside * MINUTE, end + 600 * MINUTE, *GENT, who=who)


def test_a_false_position_is_left_out_and_counted(house: House) -> None:
    between(house, NULL_ISLAND, 6)
    between(house, NULL_ISLAND, 7, who=2)
    between(house, BRUSSELS, 6, who=3)

    tables = house.build()

    assert tables["outliers"].rows() == [(APP, 2)]
    assert tables["visits"].group_by("user_id").len().sort("user_id").rows() == [
        (user(1), 2),
        (user(2), 2),
        (user(3), 3),
    ]
    assert tables["places"].select("user_id", "place_id", "visits").rows() == [
        (user(1), 1, 2), (user(2), 1, 2), (user(3), 1, 2), (user(3), 2, 1),
    ]  # fmt: skip
    assert set(tables["visits"]["timezone"]) == {"Europe/Brussels"}


@pytest.mark.parametrize(
    ("place", "minutes", "beside"), [(NULL_ISLAND, 15, 2), (NULL_ISLAND, 6, 31), (NEW_YORK, 90, 480), (BRUSSELS, 6, 2)]
)
def test_what_may_be_true_is_a_visit(house: House, place: tuple[float, float], minutes: float, beside: float) -> None:
    between(house, place, minutes, beside)

    tables = house.build()

    assert tables["outliers"].rows() == []
    assert tables["visits"].height == 3


def test_a_place_with_one_true_stay_is_no_outlier(house: House) -> None:
    between(house, NULL_ISLAND, 6)
    house.stay(NOON + 2000 * MINUTE, NOON + 2006 * MINUTE, *NULL_ISLAND)

    assert house.build()["outliers"].rows() == []


def test_neighbours_are_the_same_user_s(house: House) -> None:
    house.stay(NOON - 60 * MINUTE, NOON - MINUTE, *GENT, who=1)
    house.stay(NOON, NOON + 6 * MINUTE, *NULL_ISLAND, who=2)
    house.stay(NOON + 7 * MINUTE, NOON + 60 * MINUTE, *GENT, who=3)

    tables = house.build()

    assert tables["outliers"].rows() == []
    assert tables["visits"].height == 3


def test_seconds_are_those_between_the_texts(house: House) -> None:
    part = timedelta(microseconds=900_000)
    house.stay(NOON + part, NOON + 10 * MINUTE + timedelta(microseconds=100_000), *GENT)
    house.leg(NOON + 10 * MINUTE + part, NOON + 12 * MINUTE, [GENT, BRUSSELS])
    house.open_stay(NOON + 12 * MINUTE + part, NOON + 20 * MINUTE, BRUSSELS)

    tables = house.build()

    rest = int((house.until.replace(tzinfo=None) - NOON - 12 * MINUTE).total_seconds())
    assert tables["visits"]["seconds"].to_list() == [600, rest]
    assert tables["trips"]["seconds"].to_list() == [120]
    assert tables["places"]["seconds"].to_list() == [600, rest]
