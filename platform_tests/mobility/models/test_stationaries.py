from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from platform_tests.mobility.model_house import problems, project, run_model
from platform_tests.mobility.models.lives import (
    HOME,
    NEW_YORK,
    RESTAURANT,
    USER,
    WORK,
    Life,
    instant,
    links,
    payload,
    tables,
)

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2018, 10, 31)
UNTIL = instant("2018-11-01", "UTC")
HEADER = (
    "user_id,metadata_user_id,start,end,location.significance,latitude,longitude,address.country,address.city,"
    "address.city_type,address.streetname,location.place.name,location.place.type,duration"
)


def test_the_columns_are_those_of_the_documentation(tmp_path: Path) -> None:
    contract = project().model("mobility.stationaries").model.contract

    assert ",".join(contract.names) == HEADER
    assert problems("mobility.stationaries", tmp_path) == ()


def test_a_stay_has_times_place_and_types(tmp_path: Path) -> None:
    spot = replace(RESTAURANT, latitude=59.9234567, longitude=-10.7000049, venue_types=("food", 'a "b"'))
    life = Life().at(spot, "2018-10-30 19:00:23", "2018-10-30 20:30:00")

    (row,) = run_model("mobility.stationaries", tables(life, day=DAY), tmp_path).to_dicts()

    assert row["start"] == "2018-10-30T19:00:23+01:00"
    assert row["end"] == "2018-10-30T20:30:00+01:00"
    assert (row["latitude"], row["longitude"]) == (Decimal("59.92346"), Decimal("-10.70000"))
    assert row["address.country"] == "Norge"
    assert row["address.streetname"] is None
    assert row["location.place.type"] == '["food", "a \\"b\\""]'
    assert json.loads(row["location.place.type"]) == ["food", 'a "b"']
    assert row["duration"] == 5377
    assert row["metadata_user_id"] is None


def test_an_open_stay_has_no_end_and_a_duration_of_minus_one(tmp_path: Path) -> None:
    life = Life().at(HOME, "2018-10-31 18:00", None)

    (row,) = run_model("mobility.stationaries", tables(life, day=DAY), tmp_path).to_dicts()

    assert (row["end"], row["duration"]) == (None, -1)
    assert row["location.place.type"] is None
    assert row["location.place.name"] is None


def test_the_window_decides_by_the_end_or_by_the_start_while_open(tmp_path: Path) -> None:
    first = UNTIL - timedelta(days=63)
    life = Life()
    life.at(HOME, "2018-08-29 20:00", "2018-08-30 02:00:01")  # the window starts at 02:00 in Oslo
    life.at(WORK, "2018-10-30 08:00", "2018-10-30 16:00")
    gone = Life("5c0a4f1e9b97e96000000a02").at(HOME, "2018-08-29 20:00", None)

    frames = tables(life, gone, day=DAY)
    rows = run_model("mobility.stationaries", frames, tmp_path)

    assert frames["mobility_layers.day"]["window_start"].item() == first
    assert frames["mobility_layers.visits"].height == 3
    assert rows.sort("started_at")["location.significance"].to_list() == ["home", "work"]
    assert rows["until_at"].min() == instant("2018-08-30 00:00:01", "UTC")


def test_a_user_who_sent_nothing_for_seven_days_vanishes_and_comes_back_with_everything(tmp_path: Path) -> None:
    life = Life().at(HOME, "2018-10-01 18:00", "2018-10-02 07:00").at(WORK, "2018-10-20 08:00", "2018-10-20 16:00")

    def users(received_at: datetime) -> list[str]:
        return run_model("mobility.stationaries", tables(life, day=DAY, received_at=received_at), tmp_path)[
            "start"
        ].to_list()

    assert len(users(UNTIL - timedelta(days=7))) == 2
    assert users(UNTIL - timedelta(days=7, microseconds=1)) == []
    assert users(UNTIL) == []
    assert len(users(UNTIL - timedelta(microseconds=1))) == 2


def test_a_payload_of_another_app_makes_nobody_active(tmp_path: Path) -> None:
    frames = tables(Life().at(HOME, "2018-10-30 18:00", None), day=DAY)
    other = payload(USER, UNTIL - timedelta(hours=1), app_id="5a689ab0e97b960500002110")
    frames["mobility.payloads"] = pl.DataFrame([other], schema=frames["mobility.payloads"].schema)

    assert run_model("mobility.stationaries", frames, tmp_path).is_empty()


def test_linked_users_carry_the_client_s_id_unless_it_was_linked_later(tmp_path: Path) -> None:
    second = "5c0a4f1e9b97e96000000a02"
    lives = [Life(user).at(HOME, "2018-10-30 18:00", "2018-10-31 07:00") for user in (USER, second)]
    frames = tables(*lives, day=DAY)
    early, late = UNTIL - timedelta(seconds=1), UNTIL
    frames["mobility.user_links"] = links({USER: "anna"}, linked_at=early).vstack(
        links({second: "ben"}, linked_at=late)
    )

    rows = run_model("mobility.stationaries", frames, tmp_path).sort("user_id")

    assert rows["metadata_user_id"].to_list() == ["anna", None]


def test_keys_are_unique_when_clocks_go_back(tmp_path: Path) -> None:
    life = Life()
    hour = datetime.fromisoformat("2018-10-28 02:10")
    life.at(WORK, hour, hour + timedelta(minutes=20)).at(HOME, hour.replace(fold=1), "2018-10-28 09:00")

    rows = run_model("mobility.stationaries", tables(life, day=DAY), tmp_path).sort("started_at")

    assert rows["start"].to_list() == ["2018-10-28T02:10:00+02:00", "2018-10-28T02:10:00+01:00"]
    assert rows["duration"].to_list() == [1200, 24600]


def test_times_are_those_of_the_place(tmp_path: Path) -> None:
    life = Life().at(NEW_YORK, "2018-10-30 22:00", "2018-10-31 06:00")

    (row,) = run_model("mobility.stationaries", tables(life, day=DAY), tmp_path).to_dicts()

    assert (row["start"], row["end"]) == ("2018-10-30T22:00:00-04:00", "2018-10-31T06:00:00-04:00")
    assert row["started_at"] == instant("2018-10-31 02:00", "UTC")


def test_a_duration_is_what_lies_between_the_texts(tmp_path: Path) -> None:
    life = Life().at(HOME, "2018-10-30 08:00:00.900000", "2018-10-30 08:20:02.100000")

    (row,) = run_model("mobility.stationaries", tables(life, day=DAY), tmp_path).to_dicts()

    assert (row["start"], row["end"]) == ("2018-10-30T08:00:00+01:00", "2018-10-30T08:20:02+01:00")
    assert row["duration"] == 1202
