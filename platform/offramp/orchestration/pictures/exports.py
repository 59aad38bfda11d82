"""Pictures of exports: of few numbers each, counted in the stored models that the export is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from offramp.orchestration.describe import records_of
from offramp.orchestration.pictures.drawing import UNDRAWN, can_draw, lying_bars, new_figure, said, shown
from offramp.orchestration.pictures.results import pairs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from offramp.domain.exports import Export
    from offramp.domain.landings import Landing
    from offramp.pipeline.rooms import Rooms

_MOST_SEGMENTS = 30

# By export: the stored model that is counted, the query over it as ``counted`` with ``people`` (the active users),
# what is said of it, and how many rows are drawn.
_MOMENTS = (
    "moment_rows",
    "select moment_definition_id, count(*) from counted group by 1 order by 2 desc, 1",
    "moments by definition",
)
_SEGMENTS = (
    "segment_rows",
    f"""
    select segment_id, 100.0 * count(*) / (select count(*) from people)
    from counted
    group by 1
    order by 2 desc, 1
    limit {_MOST_SEGMENTS}""",
    f"share of active users by segment, in percent (the {_MOST_SEGMENTS} most frequent)",
)
# The last family is of those that are not computed: always empty.
_ATTRIBUTES = (
    "attribute_values",
    """
    with texts as (select family, unnest(from_json(texts, '["VARCHAR"]')) as value from counted)
    select family, 100.0 * count(value) / count(*)
    from texts
    where family <> 'none'
    group by 1
    order by 2 desc, 1""",
    "values that are known by family of attributes, in percent",
)
PICTURED: Mapping[str, tuple[str, str, str]] = {
    "mobility/offload/moments": _MOMENTS,
    "mobility/offload/segments": _SEGMENTS,
    "mobility/offload/attributes_wide": _ATTRIBUTES,
    "mobility/offload/attributes_long": _ATTRIBUTES,
}
_PEOPLE = "active_users"


def export_pictures(rooms: Rooms, export: Export, day: date) -> dict[str, Any]:
    """Return metadata of an export's day: a chart of all app ids together, where matplotlib is installed.

    What cannot be drawn never fails a delivery: then the reason stands there instead.
    """
    if export.name not in PICTURED or not can_draw():
        return {}
    landing_id = max((one.landing_id or "" for one in records_of(rooms, export, day)), default="")
    if not landing_id:
        return {}
    model, query, title = PICTURED[export.name]
    try:
        landing = rooms.lake.landings.get(rooms.source_of(export).name, landing_id)
        rows = _counted(rooms, export.feed, model, landing, query=query)
        if not rows:
            return {"chart": said("there is nothing to draw on this day")}
        figure = new_figure(7.4, 0.8 + 0.19 * len(rows), title)
        lying_bars(figure.subplots(), "", rows)
        return {"chart": shown(figure, title)}
    except UNDRAWN as error:
        return {"chart": said(f"not drawn: {type(error).__name__}: {error}")}


def _counted(rooms: Rooms, feed: str, name: str, landing: Landing, *, query: str) -> list[tuple[str, float]]:
    """Return the rows of a query over a stored model as of a landing."""
    # The rooms behind them load pyarrow and polars, which the code location does not wait for.
    from offramp.pipeline.relations import model_over  # noqa: PLC0415
    from offramp.pipeline.stored import stored_relation  # noqa: PLC0415

    relations = []
    for model_name, relation in ((name, "counted"), (_PEOPLE, "people")):
        model = rooms.project.model(f"{feed}.{model_name}").model
        relations.append(stored_relation(rooms, model, model_over(rooms, model, landing), relation))
    with rooms.engine.open(tuple(relations)) as session:
        return pairs(session.rows(query))
