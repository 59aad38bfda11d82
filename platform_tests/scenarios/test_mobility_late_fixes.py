"""What late, repeated and disordered uploads do to the driving offloads and to the lifestyle layers, case by case."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from platform_tests.scenarios.mobility_history import ANN, BOB, PhonesHistory, at, commute, drive, stay
from platform_tests.scenarios.mobility_house import MobilityHouse, days, phones
from platform_tests.scenarios.scene import contents

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO, THREE, FOUR = days(4)
CARS = ["transports_realtime"]


@pytest.fixture
def history() -> PhonesHistory:
    return PhonesHistory()


def house_of(folder: Path, history: PhonesHistory) -> MobilityHouse:
    return MobilityHouse(folder, phones(folder / "phones"), history=history)


def test_a_trip_that_arrives_three_days_late_is_in_the_delivery_of_the_day_it_arrived(
    tmp_path: Path, history: PhonesHistory
) -> None:
    history.fixes(ANN, ONE, commute(), received=at(FOUR, 700))
    history.life(BOB, ONE)
    house = house_of(tmp_path, history)
    for day in (ONE, TWO, THREE, FOUR):
        house.build(day)
        house.deliver(day, CARS)

    assert [len(house.ids(day)) for day in (ONE, TWO, THREE, FOUR)] == [2, 0, 0, 2]
    late = house.rows("transports_realtime", FOUR)
    assert set(late["user_id"]) == {ANN}
    assert late["start"].str.slice(0, 10).to_list() == [ONE.isoformat()] * 2


@pytest.mark.parametrize(("received", "delivered_on"), [(at(TWO) - timedelta(microseconds=1), ONE), (at(TWO), TWO)])
def test_what_arrives_at_midnight_belongs_to_the_next_day(
    tmp_path: Path, history: PhonesHistory, received: datetime, delivered_on: object
) -> None:
    """Landings are read minutes after midnight, so they hold more than the day."""
    history.fixes(ANN, ONE, commute(), received=received)
    house = house_of(tmp_path, history)
    for day in (ONE, TWO):
        house.build(day)
        house.deliver(day, CARS)

    assert {day: len(house.ids(day)) for day in (ONE, TWO)} == {ONE: 0, TWO: 0} | {delivered_on: 2}


def test_a_trip_that_late_fixes_lengthen_keeps_its_id_and_is_not_sent_again(
    tmp_path: Path, history: PhonesHistory
) -> None:
    history.fixes(ANN, ONE, [*stay(420, 480, 0), *drive(484, 496, 3.2, 12.8), (496, 12.8), *stay(500, 900, 16)])
    history.fixes(ANN, ONE, [*drive(480, 484, 0, 3.2), *drive(496, 500, 12.8, 16)], received=at(TWO, 600))
    history.payload(ANN, at(ONE, 900))
    house = house_of(tmp_path, history)
    house.build(ONE)
    house.deliver(ONE, [*CARS, "transports"])
    house.build(TWO)
    house.deliver(TWO, [*CARS, "transports"])

    before, after = house.newest("legs", ONE), house.newest("legs", TWO)
    assert after["event_id"].to_list() == before["event_id"].to_list() == house.ids(ONE)
    assert after["processed_at"].to_list() == before["processed_at"].to_list()
    assert after["fixes"].sum() > before["fixes"].sum()
    assert house.ids(TWO) == []
    told = [house.rows("transports", day)["waypoints"].str.count_matches("latitude").sum() for day in (ONE, TWO)]
    assert told[0] < told[1], "the lifestyle file shows the trip as it is now"


_FIRST_PART_LONGER = (
    [*stay(420, 480, 0), *drive(480, 500, 0, 16), *drive(510, 516, 16, 21), *stay(516, 900, 21)],
    [(501.0, 16.0), (505.0, 16.0), (509.0, 16.0)],
)
_LAST_PART_LONGER = (
    [*stay(420, 480, 0), *drive(480, 486, 0, 5), *drive(496, 516, 5, 21), *stay(516, 900, 21)],
    [(487.0, 5.0), (490.0, 5.0), (495.0, 5.0)],
)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(_FIRST_PART_LONGER, id="first_longer"),
        pytest.param(_LAST_PART_LONGER, id="last_longer"),
    ],
)
def test_of_a_trip_that_a_late_stop_splits_only_the_new_part_is_sent(
    tmp_path: Path, history: PhonesHistory, case: tuple[list[tuple[float, float]], list[tuple[float, float]]]
) -> None:
    ride, stop = case
    history.fixes(ANN, ONE, ride)
    history.fixes(ANN, ONE, stop, received=at(TWO, 600))
    house = house_of(tmp_path, history)
    house.build(ONE)
    house.deliver(ONE)
    house.build(TWO)
    house.deliver(TWO)

    parts = house.newest("legs", TWO)
    (whole,) = house.ids(ONE)
    (new,) = house.ids(TWO)
    assert set(parts["event_id"]) == {whole, new}
    assert [house.rows("scores_realtime", day).height for day in (ONE, TWO)] == [1, 1]


def test_a_trip_that_only_late_fixes_show_to_be_by_car_is_sent_once(tmp_path: Path, history: PhonesHistory) -> None:
    history.fixes(ANN, ONE, [*stay(420, 480, 0), (490, 8), *stay(500, 900, 16)])
    history.fixes(ANN, ONE, drive(480, 500, 0, 16), received=at(TWO, 600))
    house = house_of(tmp_path, history)
    for day in (ONE, TWO, THREE):
        house.build(day)
        house.deliver(day, CARS)

    assert house.newest("legs", ONE)["mode"].to_list() == ["insufficient_data"]
    assert house.newest("legs", TWO)["mode"].to_list() == ["car"]
    assert [len(house.ids(day)) for day in (ONE, TWO, THREE)] == [0, 1, 0]


def test_what_is_sent_twice_and_in_disorder_gives_the_same_bytes(tmp_path: Path, history: PhonesHistory) -> None:
    untidy = PhonesHistory()
    for day in (ONE, TWO):
        for who in (ANN, BOB):
            history.life(who, day)
            untidy.life(who, day)
    rows = untidy.rows["fixes"]
    rows.reverse()
    again = [row | {"received_at": row["received_at"] + timedelta(hours=9)} for row in rows[::3]]  # type: ignore[operator]
    rows[:0] = [row for row in again if row["received_at"] < at(THREE)]  # type: ignore[operator]
    tidy = house_of(tmp_path / "tidy", history)
    other = house_of(tmp_path / "untidy", untidy)

    for house in (tidy, other):
        for day in (ONE, TWO):
            house.build(day)
            house.deliver(day, [*CARS, "scores_realtime", "stationaries", "transports"])

    sent = [
        {name: content for name, content in contents(house.outbox()).items() if "_manifests" not in name}
        for house in (tidy, other)
    ]
    assert len(rows) > len(history.rows["fixes"])
    assert sent[0] == sent[1]
    assert [len(tidy.ids(day)) for day in (ONE, TWO)] == [4, 4]


def test_stays_of_an_older_day_that_late_fixes_change_are_new_in_the_next_offload(
    tmp_path: Path, history: PhonesHistory
) -> None:
    history.life(ANN, ONE)
    history.life(ANN, TWO)
    history.fixes(
        ANN, ONE, [*drive(700, 710, 16, 22), *stay(710, 740, 22), *drive(740, 750, 22, 16)], received=at(THREE, 60)
    )
    history.payload(ANN, at(THREE, 60))
    house = house_of(tmp_path, history)
    for day in (ONE, TWO, THREE):
        house.build(day)
    for day in (TWO, THREE):
        house.deliver(day, ["stationaries", "transports"])

    def told(entity: str, day: object) -> pl.DataFrame:
        rows = house.rows(entity, day)  # type: ignore[arg-type]
        return rows.filter(pl.col("start").str.starts_with(ONE.isoformat()))

    before, after = told("stationaries", TWO), told("stationaries", THREE)
    assert (before.height, after.height) == (3, 5)
    assert set(before["start"]) <= set(after["start"])
    assert before.filter(pl.col("duration") == "28800").height == 1, "one stay at work"
    assert after.filter(pl.col("duration") == "28800").height == 0, "which is two now"
    assert (told("transports", TWO).height, told("transports", THREE).height) == (2, 4)
