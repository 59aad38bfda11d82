"""Work by night and by day, and journeys for work."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from platform_tests.mobility.models.lives import HOME, MADRID, WORK, Life, weekdays
from platform_tests.mobility.models.test_moments_lives import (
    FRIDAY,
    MONDAY,
    at_work,
    counted,
    home_between,
    moments,
    spans,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_a_night_at_the_office_is_no_work_of_who_does_not_work_at_night(tmp_path: Path) -> None:
    life, dates = Life(), weekdays(MONDAY, date(2018, 10, 5))
    for day in dates:
        at_work(life, day)
    home_between(life, dates)
    life.stays.pop()
    life.at(WORK, "2018-10-08 12:24:28", "2018-10-10 08:00")

    rows = moments(life, FRIDAY, tmp_path)

    assert spans(rows, "working_at_work")[5:] == [
        ("2018-10-08T12:24:28+02:00", "2018-10-09T00:00:00+02:00"),
        ("2018-10-09T06:00:00+02:00", "2018-10-10T00:00:00+02:00"),
        ("2018-10-10T06:00:00+02:00", "2018-10-10T08:00:00+02:00"),
    ]


def test_a_baker_begins_before_six(tmp_path: Path) -> None:
    life = Life().at(HOME, "2018-09-30 17:30", "2018-10-01 04:10")
    for day in weekdays(MONDAY, date(2018, 10, 5)):
        life.at(WORK, f"{day} 04:30", f"{day} 12:30")

    rows = moments(life, FRIDAY, tmp_path)

    assert spans(rows, "working_at_work")[0] == ("2018-10-01T04:30:00+02:00", "2018-10-01T12:30:00+02:00")
    assert counted(rows)["working_at_work"] == 5


def test_a_flyer_has_a_business_trip_for_each_hotel_of_a_week(tmp_path: Path) -> None:
    life, monday = Life(), MONDAY
    edge = f"{MONDAY - timedelta(days=2)} 12:00"
    for week in range(3):
        first, back = monday + timedelta(weeks=week), monday + timedelta(weeks=week, days=2)
        life.at(HOME, edge, f"{first} 06:00").go("flight", f"{first} 07:00", f"{first} 11:00", end_zone="Europe/Madrid")
        life.at(MADRID, f"{first} 11:30", f"{back} 15:00")
        life.go("flight", f"{back} 16:00", f"{back} 20:00", zone="Europe/Madrid", end_zone="Europe/Oslo")
        edge = f"{back} 21:00"
    life.at(HOME, edge, None)

    rows = moments(life, FRIDAY, tmp_path)

    assert counted(rows) == {"at_home": 4, "business_trip": 3}
