"""Planted people: the layer finds where they live and work."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from platform_tests.mobility.visits.house import UNTIL, House, user

if TYPE_CHECKING:
    from pathlib import Path

GENT, BRUSSELS, ANTWERP, NEW_YORK, TOKYO = (
    (51.05, 3.72),
    (50.85, 4.35),
    (51.22, 4.4),
    (40.75, -73.99),
    (35.68, 139.7),
)
ZONES = {GENT: "Europe/Brussels", BRUSSELS: "Europe/Brussels", ANTWERP: "Europe/Brussels"} | {
    NEW_YORK: "America/New_York",
    TOKYO: "Asia/Tokyo",
}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def utc(day: datetime, hour: float, place: tuple[float, float]) -> datetime:
    """Return the instant at which the clocks of a place show an hour of a day, in UTC without zone."""
    wall = day + timedelta(hours=hour)
    return wall.replace(tzinfo=ZoneInfo(ZONES[place])).astimezone(ZoneInfo("UTC")).replace(tzinfo=None)


def stay(house: House, day: datetime, hours: tuple[float, float], place: tuple[float, float], who: int = 1) -> None:
    house.stay(utc(day, hours[0], place), utc(day, hours[1], place), *place, who=who)


def days(count: int, before: int = 2) -> list[datetime]:
    last = UNTIL - timedelta(days=before)
    return [last - timedelta(days=number) for number in reversed(range(count))]


def meaning(house: House, place: tuple[float, float], who: int = 1) -> str | None:
    """Return the meaning of a user's place near a point."""
    near = pl.col("latitude").is_between(place[0] - 0.01, place[0] + 0.01)
    found = house.tables["places"].filter((pl.col("user_id") == user(who)) & near)
    return found.get_column("significance").item() if found.height else None


def office_worker(house: House, count: int = 28, home: tuple[float, float] = GENT, who: int = 1) -> None:
    work = BRUSSELS if home == GENT else (home[0] + 0.1, home[1])
    ZONES.setdefault(work, ZONES[home])
    for day in days(count):
        if day.weekday() < 5:
            stay(house, day, (9, 17.5), work, who)
            stay(house, day, (18.5, 32), home, who)
        else:
            stay(house, day, (12, 32), home, who)


def test_an_office_worker_has_a_home_and_a_work(house: House) -> None:
    office_worker(house)
    house.build()
    assert (meaning(house, GENT), meaning(house, BRUSSELS)) == ("home", "work")


def test_local_hours_count_wherever_the_place_is(house: House) -> None:
    office_worker(house, home=NEW_YORK, who=1)
    office_worker(house, home=TOKYO, who=2)
    house.build()
    for who, home in ((1, NEW_YORK), (2, TOKYO)):
        assert meaning(house, home, who) == "home"
        assert meaning(house, (home[0] + 0.1, home[1]), who) == "work"


@pytest.mark.parametrize("count", [21, 56])
def test_the_home_of_who_works_at_night_does_not_flip(house: House, count: int) -> None:
    for day in days(count):
        if day.weekday() < 5:
            stay(house, day, (7.5, 13), GENT)
            stay(house, day, (15, 21), GENT)
            stay(house, day, (22, 30), BRUSSELS)
        else:
            stay(house, day, (8, 32), GENT) if day.weekday() == 5 else stay(house, day, (10, 31), GENT)
    house.build()
    assert (meaning(house, GENT), meaning(house, BRUSSELS)) == ("home", "work")


def test_who_works_at_home_has_no_work(house: House) -> None:
    for day in days(28):
        stay(house, day, (-4, 12), GENT)
        stay(house, day, (12.5, 13.5), ANTWERP)
        stay(house, day, (14, 19.5), GENT)
    house.build()
    assert (meaning(house, GENT), meaning(house, ANTWERP)) == ("home", "regular")


def test_a_student_has_a_campus_and_two_homes(house: House) -> None:
    for day in days(56):
        if day.weekday() < 4:
            stay(house, day, (9.5, 16), BRUSSELS)
            stay(house, day, (17, 33), ANTWERP)
        elif day.weekday() == 4:
            stay(house, day, (9.5, 16), BRUSSELS)
            stay(house, day, (18, 62), GENT)
        elif day.weekday() == 6:
            stay(house, day, (15, 17), GENT)
            stay(house, day, (20, 33), ANTWERP)
    house.build()
    assert meaning(house, ANTWERP) == "home"
    assert meaning(house, GENT) == "home"
    assert meaning(house, BRUSSELS) == "work"


