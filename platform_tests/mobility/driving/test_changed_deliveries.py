"""Drives that late fixes change, through the real pipeline: a correction over a later landing sends them so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from offramp.pipeline.layers import landing_of_day
from offramp.pipeline.plan import PlanOptions
from platform_tests.scenarios.mobility_history import ANN, BOB, PhonesHistory, at, drive, stay
from platform_tests.scenarios.mobility_house import MobilityHouse, days, phones

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path


ONE, TWO, THREE = days(3)
CARS = "transports_realtime"


@pytest.fixture
def house(tmp_path: Path) -> MobilityHouse:
    """Ann's drive of the first day becomes longer on the second, on which Bob drives; nothing comes on the third."""
    history = PhonesHistory()
    history.fixes(ANN, ONE, [*stay(420, 480, 0), *drive(484, 496, 3.2, 12.8), (496, 12.8), *stay(500, 900, 16)])
    history.fixes(ANN, ONE, [*drive(480, 484, 0, 3.2), *drive(496, 500, 12.8, 16)], received=at(TWO, 600))
    history.life(BOB, TWO)
    return MobilityHouse(tmp_path, phones(tmp_path / "phones"), history=history)


def correct(house: MobilityHouse, day: date, landed: date) -> pl.DataFrame:
    landing = landing_of_day(house.rooms, "mobility", landed)
    house.deliver(day, [CARS], PlanOptions(correction="fixes came late", landing_id=landing.id))
    return house.rows(CARS, day)


def test_a_correction_over_a_later_landing_sends_the_drives_of_its_day_as_they_are_now(house: MobilityHouse) -> None:
    for day in (ONE, TWO, THREE):
        house.build(day)
        house.deliver(day, [CARS])
    first, second = house.rows(CARS, ONE), house.rows(CARS, TWO)
    corrected = correct(house, ONE, THREE)

    newest = house.newest("legs", THREE)
    changed = newest.row(by_predicate=pl.col("event_id") == first["event_id"].item(), named=True)
    assert second.height == 2
    assert corrected["event_id"].to_list() == first["event_id"].to_list()
    assert int(corrected["distance"].item()) == changed["distance"]
    assert corrected["waypoints"].item() != first["waypoints"].item()
    assert corrected["waypoints"].item().count("latitude") == len(changed["waypoints"])
    assert corrected["session_id"].to_list() == first["session_id"].to_list()
    assert correct(house, TWO, THREE).equals(second)


def test_a_day_that_is_caught_up_holds_a_drive_once_as_it_is_now(house: MobilityHouse) -> None:
    house.build(ONE, TWO)
    house.deliver(ONE, [CARS])
    assert len(house.ids(ONE)) == 1
    drives = house.layer("drives", TWO)
    assert drives.filter("is_new")["event_id"].is_unique().all()
    assert drives.height == drives["event_id"].n_unique() + 1
    house.deliver(TWO, [CARS])
    assert set(house.ids(TWO)) == set(drives.filter("is_new", drives["built_on"] == TWO)["event_id"])
