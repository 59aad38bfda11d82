"""What legs were: distance, waypoints and mode. The numbers come from ``profile``, the decision from ``decide``."""

from __future__ import annotations

import polars as pl

from offramp.feeds.mobility.legs import thresholds as at
from offramp.feeds.mobility.legs.decide import ACTIVITIES, mode
from offramp.feeds.mobility.legs.fixes_of_legs import fixes_of
from offramp.feeds.mobility.legs.profile import FEATURES, profiles
from offramp.feeds.mobility.legs.stops import stops_by_place

_WAYPOINT_DECIMALS = 5
_KEY = ("app_id", "user_id", "event_id")


def describe_legs(legs: pl.DataFrame, sdk_events: pl.DataFrame, stops: pl.DataFrame) -> pl.DataFrame:
    """Return app_id, user_id, event_id, mode, distance (metres, Int64) and waypoints of each leg, in the same order.

    ``legs``: app_id, user_id, event_id, started_at, ended_at, points: list of struct(tracked_at, latitude,
    longitude, speed in m/s or null, accuracy), in order of time. Legs of a user do not overlap. ``sdk_events``: app_id,
    user_id, occurred_at, kind, activity, confidence; kinds other than activity and transition are left out.
    ``stops``: kind (bus, tram, train, airport), latitude, longitude.

    Waypoints are struct(tracked_at, latitude, longitude) with 5 decimals, in order of time and without spikes; distance
    is that along them before rounding (mobility_offloads.md, section 3, transports).
    """
    numbered = legs.select(*_KEY, "started_at", "ended_at", "points").with_row_index("leg")
    features, waypoints = _measured(numbered.select("leg", "points"), stops)
    said = _activity(numbered.select("leg", "app_id", "user_id", "started_at", "ended_at"), sdk_events)
    described = numbered.select("leg", *_KEY).hstack(features)
    for more in (said, waypoints):
        described = described.join(more, on="leg", how="left", maintain_order="left")
    return described.with_columns(pl.col(f"sdk_{activity}").fill_null(0.0) for activity in ACTIVITIES).select(
        *_KEY,
        mode(),
        (pl.col("metres") + 0.5).floor().cast(pl.Int64).alias("distance"),
        pl.col("waypoints").fill_null([]),
    )


def leg_features(legs: pl.DataFrame, stops: pl.DataFrame) -> pl.DataFrame:
    """Return the profile of each leg, a column for each of FEATURES, in the same order."""
    features, _ = _measured(legs.select("points").with_row_index("leg"), stops)
    return features


def _measured(legs: pl.DataFrame, stops: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    offsets, fixes = fixes_of(legs)
    found, is_kept = profiles(offsets, fixes, stops_by_place(stops))
    waypoints = (
        legs.explode("points", empty_as_null=False, keep_nulls=False)
        .select("leg", pl.col("points").struct.field("tracked_at", "latitude", "longitude"))
        .filter(pl.Series(is_kept))
        .select(
            "leg",
            pl.struct(
                pl.col("tracked_at").cast(pl.Datetime("us")),
                pl.col("latitude", "longitude").cast(pl.Float64).round(_WAYPOINT_DECIMALS),
            ).alias("waypoints"),
        )
        .group_by("leg", maintain_order=True)
        .agg("waypoints")
    )
    return pl.DataFrame(found, schema=dict.fromkeys(FEATURES, pl.Float64)), waypoints


def _activity(legs: pl.DataFrame, sdk_events: pl.DataFrame) -> pl.DataFrame:
    """Return leg and, for each activity, its share of the confidence of what the SDK said within the leg."""
    user = ["app_id", "user_id"]
    moves = sdk_events.filter(
        pl.col("kind").is_in(["activity", "transition"]),
        pl.col("activity").is_in(ACTIVITIES),
        pl.col("occurred_at").is_not_null(),
    ).select(
        *user,
        "activity",
        pl.col("occurred_at").cast(pl.Datetime("us")),
        (pl.col("confidence").fill_nan(None).fill_null(at.NO_CONFIDENCE).clip(0, 1) * at.CONFIDENCE_PARTS)
        .round()
        .cast(pl.Int64)
        .alias("parts"),
    )
    timed = legs.with_columns(pl.col("started_at", "ended_at").cast(pl.Datetime("us"))).sort("started_at")
    within = moves.sort("occurred_at").join_asof(
        timed, left_on="occurred_at", right_on="started_at", by=user, strategy="backward", check_sortedness=False
    )
    totals = (
        within.filter(pl.col("occurred_at") <= pl.col("ended_at"))
        .group_by("leg")
        .agg(
            pl.col("parts").sum().alias("all"),
            *(pl.col("parts").filter(pl.col("activity") == name).sum().alias(name) for name in ACTIVITIES),
        )
        .filter(pl.col("all") > 0)
    )
    return totals.select("leg", *((pl.col(name) / pl.col("all")).alias(f"sdk_{name}") for name in ACTIVITIES))
