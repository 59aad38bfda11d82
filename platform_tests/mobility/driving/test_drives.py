"""What the layer writes: which drives, their sessions and scores."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from offramp.engine.duckdb_engine import DuckDBEngine
from offramp.feeds.mobility.driving.building import chunks
from offramp.feeds.mobility.driving.layer import DrivingLayer
from offramp.feeds.mobility.driving.tables import DRIVE_SCORES
from platform_tests.mobility.driving.drive_house import APP, BEGIN, DAY, USER, DriveHouse

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NEXT = DAY + timedelta(days=1)


def test_a_day_without_drives_has_no_rows(house: DriveHouse) -> None:
    drives, scores = house.build()
    assert drives.is_empty()
    assert scores.is_empty()


def test_only_new_legs_by_car_of_this_build_are_drives(house: DriveHouse) -> None:
    house.leg("e1")
    house.leg("e2", mode="bus")
    house.leg("e3", is_new=False)
    house.leg("e4", built_on=DAY - timedelta(days=1))
    drives, _ = house.build()
    assert drives.get_column("event_id").to_list() == ["e1"]


def test_a_drive_without_sensors_and_waypoints_has_texts_of_neither_and_no_scores(house: DriveHouse) -> None:
    house.leg()
    drives, scores = house.build()
    row = drives.row(0, named=True)
    assert row["behavior_events"] is None
    assert row["mapped_waypoints"] is None
    assert row["occupant_role"] == "unknown"
    assert {row[name] for name in DRIVE_SCORES} == {Decimal(-1)}
    assert scores.height == 1


def test_what_lies_outside_the_drive_or_arrived_after_the_day_is_left_out(house: DriveHouse) -> None:
    house.leg(seconds=600)
    late = BEGIN.replace(hour=0) + timedelta(days=1)
    for more in ({"received_at": late}, {"user_id": "x" * 24}, {"app_id": "x" * 24}):
        house.event("mounted", 5, seconds=60, **more)
        house.waypoint(5, **more)
    for second in (-60, 600, 600.001):
        house.event("mounted", second, seconds=60)
    for second in (-0.001, 600.001):
        house.event("acceleration", second, seconds=0)
        house.waypoint(second)
    row = house.build()[0].row(0, named=True)
    assert row["behavior_events"] is None
    assert row["mapped_waypoints"] is None


def test_metres_and_seconds_are_those_of_the_roads(house: DriveHouse) -> None:
    house.leg()
    for second, speed, road in ((0, 90, "motorway"), (10, 36, "residential"), (20, 72, "road"), (110, 10, None)):
        house.waypoint(second, speed, road=road)
    row = house.build()[0].row(0, named=True)
    assert (row["motorway_metres"], row["motorway_seconds"]) == (250, 10)
    assert (row["city_metres"], row["city_seconds"]) == (100, 10)
    assert (row["noncity_metres"], row["noncity_seconds"]) == (1_200, 60)  # no longer than a minute of the 90 seconds


def test_metres_are_known_wherever_the_road_is(house: DriveHouse) -> None:
    """A speed that is missing is that of a neighbour; the last waypoint stands for the rest of the drive."""
    house.leg(seconds=50)
    for second, speed, road in (
        (0, 90, "motorway"),
        (10, None, "motorway"),
        (20, None, "road"),
        (30, 36, "residential"),
    ):
        house.waypoint(second, speed, road=road)
    row = house.build()[0].row(0, named=True)
    assert (row["motorway_metres"], row["motorway_seconds"]) == (500, 20)
    assert (row["noncity_metres"], row["noncity_seconds"]) == (100, 10)
    assert (row["city_metres"], row["city_seconds"]) == (200, 20)


def test_metres_without_any_speed_are_those_between_waypoints(house: DriveHouse) -> None:
    house.leg(seconds=40)
    for number in range(4):
        house.waypoint(10 * number, None, None, road="motorway", latitude=60.0, longitude=10 + 0.005 * number)
    house.leg("e2", begin=BEGIN + timedelta(hours=1))
    house.waypoint(3600, road="road")
    first, second = house.build()[0].rows(named=True)
    # 0.005 degrees of longitude at 60 degrees north are 278 metres, three times; nothing tells of the last 10 s.
    assert (first["motorway_metres"], first["motorway_seconds"]) == (834, 40)
    assert (second["noncity_metres"], second["noncity_seconds"]) == (833, 60)
    assert first["legal"] == -1


def test_scores_come_from_the_events_and_waypoints_of_the_drive(house: DriveHouse) -> None:
    house.leg(seconds=1000, distance=10_000)
    house.event("acceleration", 10, magnitude=-2.7)  # hard: 1,000 m
    house.event("acceleration", 20, magnitude=-2.69)  # moderate: 250 m
    house.event("acceleration", 30, seconds=0.5, magnitude=-9.0)  # a knock
    house.event("acceleration", 40, magnitude=4.0)  # severe: 2,000 m
    house.event("acceleration", 50, seconds=10, magnitude=0.9)  # coasting gives 100 m back
    house.event("turn", 69, magnitude=-3.0, angle=80.0)  # hard: 1,000 m; the coasting ended 9 s before
    house.event("phone_handling", 100, seconds=100)
    house.event("phone_handling", 150, seconds=100)  # 50 s more
    house.event("call_handheld", 240, seconds=60)  # 50 s more by hand
    house.event("call_handsfree", 400, seconds=100)
    house.event("mounted", 900, seconds=500)  # 100 s are within
    for second in range(0, 120, 10):
        # 12 waypoints: 11 steps of 10 s, the fifth too fast by itself, the last four by more than the tolerance.
        house.waypoint(second, 90.0 if second == 40 else 59.0 if second >= 80 else 58.0, 50.0)
    row = house.build()[0].row(0, named=True)
    assert {name: str(row[name].normalize()) for name in DRIVE_SCORES} == {
        "hard_brake": "0.9",
        "hard_accel": "0.8",
        "hard_events": "0.7",
        "hard_turn": "0.9",
        "smooth": "0.685",
        "smooth_v2": "0.585",
        "aggr_v2": "0.585",
        "anticipative": "0.5",
        "anti_v2": "0.6",
        "anticipative_v2": "0.6",
        "focus": "0.85",
        "attention": "0.775",
        "mounted": "0.1",
        "legal": "0.636363",
        "legal_v2": row["legal_v2"].to_eng_string(),
    }
    # Eight of eleven stretches by the median of three speeds, which leaves out the 90.
    assert abs(row["legal_v2"] - Decimal(8 * 58) / (8 * 58 + 3 * 59)) < Decimal("0.0001")


def test_drives_less_than_15_minutes_apart_share_a_session_over_builds_too(house: DriveHouse) -> None:
    quarter = timedelta(minutes=15)
    house.leg("e1", seconds=600)
    house.leg("e2", begin=BEGIN + timedelta(seconds=600) + quarter - timedelta(microseconds=1), seconds=600)
    house.leg("e3", begin=BEGIN + timedelta(seconds=1200) + 2 * quarter, seconds=600)
    house.leg("e4", seconds=600, user_id="f" * 24)
    first = dict(house.build()[0].select("event_id", "session_id").rows())
    assert first["e1"] == first["e2"]
    assert len(set(first.values())) == 3

    before = BEGIN - timedelta(minutes=10)
    house.leg("e5", begin=before, seconds=300, built_on=NEXT)
    house.leg("e6", begin=BEGIN + timedelta(hours=5), built_on=NEXT)
    second = dict(house.build(NEXT)[0].select("event_id", "session_id").rows())
    assert second["e5"] == first["e1"]
    assert second["e6"] not in first.values()


def test_session_ids_are_uuids_of_version_5_in_capitals(house: DriveHouse) -> None:
    for number in range(40):
        house.leg(f"e{number:02}", begin=BEGIN + timedelta(minutes=20 * number), seconds=60)
    drives, _ = house.build()
    space = uuid.uuid5(uuid.NAMESPACE_URL, "offramp/driving/sessions")
    for at, session_id in drives.select("started_at", "session_id").rows():
        microseconds = (at - BEGIN.replace(year=1970, month=1, day=1, hour=0)) // timedelta(microseconds=1)
        assert session_id == str(uuid.uuid5(space, f"{APP}|{USER}|{microseconds}")).upper()


def test_scores_of_users_are_over_nine_weeks_and_stamped_with_the_newest_drive(house: DriveHouse) -> None:
    house.leg("e1", distance=50_000)
    house.event("mounted", 0, seconds=1200)
    house.build()

    later = date(2024, 7, 7)  # its window begins on 2024-05-06
    for day, event, begin in ((later, "e2", BEGIN + timedelta(days=62)), (later, "e3", BEGIN - timedelta(days=1))):
        house.leg(event, begin=begin, distance=50_000, built_on=day)
    _, scores = house.build(later)
    row = scores.row(0, named=True)
    assert scores.height == 1
    assert row["mounted"] == 1
    assert row["timestamp"] == 1714982400000 + 62 * 86_400_000
    assert row["built_on"] == later

    house.leg("e4", begin=BEGIN + timedelta(days=63), built_on=later + timedelta(days=1))
    _, scores = house.build(later + timedelta(days=1))
    assert scores.row(0, named=True)["mounted"] == -1


def test_a_user_without_a_new_drive_has_no_new_scores(house: DriveHouse) -> None:
    house.leg("e1")
    house.build()
    house.leg("e2", user_id="f" * 24, built_on=NEXT)
    assert house.build(NEXT)[1].get_column("user_id").to_list() == ["f" * 24]


def test_late_drives_of_more_than_nine_weeks_ago_give_no_scores_of_the_user(house: DriveHouse) -> None:
    house.leg(begin=BEGIN - timedelta(days=70))
    drives, scores = house.build()
    assert drives.height == 1
    assert scores.is_empty()


def test_many_drives_come_in_chunks_of_whole_users(house: DriveHouse) -> None:
    for number in range(5_100):
        house.leg(f"e{number}", user_id=f"{number // 2:024x}", seconds=60)
    house.event("mounted", 5, user_id=f"{2549:024x}")
    drives, scores = house.build()
    assert drives.height == 5_100
    assert scores.height == 2_550
    assert (
        drives.filter(drives["behavior_events"].is_not_null()).get_column("user_id").to_list() == [f"{2549:024x}"] * 2
    )
    users = [set(piece.get_column("user_id")) for piece in chunks(drives)]
    assert len(users) > 1
    assert sum(map(len, users)) == 2_550


def test_one_and_two_threads_give_the_same_rows(tmp_path: Path) -> None:
    found = []
    for threads in (1, 2):
        folder = tmp_path / str(threads)
        folder.mkdir()
        engine = DuckDBEngine(folder / "scratch", 256 * 1024 * 1024, threads)
        house = DriveHouse(folder, engine)
        for number in range(30):
            user = f"{number % 7:024x}"
            house.leg(f"e{number}", user_id=user, begin=BEGIN + timedelta(minutes=30 * (number // 7)))
            for second in range(0, 1200, 7):
                house.waypoint(second + 1800 * (number // 7), 40 + second % 23, user_id=user)
                house.event("acceleration", second, magnitude=second % 11 - 5, mean=0.1, user_id=user)
        found.append(house.build())
        engine.close()
    assert found[0][0].equals(found[1][0])
    assert found[0][1].equals(found[1][1])


def test_a_threshold_changes_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = DrivingLayer().version
    monkeypatch.setattr("offramp.feeds.mobility.driving.thresholds.HARD_BRAKE", 2.8)
    assert DrivingLayer().version != before
