"""The texts of drives, as they are delivered: times, driving events, waypoints."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from offramp.feeds.mobility.driving.event_texts import LISTS
from platform_tests.mobility.driving.drive_house import BEGIN

if TYPE_CHECKING:
    from platform_tests.mobility.driving.drive_house import DriveHouse


def test_times_are_local_with_offset_and_milliseconds(house: DriveHouse) -> None:
    in_oslo_and_london = [
        {"tracked_at": BEGIN, "latitude": 59.91, "longitude": 10.75},
        {"tracked_at": BEGIN + timedelta(microseconds=1_500_999), "latitude": 55.0, "longitude": 5.123456},
        {"tracked_at": BEGIN + timedelta(hours=9), "latitude": 51.5, "longitude": -0.12},
    ]
    house.leg(waypoints=in_oslo_and_london, seconds=9 * 3600)
    row = house.build()[0].row(0, named=True)
    assert row["start_text"] == "2024-05-06T10:00:00.000+02:00"
    assert row["end_text"] == "2024-05-06T18:00:00.000+01:00"
    assert row["waypoints"] == (
        '{"waypoints" :[{"latitude":59.91,"longitude":10.75,"timestamp":"2024-05-06T10:00:00.000+02:00"},'
        '{"latitude":55.0,"longitude":5.12346,"timestamp":"2024-05-06T10:00:01.500+02:00"},'
        '{"latitude":51.5,"longitude":-0.12,"timestamp":"2024-05-06T19:00:00.000+02:00"}]}'
    )


def test_an_offset_of_zero_is_z_in_every_text(house: DriveHouse) -> None:
    house.leg(waypoints=[{"tracked_at": BEGIN, "latitude": 5.32, "longitude": -4.01}])
    house.event("mounted", 1)
    house.waypoint(1)
    row = house.build()[0].row(0, named=True)
    assert row["start_text"] == row["start_text"][:23] + "Z"
    for name in ("waypoints", "behavior_events", "mapped_waypoints"):
        assert "000Z" in row[name]
        assert "+00:00" not in row[name]


def test_behavior_events_have_nine_lists_and_fields_in_their_order(house: DriveHouse) -> None:
    house.leg()
    house.event("acceleration", 10, seconds=2.5, magnitude=-3.1234567, mean=-1.5)
    house.event("acceleration", 5, magnitude=0.5, mean=-0.00001)
    house.event("acceleration", 7, magnitude=1.0)
    house.event("turn", 20, magnitude=2.0, mean=1.0, angle=-90.0)
    house.event("turn", 30, magnitude=2.0, mean=1.0, angle=270.0)
    house.event("phone_handling", 40, seconds=30)
    house.event("call_handheld", 90)
    house.event("call_handsfree", 100)
    house.event("mounted", 200, seconds=600)
    text = house.build()[0].row(0, named=True)["behavior_events"]
    found = json.loads(text)

    assert tuple(found) == LISTS
    assert [len(found[name]) for name in LISTS] == [3, 0, 0, 1, 2, 2, 1, 0, 0]
    assert [event["type"] for event in found["acceleration"]] == ["coast", "accelerate", "brake"]
    assert [event["type"] for event in found["turn"]] == ["right_turn", "roundabout"]
    assert json.dumps(found["acceleration"][2], separators=(",", ":")) == (
        '{"duration":2500,"features":{"magnitude":-15.617},"mean":-7.5,"start":"2024-05-06T10:00:10.000+02:00",'
        '"magnitude":0,"end":"2024-05-06T10:00:12.500+02:00","category":"acceleration","type":"brake","peaks":'
        '[{"duration":2500,"max":-15.617,"integral":-18.75,"mean":-7.5,"start":"2024-05-06T10:00:10.000+02:00",'
        '"end":"2024-05-06T10:00:12.500+02:00","is_positive":false}]}'
    )
    assert list(found["turn"][0]["peaks"][0]) == [
        "duration",
        "mean",
        "start",
        "angle",
        "magnitude",
        "end",
        "is_positive",
    ]
    assert found["acceleration"][0]["mean"] == 0
    assert "-0.0" not in text
    assert found["acceleration"][1]["mean"] is None
    assert list(found["boundaries"][0]) == ["category", "start", "end", "features"]
    assert found["boundaries"][0]["features"] == {}
    assert found["anomalies"][0] == {
        "duration": 30_000,
        "start": "2024-05-06T10:00:40.000+02:00",
        "end": "2024-05-06T10:01:10.000+02:00",
        "category": "anomalies",
        "type": "phone_usage",
    }
    assert found["mounted"][0]["type"] == "mounted"
    assert all(event["category"] == name for name, events in found.items() for event in events)


def test_mapped_waypoints_are_in_order_with_their_decimals(house: DriveHouse) -> None:
    house.leg()
    house.waypoint(2, 51.26, 50.123)
    house.waypoint(1, None, None)
    assert house.build()[0].row(0, named=True)["mapped_waypoints"] == (
        '[{"latitude":59.91235,"longitude":10.75123,"speed_v2":null,"speedlimit":null,'
        '"waypoint_timestamp":"2024-05-06T10:00:01.000+02:00"},'
        '{"latitude":59.91235,"longitude":10.75123,"speed_v2":51.3,"speedlimit":50.12,'
        '"waypoint_timestamp":"2024-05-06T10:00:02.000+02:00"}]'
    )


def test_numbers_that_are_none_make_no_broken_text(house: DriveHouse) -> None:
    house.leg()
    house.event("acceleration", 1, magnitude=float("nan"), mean=float("inf"))
    house.event("turn", 2, magnitude=1e300, mean=-1e300, angle=float("nan"))
    house.waypoint(1, float("nan"), float("inf"))
    house.waypoint(2, 1e300, -1e300)
    row = house.build()[0].row(0, named=True)
    for name in ("waypoints", "behavior_events", "mapped_waypoints"):
        json.loads(row[name], parse_constant=pytest.fail)


def test_events_are_cut_off_where_the_drive_begins_and_ends(house: DriveHouse) -> None:
    house.leg(seconds=600)
    house.event("phone_handling", 570, seconds=64)
    house.event("mounted", -3600, seconds=3 * 3600)
    house.event("acceleration", 599, magnitude=-4.0, mean=-2.0)
    house.event("acceleration", -1, magnitude=2.0, mean=1.0)
    house.event("call_handheld", -60, seconds=60)
    house.event("turn", 600, seconds=2, magnitude=2.0, angle=80.0)
    house.event("turn", 600, seconds=0, magnitude=2.0, angle=80.0)
    row = house.build()[0].row(0, named=True)
    found = json.loads(row["behavior_events"])

    told = {name: [(event["start"], event["end"], event.get("duration")) for event in found[name]] for name in LISTS}
    begin, end = row["start_text"], row["end_text"]
    assert (begin, end) == ("2024-05-06T10:00:00.000+02:00", "2024-05-06T10:10:00.000+02:00")
    assert told["anomalies"] == [("2024-05-06T10:09:30.000+02:00", end, 30_000)]
    assert told["mounted"] == [(begin, end, 600_000)]
    assert told["acceleration"] == [
        (begin, "2024-05-06T10:00:01.000+02:00", 1_000),
        ("2024-05-06T10:09:59.000+02:00", end, 1_000),
    ]
    assert told["turn"] == [(end, end, 0)]
    assert [event["peaks"][0]["integral"] for event in found["acceleration"]] == [5.0, -10.0]
    assert (str(row["focus"]), str(row["mounted"])) == ("0.950000", "1.000000")


def test_an_event_over_two_drives_is_in_both(house: DriveHouse) -> None:
    house.leg(seconds=600)
    house.leg("e2", begin=BEGIN + timedelta(seconds=900), seconds=600)
    house.event("mounted", 300, seconds=900)
    found = [json.loads(text)["mounted"] for text in house.build()[0].get_column("behavior_events")]
    assert [[event["duration"] for event in events] for events in found] == [[300_000], [300_000]]
