"""The five tables that the timeline writes. What fills them is in ``builds``."""

from __future__ import annotations

from offramp.domain.layers import LayerTable
from offramp.feeds.mobility.lineage import LINEAGE

# Rows of as many builds are read as the window of 63 days needs, and a week more.
_DAYS = 70

_USER = (("app_id", "VARCHAR"), ("user_id", "VARCHAR"))
_POINT = "tracked_at TIMESTAMP, latitude DOUBLE, longitude DOUBLE"
_FAULTS = ("fixes.latitude", "fixes.longitude", "fixes.accuracy", "fixes.tracked_at", "fixes.received_at")
_LEFT_OUT_OF = {
    "app_id": ("fixes.app_id",),
    "reason": _FAULTS,
    "fixes": ("fixes.user_id", *_FAULTS),
    "built_on": ("fixes.tracked_at", "fixes.received_at"),
}

STAYS = LayerTable(
    name="stays",
    description="Stays that ended, with their fixes; a stay belongs to the day in which it ends.",
    columns=(
        *_USER,
        ("started_at", "TIMESTAMP"),
        ("ended_at", "TIMESTAMP"),
        ("latitude", "DOUBLE"),
        ("longitude", "DOUBLE"),
        ("fixes", "BIGINT"),
        ("built_on", "DATE"),
    ),
    key=("app_id", "user_id", "started_at"),
    days=_DAYS,
    lineage=LINEAGE["stays"],
)
LEGS = LayerTable(
    name="legs",
    description="Legs in one mode that ended, with what they were; is_new in the build that first closed one.",
    columns=(
        *_USER,
        ("event_id", "VARCHAR"),
        ("started_at", "TIMESTAMP"),
        ("ended_at", "TIMESTAMP"),
        ("processed_at", "TIMESTAMP"),
        ("is_new", "BOOLEAN"),
        ("mode", "VARCHAR"),
        ("distance", "BIGINT"),
        ("waypoints", f"STRUCT({_POINT})[]"),
        ("fixes", "BIGINT"),
        ("built_on", "DATE"),
    ),
    key=("app_id", "user_id", "started_at"),
    days=_DAYS,
    lineage=LINEAGE["legs"],
)
REBUILDS = LayerTable(
    name="rebuilds",
    description="From which day on a build emitted everything of a user: earlier rows of these days are superseded.",
    columns=(*_USER, ("built_on", "DATE"), ("from_on", "DATE")),
    key=("app_id", "user_id"),
    days=_DAYS,
    lineage=LINEAGE["rebuilds"],
)
OPEN_STAYS = LayerTable(
    name="open_stays",
    description="What was open of each user at the end of a day, a stay or a leg; it holds until the user's next row.",
    columns=(
        *_USER,
        ("day", "DATE"),
        ("anchor_at", "TIMESTAMP"),
        ("anchor_latitude", "DOUBLE"),
        ("anchor_longitude", "DOUBLE"),
        ("last_at", "TIMESTAMP"),
        ("last_latitude", "DOUBLE"),
        ("last_longitude", "DOUBLE"),
        ("fixes", "BIGINT"),
        ("latitude", "DOUBLE"),
        ("longitude", "DOUBLE"),
        ("is_stay", "BOOLEAN"),
        ("opened", "TINYINT"),
        ("sum_latitude", "DOUBLE"),
        ("sum_sine", "DOUBLE"),
        ("sum_cosine", "DOUBLE"),
        ("points", f"STRUCT({_POINT}, speed DOUBLE, accuracy DOUBLE, received_at TIMESTAMP)[]"),
        ("built_on", "DATE"),
    ),
    key=("app_id", "user_id", "day"),
    lineage=LINEAGE["open_stays"],
)
LEFT_OUT = LayerTable(
    name="left_out",
    description="How many fixes that came with the day do not count, and why. None is dropped in silence.",
    columns=(("app_id", "VARCHAR"), ("reason", "VARCHAR"), ("fixes", "BIGINT"), ("built_on", "DATE")),
    key=("app_id", "reason"),
    lineage=_LEFT_OUT_OF,
)


def names(table: LayerTable) -> list[str]:
    """Return the names of a table's columns."""
    return [name for name, _ in table.columns]
