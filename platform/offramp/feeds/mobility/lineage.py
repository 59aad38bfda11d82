"""What the columns of the layers' tables are made of, for there is no SQL that tells.

``fixes.latitude`` is a column of the landing, ``layers.stays.started_at`` one of this day's build of a layer, and
``before.legs.event_id`` one of the layer's own earlier builds. A column is made of what its value is computed from.
What only decides whether a row counts, such as the arrival of a fix or the newest build, is left out but for numbers of
rows and for columns that are the same in all rows of a build.
"""

from __future__ import annotations

Lineage = dict[str, tuple[str, ...]]


def _of(table: str, columns: str) -> tuple[str, ...]:
    return tuple(f"{table}.{column}" for column in columns.split())


def _each(names: str, *origins: tuple[str, ...]) -> Lineage:
    """Return several columns that are made of the same."""
    return dict.fromkeys(names.split(), _all(*origins))


def _all(*origins: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for some in origins for one in some))


# The fold: where a phone was decides where stays and legs begin and end, and a state says where it goes on from.
_TRACK = _of("fixes", "tracked_at latitude longitude accuracy")
_STATE = _of("before.open_stays", "opened anchor_at anchor_latitude anchor_longitude points")
_FOLD = _all(_TRACK, _STATE)
# Where the way of moving changes within a leg is told by reported speeds too.
_CUT = _all(_FOLD, _of("fixes", "speed"))
_COUNT = _of("before.open_stays", "fixes")
_MEAN_LATITUDE = _all(_FOLD, _COUNT, _of("before.open_stays", "sum_latitude"))
_MEAN_LONGITUDE = _all(_FOLD, _COUNT, _of("before.open_stays", "sum_sine sum_cosine"))
_ARRIVAL = _of("fixes", "tracked_at received_at")
_KNOWN_LEGS = _of("before.legs", "event_id started_at ended_at")
_USER = _each("app_id", _of("fixes", "app_id")) | _each("user_id", _of("fixes", "user_id"))
_BUILT = _each("built_on", _ARRIVAL)

_STAYS: Lineage = {
    **_USER,
    **_each("started_at ended_at", _FOLD),
    **_each("latitude", _MEAN_LATITUDE),
    **_each("longitude", _MEAN_LONGITUDE),
    **_each("fixes", _FOLD, _COUNT),
    **_BUILT,
}
_LEGS: Lineage = {
    **_USER,
    **_each("event_id", _of("fixes", "app_id user_id"), _FOLD, _KNOWN_LEGS),
    **_each("started_at", _FOLD),
    **_each("ended_at", _CUT),
    **_each("processed_at", _FOLD, _of("fixes", "received_at"), _KNOWN_LEGS, _of("before.legs", "processed_at")),
    **_each("is_new", _FOLD, _of("fixes", "received_at"), _KNOWN_LEGS),
    **_each(
        "mode",
        _FOLD,
        _of("fixes", "speed"),
        _of("sdk_events", "occurred_at kind activity confidence"),
        _of("venues", "types latitude longitude"),
    ),
    **_each("distance waypoints fixes", _CUT),
    **_BUILT,
}
_REBUILDS: Lineage = {
    **_USER,
    **_BUILT,
    **_each("from_on", _ARRIVAL, _of("before.open_stays", "day is_stay last_at points")),
}
_OPEN: Lineage = {
    **_USER,
    **_each("day", _of("fixes", "tracked_at")),
    **_each("anchor_at anchor_latitude anchor_longitude last_at last_latitude last_longitude is_stay opened", _FOLD),
    **_each("fixes", _FOLD),
    **_each("latitude", _MEAN_LATITUDE),
    **_each("longitude", _MEAN_LONGITUDE),
    **_each("sum_latitude", _FOLD),
    **_each("sum_sine sum_cosine", _FOLD),
    **_each("points", _FOLD, _of("fixes", "speed received_at")),
    **_BUILT,
}
# A user of whom nothing arrived keeps the state as it was.
_OPEN_STAYS: Lineage = {column: _all(made, (f"before.open_stays.{column}",)) for column, made in _OPEN.items()}

