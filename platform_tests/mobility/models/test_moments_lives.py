"""Whole lives, and exactly the moments that were planted in them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from platform_tests.mobility.model_house import run_model
from platform_tests.mobility.models.lives import (
    BAR,
    GYM,
    HOME,
    MADRID,
    NEW_YORK,
    PARK,
    RESTAURANT,
    SCHOOL,
    SHOP,
    WORK,
    Life,
    Spot,
    days,
    tables,
    weekdays,
)

if TYPE_CHECKING:
    from pathlib import Path

MONDAY = date(2018, 10, 1)
FRIDAY = date(2018, 10, 26)
ALWAYS = ("weekday", "weekend", "morning", "late_morning", "lunch", "afternoon", "evening", "night", "city", "country")
UNIVERSITY = replace(WORK, venue_types=("education", "university"), venue_name="blindern")
CAFE = replace(BAR, place_id=20, venue_types=("drinks", "cafe"), venue_name="nord", latitude=59.94)
CINEMA = replace(BAR, place_id=21, venue_types=("leisure", "cinema"), venue_name="kinorama", latitude=59.94)
STOP = replace(PARK, place_id=22, venue_types=("travel", "publictransport", "tram", "tramstop"), latitude=59.93)
AIRPORT = replace(PARK, place_id=23, venue_types=("travel", "airport", "aerodrome"), latitude=60.2, longitude=11.1)
OFFICE_ABROAD = replace(
    NEW_YORK, place_id=24, venue_types=("office", "private", "commercial"), venue_name="tower", latitude=40.75
)
MUSEUM = replace(MADRID, place_id=25, venue_types=("culture", "museum"), venue_name="prado", latitude=40.42)


def moments(life: Life, day: date, tmp_path: Path) -> pl.DataFrame:
    """Return the moments of a life that not everybody has, by start."""
    rows = run_model("mobility.moments", tables(life, day=day), tmp_path)
    assert rows.filter(pl.struct("user_id", "start", "moment_definition_id").is_duplicated()).is_empty()
    return rows.filter(~pl.col("moment_definition_id").is_in(ALWAYS)).sort("started_at", "moment_definition_id")


def counted(rows: pl.DataFrame) -> dict[str, int]:
    return dict(Counter(rows["moment_definition_id"].to_list()))


def spans(rows: pl.DataFrame, moment: str) -> list[tuple[str, str | None]]:
    return rows.filter(moment_definition_id=moment).select("start", "end").rows()


def at_work(life: Life, day: date, *, lunch: bool = False) -> None:
    """Go to work by tram at 08:00, with a change, and be home again at 17:30."""
    life.go("walking", f"{day} 08:00", f"{day} 08:05").at(STOP, f"{day} 08:05", f"{day} 08:12")
    life.go("tram", f"{day} 08:12", f"{day} 08:30")
    if lunch:
        life.at(WORK, f"{day} 08:30", f"{day} 12:00").go("walking", f"{day} 12:00", f"{day} 12:05")
        life.at(RESTAURANT, f"{day} 12:05", f"{day} 12:45").go("walking", f"{day} 12:45", f"{day} 12:50")
        life.at(WORK, f"{day} 12:50", f"{day} 17:00")
    else:
        life.at(WORK, f"{day} 08:30", f"{day} 17:00")
    life.go("tram", f"{day} 17:00", f"{day} 17:30")


def home_between(life: Life, dates: list[date]) -> None:
    """Be at home from 17:30 to 08:00, from the evening before the first day; the last evening goes on."""
    evenings = [dates[0] - timedelta(days=1), *dates]
    for evening, morning in zip(evenings, [*dates, None], strict=True):
        life.at(HOME, f"{evening} 17:30", f"{morning} 08:00" if morning else None)


def test_an_office_worker(tmp_path: Path) -> None:
    life, dates = Life(), weekdays(MONDAY, FRIDAY)
    remote = date(2018, 10, 24)
    dates.remove(remote)
    for number, day in enumerate(dates):
        at_work(life, day, lunch=number < 3)
    home_between(life, dates)

    rows = moments(life, FRIDAY, tmp_path)

    assert counted(rows) == {
        "at_home": 20,
        "commute_from_home": 19,
        "commute_from_work": 19,
        "working_at_work": 22,
        "lunch_out": 3,
        "working_remote": 1,
    }
    assert spans(rows, "working_remote") == [("2018-10-24T09:00:00+02:00", "2018-10-24T17:00:00+02:00")]
    assert spans(rows, "commute_from_home")[0] == ("2018-10-01T08:00:00+02:00", "2018-10-01T08:30:00+02:00")
    assert spans(rows, "commute_from_work")[0] == ("2018-10-01T17:00:00+02:00", "2018-10-01T17:30:00+02:00")
    assert spans(rows, "at_home")[-1] == ("2018-10-26T17:30:00+02:00", None)


def test_an_evening_out_and_errands(tmp_path: Path) -> None:
    life = Life()
    life.at(HOME, "2018-10-18 17:30", "2018-10-19 18:30").go("walking", "2018-10-19 18:30", "2018-10-19 18:45")
    life.at(RESTAURANT, "2018-10-19 18:45", "2018-10-19 20:15").go("walking", "2018-10-19 20:15", "2018-10-19 20:20")
    life.at(BAR, "2018-10-19 20:20", "2018-10-20 00:30").go("car", "2018-10-20 00:30", "2018-10-20 00:50")
    life.at(HOME, "2018-10-20 00:50", "2018-10-20 10:00")
    for day in days(date(2018, 10, 20), date(2018, 10, 22)):
        life.go("walking", f"{day} 10:00", f"{day} 10:10").at(SHOP, f"{day} 10:10", f"{day} 10:30")
        life.go("walking", f"{day} 10:30", f"{day} 10:40")
        life.at(HOME, f"{day} 10:40", f"{day + timedelta(days=1)} 10:00")

    rows = moments(life, date(2018, 10, 23), tmp_path)

    # The shop is 250 m from home.
    assert counted(rows) == {
        "at_home": 5,
        "dinner_out": 1,
        "evening_drinks": 1,
        "night_out": 1,
        "shopping_routine": 3,
        "nearby_home": 3,
    }
    assert spans(rows, "night_out") == [("2018-10-19T20:20:00+02:00", "2018-10-20T00:30:00+02:00")]


def test_a_student(tmp_path: Path) -> None:
    life, dates = Life(), [one for one in weekdays(MONDAY, FRIDAY) if one.isoweekday() <= 4]
    home = [f"{MONDAY - timedelta(days=1)} 17:30"]
    for day in dates:
        life.at(HOME, home.pop(), f"{day} 10:00").go("bus", f"{day} 10:00", f"{day} 10:20")
        life.at(UNIVERSITY, f"{day} 10:20", f"{day} 15:00").go("walking", f"{day} 15:00", f"{day} 15:10")
        life.at(CAFE, f"{day} 15:10", f"{day} 16:30").go("bus", f"{day} 16:30", f"{day} 17:30")
        home.append(f"{day} 17:30")
    life.at(HOME, home.pop(), "2018-10-26 18:00").go("biking", "2018-10-26 18:00", "2018-10-26 18:10")
    life.at(CINEMA, "2018-10-26 18:10", "2018-10-26 20:10").go("biking", "2018-10-26 20:10", "2018-10-26 20:20")
    life.at(HOME, "2018-10-26 20:20", "2018-10-26 20:40").go("biking", "2018-10-26 20:40", "2018-10-26 20:50")
    life.at(GYM, "2018-10-26 20:50", "2018-10-26 21:50")

    rows = moments(life, FRIDAY, tmp_path)

    # No day at the university is missed, for Fridays are free; a café on the way home ends the commute.
    assert counted(rows) == {
        "at_home": 18,
        "commute_from_home": 16,
        "working_at_work": 16,
        "afternoon_drinks": 16,
        "evening_entertainment": 1,
        "sporting": 1,
    }


def test_a_night_worker(tmp_path: Path) -> None:
    life = Life()
    nights = [one for one in weekdays(MONDAY, FRIDAY) if one.isoweekday() <= 4]
    home = ["2018-09-30 12:00"]
    for day in nights:
        after = day + timedelta(days=1)
        life.at(HOME, home.pop(), f"{day} 21:00").go("car", f"{day} 21:00", f"{day} 21:30")
        life.at(WORK, f"{day} 21:30", f"{after} 06:00").go("car", f"{after} 06:00", f"{after} 06:25")
        home.append(f"{after} 06:25")
    life.at(HOME, home.pop(), None)

    rows = moments(life, FRIDAY, tmp_path)

    assert counted(rows) == {
        "at_home": 17,
        "commute_from_home": 16,
        "commute_from_work": 16,
        "working_at_work": 16,
    }
    assert spans(rows, "commute_from_work")[0] == ("2018-10-02T06:00:00+02:00", "2018-10-02T06:25:00+02:00")


def test_a_holiday(tmp_path: Path) -> None:
    life = Life()
    life.at(HOME, "2018-10-05 17:30", "2018-10-08 07:00").go("car", "2018-10-08 07:00", "2018-10-08 07:40")
    life.at(AIRPORT, "2018-10-08 07:40", "2018-10-08 09:10")
    life.go("flight", "2018-10-08 09:10", "2018-10-08 12:40", end_zone="Europe/Madrid")
    first, last = date(2018, 10, 8), date(2018, 10, 11)
    for day in days(first, last):
        life.at(MADRID, f"{day} {'13:00' if day == first else '16:30'}", f"{day + timedelta(days=1)} 10:00")
        if day != last:
            life.at(MUSEUM, f"{day + timedelta(days=1)} 10:20", f"{day + timedelta(days=1)} 16:20")
    life.go("flight", "2018-10-12 10:00", "2018-10-12 13:30", zone="Europe/Madrid", end_zone="Europe/Oslo")
    life.at(HOME, "2018-10-12 14:00", None)

    rows = moments(life, FRIDAY, tmp_path)

    assert counted(rows) == {"at_home": 2, "holiday": 1}
    assert spans(rows, "holiday") == [("2018-10-08T07:00:00+02:00", "2018-10-12T14:00:00+02:00")]


def test_a_journey_that_goes_on_has_no_end_yet(tmp_path: Path) -> None:
    life = Life().at(HOME, "2018-10-20 17:30", "2018-10-22 07:00")
    life.at(MADRID, "2018-10-22 13:00", "2018-10-23 10:00").at(MUSEUM, "2018-10-23 10:20", "2018-10-23 16:20")
    life.at(MADRID, "2018-10-23 16:40", None)

    rows = moments(life, FRIDAY, tmp_path)

    assert spans(rows, "holiday") == [("2018-10-22T07:00:00+02:00", None)]
    assert rows.filter(moment_definition_id="holiday")["duration"].to_list() == [-1]


def test_a_night_away_is_business_on_weekdays_at_a_hotel_and_nothing_else(tmp_path: Path) -> None:
    friend = replace(MADRID, venue_types=(), venue_name=None)

    def away(spot: Spot, day: date) -> set[str]:
        life = Life().at(HOME, f"{day - timedelta(days=1)} 17:00", f"{day} 09:00")
        life.at(spot, f"{day} 15:00", f"{day + timedelta(days=1)} 09:00")
        life.at(HOME, f"{day + timedelta(days=1)} 15:00", None)
        return set(counted(moments(life, FRIDAY, tmp_path)))

    tuesday, friday = date(2018, 10, 16), date(2018, 10, 19)
    assert away(MADRID, tuesday) == {"at_home", "business_trip"}
    assert away(friend, tuesday) == {"at_home"}
    assert away(MADRID, friday) == {"at_home"}


def test_a_business_trip(tmp_path: Path) -> None:
    life, dates = Life(), weekdays(MONDAY, date(2018, 10, 5))
    for day in dates:
        at_work(life, day)
    home_between(life, dates)
    life.stays.pop()
    life.at(HOME, "2018-10-05 17:30", "2018-10-09 07:00").go("car", "2018-10-09 07:00", "2018-10-09 07:40")
    life.go("flight", "2018-10-09 09:10", "2018-10-09 11:30", end_zone="America/New_York")
    life.at(NEW_YORK, "2018-10-09 13:00", "2018-10-10 08:30").at(OFFICE_ABROAD, "2018-10-10 08:40", "2018-10-10 16:40")
    life.at(NEW_YORK, "2018-10-10 17:00", "2018-10-11 06:00")
    life.go("flight", "2018-10-11 07:00", "2018-10-11 21:00", zone="America/New_York", end_zone="Europe/Oslo")
    life.at(HOME, "2018-10-11 22:00", "2018-10-12 07:00")

    rows = moments(life, FRIDAY, tmp_path)

    assert counted(rows) == {
        "at_home": 7,
        "commute_from_home": 5,
        "commute_from_work": 5,
        "working_at_work": 5,
        "working_remote": 1,
        "business_trip": 1,
    }
    assert spans(rows, "working_remote") == [("2018-10-10T08:40:00-04:00", "2018-10-10T16:40:00-04:00")]
    assert spans(rows, "business_trip") == [("2018-10-09T07:00:00+02:00", "2018-10-11T22:00:00+02:00")]


def test_a_dog_walker_and_somebody_who_strolls_now_and_then(tmp_path: Path) -> None:
    life = Life()
    dates = days(MONDAY, date(2018, 10, 14))
    edge = ["2018-09-30 22:20"]
    for day in dates:
        life.at(HOME, edge.pop(), f"{day} 06:25").go("walking", f"{day} 06:25", f"{day} 06:45")
        life.at(HOME, f"{day} 06:45", f"{day} 22:00").go("walking", f"{day} 22:00", f"{day} 22:10")
        life.at(PARK, f"{day} 22:10", f"{day} 22:20").go("walking", f"{day} 22:20", f"{day} 22:30")
        edge.append(f"{day} 22:30")
    life.at(HOME, edge.pop(), None)

    rows = moments(life, date(2018, 10, 14), tmp_path)

    assert counted(rows) == {"at_home": 29, "dogwalk": 28}
    assert spans(rows, "dogwalk")[1] == ("2018-10-01T22:00:00+02:00", "2018-10-01T22:30:00+02:00")

    stroller = Life()
    edge = ["2018-09-30 18:00"]
    for day in dates:
        goal = "walking" if day.isoweekday() in {2, 6, 7} else "car"
        stroller.at(HOME, edge.pop(), f"{day} 14:00").go(goal, f"{day} 14:00", f"{day} 14:40")
        edge.append(f"{day} 14:40")

    assert "dogwalk" not in counted(moments(stroller, date(2018, 10, 14), tmp_path))


def test_a_parent(tmp_path: Path) -> None:
    life, dates = Life(), weekdays(MONDAY, date(2018, 10, 5))
    edge = ["2018-09-30 18:00"]
    for day in dates:
        life.at(HOME, edge.pop(), f"{day} 07:30").go("car", f"{day} 07:30", f"{day} 07:45")
        life.at(SCHOOL, f"{day} 07:45", f"{day} 07:53").go("car", f"{day} 07:53", f"{day} 08:20")
        life.at(WORK, f"{day} 08:20", f"{day} 16:30").go("car", f"{day} 16:30", f"{day} 17:00")
        edge.append(f"{day} 17:00")
    life.at(HOME, edge.pop(), None)

    rows = moments(life, date(2018, 10, 5), tmp_path)

    assert counted(rows) == {
        "at_home": 6,
        "children_drop_off": 5,
        "commute_from_home": 5,
        "commute_from_work": 5,
        "working_at_work": 5,
    }
    assert spans(rows, "commute_from_home")[0] == ("2018-10-01T07:30:00+02:00", "2018-10-01T08:20:00+02:00")
