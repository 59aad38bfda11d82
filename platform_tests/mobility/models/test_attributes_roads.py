from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from platform_tests.mobility.models.attributes_lives import DAY, DRIVER, attributes_of, drive, drives, wide
from platform_tests.mobility.models.lives import HOME, Life, tables

if TYPE_CHECKING:
    from pathlib import Path


def test_shares_of_roads_sum_up_to_their_total_and_with_the_unknown_to_one(tmp_path: Path) -> None:
    life = Life(DRIVER).at(HOME, "2018-10-20 00:00", "2018-10-29 08:00")
    for day in (29, 30):
        life.go("car", f"2018-10-{day} 09:00", f"2018-10-{day} 10:00")
        life.at(HOME, f"2018-10-{day} 10:00", f"2018-10-{day + 1} 08:00")
    made = tables(life, day=DAY)
    trips = made["mobility_layers.trips"]
    kinds = trips.with_columns(city_type=pl.Series(["city", "rural"]))
    made["mobility_layers.trips"] = kinds
    long = {"motorway_seconds": 3000, "city_seconds": 1000, "noncity_seconds": 0}
    made["mobility_layers.drives"] = drives(
        [
            drive(DRIVER, "2018-10-29 09:00", (9000, 0, 0)) | {"event_id": trips["event_id"][0]},
            drive(DRIVER, "2018-10-30 09:00", (9000, 0, 0)) | {"event_id": trips["event_id"][1]},
            drive(DRIVER, "2018-10-28 09:00", (9000, 0, 0)) | long,
        ]
    )

    found = attributes_of(wide(made, tmp_path), DRIVER)

    zones = ("motorway", "residential-city", "residential-non_city", "road", "unknown")
    shares = {zone: found[f"transport.car.zone.{zone}.perc"] for zone in zones}
    # Of 10800 s 4800 on motorways, 1200 each on residential roads in and outside cities, 1200 on others.
    assert shares == dict(zip(zones, (0.4444, 0.1111, 0.1111, 0.1111, 0.2222), strict=True))
    assert found["transport.car.zone.perc.total"] == pytest.approx(1 - shares["unknown"], abs=1e-3)