# Visits: closed stays, and the open one up to the end of the day.
_BEGINS = _all(_of("layers.stays", "started_at"), _of("layers.open_stays", "anchor_at"))
_ENDS = _of("layers.stays", "ended_at")
_WHERE = _all(_of("layers.stays", "latitude longitude"), _of("layers.open_stays", "latitude longitude"))
# Stays are merged over short legs between them, and clustered in the order of their time, weighed by their length.
_PLACE = _all(_BEGINS, _ENDS, _WHERE, _of("layers.legs", "started_at ended_at waypoints"))
# What an open stay is believed to last ends some hours after its last fix.
_BELIEVED = _all(_PLACE, _of("layers.open_stays", "last_at"))
_VENUE = _all(_BELIEVED, _of("venues", "latitude longitude types opening_hours"))
_VENUE_ID = _all(_VENUE, _of("venues", "venue_id"))
_PRESENCE = _all(
    _of("layers.stays", "built_on"),
    _of("layers.rebuilds", "built_on from_on"),
    _of("layers.open_stays", "is_stay day built_on"),
)
_VISITOR: Lineage = {
    "app_id": ("layers.stays.app_id", "layers.open_stays.app_id"),
    "user_id": ("layers.stays.user_id", "layers.open_stays.user_id"),
}
_MEANING: Lineage = {
    **_each("significance", _VENUE_ID, _PRESENCE),
    **_each("timezone country_code country region city city_type", _PLACE),
    **_each("venue_id", _VENUE_ID),
    **_each("venue_types", _VENUE),
    **_each("venue_name", _VENUE, _of("venues", "name")),
    **_each("venue_brand", _VENUE, _of("venues", "brand")),
}
_PLACES: Lineage = {
    **_VISITOR,
    **_each("place_id latitude longitude", _PLACE),
    **_MEANING,
    **_each("visits seconds", _PLACE, _PRESENCE),
    **_each("days", _BELIEVED, _PRESENCE),
    **_each("first_at last_at", _PLACE),
}
_VISITS: Lineage = {
    **_VISITOR,
    **_each("started_at", _BEGINS),
    **_each("ended_at until_at", _PLACE),
    **_each("local_start local_end start_offset end_offset start_text end_text", _PLACE),
    **_each("seconds latitude longitude place_id", _PLACE),
    **_MEANING,
}
_TRIPS: Lineage = {
    **_each("app_id", ("layers.legs.app_id",)),
    **_each("user_id", ("layers.legs.user_id",)),
    **_each("event_id", ("layers.legs.event_id",)),
    **_each("started_at", ("layers.legs.started_at",)),
    **_each("ended_at", ("layers.legs.ended_at",)),
    **_each("local_start start_offset start_text", _of("layers.legs", "started_at waypoints")),
    **_each("local_end end_offset end_text", _of("layers.legs", "ended_at waypoints")),
    **_each("mode", ("layers.legs.mode",)),
    **_each("distance", ("layers.legs.distance",)),
    **_each("seconds", _of("layers.legs", "started_at ended_at")),
    **_each("waypoints city_type timezone", ("layers.legs.waypoints",)),
    **_each("from_place_id", ("layers.legs.started_at",), _PLACE),
    **_each("to_place_id", ("layers.legs.ended_at",), _PLACE),
    **_each("from_significance", ("layers.legs.started_at",), _VENUE_ID, _PRESENCE),
    **_each("to_significance", ("layers.legs.ended_at",), _VENUE_ID, _PRESENCE),
}

# Drives: a score of what lies between the start and the end of a leg, by how long it is.
_SPAN = _of("layers.legs", "started_at ended_at")
_WAY = _all(_SPAN, ("layers.legs.distance",))
_SENSED = _all(_WAY, _of("sensor_events", "kind started_at ended_at"))
_STRENGTH = _all(_SENSED, ("sensor_events.magnitude",))
_LIMITS = _all(_WAY, _of("waypoints", "tracked_at speed speed_limit"))
_ROADS = _all(_SPAN, _of("waypoints", "tracked_at road"))
_SCORES_OF: Lineage = {
    **_each("smooth anticipative hard_events hard_accel hard_brake smooth_v2 aggr_v2 anti_v2", _STRENGTH),
    **_each("anticipative_v2 hard_turn", _STRENGTH),
    **_each("focus mounted attention", _SENSED),
    **_each("legal legal_v2", _LIMITS),
}
_DRIVER: Lineage = {"app_id": ("layers.legs.app_id",), "user_id": ("layers.legs.user_id",)}
_ROLE = _all(_SPAN, _of("sensor_events", "kind started_at ended_at"))
_BUILT_DRIVES = _each("built_on", _of("layers.legs", "built_on is_new mode"))
_DRIVES: Lineage = {
    **_DRIVER,
    **_each("event_id", ("layers.legs.event_id",)),
    **_each(
        "session_id",
        _of("layers.legs", "app_id user_id started_at ended_at"),
        _of("before.drives", "session_id started_at ended_at event_id"),
    ),
    **{name: (f"layers.legs.{name}",) for name in ("started_at", "ended_at", "mode", "distance")},
    **_each("processed_at", _of("layers.legs", "processed_at built_on"), _of("before.drives", "event_id processed_at")),
    **_each("is_new", ("layers.legs.event_id",), ("before.drives.event_id",)),
    **_each("start_text", _of("layers.legs", "started_at waypoints")),
    **_each("end_text", _of("layers.legs", "ended_at waypoints")),
    **_each("occupant_role", _ROLE),
    **_each("waypoints", _of("layers.legs", "started_at waypoints")),
    **_SCORES_OF,
    **_each(
        "behavior_events",
        _SPAN,
        ("layers.legs.waypoints",),
        _of("sensor_events", "kind started_at ended_at magnitude mean angle"),
    ),
    **_each(
        "mapped_waypoints",
        _SPAN,
        ("layers.legs.waypoints",),
        _of("waypoints", "tracked_at latitude longitude speed speed_limit"),
    ),
    **_each("motorway_metres city_metres noncity_metres", _ROADS, _of("waypoints", "speed latitude longitude")),
    **_each("motorway_seconds city_seconds noncity_seconds", _ROADS),
    **_BUILT_DRIVES,
}
_USER_SCORES = "smooth legal anticipative focus mounted hard_events hard_accel hard_brake legal_v2 smooth_v2"
# Drives as a passenger are no part of them.
_DRIVEN = _all(_ROLE, _of("before.drives", "occupant_role started_at"))
_SCORES: Lineage = {
    **_DRIVER,
    **_each("timestamp", _DRIVEN),
    **_each("processed_at", ("layers.legs.processed_at",)),
    **{
        name: _all(_SCORES_OF[name], _DRIVEN, _of("before.drives", f"{name} distance"))
        for name in (*_USER_SCORES.split(), "anticipative_v2", "hard_turn")
    },
    **_BUILT_DRIVES,
}

LINEAGE: dict[str, Lineage] = {
    "stays": _STAYS,
    "legs": _LEGS,
    "rebuilds": _REBUILDS,
    "open_stays": _OPEN_STAYS,
    "day": {"day": (), "until": (), "window_start": ()},
    "places": _PLACES,
    "visits": _VISITS,
    "trips": _TRIPS,
    "drives": _DRIVES,
    "scores": _SCORES,
}
"""By table and column. The one row of ``day`` is made of the data day alone."""
