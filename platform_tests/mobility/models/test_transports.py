from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from platform_tests.mobility.model_house import problems, project, run_model
from platform_tests.mobility.models.lives import HOME, NEW_YORK, Life, instant, tables

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2018, 10, 31)
OSLO = [("2018-10-30 08:00:00", 59.91, 10.75), ("2018-10-30 08:10:05", 59.92345, 10.7)]


def test_the_columns_are_those_of_the_documentation(tmp_path: Path) -> None:
    contract = project().model("mobility.transports").model.contract

    assert ",".join(contract.names) == "user_id,metadata_user_id,start,end,mode,distance,waypoints,duration"
    assert problems("mobility.transports", tmp_path) == ()


def test_a_trip_has_its_waypoints_as_the_documentation_prints_them(tmp_path: Path) -> None:
    life = Life().go("tram", "2018-10-30 08:00:00", "2018-10-30 08:10:05", metres=2345, points=OSLO)

    (row,) = run_model("mobility.transports", tables(life, day=DAY), tmp_path).to_dicts()

    assert (row["mode"], row["distance"], row["duration"]) == ("tram", 2345, 605)
    assert row["waypoints"] == (
        '{ "waypoints": [ { "latitude": 59.91000, "longitude": 10.75000, "timestamp": "2018-10-30T08:00:00+01:00" }, '
        '{ "latitude": 59.92345, "longitude": 10.70000, "timestamp": "2018-10-30T08:10:05+01:00" } ] }'
    )


def test_a_flight_ends_in_the_zone_in_which_it_lands(tmp_path: Path) -> None:
    points = [("2018-10-30 10:00", 59.9, 10.7), ("2018-10-30 14:00", 60.0, -40.0), ("2018-10-30 18:30", 40.7, -74.0)]
    life = Life().go(
        "flight", "2018-10-30 10:00", "2018-10-30 13:30", metres=5_900_000, end_zone="America/New_York", points=points
    )
    life.at(NEW_YORK, "2018-10-30 13:40", None)

    (row,) = run_model("mobility.transports", tables(life, day=DAY), tmp_path).to_dicts()

    stamps = [one["timestamp"] for one in json.loads(row["waypoints"])["waypoints"]]
    assert stamps == ["2018-10-30T10:00:00+01:00", "2018-10-30T14:00:00+01:00", "2018-10-30T13:30:00-04:00"]
    assert (row["start"], row["end"]) == (stamps[0], stamps[-1])
    assert row["duration"] == 8 * 3600 + 1800


def test_a_trip_without_waypoints_has_an_empty_list(tmp_path: Path) -> None:
    life = Life().go("insufficient_data", "2018-10-30 08:00", "2018-10-30 09:00")

    (row,) = run_model("mobility.transports", tables(life, day=DAY), tmp_path).to_dicts()

    assert json.loads(row["waypoints"]) == {"waypoints": []}


def test_trips_are_cut_by_their_end(tmp_path: Path) -> None:
    life = Life().go("car", "2018-08-30 01:30", "2018-08-30 02:10").go("bus", "2018-10-31 20:00", "2018-10-31 21:00")
    frames = tables(life, day=DAY)
    edges = {"car": "2018-08-30 00:00", "bus": "2018-11-01 00:00"}
    ends = pl.col("mode").replace_strict({mode: instant(at, "UTC") for mode, at in edges.items()})

    def modes(early: timedelta) -> list[str]:
        frames["mobility_layers.trips"] = frames["mobility_layers.trips"].with_columns((ends - early).alias("ended_at"))
        return run_model("mobility.transports", frames, tmp_path)["mode"].to_list()

    assert modes(timedelta(0)) == ["car"]
    assert modes(timedelta(microseconds=1)) == ["bus"]


def test_of_trips_that_start_in_one_second_the_longest_stays(tmp_path: Path) -> None:
    life = Life()
    life.go("walking", "2018-10-30 08:00:00.100000", "2018-10-30 08:00:00.900000", metres=1)
    life.go("car", "2018-10-30 08:00:00.900000", "2018-10-30 08:20:00")

    rows = run_model("mobility.transports", tables(life, day=DAY), tmp_path)

    assert rows["mode"].to_list() == ["car"]


def test_inactive_users_have_no_trips(tmp_path: Path) -> None:
    life = Life().at(HOME, "2018-10-29 18:00", "2018-10-30 08:00").go("car", "2018-10-30 08:00", "2018-10-30 08:20")
    frames = tables(life, day=DAY, received_at=instant("2018-10-24 23:59", "UTC"))

    assert run_model("mobility.transports", frames, tmp_path).is_empty()


def test_a_duration_is_what_lies_between_the_texts(tmp_path: Path) -> None:
    life = Life().go("car", "2018-10-30 08:00:00.900000", "2018-10-30 08:20:02.100000")

    (row,) = run_model("mobility.transports", tables(life, day=DAY), tmp_path).to_dicts()

    assert (row["start"], row["end"]) == ("2018-10-30T08:00:00+01:00", "2018-10-30T08:20:02+01:00")
    assert row["duration"] == 1202
