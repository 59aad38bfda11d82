"""Drives that late fixes change: written again, with what they were given at first, and counted once."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest

from platform_tests.mobility.driving.drive_house import BEGIN, DAY, DriveHouse

if TYPE_CHECKING:
    from datetime import date

NEXT, THIRD = (DAY + timedelta(days=number) for number in (1, 2))
PROCESSED = datetime.combine(DAY, datetime.min.time()) + timedelta(hours=20)
OTHER_WAY = [
    {"tracked_at": BEGIN + timedelta(seconds=second), "latitude": y, "longitude": 10.75}
    for second, y in ((0, 59.91), (600, 59.96), (1200, 59.99))
]


def again(house: DriveHouse, event: str = "e1", *, day: date = NEXT, **more: object) -> None:
    """Tell a leg again, as late fixes of the user make the timeline do."""
    house.leg(event, is_new=False, processed_at=PROCESSED, built_on=day, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"seconds": 1260},
        {"begin": BEGIN - timedelta(minutes=1), "seconds": 1260},
        {"distance": 20_001},
        {"waypoints": OTHER_WAY},
    ],
    ids=["end", "start", "distance", "waypoints"],
)
def test_a_drive_that_is_not_as_it_was_is_written_again(house: DriveHouse, change: dict[str, object]) -> None:
    house.leg()
    first = house.build()[0].row(0, named=True)
    again(house, **change)  # type: ignore[arg-type]
    drives, scores = house.build(NEXT)
    row = drives.row(0, named=True)

    assert first["is_new"]
    assert (row["event_id"], row["is_new"], row["built_on"]) == ("e1", False, NEXT)
    assert (row["processed_at"], row["session_id"]) == (PROCESSED, first["session_id"])
    assert any(row[name] != first[name] for name in ("start_text", "end_text", "distance", "waypoints"))
    assert scores.is_empty(), "a changed drive alone is no news of its user"


def test_a_drive_that_is_told_again_as_it_was_is_not_written_again(house: DriveHouse) -> None:
    points = [{"tracked_at": BEGIN + timedelta(microseconds=1_500_999), "latitude": 59.9123456, "longitude": 10.7}]
    house.leg(waypoints=points)
    house.leg("e2", waypoints=[], begin=BEGIN + timedelta(hours=1))
    house.build()
    again(house, waypoints=points)
    again(house, "e2", waypoints=[], begin=BEGIN + timedelta(hours=1))
    assert house.build(NEXT)[0].is_empty()


def test_a_drive_is_compared_with_its_newest_version(house: DriveHouse) -> None:
    house.leg()
    house.build()
    again(house, seconds=1260)
    house.build(NEXT)
    again(house, seconds=1260, day=THIRD)
    assert house.build(THIRD)[0].is_empty()
    fourth = THIRD + timedelta(days=1)
    again(house, day=fourth)
    assert house.build(fourth)[0].get_column("is_new").to_list() == [False], "as it was first"


def test_a_leg_that_the_timeline_calls_new_once_more_is_no_new_drive(house: DriveHouse) -> None:
    """A first build of another version of the timeline does."""
    house.leg()
    house.build()
    house.leg(built_on=NEXT)
    house.leg("e2", built_on=NEXT)
    assert house.build(NEXT)[0].select("event_id", "is_new").rows() == [("e2", True)]


def test_a_leg_that_late_fixes_show_to_be_by_car_is_new_once_and_of_that_day(house: DriveHouse) -> None:
    house.leg(mode="insufficient_data")
    assert house.build()[0].is_empty()
    again(house)
    row = house.build(NEXT)[0].row(0, named=True)
    assert (row["is_new"], row["processed_at"]) == (True, datetime.combine(NEXT, datetime.min.time()))

    fourth = THIRD + timedelta(days=1)
    again(house, day=THIRD, mode="bus")
    again(house, day=fourth, seconds=1260)
    assert house.build(THIRD)[0].is_empty()
    row = house.build(fourth)[0].row(0, named=True)
    assert (row["is_new"], row["processed_at"]) == (False, datetime.combine(NEXT, datetime.min.time()))


def test_a_leg_whose_first_build_is_no_longer_read_is_left_out(house: DriveHouse) -> None:
    """It may have been a drive that went out."""
    again(house)
    again(house, "e2", mode="bus")
    house.build(NEXT)
    again(house, "e2", day=THIRD)
    assert house.build(THIRD)[0].is_empty()


def test_a_first_build_of_another_version_does_not_take_drives_of_the_one_before(house: DriveHouse) -> None:
    house.leg()
    house.leg("e2", mode="bus", begin=BEGIN + timedelta(hours=1))
    again(house, seconds=1260)
    again(house, "e2", begin=BEGIN + timedelta(hours=1))
    assert house.build(NEXT)[0].select("event_id", "is_new").rows() == [("e2", True)]


def test_scores_count_a_drive_once_in_its_newest_version(house: DriveHouse) -> None:
    house.leg(distance=60_000)
    house.event("mounted", 0, seconds=1200)
    house.build()
    again(house, seconds=2400, distance=60_000)
    house.build(NEXT)
    house.leg("e2", begin=BEGIN + timedelta(days=2), built_on=THIRD)
    _, scores = house.build(THIRD)
    assert scores.get_column("mounted").to_list() == [Decimal("0.5")]

    fourth = THIRD + timedelta(days=1)
    again(house, seconds=4800, distance=60_000, day=fourth)
    house.leg("e3", begin=BEGIN + timedelta(days=3), built_on=fourth)
    drives, scores = house.build(fourth)
    assert drives.select("event_id", "is_new").rows() == [("e1", False), ("e3", True)]
    assert scores.get_column("mounted").to_list() == [Decimal("0.25")]
    assert scores.get_column("timestamp").to_list() == [1714982400000 + 3 * 86_400_000]


def test_a_changed_drive_of_a_user_makes_no_score_of_another(house: DriveHouse) -> None:
    house.leg()
    house.build()
    again(house, seconds=1260)
    house.leg("e2", user_id="f" * 24, built_on=NEXT)
    drives, scores = house.build(NEXT)
    assert drives.height == 2
    assert scores.get_column("user_id").to_list() == ["f" * 24]


def test_a_session_goes_on_from_a_drive_as_it_is_now(house: DriveHouse) -> None:
    house.leg(seconds=600)
    (first,) = house.build()[0].get_column("session_id").to_list()
    again(house, seconds=1800)
    house.leg("e2", begin=BEGIN + timedelta(minutes=40), built_on=NEXT)
    assert house.build(NEXT)[0].get_column("session_id").to_list() == [first, first]


def test_no_event_is_new_twice_over_many_builds(house: DriveHouse) -> None:
    modes = ("car", "bus", "insufficient_data")
    written = []
    for number in range(8):
        day = DAY + timedelta(days=number)
        for event in range(12):
            begin = BEGIN + timedelta(hours=event)
            mode = modes[(event * 5 + number * number) % 3]
            more = {"mode": mode, "seconds": 600 + 60 * (number * event % 3), "built_on": day}
            house.leg(f"e{event:02}", begin=begin, is_new=number == 0, **more)  # type: ignore[arg-type]
        written.append(house.build(day)[0])
    drives = pl.concat(written)
    new = drives.filter("is_new")
    assert new.get_column("event_id").is_unique().all()
    assert set(drives.get_column("event_id")) == set(new.get_column("event_id"))
    assert drives.group_by("event_id").agg(pl.col("processed_at").n_unique()).get_column("processed_at").max() == 1
    assert (new.get_column("processed_at").dt.date() == new.get_column("built_on")).all()
