"""The four tables that the timeline writes. What fills them is in ``builds``."""

from __future__ import annotations

from offramp.domain.layers import LayerTable

# Rows of as many builds are read as the window of 63 days needs, and a week more.
_DAYS = 70

_USER = (("app_id", "VARCHAR"), ("user_id", "VARCHAR"))
_POINT = "tracked_at TIMESTAMP, latitude DOUBLE, longitude DOUBLE"

STAYS = LayerTable(
    name="stays",
    description="Stays that ended, each from its first to its last fix; a stay belongs to the day in which it ends.",
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
)
LEGS = LayerTable(
    name="legs",
    description="Legs that ended, with what they were; is_new in the build that first closed one, and never again.",
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
)
REBUILDS = LayerTable(
    name="rebuilds",
    description="From which day on a build emitted everything of a user: earlier rows of these days are superseded.",
    columns=(*_USER, ("built_on", "DATE"), ("from_on", "DATE")),
    key=("app_id", "user_id"),
    days=_DAYS,
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
)


def names(table: LayerTable) -> list[str]:
    """Return the names of a table's columns."""
    return [name for name, _ in table.columns]
