"""Day by day, a range of days in one Dagster run, and one first build at the end: they tell the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from offramp.orchestration.run import build_days, materialize_days
from platform_tests.scenarios.mobility_house import (
    DRIVING,
    LIFESTYLE,
    NORTH,
    SOUTH,
    MobilityHouse,
    days,
    phones,
    subscription,
)
from platform_tests.scenarios.scene import contents

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DAYS = days(6)
LAST = DAYS[-1]
TOLD = ("stationaries", "transports", "moments")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    return phones(tmp_path_factory.mktemp("life") / "phones")


def house_in(folder: Path, source: Mapping[str, Any]) -> MobilityHouse:
    return MobilityHouse(folder, source, [subscription("north"), subscription("south", SOUTH)])


@pytest.fixture(scope="module")
def daily(tmp_path_factory: pytest.TempPathFactory, source: Mapping[str, Any]) -> MobilityHouse:
    """Each day built and delivered on its own, by a process of its own as it were."""
    house = house_in(tmp_path_factory.mktemp("daily"), source)
    for day in DAYS:
        house.rooms = house.open()
        house.build(day)
        house.deliver(day)
    house.deliver(LAST, LIFESTYLE)
    return house


@pytest.fixture(scope="module")
def ranged(tmp_path_factory: pytest.TempPathFactory, source: Mapping[str, Any]) -> MobilityHouse:
    """All days in one Dagster run with their driving offloads, and the lifestyle offload of the last in another."""
    house = house_in(tmp_path_factory.mktemp("ranged"), source)
    for entities, asked in ((DRIVING, DAYS), (LIFESTYLE, [LAST])):
        exports = [house.export(entity) for entity in entities]
        result = materialize_days(house.settings, house.rooms, exports, asked)
        assert result.failed == ()
        assert len(result.run_ids) == 1
    return house


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory, source: Mapping[str, Any]) -> MobilityHouse:
    """One build over everything, on the last day."""
    house = house_in(tmp_path_factory.mktemp("once"), source)
    assert build_days(house.settings, house.rooms, "mobility", [LAST]).failed == ()
    house.deliver(LAST, TOLD)
    return house


def parquet(house: MobilityHouse) -> dict[str, bytes]:
    return {name: one for name, one in contents(house.folder / "lake" / "layers").items() if name.endswith(".parquet")}


def files(house: MobilityHouse, entities: tuple[str, ...]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name in ("north", "south"):
        for entity in entities:
            for day in DAYS if entity in DRIVING else [LAST]:
                folder = house.file_folder(entity, day, name)
                found |= {f"{folder.relative_to(house.folder)}/{one}": text for one, text in contents(folder).items()}
    return found


def test_a_range_in_one_dagster_run_builds_the_same_bytes_as_day_by_day(
    daily: MobilityHouse, ranged: MobilityHouse
) -> None:
    assert len(parquet(daily)) >= 6 * 6
    assert parquet(ranged) == parquet(daily)


@pytest.mark.parametrize("entities", [DRIVING, LIFESTYLE], ids=["driving", "lifestyle"])
def test_a_range_delivers_the_same_files_byte_for_byte(
    daily: MobilityHouse, ranged: MobilityHouse, entities: tuple[str, ...]
) -> None:
    assert len(files(daily, entities)) >= 2 * 2 * len(entities)
    assert files(ranged, entities) == files(daily, entities)


def test_event_ids_and_instants_of_processing_are_those_of_day_by_day(
    daily: MobilityHouse, ranged: MobilityHouse
) -> None:
    key = ["app_id", "event_id", "processed_at", "is_new", "built_on"]
    assert_frame_equal(ranged.layer("legs", LAST).select(key), daily.layer("legs", LAST).select(key))
    for app in (NORTH, SOUTH):
        assert daily.layer("drives", LAST).filter(pl.col("app_id") == app).height > 50


@pytest.mark.parametrize("table", ["stays", "legs"])
def test_one_first_build_sees_the_same_stays_and_legs(daily: MobilityHouse, once: MobilityHouse, table: str) -> None:
    own = ["built_on", "event_id", "processed_at", "is_new"]
    expected, found = (house.newest(table, LAST).drop(own, strict=False) for house in (daily, once))

    assert expected.height > 200
    assert_frame_equal(found, expected, check_exact=True)
    assert daily.layer(table, LAST).height > expected.height, "some were superseded"


@pytest.mark.parametrize("table", ["visits", "trips", "places"])
def test_one_first_build_sees_the_same_visits_trips_and_places(
    daily: MobilityHouse, once: MobilityHouse, table: str
) -> None:
    expected, found = (house.layer(table, LAST).drop("event_id", strict=False) for house in (daily, once))

    assert expected.height > 20
    assert_frame_equal(found, expected, check_exact=True)


@pytest.mark.parametrize("entity", TOLD)
def test_one_first_build_tells_the_same_lifestyle(daily: MobilityHouse, once: MobilityHouse, entity: str) -> None:
    assert files(once, (entity,)) == files(daily, (entity,))
