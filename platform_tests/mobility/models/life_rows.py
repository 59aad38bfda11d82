"""Turns lives into rows of visits, trips and places, with local times and texts by the zone database of Python."""

from __future__ import annotations

import hashlib
import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from platform_tests.mobility.models.lives import Life, Spot, Trip

WINDOW = timedelta(days=63)
_NEXT_TO = timedelta(minutes=30)
_AT = pl.Datetime("us")
_VENUE = {
    "latitude": pl.Float64,
    "longitude": pl.Float64,
    "place_id": pl.Int32,
    "significance": pl.String,
    "timezone": pl.String,
    "country_code": pl.String,
    "country": pl.String,
    "region": pl.String,
    "city": pl.String,
    "city_type": pl.String,
    "venue_id": pl.String,
    "venue_name": pl.String,
    "venue_brand": pl.String,
    "venue_types": pl.List(pl.String),
}
_SPAN = {
    "started_at": _AT,
    "ended_at": _AT,
    "local_start": _AT,
    "local_end": _AT,
    "start_offset": pl.Int32,
    "end_offset": pl.Int32,
    "start_text": pl.String,
    "end_text": pl.String,
    "seconds": pl.Int64,
}
_OWNER = {"app_id": pl.String, "user_id": pl.String}
VISITS: dict[str, Any] = {**_OWNER, **_SPAN, "until_at": _AT, **_VENUE}
TRIPS: dict[str, Any] = {
    **_OWNER,
    "event_id": pl.String,
    **_SPAN,
    "mode": pl.String,
    "distance": pl.Int64,
    "waypoints": pl.List(pl.Struct({"tracked_at": _AT, "latitude": pl.Float64, "longitude": pl.Float64})),
    "from_place_id": pl.Int32,
    "to_place_id": pl.Int32,
    "from_significance": pl.String,
    "to_significance": pl.String,
    "city_type": pl.String,
    "timezone": pl.String,
}
PLACES: dict[str, Any] = {
    **_OWNER,
    **_VENUE,
    "visits": pl.Int64,
    "seconds": pl.Int64,
    "days": pl.Int64,
    "first_at": _AT,
    "last_at": _AT,
}
PAYLOADS: dict[str, Any] = {
    **dict.fromkeys(("app_id", "user_id", "payload_id", "kind"), pl.String),
    "occurred_at": _AT,
    "received_at": _AT,
}


def frame(rows: Sequence[Mapping[str, Any]], schema: Mapping[str, Any]) -> pl.DataFrame:
    """Return rows as a frame of exactly these columns."""
    return pl.DataFrame(rows, schema=dict(schema), orient="row")


def visit_rows(life: Life, until: datetime) -> list[dict[str, Any]]:
    """Return the stays that began before the end of the data day; one that ends later is open."""
    rows = []
    for stay in sorted(life.stays, key=lambda one: one.started_at):
        ended = stay.ended_at if stay.ended_at is not None and stay.ended_at < until else None
        until_at = ended or until
        if stay.started_at >= until or until_at <= until - WINDOW:
            continue
        span = _span(stay.started_at, until_at, (stay.spot.timezone, stay.spot.timezone))
        span |= {"ended_at": ended, "until_at": until_at, "end_text": span["end_text"] if ended else None}
        rows.append({"app_id": life.app_id, "user_id": life.user_id, **span, **_venue(stay.spot)})
    return rows


def trip_rows(life: Life, until: datetime) -> list[dict[str, Any]]:
    rows = []
    for trip in sorted(life.trips, key=lambda one: one.started_at):
        if trip.ended_at >= until or trip.ended_at <= until - WINDOW:
            continue
        origin, destination = _neighbours(life, trip)
        rows.append(
            {
                "app_id": life.app_id,
                "user_id": life.user_id,
                "event_id": hexadecimal(f"{life.app_id} {life.user_id} {trip.started_at} {trip.mode}", 64),
                **_span(trip.started_at, trip.ended_at, trip.zones),
                "mode": trip.mode,
                "distance": trip.metres,
                "waypoints": [
                    dict(zip(("tracked_at", "latitude", "longitude"), one, strict=True)) for one in trip.points
                ],
                "from_place_id": origin and origin.place_id,
                "to_place_id": destination and destination.place_id,
                "from_significance": origin and origin.significance,
                "to_significance": destination and destination.significance,
                "city_type": origin.city_type if origin else "unknown",
                "timezone": trip.zones[0],
            }
        )
    return rows


def _neighbours(life: Life, trip: Trip) -> tuple[Spot | None, Spot | None]:
    """Return the spots of the stays that end and begin next to a trip, at most 30 minutes away."""
    ends = [one for one in life.stays if one.ended_at and timedelta(0) <= trip.started_at - one.ended_at <= _NEXT_TO]
    begins = [one for one in life.stays if timedelta(0) <= one.started_at - trip.ended_at <= _NEXT_TO]
    origin = max(ends, key=lambda one: one.started_at, default=None)
    destination = min(begins, key=lambda one: one.started_at, default=None)
    return origin.spot if origin else None, destination.spot if destination else None


def place_rows(visits: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    def key(row: Mapping[str, Any]) -> tuple[str, str, int]:
        return row["app_id"], row["user_id"], row["place_id"]

    rows = []
    for _, group in itertools.groupby(sorted(visits, key=key), key=key):
        stays = list(group)
        place = {name: stays[0][name] for name in (*_OWNER, *_VENUE)}
        totals = {"visits": len(stays), "seconds": sum(one["seconds"] for one in stays)}
        totals["days"] = len({one["local_start"].date() for one in stays})
        first, last = min(one["started_at"] for one in stays), max(one["until_at"] for one in stays)
        rows.append({**place, **totals, "first_at": first, "last_at": last})
    return rows


def _venue(spot: Spot) -> dict[str, Any]:
    return {name: getattr(spot, name) for name in _VENUE} | {"venue_types": list(spot.venue_types)}


def _span(started_at: datetime, ended_at: datetime, zones: tuple[str, str]) -> dict[str, Any]:
    local_start, start_offset, start_text = _local(started_at, zones[0])
    local_end, end_offset, end_text = _local(ended_at, zones[1])
    return {
        "started_at": started_at,
        "ended_at": ended_at,
        "local_start": local_start,
        "local_end": local_end,
        "start_offset": start_offset,
        "end_offset": end_offset,
        "start_text": start_text,
        "end_text": end_text,
        "seconds": int((ended_at.replace(microsecond=0) - started_at.replace(microsecond=0)).total_seconds()),
    }


def _local(at: datetime, zone: str) -> tuple[datetime, int, str]:
    there = at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    offset = there.utcoffset() or timedelta()
    text = there.isoformat(timespec="seconds").replace("+00:00", "Z")
    return there.replace(tzinfo=None), int(offset.total_seconds()), text


def hexadecimal(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
