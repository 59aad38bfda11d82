"""Stays where nobody was: false positions far away, such as one at latitude and longitude 0.

A place is an outlier if its user spent less than 15 minutes there in all, and each stay at it lies more than 500 km
from the stay before it and from the one after it, both within half an hour. Such stays are left out and counted: they
would move somebody to another country and another time zone.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from offramp.feeds.mobility.timeline.rule import EARTH_RADIUS_METRES
from offramp.feeds.mobility.visits.parameters import VISITS as RULE
from offramp.feeds.mobility.visits.tables import OUTLIERS, names


def outliers_of(stays: pl.DataFrame) -> pl.Series:
    """Tell which stays are at outliers. They are sorted by user and start, and have the ``place`` of ``located``."""
    beside = stays.select("place", "seconds", is_alone=_is_far(-1) & _is_far(1))
    is_short = pl.col("seconds").sum().over("place") < RULE.outlier_seconds
    return beside.select((is_short & pl.col("is_alone").all().over("place")).alias("is_outlier")).to_series()


def counted(left_out: list[pl.DataFrame]) -> pl.DataFrame:
    """Return the rows of the table from the stays that were left out."""
    stays = pl.concat([pl.DataFrame(schema={"app_id": pl.String}), *(one.select("app_id") for one in left_out)])
    return stays.group_by("app_id").agg(pl.len().cast(pl.Int64).alias("stays")).select(names(OUTLIERS)).sort("app_id")


def _is_far(side: int) -> pl.Expr:
    """Tell whether the stay before (-1) or after (1) is the same user's, near in time and far away."""
    is_same_user = (pl.col("app_id") == _beside("app_id", side)) & (pl.col("user_id") == _beside("user_id", side))
    before, after = (_beside("until_at", side), pl.col("started_at")) if side < 0 else (
        pl.col("until_at"), _beside("started_at", side)
    )  # fmt: skip
    is_near_in_time = after - before <= timedelta(minutes=RULE.outlier_minutes)
    return (is_same_user & is_near_in_time & (_metres(side) > RULE.outlier_metres)).fill_null(value=False)


def _beside(column: str, side: int) -> pl.Expr:
    return pl.col(column).shift(-side)


def _metres(side: int) -> pl.Expr:
    """Return the great-circle distance to the stay beside."""
    latitude, longitude = pl.col("latitude").radians(), pl.col("longitude").radians()
    other, along = _beside("latitude", side).radians(), _beside("longitude", side).radians()
    chord = ((other - latitude) / 2).sin() ** 2 + latitude.cos() * other.cos() * ((along - longitude) / 2).sin() ** 2
    return 2 * EARTH_RADIUS_METRES * chord.clip(0, 1).sqrt().arcsin()
