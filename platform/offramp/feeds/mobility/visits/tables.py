"""What the layer of visits writes. Nothing heavy is imported here: the layer is described before it is built."""

from __future__ import annotations

from offramp.domain.layers import LayerTable
from offramp.feeds.mobility.lineage import LINEAGE

_USER = (("app_id", "VARCHAR"), ("user_id", "VARCHAR"))
_ADDRESS = (
    ("timezone", "VARCHAR"),
    ("country_code", "VARCHAR"),
    ("country", "VARCHAR"),
    ("region", "VARCHAR"),
    ("city", "VARCHAR"),
    ("city_type", "VARCHAR"),
)
_VENUE = (
    ("venue_id", "VARCHAR"),
    ("venue_name", "VARCHAR"),
    ("venue_brand", "VARCHAR"),
    ("venue_types", "VARCHAR[]"),
)
_LOCAL = (
    ("local_start", "TIMESTAMP"),
    ("local_end", "TIMESTAMP"),
    ("start_offset", "INTEGER"),
    ("end_offset", "INTEGER"),
    ("start_text", "VARCHAR"),
    ("end_text", "VARCHAR"),
)

DAY = LayerTable(
    name="day",
    description="The data day, its end, and the start of the window over which visits and trips are given.",
    columns=(("day", "DATE"), ("until", "TIMESTAMP"), ("window_start", "TIMESTAMP")),
    key=("day",),
    tenant_column=None,
    lineage=LINEAGE["day"],
)

PLACES = LayerTable(
    name="places",
    description="Places of each user over the window, numbered by first visit, with meaning, venue and address.",
    columns=(
        *_USER,
        ("place_id", "INTEGER"),
        ("latitude", "DOUBLE"),
        ("longitude", "DOUBLE"),
        ("significance", "VARCHAR"),
        *_ADDRESS,
        *_VENUE,
        ("visits", "BIGINT"),
        ("seconds", "BIGINT"),
        ("days", "BIGINT"),
        ("first_at", "TIMESTAMP"),
        ("last_at", "TIMESTAMP"),
    ),
    key=("app_id", "user_id", "place_id"),
    lineage=LINEAGE["places"],
)

VISITS = LayerTable(
    name="visits",
    description="Stays of the window, the open one among them, each with the place that it was spent at.",
    columns=(
        *_USER,
        ("started_at", "TIMESTAMP"),
        ("ended_at", "TIMESTAMP"),
        ("until_at", "TIMESTAMP"),
        *_LOCAL,
        ("seconds", "BIGINT"),
        ("latitude", "DOUBLE"),
        ("longitude", "DOUBLE"),
        ("place_id", "INTEGER"),
        ("significance", "VARCHAR"),
        *_ADDRESS,
        *_VENUE,
    ),
    key=("app_id", "user_id", "started_at"),
    lineage=LINEAGE["visits"],
)

TRIPS = LayerTable(
    name="trips",
    description="Legs of the window with local times and the places before and after them.",
    columns=(
        *_USER,
        ("event_id", "VARCHAR"),
        ("started_at", "TIMESTAMP"),
        ("ended_at", "TIMESTAMP"),
        *_LOCAL,
        ("mode", "VARCHAR"),
        ("distance", "BIGINT"),
        ("seconds", "BIGINT"),
        ("waypoints", "STRUCT(tracked_at TIMESTAMP, latitude DOUBLE, longitude DOUBLE)[]"),
        ("from_place_id", "INTEGER"),
        ("to_place_id", "INTEGER"),
        ("from_significance", "VARCHAR"),
        ("to_significance", "VARCHAR"),
        ("city_type", "VARCHAR"),
        ("timezone", "VARCHAR"),
    ),
    key=("app_id", "user_id", "started_at", "event_id"),
    lineage=LINEAGE["trips"],
)

OUTLIERS = LayerTable(
    name="outliers",
    description="How many stays are no visits, since they were false positions far away. None is dropped in silence.",
    columns=(("app_id", "VARCHAR"), ("stays", "BIGINT")),
    key=("app_id",),
    lineage={"app_id": LINEAGE["places"]["app_id"], "stays": LINEAGE["places"]["visits"]},
)


def names(table: LayerTable) -> list[str]:
    """Return the columns' names in order."""
    return [name for name, _ in table.columns]
