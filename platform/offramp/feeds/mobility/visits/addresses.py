"""Addresses without a service: the settlement that a point belongs to, its country and its kind.

1. A point within a settlement's reach (cities.py) belongs to it: big cities before cities, cities before towns, towns
   before villages; of one kind the one of which it is nearest to the middle, as a share of the reach. So a quarter
   that GeoNames lists by itself belongs to the city around it.
2. Else it is rural. The nearest settlement within 60 km gives country and region, and its name within 10 km.
3. Else the time zone gives the country, where all its settlements lie in one; without any, the kind is unknown.

Of the settlements found, those in the point's own time zone come first: zones end at borders, so that a place by a
border gets the country that its clocks are of.
"""

from __future__ import annotations

import polars as pl

from offramp.feeds.mobility.visits.cities import all_cities, targets, zones
from offramp.feeds.mobility.visits.countries import country_name
from offramp.feeds.mobility.visits.grid import pairs_within
from offramp.feeds.mobility.visits.parameters import CITIES

_REACHES = (
    ("big_city", CITIES.most_reach_metres),
    ("city", CITIES.metres_per_root * CITIES.big_city_people**0.5),
    ("town", max(CITIES.least_reach_metres, CITIES.metres_per_root * CITIES.city_people**0.5)),
    ("rural", max(CITIES.least_reach_metres, CITIES.metres_per_root * CITIES.town_people**0.5)),
)
"""The furthest reach of each kind."""

_ADDRESS = {
    "point": pl.Int64,
    "country_code": pl.String,
    "region": pl.String,
    "city": pl.String,
    "city_type": pl.String,
}


def addresses_of(points: pl.DataFrame) -> pl.DataFrame:
    """Return the address of points: country_code, country, region, city, city_type, in the points' order.

    ``points`` have latitude and longitude in degrees and their timezone.
    """
    left = points.select("latitude", "longitude", "timezone").with_row_index("point").cast({"point": pl.Int64})
    left = left.join(zones(), on="timezone", how="left", maintain_order="left")
    found = [pl.DataFrame(schema=_ADDRESS)]
    for is_own_zone in (True, False):
        for city_type, reach in _REACHES:
            found.append(_best(left, city_type, reach, is_own_zone=is_own_zone))
            left = left.join(found[-1], on="point", how="anti")
        for ring in CITIES.rings_metres:
            found.append(_best(left, None, ring, is_own_zone=is_own_zone))
            left = left.join(found[-1], on="point", how="anti")
    found.append(_by_zone(left))
    address = pl.concat(found).sort("point")
    codes = address.get_column("country_code").unique().drop_nulls().sort()
    names = pl.DataFrame(
        {"country_code": codes, "country": [country_name(code) for code in codes]}, schema_overrides=_NAMES
    )
    return address.join(names, on="country_code", how="left", maintain_order="left").select(
        "country_code", "country", "region", "city", "city_type"
    )


def _best(points: pl.DataFrame, city_type: str | None, radius: float, *, is_own_zone: bool) -> pl.DataFrame:
    """Return the best settlement of a kind that reaches points; without a kind, the nearest one within a radius."""
    if points.is_empty():
        return pl.DataFrame(schema=_ADDRESS)
    cities = targets(city_type, radius)
    pairs = pairs_within(points.drop("timezone"), cities.cities, cities.grid)
    if is_own_zone:
        pairs = pairs.filter(pl.col("zone_number") == pl.col("city_zone_number"))
    if city_type is not None:
        pairs = pairs.filter(pl.col("metres") <= pl.col("reach_metres"))
        far = pl.col("metres") / pl.col("reach_metres")
    else:
        far = pl.col("metres")
    nearest = pairs.with_columns(far.alias("far")).filter(pl.col("far") == pl.col("far").min().over("point"))
    chosen = nearest.sort("point", "city_number").unique("point", keep="first", maintain_order=True)
    cities_of = all_cities().select("country_code", "region", "city", "city_type")[chosen.get_column("city_number")]
    if city_type is not None:
        return chosen.select("point").hstack(cities_of)
    named = (
        chosen.select("point", "metres")
        .hstack(cities_of)
        .with_columns(
            pl.when(pl.col("metres") <= CITIES.named_metres).then("city").alias("city"),
            pl.lit("rural").alias("city_type"),
        )
    )
    return named.select(*_ADDRESS)


def _by_zone(points: pl.DataFrame) -> pl.DataFrame:
    """Return what is known where no settlement is near."""
    return points.select(
        "point",
        pl.col("zone_country").alias("country_code"),
        pl.lit(None, pl.String).alias("region"),
        pl.lit(None, pl.String).alias("city"),
        pl.when(pl.col("zone_country").is_null()).then(pl.lit("unknown")).otherwise(pl.lit("rural")).alias("city_type"),
    )


_NAMES = {"country_code": pl.String, "country": pl.String}
