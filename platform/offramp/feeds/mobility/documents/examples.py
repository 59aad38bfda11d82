"""Two example rows for each file: two invented people, a day of November, one drive in all four driving files.

Values are as the model gives them, before any format: text, numbers, and what is JSON in a file as Python values. A
column that is not named is empty.
"""

from __future__ import annotations

from typing import TypeAlias

Value: TypeAlias = str | int | float | list[object] | dict[str, object] | None
Row: TypeAlias = dict[str, Value]

APP = "5f0c2a91d7e4b80600003c1d"
IDA = {"user_id": "5f1d7be2a4c9d30700001a01", "metadata_user_id": "ida-0417"}
RUI = {"user_id": "5f1d7be2a4c9d30700001a02", "metadata_user_id": None}

_DRIVE_IDA = "8d1e0b6fd3a45c1792be64f07a13c9e25b80d4f619aa73ce02fb5d8814e6c730"
_DRIVE_RUI = "2c79f4e8016bd5a3380fe1947cb2d60a9e5317f4c80d2ba64e91f3057a8db6c2"
_SESSIONS = ("0B2E7C64-93D1-4F58-A6E0-5C17D2F8B943", "E94A10D7-2B6C-4C83-9F05-71BD38A60CE2")
_TIMES = (
    {"start": "2026-11-16T08:05:12.250+01:00", "end": "2026-11-16T08:29:47.250+01:00"},
    {"start": "2026-11-16T17:40:00.000Z", "end": "2026-11-16T17:52:30.000Z"},
)
_SCORES: tuple[Row, ...] = (
    {
        "smooth": "0.871250", "legal": "0.934000", "anticipative": "0.902500", "focus": "0.988000",
        "mounted": "1.000000", "hard_events": "0.920000", "hard_accel": "0.960000", "hard_brake": "0.880000",
        "legal_v2": "0.941200", "hard_turn": "0.975000",
    },
    {
        "smooth": "0.640000", "legal": "-1.000000", "anticipative": "0.655000", "focus": "0.720500",
        "mounted": "0.000000", "hard_events": "0.610000", "hard_accel": "0.700000", "hard_brake": "0.520000",
        "legal_v2": "-1.000000", "hard_turn": "0.810000",
    },
)  # fmt: skip


def _waypoints(*points: tuple[float, float, str]) -> Value:
    named = ("latitude", "longitude", "timestamp")
    return {"waypoints": [dict(zip(named, point, strict=True)) for point in points]}


def _mapped(*points: tuple[float, float, float, float, str]) -> Value:
    named = ("latitude", "longitude", "speed_v2", "speedlimit", "waypoint_timestamp")
    return [dict(zip(named, point, strict=True)) for point in points]


_LISTS = ("acceleration", "idle", "breakdown", "boundaries", "turn", "anomalies", "mounted", "crash", "traffic")
_BRAKE = {"start": "2026-11-16T08:11:02.000+01:00", "end": "2026-11-16T08:11:04.300+01:00"}
_PHONE = {"start": "2026-11-16T17:44:10.000Z", "end": "2026-11-16T17:44:31.000Z"}


def _events(drive: dict[str, str], **lists: list[object]) -> Value:
    bounds = {"category": "boundaries", **drive, "features": {}}
    return {name: [bounds] if name == "boundaries" else lists.get(name, []) for name in _LISTS}


_PEAK = {"duration": 2300, "max": -17.5, "integral": -27.6, "mean": -12.0, **_BRAKE, "is_positive": False}
_BRAKING = {
    "duration": 2300, "features": {"magnitude": -17.5}, "mean": -12.0, "start": _BRAKE["start"], "magnitude": 0,
    "end": _BRAKE["end"], "category": "acceleration", "type": "brake", "peaks": [_PEAK],
}  # fmt: skip
_HANDLING = {"duration": 21000, **_PHONE, "category": "anomalies", "type": "phone_usage"}

_DRIVEN = (
    _waypoints(
        (52.09083, 5.12222, "2026-11-16T08:05:12.250+01:00"),
        (52.06112, 5.08455, "2026-11-16T08:16:40.000+01:00"),
        (52.02871, 5.07993, "2026-11-16T08:29:47.250+01:00"),
    ),
    _waypoints((41.15794, -8.62911, "2026-11-16T17:40:00.000Z"), (41.17885, -8.60012, "2026-11-16T17:52:30.000Z")),
)
_MAPPED = (
    _mapped(
        (52.09085, 5.12218, 31.5, 50.0, "2026-11-16T08:05:30.000+01:00"),
        (52.06109, 5.08461, 96.2, 100.0, "2026-11-16T08:16:40.000+01:00"),
    ),
    _mapped((41.15801, -8.62905, 44.0, 50.0, "2026-11-16T17:41:00.000Z")),
)

