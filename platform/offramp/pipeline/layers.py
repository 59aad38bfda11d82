"""Layers: what a feed computes day by day is built once per landing, in the order of the days.

A build reads a landing at or after the end of its day, the layers that it comes after, and its own builds of the
days before. The first takes all that had arrived by then; from then on the build of a day needs that of the day before.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from offramp.domain.errors import BuildMissing, nearest
from offramp.domain.layers import feed_of_layers
from offramp.domain.windows import DAY, midnight
from offramp.pipeline.building import Work, build, files_of, name_of
from offramp.pipeline.land import ensure_landings
from offramp.pipeline.plan import LandingNeed
from offramp.pipeline.rooms import no_report

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from offramp.domain.landings import Landing, Relation
    from offramp.domain.layers import Layer
    from offramp.lake.layers import BuildRecord, LayerName
    from offramp.pipeline.rooms import Report, Rooms


def day_of(rooms: Rooms, landing: Landing) -> date:
    """Return the data day whose builds are made of a landing: the last that was over, and read with the safety lag."""
    return (landing.data_as_of - rooms.safety_lag).date() - DAY


def ensure_build(
    rooms: Rooms, source: str, layer: str, landing: Landing, *, day: date | None = None, report: Report = no_report
) -> BuildRecord:
    """Return a layer's build for a day, making it and those that it comes after where they are missing.

    ``day`` None is that of the landing; an earlier one is built of what had arrived by its end. Raises BuildMissing
    where the day before was not built, and earlier ones were.
    """
    chosen = layer_of(rooms, source, layer)
    name = name_of(source, chosen)
    day = day or day_of(rooms, landing)
    after = {one: ensure_build(rooms, source, one, landing, day=day, report=report) for one in chosen.after}
    base = _base(rooms, name, chosen, day)
    key = _key(name, day, landing, base, after.values())
    store = rooms.lake.layers
    # What is there already stays the day's or not: who reads an older build moves nothing of the days after it.
    record = store.get(name, day, key)
    if record is None:
        with store.exclusive(name):
            record = store.get(name, day, key)
            if record is None:
                work = Work(rooms, chosen, landing, base, day=day, source=source, told=report, after=after)
                return build(work, key)
    return record


def build_day(rooms: Rooms, source: str, layer: str, day: date, report: Report = no_report) -> BuildRecord:
    """Build a layer for a data day, landing its source first where no landing of that time exists."""
    landing = landing_of_day(rooms, layer_of(rooms, source, layer).source, day, report)
    return ensure_build(rooms, source, layer, landing, day=day, report=report)


def landing_of_day(rooms: Rooms, source: str, day: date, report: Report = no_report) -> Landing:
    """Return the landing that a day is computed from: the first at or after its end plus the safety lag.

    A later one does too, for what arrived after the day is left out. Raises NotYetDue.
    """
    at = midnight(day + DAY) + rooms.safety_lag
    is_exact = rooms.sources[source].can_read_as_of
    before = at + timedelta.resolution if is_exact else datetime.max.replace(tzinfo=UTC)
    (landing,) = ensure_landings(rooms, [LandingNeed(source, at, before)], report)
    return landing


def missing_days(rooms: Rooms, source: str, last: date) -> tuple[date, ...]:
    """Return the days up to one that carried layers of a source still have to be built for; none before the first."""
    found: set[date] = set()
    for layer in rooms.layers[source].values():
        built = rooms.lake.layers.last_day(name_of(source, layer), last + DAY) if layer.is_carried else None
        if built is not None:
            found.update(built + number * DAY for number in range(1, (last - built).days + 1))
    return tuple(sorted(found))


def layer_relation(rooms: Rooms, source: str, table: str, landing: Landing, relation: str) -> Relation:
    """Return a computed table as of a landing, built where it is missing."""
    layer = _writer_of(rooms, source, table)
    record = ensure_build(rooms, source, layer.name, landing)
    return files_of(rooms, name_of(source, layer), layer.tables[table], record, relation=relation)


def layer_relation_since(
    rooms: Rooms, source: str, table: str, landing: Landing, base: Landing | None, *, relation: str
) -> Relation:
    """Return the rows of a computed table that were built after the day of an earlier landing."""
    layer = _writer_of(rooms, source, table)
    record = ensure_build(rooms, source, layer.name, landing)
    first = day_of(rooms, base) + DAY if base is not None else None
    return files_of(rooms, name_of(source, layer), layer.tables[table], record, relation=relation, first=first)


def layer_of(rooms: Rooms, source: str, layer: str) -> Layer:
    """Return a layer of a computed source by its name."""
    layers = rooms.layers[source]
    if layer not in layers:
        raise BuildMissing(f"'{source}' has no layer '{layer}'", todo=nearest(layer, layers))
    return layers[layer]


def _writer_of(rooms: Rooms, source: str, table: str) -> Layer:
    for layer in rooms.layers.get(source, {}).values():
        if table in layer.tables:
            return layer
    known = [name for layer in rooms.layers.get(source, {}).values() for name in layer.tables]
    raise BuildMissing(f"no layer of '{source}' computes the table '{table}'", todo=nearest(table, known))


def _key(name: LayerName, day: date, landing: Landing, base: BuildRecord | None, after: Iterable[BuildRecord]) -> str:
    # The version too, so that what comes after a layer is not taken for that of its other version.
    facts = (name.version, day.isoformat(), landing.id, base.key if base else "", *(one.key for one in after))
    return hashlib.sha256("|".join(facts).encode()).hexdigest()[:16]


def _base(rooms: Rooms, name: LayerName, layer: Layer, day: date) -> BuildRecord | None:
    """Return the build of the day before, or None where the layer carries nothing or begins with this day."""
    if not layer.is_carried:
        return None
    base = rooms.lake.layers.current(name, day - DAY)
    last = rooms.lake.layers.last_day(name, day)
    if last is None and (began := rooms.lake.layers.first_day(name)) is not None and began > day:
        raise BuildMissing(
            f"{layer.name} begins with {began}, and goes on from day to day: no day before can be built",
            where=f"{name.source}/{name.layer}",
            expected=f"{began} or a later day",
            found=str(day),
            todo="to begin earlier, remove the layer's folder in the lake and build the earlier day first",
        )
    if base is None and last is not None:
        first, feed = last + DAY, feed_of_layers(name.source)
        again = f"offramp build {feed} --from {first} --to {day - DAY}"
        raise BuildMissing(
            f"{layer.name} of {day} goes on from {day - DAY}, which was not built",
            where=f"{name.source}/{name.layer}",
            expected="the days before, in their order",
            found=f"the last day that was built is {last}; the first to build is {first}",
            todo=f"{again}, or a backfill of these days in the UI",
        )
    return base
