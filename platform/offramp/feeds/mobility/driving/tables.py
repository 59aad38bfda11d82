"""What the layer of drives writes. Nothing heavy is imported here: the layer is described before it is built."""

from __future__ import annotations

from offramp.domain.layers import LayerTable
from offramp.feeds.mobility.lineage import LINEAGE

_SCORE = "DECIMAL(9,6)"

# The scores of a drive, in the order of the columns.
DRIVE_SCORES = (
    "smooth",
    "legal",
    "anticipative",
    "focus",
    "mounted",
    "hard_events",
    "hard_accel",
    "hard_brake",
    "legal_v2",
    "smooth_v2",
    "aggr_v2",
    "anti_v2",
    "anticipative_v2",
    "hard_turn",
    "attention",
)

# The scores of a user: those of scores_realtime.
USER_SCORES = (
    "smooth",
    "legal",
    "anticipative",
    "focus",
    "mounted",
    "hard_events",
    "hard_accel",
    "hard_brake",
    "legal_v2",
    "smooth_v2",
    "anticipative_v2",
    "hard_turn",
)

ROAD_COLUMNS = (
    "motorway_metres",
    "city_metres",
    "noncity_metres",
    "motorway_seconds",
    "city_seconds",
    "noncity_seconds",
)

# The scores are over nine weeks; what is older by a week may still be asked for.
_DAYS = 70

DRIVES = LayerTable(
    name="drives",
    description="Trips by car that are new in this build, or that late fixes changed, with scores and events.",
    columns=(
        ("app_id", "VARCHAR"),
        ("user_id", "VARCHAR"),
        ("event_id", "VARCHAR"),
        ("session_id", "VARCHAR"),
        ("started_at", "TIMESTAMP"),
        ("ended_at", "TIMESTAMP"),
        ("processed_at", "TIMESTAMP"),
        ("is_new", "BOOLEAN"),
        ("start_text", "VARCHAR"),
        ("end_text", "VARCHAR"),
        ("mode", "VARCHAR"),
        ("distance", "BIGINT"),
        ("occupant_role", "VARCHAR"),
        ("waypoints", "VARCHAR"),
        *((name, _SCORE) for name in DRIVE_SCORES),
        ("behavior_events", "VARCHAR"),
        ("mapped_waypoints", "VARCHAR"),
        *((name, "BIGINT") for name in ROAD_COLUMNS),
        ("built_on", "DATE"),
    ),
    key=("app_id", "user_id", "event_id"),
    days=_DAYS,
    lineage=LINEAGE["drives"],
)

SCORES = LayerTable(
    name="scores",
    description="Scores over nine weeks of each user who has a new drive in this build.",
    columns=(
        ("app_id", "VARCHAR"),
        ("user_id", "VARCHAR"),
        ("timestamp", "BIGINT"),
        ("processed_at", "TIMESTAMP"),
        *((name, _SCORE) for name in USER_SCORES),
        ("built_on", "DATE"),
    ),
    key=("app_id", "user_id", "timestamp"),
    days=_DAYS,
    lineage=LINEAGE["scores"],
)
