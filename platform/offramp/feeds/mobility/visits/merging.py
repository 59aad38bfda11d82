"""Stays at one place that only jitter parted are one visit, and the leg between them is no trip.

The timeline ends a stay at the first fix that is surely 100 m or more from its anchor, be it an anchor of the approach
or one false position, and begins the next at once; what is between them is a leg of some metres in a minute. Here two
stays that follow each other are one if less than ``_APART`` is between them, their centres are less than ``_METRES``
apart, and that time is filled by legs of which every waypoint is less than that from both centres: who went round the
block was away. A row of stays is merged pair by pair. The centre is the mean by seconds, as that of places is.

All is told by the newest rows as of the day alone. The timeline's own rows stay as they are.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from offramp.feeds.mobility.timeline.newest import newest
from offramp.feeds.mobility.timeline.rule import EARTH_RADIUS_METRES

if TYPE_CHECKING:
    from offramp.domain.ports import Session
    from offramp.feeds.mobility.visits.reading import Span, Users

_APART = timedelta(minutes=15)
_METRES = 100.0
# 7 decimals are 1.1 cm; stays have as many.
_DECIMALS = 7

_USER = ("app_id", "user_id")

# Degrees of latitude in 300 m: legs farther across are not read.
_ACROSS_DEGREES = 0.0027

_SHORT_LEGS = """
-- One row per short leg of some users that may lie within a visit.
select
    app_id,
    user_id,
    started_at,
    ended_at,
    list_transform(waypoints, lambda point: point.latitude) as latitudes,
    list_transform(waypoints, lambda point: point.longitude) as longitudes
