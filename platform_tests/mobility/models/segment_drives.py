"""Writes down drives as the layer of driving leaves them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from platform_tests.mobility.model_house import APP
from platform_tests.mobility.models.life_rows import hexadecimal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCORES = (
    "smooth", "legal", "anticipative", "focus", "mounted", "hard_events", "hard_accel", "hard_brake", "legal_v2",
    "smooth_v2", "aggr_v2", "anti_v2", "anticipative_v2", "hard_turn", "attention",
)  # fmt: skip
_AT = pl.Datetime("us")
FIRST = datetime.fromisoformat("2018-11-05 08:00")
_TEXTS = ("app_id", "user_id", "event_id", "session_id", "start_text", "end_text", "mode", "occupant_role", "waypoints")
_ROADS = ("motorway", "city", "noncity")
SCHEMA: dict[str, Any] = {
    **dict.fromkeys(_TEXTS, pl.String),
    **dict.fromkeys(("started_at", "ended_at", "processed_at"), _AT),
    "is_new": pl.Boolean,
    "distance": pl.Int64,
    **dict.fromkeys(SCORES, pl.Decimal(9, 6)),
    **dict.fromkeys(("behavior_events", "mapped_waypoints"), pl.String),
    **{f"{road}_{unit}": pl.Int64 for unit in ("metres", "seconds") for road in _ROADS},
    "built_on": pl.Date,
}


@dataclass(frozen=True, slots=True)
class Driver:
    """Someone who drives ten times, each time the same, and the segments that follow."""

    has: tuple[str, ...]
    scores: Mapping[str, str] = field(default_factory=dict)
    metres: int = 8000
    motorway_metres: int = 0
    role: str = "driver"


_SOFT = {"smooth_v2": "0.800000", "anticipative_v2": "0.700000"}
DRIVERS = {
    "average driver": Driver(()),
    "efficient driver": Driver(("efficient_driver",), _SOFT),
    "just not efficient": Driver((), _SOFT | {"smooth_v2": "0.799999"}),
    "anticipative driver": Driver(("anticipative_driver",), {"anticipative_v2": "0.8"}),
    "aggressive driver": Driver(("aggressive_driver",), {"smooth_v2": "0.499999"}),
    "just not aggressive": Driver((), {"smooth_v2": "0.5"}),
    "legal driver": Driver(("legal_driver",), {"legal_v2": "0.9"}),
    "illegal driver": Driver(("illegal_driver",), {"legal_v2": "0.69"}),
    "distracted driver": Driver(("distracted_driver",), {"focus": "0.969999"}),
    "just not distracted": Driver((), {"focus": "0.97"}),
    "motorway driver": Driver(("motorway_driver",), motorway_metres=4000),
    "unmeasured driver": Driver((), dict.fromkeys(SCORES, "-1")),
    "driver of less than 50 km": Driver((), {"smooth_v2": "0.1", "legal_v2": "1"}, metres=4999),
    "passenger": Driver((), {"smooth_v2": "0.1", "legal_v2": "1"}, role="passenger"),
}


def drive(user_id: str, started_at: datetime, *, app_id: str = APP, **others: Any) -> dict[str, Any]:
    """Return one drive of twenty minutes with average scores; other columns as they are given."""
    ended_at = started_at + timedelta(minutes=20)
    return {
        **dict.fromkeys(SCHEMA),
        "app_id": app_id,
        "user_id": user_id,
        "event_id": hexadecimal(f"{app_id} {user_id} {started_at}", 64),
        "session_id": "9F01C2E1-1559-4F3F-AF33-0551A754BA4D",
        "started_at": started_at,
        "ended_at": ended_at,
        "processed_at": ended_at + timedelta(minutes=2),
        "is_new": True,
        "start_text": f"{started_at + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}+01:00",
        "end_text": f"{ended_at + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}+01:00",
        "mode": "car",
        "occupant_role": "driver",
        "waypoints": '{ "waypoints" : [  ] }',
        "distance": 8000,
        **dict.fromkeys(SCORES, "0.75"),
        "focus": "0.998",
        **{f"{road}_{unit}": 0 for unit in ("metres", "seconds") for road in _ROADS},
        "built_on": ended_at.date(),
        **others,
    }


def drive_table(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return drives as the table of the layer."""
    texts = SCHEMA | dict.fromkeys(SCORES, pl.String)
    return pl.DataFrame(rows, schema=texts, orient="row").cast(dict.fromkeys(SCORES, pl.Decimal(9, 6)))


def drives(drivers: Mapping[str, Driver]) -> pl.DataFrame:
    """Return ten drives of each user."""
    rows = [
        drive(
            user_id,
            FIRST + timedelta(days=number),
            distance=one.metres,
            occupant_role=one.role,
            motorway_metres=one.motorway_metres,
            city_metres=one.metres - one.motorway_metres,
            **one.scores,
        )
        for user_id, one in drivers.items()
        for number in range(10)
    ]
    return drive_table(rows)
