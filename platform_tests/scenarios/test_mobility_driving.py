"""Driving offloads of eight days: what a day processed is in its delivery, once, however late it arrived."""

from __future__ import annotations

import csv
import gzip
import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

from offramp.pipeline.plan import PlanOptions
from platform_tests.scenarios.mobility_house import (
    BEGINS,
    DRIVING,
    NORTH,
    SOUTH,
    MobilityHouse,
    days,
    phones,
    subscription,
)
from platform_tests.scenarios.scene import contents, manifests

if TYPE_CHECKING:
    from pathlib import Path

APPS = {"north": NORTH, "south": SOUTH}
DAYS = days(8)
MISSED = DAYS[4]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> MobilityHouse:
    """Eight days delivered to two app ids, one of which is also taken by somebody who misses the fifth day."""
    folder = tmp_path_factory.mktemp("driving")
    taken = [
        subscription("north"),
        subscription("south", SOUTH),
        subscription("missing"),
        subscription("csv", options={"OFFLOAD_DRIVING_FORMAT": "csv"}),
        subscription("json", options={"OFFLOAD_DRIVING_FORMAT": "json"}),
    ]
    house = MobilityHouse(folder, phones(folder / "phones"), taken)
    for day in DAYS:
        house.build(day)
        served = ("north", "south") if day == MISSED else ("north", "south", "missing")
        house.deliver(day, options=PlanOptions(recipients=served))
    return house


@pytest.fixture(scope="module")
def legs(house: MobilityHouse) -> pl.DataFrame:
    """Every leg as each build told it."""
    return house.layer("legs", DAYS[-1])


def processed(legs: pl.DataFrame, day: object, app: str) -> list[str]:
    is_it = (pl.col("built_on") == day) & pl.col("is_new") & (pl.col("mode") == "car") & (pl.col("app_id") == app)
    return legs.filter(is_it).sort("user_id", "started_at")["event_id"].to_list()


def test_a_day_holds_every_car_transport_that_was_processed_in_it(house: MobilityHouse, legs: pl.DataFrame) -> None:
    new = legs.filter("is_new")
    assert (new["processed_at"].dt.date() == new["built_on"]).all()
    for name, app in APPS.items():
        for day in DAYS:
            expected = processed(legs, day, app)
            assert len(expected) >= 3
            assert house.ids(day, name) == expected


def test_nothing_goes_out_twice_over_all_days(house: MobilityHouse, legs: pl.DataFrame) -> None:
    sent = [one for name in APPS for day in DAYS for one in house.ids(day, name)]

    assert len(sent) == len(set(sent)) == legs.filter(pl.col("mode") == "car", "is_new")["event_id"].n_unique()
    for entity in ("scores_realtime", "mapped_waypoints_realtime"):
        stamp = "timestamp" if entity == "scores_realtime" else "start"
        keys = [key for day in DAYS for key in house.rows(entity, day).select("user_id", stamp).rows()]
        assert len(keys) == len(set(keys)) > 0


def test_a_late_drive_is_in_the_day_in_which_it_was_processed(house: MobilityHouse, legs: pl.DataFrame) -> None:
    is_late = pl.col("ended_at").dt.date() < pl.col("built_on")
    late = legs.filter("is_new", is_late, pl.col("mode") == "car", pl.col("app_id") == NORTH)

    assert late.height >= 3
    for event_id, ended_at, built_on in late.select("event_id", "ended_at", "built_on").rows():
        assert event_id in house.ids(built_on)
        assert ended_at.date() < BEGINS or event_id not in house.ids(ended_at.date())


def test_a_drive_that_is_computed_again_keeps_its_id_and_is_not_sent_again(
    house: MobilityHouse, legs: pl.DataFrame
) -> None:
    cars = legs.filter(pl.col("mode") == "car", pl.col("app_id") == NORTH)
    again = cars.filter(~pl.col("is_new")).select("event_id", "built_on")
    first = cars.filter("is_new").select("event_id", first_on="built_on")

    assert again.height >= 20
    for event_id, built_on, first_on in again.join(first, on="event_id", how="left").rows():
        assert first_on < built_on
        assert event_id in house.ids(first_on)
        assert event_id not in house.ids(built_on)