from ({newest})
order by app_id, user_id, started_at, ended_at
"""
_IS_SHORT = """ended_at > timestamp '{start}' and ended_at - started_at < interval {seconds} seconds
    and list_max(list_transform(waypoints, lambda point: point.latitude))
        - list_min(list_transform(waypoints, lambda point: point.latitude)) < {across}"""
_LEG: dict[str, pl.DataType] = {
    "app_id": pl.String(),
    "user_id": pl.String(),
    "started_at": pl.Datetime("us"),
    "ended_at": pl.Datetime("us"),
    "latitudes": pl.List(pl.Float64()),
    "longitudes": pl.List(pl.Float64()),
}


def read_short_legs(session: Session, span: Span, users: Users) -> pl.DataFrame:
    """Return the legs of some users that may lie within a visit: user, start, end, degrees of their waypoints."""
    # A row of the window was built in it, or on the day before; rows that are superseded must still be told apart.
    built = f"built_on between date '{span.start.date() - timedelta(days=1)}' and date '{span.day}'"
    is_short = _IS_SHORT.format(
        start=f"{span.start:%Y-%m-%d %H:%M:%S}", seconds=round(_APART.total_seconds()), across=_ACROSS_DEGREES
    )
    sql = _SHORT_LEGS.format(newest=newest("legs", where=f"{built} and {users.condition()}", rows_where=is_short))
    frames = [pl.DataFrame(schema=_LEG)]
    for batch in session.stream(sql):
        frame = pl.from_arrow(batch)
        if isinstance(frame, pl.DataFrame):
            frames.append(frame.cast(pl.Schema(_LEG)))
    return pl.concat(frames).rechunk()


def merged(stays: pl.DataFrame, short_legs: pl.DataFrame) -> pl.DataFrame:
    """Return stays, as ``read_stays`` gives them and in its order, those that are one visit as one row."""
    if stays.is_empty() or short_legs.is_empty():
        return stays
    is_again = _is_again(_pairs(stays), short_legs, stays.height)
    if not is_again.any():
        return stays
    seconds = (pl.col("until_at") - pl.col("started_at")).dt.total_seconds().clip(1)
    east = (pl.col("longitude") - pl.col("longitude").first() + 540) % 360 - 180
    north = pl.col("latitude") - pl.col("latitude").first()
    found = (
        stays.with_columns(pl.Series("visit", (~is_again).cum_sum()))
        .group_by("visit", maintain_order=True)
        .agg(
            pl.first(*_USER, "started_at"),
            pl.last("ended_at", "until_at", "believed_until"),
            pl.when(pl.len() == 1)
            .then(pl.first("latitude"))
            .otherwise((pl.first("latitude") + (north * seconds).sum() / seconds.sum()).round(_DECIMALS)),
            pl.when(pl.len() == 1)
            .then(pl.first("longitude"))
            .otherwise(_turned(pl.first("longitude") + (east * seconds).sum() / seconds.sum()).round(_DECIMALS)),
        )
    )
    return found.select(stays.columns)


def without_inner(legs: pl.DataFrame, stays: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """Return legs but those within a visit. ``stays`` and ``places`` are as ``places_of`` gives them.

    A leg and a stay of the timeline never overlap, so a short one within a visit lies between stays that were merged.
    """
    users = places.select(_USER)[stays.get_column("place")]
    visits = stays.select("started_at", "until_at").hstack(users).sort("started_at")
    last = (
        legs.with_row_index("leg")
        .select("leg", "started_at", "ended_at", *_USER)
        .sort("started_at", "leg")
        .join_asof(visits, on="started_at", by=_USER, strategy="backward", check_sortedness=False)
        .sort("leg")
    )
    is_inner = (pl.col("ended_at") <= pl.col("until_at")) & (pl.col("ended_at") - pl.col("started_at") < _APART)
    return legs.filter(~last.select(is_inner.fill_null(value=False)).to_series())


def _pairs(stays: pl.DataFrame) -> pl.DataFrame:
    """Return pairs of stays that may be one: row and start of the later one, end of the earlier, centres of both."""
    before = [
        pl.col(name).shift().over(_USER).alias(f"{name}_before") for name in ("ended_at", "latitude", "longitude")
    ]
    apart = pl.col("started_at") - pl.col("ended_at_before")
    return (
        stays.with_row_index("row")
        .select("row", *_USER, "started_at", "latitude", "longitude", *before)
        .filter(
            apart >= timedelta(0),
            apart < _APART,
            _metres("latitude", "longitude", "latitude_before", "longitude_before") < _METRES,
        )
    )


def _is_again(pairs: pl.DataFrame, short_legs: pl.DataFrame, rows: int) -> pl.Series:
    """Tell of each of so many stays whether it goes on with the one before."""
    pairs = pairs.sort("started_at", "row").with_columns(again_at="started_at")
    filled = (
        short_legs.with_row_index("leg")
        .rename({"started_at": "leg_from", "ended_at": "leg_to"})
        .sort("leg_to", "leg")
        .join_asof(pairs, left_on="leg_to", right_on="started_at", by=_USER, strategy="forward", check_sortedness=False)
        .filter(pl.col("leg_from") >= pl.col("ended_at_before"))
        .explode("latitudes", "longitudes")
        .group_by("row", "leg", "leg_from", "leg_to", "ended_at_before", "again_at")
        .agg(
            is_small=(
                (_metres("latitudes", "longitudes", "latitude", "longitude") < _METRES)
                & (_metres("latitudes", "longitudes", "latitude_before", "longitude_before") < _METRES)
            ).all()
        )
        .filter("is_small")
        .group_by("row")
        .agg(
            filled=(pl.col("leg_to") - pl.col("leg_from")).sum(),
            apart=(pl.col("again_at") - pl.col("ended_at_before")).first(),
        )
        .filter(pl.col("filled") == pl.col("apart"))
    )
    return pl.Series("is_again", pl.arange(rows, eager=True).is_in(filled.get_column("row").cast(pl.Int64).implode()))


def _turned(degrees: pl.Expr) -> pl.Expr:
    """Return an angle of less than two turns within [-180, 180). Other values stay as they are, to the last bit."""
    return pl.when(degrees >= 180).then(degrees - 360).when(degrees < -180).then(degrees + 360).otherwise(degrees)


def _metres(latitude: str, longitude: str, to_latitude: str, to_longitude: str) -> pl.Expr:
    """Return the great-circle distance between two points in degrees."""
    north, along = pl.col(latitude).radians(), pl.col(longitude).radians()
    to_north, to_along = pl.col(to_latitude).radians(), pl.col(to_longitude).radians()
    chord = ((to_north - north) / 2).sin() ** 2 + north.cos() * to_north.cos() * ((to_along - along) / 2).sin() ** 2
    return 2 * EARTH_RADIUS_METRES * chord.clip(0, 1).sqrt().arcsin()
