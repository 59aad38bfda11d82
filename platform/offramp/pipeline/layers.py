"""Layers: what a feed computes day by day is built once per landing, in the order of the days.

A build reads a landing at or after the end of its day, the layers that it comes after, and its own builds of the
days before. The first takes all that had arrived by then; from then on the build of a day needs that of the day before.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from offramp.domain.errors import BuildMissing, nearest
from offramp.domain.landings import Relation
from offramp.domain.layers import feed_of_layers
from offramp.domain.quoting import identifier
from offramp.domain.windows import DAY, midnight
from offramp.lake.layers import BuildRecord, LayerName
from offramp.pipeline.land import ensure_landings
from offramp.pipeline.plan import LandingNeed
from offramp.pipeline.rooms import no_report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from offramp.domain.landings import Landing
    from offramp.domain.layers import Layer, LayerTable
    from offramp.domain.ports import Session
    from offramp.pipeline.rooms import Report, Rooms


# Later builds read ranges of users: groups of a fifth of DuckDB's own let it pass over most of a file.
_GROUP_ROWS = 20_000


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
    name = _name(source, chosen)
    day = day or day_of(rooms, landing)
    after = [ensure_build(rooms, source, one, landing, day=day, report=report) for one in chosen.after]
    base = _base(rooms, name, chosen, day)
    key = _key(name, day, landing, base, after)
    store = rooms.lake.layers
    record = store.get(name, day, key)
    if record is None:
        with store.exclusive(name):
            record = store.get(name, day, key)
            if record is None:
                work = _Work(rooms, chosen, landing, base, day=day, source=source, told=report)
                return _build(work, key)
    store.choose(name, record)
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
        built = rooms.lake.layers.last_day(_name(source, layer), last + DAY) if layer.is_carried else None
        if built is not None:
            found.update(built + number * DAY for number in range(1, (last - built).days + 1))
    return tuple(sorted(found))


def layer_relation(rooms: Rooms, source: str, table: str, landing: Landing, relation: str) -> Relation:
    """Return a computed table as of a landing, built where it is missing."""
    layer = _writer_of(rooms, source, table)
    record = ensure_build(rooms, source, layer.name, landing)
    return _relation(rooms, _name(source, layer), layer.tables[table], record, relation=relation)


def layer_relation_since(
    rooms: Rooms, source: str, table: str, landing: Landing, base: Landing | None, *, relation: str
) -> Relation:
    """Return the rows of a computed table that were built after the day of an earlier landing."""
    layer = _writer_of(rooms, source, table)
    record = ensure_build(rooms, source, layer.name, landing)
    first = day_of(rooms, base) + DAY if base is not None else None
    return _relation(rooms, _name(source, layer), layer.tables[table], record, relation=relation, first=first)


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


def _name(source: str, layer: Layer) -> LayerName:
    return LayerName(source, layer.name, layer.version)


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


def _relation(
    rooms: Rooms,
    name: LayerName,
    spec: LayerTable,
    record: BuildRecord | None,
    *,
    relation: str,
    first: date | None = None,
) -> Relation:
    """Return the files of a table: those of a build and of the builds that it goes on from, oldest first."""
    found: list[str] = []
    for _ in range(spec.days):
        if record is None or (first is not None and record.day < first):
            break
        if spec.name in record.rows:
            found.append(str(rooms.lake.layers.path_for(name, record, spec.name)))
        record = rooms.lake.layers.get(name, record.day - DAY, record.base) if record.base else None
    return Relation(relation, tuple(reversed(found)), spec.columns)


def _build(work: _Work, key: str) -> BuildRecord:
    rooms, name = work.rooms, _name(work.source, work.layer)
    rooms.at_step("layer.begin")
    with rooms.lake.layers.building(name, work.day, key) as folder:
        work.folder = folder
        work.layer.build(work)
        record = BuildRecord(
            day=work.day,
            key=key,
            base=work.base.key if work.base else None,
            landing=work.landing.id,
            rows=dict(sorted(work.rows.items())),
        )
        rooms.at_step("layer.finish")
        rooms.lake.layers.finish(name, record, folder)
    return record


@dataclass(slots=True)
class _Work:
    """One build under way; see LayerWork."""

    rooms: Rooms
    layer: Layer
    landing: Landing
    base: BuildRecord | None
    day: date
    source: str
    told: Report
    folder: Path = field(default_factory=Path)
    rows: dict[str, int] = field(default_factory=dict)

    @property
    def until(self) -> datetime:
        """The end of the data day."""
        return midnight(self.day + DAY)

    @property
    def is_first(self) -> bool:
        """True where no earlier build exists."""
        return self.base is None

    @property
    def memory_bytes(self) -> int:
        """How much memory a build may hold."""
        return self.rooms.memory_bytes

    @contextmanager
    def open(self) -> Iterator[Session]:
        """Open the engine with what the build reads."""
        with self.rooms.engine.open(tuple(self._relations())) as session:
            yield session

    def store(self, table: str, session: Session, sql: str) -> None:
        """Write a table as the result of a query."""
        spec = self._spec(table)
        columns = ", ".join(f"cast({identifier(name)} as {kind}) as {identifier(name)}" for name, kind in spec.columns)
        self._keep(table, session.store(f"select {columns} from ({sql}\n)", self._path(table)))

    def write(self, table: str, frames: Iterable[pl.DataFrame]) -> None:
        """Write a table from frames with its columns."""
        spec = self._spec(table)
        names = [name for name, _ in spec.columns]
        writer: pq.ParquetWriter | None = None
        rows = 0
        try:
            for frame in frames:
                if not frame.height:
                    continue
                arrow = frame.select(names).to_arrow(compat_level=pl.CompatLevel.oldest())
                if writer is None:
                    schema = pa.schema([one.remove_metadata() for one in arrow.schema])
                    writer = pq.ParquetWriter(self._path(table), schema, compression="zstd", store_schema=False)
                writer.write_table(arrow.cast(writer.schema), row_group_size=_GROUP_ROWS)
                rows += frame.height
        finally:
            if writer is not None:
                writer.close()
        self._keep(table, rows)

    @property
    def scratch(self) -> Path:
        """A folder for files without a name."""
        return self.folder

    def report(self, rows: int) -> None:
        """Tell how many rows were worked through."""
        self.told("build", f"{self.source} {self.layer.name} {self.day}", rows=rows)

    def _keep(self, table: str, rows: int) -> None:
        if rows:
            self.rows[table] = rows
        else:
            self._path(table).unlink(missing_ok=True)

    def _spec(self, table: str) -> LayerTable:
        if table not in self.layer.tables or table in self.rows:
            message = f"{self.layer.name} writes each of {', '.join(self.layer.tables)} once, and wrote '{table}'"
            raise AssertionError(message)
        return self.layer.tables[table]

    def _path(self, table: str) -> Path:
        return self.folder / f"{table}.parquet"

    def _relations(self) -> Iterator[Relation]:
        rooms, layer = self.rooms, self.layer
        for table in layer.reads:
            yield rooms.lake.landings.relation(f"{layer.source}.{table}", self.landing, table)
        for name in layer.after:
            other = layer_of(rooms, self.source, name)
            record = ensure_build(rooms, self.source, name, self.landing, day=self.day)
            for table, spec in other.tables.items():
                yield _relation(rooms, _name(self.source, other), spec, record, relation=f"layers.{table}")
        for table, spec in layer.tables.items() if layer.is_carried else ():
            yield _relation(rooms, _name(self.source, layer), spec, self.base, relation=f"before.{table}")
