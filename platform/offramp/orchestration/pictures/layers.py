"""Numbers and pictures of a layer's build: one function for each layer of a feed that has something to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from offramp.domain.landings import Relation
from offramp.domain.quoting import literal
from offramp.domain.windows import DAY, midnight
from offramp.lake.layers import LayerName
from offramp.orchestration.pictures import drives, timeline, visits
from offramp.orchestration.pictures.drawing import UNDRAWN, can_draw, said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from offramp.domain.layers import Layer
    from offramp.domain.ports import Session
    from offramp.lake.layers import BuildRecord
    from offramp.pipeline.rooms import Rooms


@dataclass(frozen=True, slots=True)
class Pictured:
    """How a layer is shown. ``numbers`` and ``pictures`` take a session with its tables, and begin and end of the day.

    ``arrived`` are the tables of the landing of which the rows that arrived since the build before are there too.
    """

    numbers: Callable[[Session, str, str], dict[str, Any]]
    pictures: Callable[[Session, str, str], dict[str, Any]]
    arrived: tuple[str, ...] = ()


PICTURED: Mapping[tuple[str, str], Pictured] = {
    ("mobility_layers", "timeline"): Pictured(timeline.numbers, timeline.pictures, ("fixes",)),
    ("mobility_layers", "driving"): Pictured(drives.numbers, drives.pictures),
    ("mobility_layers", "visits"): Pictured(visits.numbers, visits.pictures),
}


def layer_pictures(rooms: Rooms, source: str, layer: Layer, record: BuildRecord) -> dict[str, Any]:
    """Return metadata of a build: numbers that plot over the days, and pictures where matplotlib is installed.

    What cannot be drawn never fails a build: then the reason stands there instead.
    """
    how = PICTURED.get((source, layer.name))
    if how is None:
        return {}
    begins, ends = (literal(f"{midnight(one):%Y-%m-%d %H:%M:%S}") for one in (record.day, record.day + DAY))
    instants = f"timestamp {begins}", f"timestamp {ends}"
    try:
        with rooms.engine.open(tuple(_relations(rooms, source, layer, record, arrived=how.arrived))) as session:
            numbers = how.numbers(session, *instants)
            return {**numbers, **(how.pictures(session, *instants) if can_draw() else {})}
    except UNDRAWN as error:
        return {"picture": said(f"not drawn: {type(error).__name__}: {error}")}


def _relations(
    rooms: Rooms, source: str, layer: Layer, record: BuildRecord, *, arrived: tuple[str, ...]
) -> Iterator[Relation]:
    """Yield the tables that this build wrote, and what arrived for it."""
    name, store = LayerName(source, layer.name, layer.version), rooms.lake.layers
    for table, spec in layer.tables.items():
        found = (str(store.path_for(name, record, table)),) if table in record.rows else ()
        yield Relation(table, found, spec.columns)
    before = store.get(name, record.day - DAY, record.base) if record.base else None
    landings = rooms.lake.landings
    landing = landings.get(layer.source, record.landing)
    base = landings.get(layer.source, before.landing) if before is not None else None
    for table in arrived:
        yield landings.relation_since(table, landing, table, base)