def test_the_four_files_of_a_day_tell_of_the_same_drives(house: MobilityHouse) -> None:
    drives = house.layer("drives", DAYS[-1])
    for name, app in APPS.items():
        for day in DAYS:
            mine = drives.filter(pl.col("built_on") == day, pl.col("app_id") == app)
            cars = house.rows("transports_realtime", day, name)
            keys = cars.select("user_id", "start")
            assert keys.is_unique().all()
            events = house.rows("driving_events_realtime", day, name)
            waypoints = house.rows("mapped_waypoints_realtime", day, name)
            assert events.height == mine["behavior_events"].is_not_null().sum()
            assert waypoints.height == mine["mapped_waypoints"].is_not_null().sum()
            joined = events.join(cars, on=["user_id", "start"])
            assert joined["event_id"].to_list() == joined["event_id_right"].to_list()
            assert joined.height == events.height >= 0.8 * cars.height
            joined = waypoints.join(cars, on=["user_id", "start"])
            assert joined["session_id"].to_list() == joined["session_id_right"].to_list()
            assert joined.height == waypoints.height >= 0.8 * cars.height


def test_users_have_a_score_dated_by_their_newest_drive_of_the_day(house: MobilityHouse) -> None:
    for name in APPS:
        for day in DAYS:
            newest = (
                house.rows("transports_realtime", day, name)
                .filter(pl.col("occupant_role") != "passenger")
                .with_columns(timestamp=pl.col("start").str.to_datetime("%+").dt.epoch("ms").cast(pl.String))
                .group_by("user_id")
                .agg(pl.col("timestamp").max())
                .sort("user_id")
            )
            assert house.rows("scores_realtime", day, name).select("user_id", "timestamp").rows() == newest.rows()


def test_a_day_that_was_not_delivered_is_caught_up_by_the_next(house: MobilityHouse) -> None:
    following = DAYS[5]

    assert not list(house.outbox("missing").glob(f"{following:%Y_%m_%d}*"))
    for entity in DRIVING:
        told = manifests(house.outbox("missing"), f"delta/{entity}/2026_10_11.r1.json")
        assert [one["covers"] for one in told.values()] == [[MISSED.isoformat()]]
    assert sorted(house.ids(following, "missing")) == sorted([*house.ids(MISSED), *house.ids(following)])
    rest = [day for day in DAYS if day not in {MISSED, following}]
    for day in rest:
        assert house.ids(day, "missing") == house.ids(day)
        assert house.rows("scores_realtime", day, "missing").equals(house.rows("scores_realtime", day))


def test_csv_and_json_hold_the_same_values(house: MobilityHouse) -> None:
    house.deliver(DAYS[-1], options=PlanOptions(recipients=("csv", "json")))

    for entity in DRIVING:
        as_csv, as_json = (house.file_folder(entity, DAYS[-1], name) for name in ("csv", "json"))
        assert (as_csv.suffix, as_json.suffix) == (".csv", ".json")
        texts, values = _csv_rows(as_csv), _json_rows(as_json)
        assert len(texts) == len(values) == house.rows(entity, DAYS[-1]).height
        for text, value in zip(texts, values, strict=True):
            assert list(text) == list(value)
            assert {name: _read(text[name], like=value[name]) for name in value} == value


def _csv_rows(folder: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for path in sorted(folder.glob("part-*.csv.gz")):
        with gzip.open(path, "rt", newline="") as file:
            found += csv.DictReader(file)
    return found


def _json_rows(folder: Path) -> list[dict[str, object]]:
    parts = [gzip.decompress(path.read_bytes()) for path in sorted(folder.glob("part-*.json.gz"))]
    return [json.loads(line) for part in parts for line in part.splitlines()]


def _read(text: str, *, like: object) -> object:
    if like is None:
        return text or None
    if isinstance(like, str):
        return text
    return json.loads(text)


@pytest.mark.parametrize("entity", DRIVING)
def test_a_correction_sends_the_day_again_and_says_what_it_supersedes(house: MobilityHouse, entity: str) -> None:
    day = DAYS[2]
    before = contents(house.file_folder(entity, day, "south"))

    asked = PlanOptions(recipients=("south",), correction="a wrong limit in the map")
    house.deliver(day, [entity], asked)

    (told,) = manifests(house.outbox("south"), f"delta/{entity}/2026_10_08.r2.json").values()
    assert told["kind"] == "correction"
    assert told["supersedes"] == 1
    assert told["reason"] == "a wrong limit in the map"
    after = contents(house.file_folder(entity, day, "south"))
    assert sorted(after.values()) == sorted(before.values())
    assert "_SUCCESS" in after