def test_a_holiday_of_two_weeks_is_no_home_and_no_work(house: House) -> None:
    for number, day in enumerate(days(60)):
        place = NEW_YORK if 20 <= number < 34 else GENT
        stay(house, day, (19, 33), place)
        if place == GENT and day.weekday() < 5:
            stay(house, day, (10, 17), BRUSSELS)
    house.build()
    assert (meaning(house, GENT), meaning(house, NEW_YORK)) == ("home", "regular")
    assert meaning(house, BRUSSELS) == "work"


def test_who_travels_across_zones_is_at_home_where_most_nights_are_and_works_in_no_hotel(house: House) -> None:
    hotels = {2: NEW_YORK, 5: TOKYO}
    for number, day in enumerate(days(56)):
        stay(house, day, (20, 31), hotels.get(number // 5 % 7, GENT))
    house.build()
    assert meaning(house, GENT) == "home"
    assert {meaning(house, NEW_YORK), meaning(house, TOKYO)} == {"regular"}


def test_two_nights_are_too_few_for_a_home_and_three_are_enough(house: House) -> None:
    for number in range(2):
        stay(house, days(10)[number], (20, 31), GENT, who=1)
    for number in range(3):
        stay(house, days(10)[number], (20, 31), GENT, who=2)
    house.build()
    assert meaning(house, GENT, 1) == "nonregular"
    assert meaning(house, GENT, 2) == "home"


def test_an_office_of_a_phone_that_is_off_at_night_is_no_home(house: House) -> None:
    for day in days(20):
        stay(house, day, (8, 19), BRUSSELS)
    house.build()
    assert meaning(house, BRUSSELS) == "regular"


def test_a_home_is_found_through_days_on_which_clocks_change(tmp_path: Path) -> None:
    for name, until in (("autumn", datetime(2018, 11, 10)), ("spring", datetime(2019, 4, 10))):  # noqa: DTZ001
        (tmp_path / name).mkdir()
        house = House(tmp_path / name, day=(until - timedelta(days=1)).date())
        for number in range(30, 2, -1):
            day = until - timedelta(days=number)
            stay(house, day, (20, 31), GENT)
            stay(house, day, (33, 41), BRUSSELS)
        tables = house.build()
        assert meaning(house, GENT) == "home"
        assert meaning(house, BRUSSELS) == "work"
        hours = tables["visits"].select((pl.col("local_start").dt.hour()).unique().sort()).to_series().to_list()
        assert hours == [9, 20]


def test_a_phone_that_was_lost_makes_no_home_of_where_it_lies(house: House) -> None:
    for day in days(20, before=40):
        stay(house, day, (20, 31), GENT)
    lost = UNTIL - timedelta(days=38)
    house.open_stay(lost, lost + timedelta(hours=3), ANTWERP)
    house.build()
    assert meaning(house, GENT) == "home"
    assert meaning(house, ANTWERP) == "nonregular"


def test_a_home_keeps_no_venue_and_a_work_its_office(house: House) -> None:
    office_worker(house)
    house.venue("Bar below", GENT, '["drink", "bar"]', "24/7")
    house.venue("Acme", BRUSSELS, '["office"]', "Mo-Fr 08:00-19:00")
    tables = house.build()
    names = tables["places"].sort("significance").select("venue_name", "venue_types").rows()
    assert names == [(None, ["residential"]), ("Acme", ["office"])]
    assert tables["visits"].get_column("venue_types").list.len().unique().to_list() == [1]


@pytest.mark.parametrize("types", ['["travel", "hotel"]', '["travel", "airport", "aerodrome"]', '["office"]'])
def test_hotels_and_airports_are_neither_work_nor_second_home(house: House, types: str) -> None:
    house.venue("Hotel Meridian", BRUSSELS, types, "24/7")
    for day in days(56):
        if day.weekday() in {0, 2}:
            stay(house, day, (13, 19.9), BRUSSELS)
        stay(house, day, (20, 31), BRUSSELS if day.weekday() == 3 else GENT)
    house.build()
    assert (meaning(house, GENT), meaning(house, BRUSSELS)) == ("home", "work" if "office" in types else "poi")


def test_twelve_nights_at_a_hotel_make_it_no_home(house: House) -> None:
    house.venue("Hotel Meridian", BRUSSELS, '["travel", "hotel"]', "24/7")
    for day in days(56):
        stay(house, day, (20, 31), BRUSSELS if day.weekday() in {1, 2} else GENT)
    house.build()
    assert (meaning(house, GENT), meaning(house, BRUSSELS)) == ("home", "poi")
