"""Places of a range of users: their stays clustered, placed in time and space, and given a meaning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.feeds.mobility.local_time import with_local_time, zones_of
from offramp.feeds.mobility.visits.addresses import addresses_of
from offramp.feeds.mobility.visits.clusters import centres, place_rows
from offramp.feeds.mobility.visits.parameters import ROLES
from offramp.feeds.mobility.visits.parameters import VISITS as RULE
from offramp.feeds.mobility.visits.roles import HOME, WORK, roles_of
from offramp.feeds.mobility.visits.seconds import whole_seconds
from offramp.feeds.mobility.visits.tables import PLACES, names
from offramp.feeds.mobility.visits.venues import venues_of

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from offramp.feeds.mobility.visits.reading import Span
    from offramp.feeds.mobility.visits.venues import Venues

# Local dates of the window: zones reach from 12 hours behind UTC to 14 ahead of it.
_LOCAL_DATES = RULE.window_days + 3

# 1.1 cm; stays have as many decimals.
_DECIMALS = 7

STAY_COLUMNS = (
    *("place", "started_at", "ended_at", "until_at", "seconds"),
    *("latitude", "longitude", "start_offset", "end_offset"),
)

_RESIDENTIAL = "residential"


@dataclass(frozen=True, slots=True)
class Located:
    """Stays with the row of their place in ``place``, and the indices at which users begin, with the end."""

    stays: pl.DataFrame
    user_starts: NDArray[np.int64]


def located(stays: pl.DataFrame) -> Located:
    """Cluster the stays of users, which are sorted by user and start. Adds ``place``, ``place_id`` and ``seconds``."""
    is_first = _differs("app_id") | _differs("user_id")
    begins = np.flatnonzero(stays.select(is_first).to_series().to_numpy()).astype(np.int64)
    user_starts = np.append(begins, stays.height) if stays.height else np.zeros(1, np.int64)
    timed = stays.with_columns(whole_seconds("started_at", "until_at").alias("seconds"))
    rows = place_rows(user_starts, *_arrays(timed))
    firsts = np.repeat(rows[begins], np.diff(user_starts))
    placed = timed.with_columns(pl.Series("place", rows), pl.Series("place_id", rows - firsts + 1, dtype=pl.Int32))
    return Located(placed, user_starts)


def places_of(found: Located, venues: Venues, span: Span) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the stays, as far as ``visits_of`` needs them, and their places.

    Places have the columns of the table, in its order: row n is place n. Stays have place, started_at, ended_at,
    until_at, seconds, latitude, longitude, start_offset and end_offset.
    """
    bare = found.stays.group_by("place", maintain_order=True).agg(
        pl.first("app_id", "user_id", "place_id"),
        pl.len().cast(pl.Int64).alias("visits"),
        pl.sum("seconds"),
        pl.min("started_at").alias("first_at"),
        pl.max("until_at").alias("last_at"),
    )
    latitudes, longitudes = centres(
        found.stays.get_column("place").to_numpy(),
        bare.height,
        *_arrays(found.stays),
    )
    centred = bare.with_columns(
        pl.Series("latitude", latitudes).round(_DECIMALS), pl.Series("longitude", longitudes).round(_DECIMALS)
    )
    zoned = centred.with_columns(
        zones_of(centred.get_column("latitude"), centred.get_column("longitude")).alias("timezone")
    )
    timed = _with_offsets(found.stays, zoned)
    walls = _walls(timed)
    days = walls.group_by("place").agg((pl.col("wall_start") // 86_400).n_unique().cast(pl.Int64).alias("days"))
    whole = pl.concat([zoned, addresses_of(zoned), venues_of(zoned, walls, venues)], how="horizontal")
    is_on_the_way = whole.select(
        pl.any_horizontal(pl.col("venue_types").list.contains(one) for one in ROLES.no_work_types)
    )
    roles = _roles(found, walls, is_on_the_way.to_series(), span.start.date())
    meant = whole.join(days, on="place", how="left", maintain_order="left").with_columns(pl.Series("role", roles))
    return timed.select(STAY_COLUMNS), _with_significance(meant).select(names(PLACES))


def _arrays(stays: pl.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    latitudes, longitudes, seconds = (
        stays.get_column(name).to_numpy() for name in ("latitude", "longitude", "seconds")
    )
    return latitudes, longitudes, seconds


def _differs(column: str) -> pl.Expr:
    return (pl.col(column) != pl.col(column).shift()).fill_null(value=True)


def _with_offsets(stays: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """Add start_offset and end_offset: seconds east of UTC."""
    timed = stays.with_columns(places.get_column("timezone")[stays.get_column("place")])
    for instant, side in (("started_at", "start"), ("until_at", "end")):
        timed = with_local_time(timed, instant, "timezone", local="local", offset=f"{side}_offset", text="text")
    return timed


def _walls(stays: pl.DataFrame) -> pl.DataFrame:
    """Return place, wall_start and wall_end of stays in their order, in seconds of wall time, as far as believed."""
    silent = (pl.col("until_at") - pl.col("believed_until")).dt.total_seconds()
    return stays.select(
        "place",
        (pl.col("started_at").dt.epoch("s") + pl.col("start_offset")).alias("wall_start"),
        (pl.col("until_at").dt.epoch("s") + pl.col("end_offset") - silent).alias("wall_end"),
    )


def _roles(found: Located, walls: pl.DataFrame, is_on_the_way: pl.Series, first: date) -> NDArray[np.int8]:
    """Return the role of each place."""
    first_date = (first - timedelta(days=1)).toordinal() - _EPOCH_ORDINAL
    rows, starts, ends = (walls.get_column(name).to_numpy() for name in ("place", "wall_start", "wall_end"))
    barred = is_on_the_way.fill_null(value=False).to_numpy(allow_copy=True, writable=True)
    roles: NDArray[np.int8] = roles_of(found.user_starts, (rows, starts, ends), barred, (first_date, _LOCAL_DATES))
    return roles


_EPOCH_ORDINAL = 719_163  # 1970-01-01


def _with_significance(places: pl.DataFrame) -> pl.DataFrame:
    """Add what a place is to its user; a home keeps no venue, whatever lies beside it."""
    is_home = pl.col("role") == HOME
    is_residential = (pl.col("venue_types").list.first() == _RESIDENTIAL).fill_null(value=False)
    significance = (
        pl.when(is_home).then(pl.lit("home"))
        .when(pl.col("role") == WORK).then(pl.lit("work"))
        .when(pl.col("venue_id").is_not_null() & ~is_residential).then(pl.lit("poi"))
        .when((pl.col("visits") >= RULE.regular_visits) & (pl.col("days") >= RULE.regular_days)).then(pl.lit("regular"))
        .otherwise(pl.lit("nonregular"))
    )  # fmt: skip
    kept = [
        pl.when(is_home).then(None).otherwise(name).alias(name) for name in ("venue_id", "venue_name", "venue_brand")
    ]
    # Nobody's dwelling is named: of a residential venue only its types are told.
    residential = pl.lit([_RESIDENTIAL], dtype=pl.List(pl.String))
    return places.with_columns(
        significance.alias("significance"),
        *kept,
        pl.when(is_home).then(residential).otherwise("venue_types").alias("venue_types"),
    )
