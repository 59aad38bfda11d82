"""Trips: legs with their local times and the places that they lead from and to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from offramp.feeds.mobility.local_time import with_local_time, zones_of
from offramp.feeds.mobility.visits.addresses import addresses_of
from offramp.feeds.mobility.visits.parameters import VISITS as RULE
from offramp.feeds.mobility.visits.seconds import whole_seconds
from offramp.feeds.mobility.visits.tables import TRIPS, names

_USER = ("app_id", "user_id")


@dataclass(frozen=True, slots=True)
class Rests:
    """Visits of some users to find the neighbours of trips in: by number of user, sorted by end and by start."""

    users: pl.DataFrame
    ended: pl.DataFrame
    started: pl.DataFrame


def rests_of(stays: pl.DataFrame, places: pl.DataFrame) -> Rests:
    """Return the visits of stays and places, as ``places_of`` gives them."""
    users = places.select(_USER).unique().sort(_USER).with_row_index("user")
    numbered = places.select(*_USER, "place_id", "significance").join(
        users, on=_USER, how="left", maintain_order="left"
    )
    rests = stays.select("started_at", "ended_at").hstack(
        numbered.select("user", "place_id", "significance")[stays.get_column("place")]
    )
    return Rests(
        users,
        # Of visits that end at once the one that began last counts.
        rests.drop_nulls("ended_at").sort("ended_at", "started_at", "place_id").drop("started_at"),
        rests.drop("ended_at").sort("started_at", "place_id"),
    )


def trips_of(legs: pl.DataFrame, rests: Rests) -> pl.DataFrame:
    """Return the trips of legs as the table has them, in the legs' order. ``rests`` are of the same users."""
    trips = _with_places(legs.with_row_index("trip"), rests)
    trips = trips.with_columns(
        whole_seconds("started_at", "ended_at").alias("seconds"),
        _zone(trips, 0, "timezone"),
        _zone(trips, -1, "end_zone"),
        _city_type(trips),
    )
    for instant, zone, side in (("started_at", "timezone", "start"), ("ended_at", "end_zone", "end")):
        trips = with_local_time(
            trips, instant, zone, local=f"local_{side}", offset=f"{side}_offset", text=f"{side}_text"
        )
    return trips.select(names(TRIPS))


def _with_places(legs: pl.DataFrame, rests: Rests) -> pl.DataFrame:
    """Add the places of the visit that ended last before a leg, and of the one that started first after it."""
    moves = legs.select("trip", "started_at", "ended_at", *_USER).join(rests.users, on=_USER, how="inner").drop(_USER)
    beside = timedelta(minutes=RULE.beside_minutes)
    before = (
        moves.sort("started_at", "trip")
        .join_asof(
            rests.ended.rename({"ended_at": "left_at"}),
            left_on="started_at",
            right_on="left_at",
            by="user",
            strategy="backward",
            tolerance=beside,
            check_sortedness=False,
        )
        .select("trip", from_place_id="place_id", from_significance="significance")
    )
    after = (
        moves.sort("ended_at", "trip")
        .join_asof(
            rests.started.rename({"started_at": "came_at"}),
            left_on="ended_at",
            right_on="came_at",
            by="user",
            strategy="forward",
            tolerance=beside,
            check_sortedness=False,
        )
        .select("trip", to_place_id="place_id", to_significance="significance")
    )
    return legs.join(before, on="trip", how="left", maintain_order="left").join(
        after, on="trip", how="left", maintain_order="left"
    )


def _zone(trips: pl.DataFrame, index: int, name: str) -> pl.Series:
    """Return the zone of the first or last waypoint."""
    points = trips.select(pl.col("waypoints").list.get(index, null_on_oob=True).alias("point")).unnest("point")
    return zones_of(points.get_column("latitude"), points.get_column("longitude")).alias(name)


def _city_type(trips: pl.DataFrame) -> pl.Series:
    """Return the kind of city at the middle waypoint; unknown without waypoints."""
    middle = pl.col("waypoints").list.get(pl.col("waypoints").list.len() // 2, null_on_oob=True)
    points = trips.select(middle.alias("point")).unnest("point").select("latitude", "longitude")
    near = points.select((pl.all() * RULE.points_per_degree).round() / RULE.points_per_degree)
    distinct = near.unique().drop_nulls().sort("latitude", "longitude")
    zoned = distinct.with_columns(
        zones_of(distinct.get_column("latitude"), distinct.get_column("longitude")).alias("timezone")
    )
    kinds = distinct.with_columns(addresses_of(zoned).get_column("city_type"))
    found = near.join(kinds, on=["latitude", "longitude"], how="left", maintain_order="left")
    return found.get_column("city_type").fill_null("unknown")