EXAMPLES: dict[str, tuple[Row, Row]] = {
    "stationaries": (
        {
            **IDA, "start": "2026-11-15T18:42:10+01:00", "end": "2026-11-16T07:31:05+01:00",
            "location.significance": "home", "latitude": "52.09083", "longitude": "5.12222",
            "address.country": "Nederland", "address.city": "Utrecht", "address.city_type": "city",
            "location.place.type": '["residential"]', "duration": 46135,
        },
        {
            **RUI, "start": "2026-11-16T17:58:00Z", "location.significance": "poi", "latitude": "41.17890",
            "longitude": "-8.60020", "address.country": "Portugal", "address.city": "Porto",
            "address.city_type": "city", "location.place.name": "Piscina da Foz",
            "location.place.type": '["sport", "activity", "water", "swimming", "swimmingpool"]', "duration": -1,
        },
    ),
    "transports": (
        {
            **IDA, "start": "2026-11-16T07:31:05+01:00", "end": "2026-11-16T07:39:05+01:00", "mode": "walking",
            "distance": 612, "duration": 480,
            "waypoints": _waypoints(
                (52.09083, 5.12222, "2026-11-16T07:31:05+01:00"), (52.08914, 5.11037, "2026-11-16T07:39:05+01:00")
            ),
        },
        {
            **RUI, "start": "2026-11-16T08:10:00Z", "end": "2026-11-16T08:31:30Z", "mode": "tram", "distance": 7350,
            "duration": 1290,
            "waypoints": _waypoints(
                (41.15794, -8.62911, "2026-11-16T08:10:00Z"), (41.18513, -8.66271, "2026-11-16T08:31:30Z")
            ),
        },
    ),
    "moments": (
        {
            **IDA, "start": "2026-11-15T18:42:10+01:00", "end": "2026-11-16T07:31:05+01:00",
            "moment_definition_id": "at_home", "duration": 46135,
        },
        {
            **RUI, "start": "2026-11-16T07:02:00Z", "end": "2026-11-16T19:30:00Z", "moment_definition_id": "city",
            "meta": {"name": "Porto"}, "duration": 44880,
        },
    ),
    "segments": (
        {**IDA, "segment_id": "leisure.wellbeing.healthy_walker"},
        {**RUI, "segment_id": "leisure.wellbeing.sportive"},
    ),
    "attributes_long": (
        {**IDA, "attribute_name": "stationary.city.mostcommon.value", "attribute_value": "Utrecht"},
        {**IDA, "attribute_name": "usertype.value"},
    ),
    "user_linking": (
        {"user_id": IDA["user_id"], "external_id": IDA["metadata_user_id"]},
        {"user_id": "5f1d7be2a4c9d30700001a03", "external_id": "noor-0088"},
    ),
    "transports_realtime": (
        {
            **IDA, **_TIMES[0], "mode": "car", "distance": 18240, "waypoints": _DRIVEN[0], "duration": 1475,
            **_SCORES[0], "session_id": _SESSIONS[0], "event_id": _DRIVE_IDA, "occupant_role": "driver",
            "aggr_v2": "0.893100", "anti_v2": "0.911000", "attention": "0.988000",
        },
        {
            **RUI, **_TIMES[1], "mode": "car", "distance": 4870, "waypoints": _DRIVEN[1], "duration": 750,
            **_SCORES[1], "session_id": _SESSIONS[1], "event_id": _DRIVE_RUI, "occupant_role": "passenger",
            "aggr_v2": "0.655000", "anti_v2": "0.648000", "attention": "0.720500",
        },
    ),
    "driving_events_realtime": (
        {
            "mode": "car", **IDA, "event_id": _DRIVE_IDA, **_TIMES[0],
            "behavior_events": _events(_TIMES[0], acceleration=[_BRAKING]),
        },
        {
            "mode": "car", **RUI, "event_id": _DRIVE_RUI, **_TIMES[1],
            "behavior_events": _events(_TIMES[1], anomalies=[_HANDLING]),
        },
    ),
    "mapped_waypoints_realtime": (
        {"mapped_waypoints": _MAPPED[0], "session_id": _SESSIONS[0], **_TIMES[0], "user_id": IDA["user_id"]},
        {"mapped_waypoints": _MAPPED[1], "session_id": _SESSIONS[1], **_TIMES[1], "user_id": RUI["user_id"]},
    ),
    "scores_realtime": (
        {
            "timestamp": 1794812712250, "user_id": IDA["user_id"], **_SCORES[0], "smooth_v2": "0.880000",
            "anticipative_v2": "0.911000",
        },
        {
            "timestamp": 1794850800000, "user_id": RUI["user_id"], **_SCORES[1], "smooth_v2": "0.655000",
            "anticipative_v2": "0.648000",
        },
    ),
}  # fmt: skip
"""By entity; ``attributes_wide`` has its rows in ``attribute_examples``."""
