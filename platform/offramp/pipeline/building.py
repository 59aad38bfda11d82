"""Building: one build of a layer under way, and the files of those that are finished."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from offramp.domain.landings import Relation
from offramp.domain.quoting import identifier
from offramp.domain.windows import DAY, midnight
from offramp.lake.layers import BuildRecord, LayerName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date, datetime

    from offramp.domain.landings import Landing
    from offramp.domain.layers import Layer, LayerTable
    from offramp.domain.ports import Session
    from offramp.pipeline.rooms import Report, Rooms

# Later builds read ranges of users: groups of a fifth of DuckDB's own let it pass over most of a file.
_GROUP_ROWS = 20_000


def name_of(source: str, layer: Layer) -> LayerName:
    """Return the name under which the lake keeps a layer's builds."""
    return LayerName(source, layer.name, layer.version)


def files_of(
    rooms: Rooms,
    name: LayerName,
    spec: LayerTable,
    record: BuildRecord | None,
    *,
    relation: str,
    first: date | None = None,
) -> Relation:
    """Return the files of a table: those of a build and of the builds that it goes on from, oldest first.

    As many days as the table says, or with ``first`` those from a day on, however many.
    """
    found: list[str] = []
    left = spec.days
    while record is not None and (left > 0 if first is None else record.day >= first):
        left -= 1
        if spec.name in record.rows:
            found.append(str(rooms.lake.layers.path_for(name, record, spec.name)))
        record = rooms.lake.layers.get(name, record.day - DAY, record.base) if record.base else None
    return Relation(relation, tuple(reversed(found)), spec.columns)


def build(work: Work, key: str) -> BuildRecord:
    """Build a layer, and make the build visible with all its tables at once."""
    rooms, name = work.rooms, name_of(work.source, work.layer)
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
class Work:
    """One build under way; see LayerWork."""

    rooms: Rooms
    layer: Layer
    landing: Landing
    base: BuildRecord | None
    day: date
    source: str
    told: Report
    after: Mapping[str, BuildRecord]
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
            other = rooms.layers[self.source][name]
            for table, spec in other.tables.items():
                own = name_of(self.source, other)
                yield files_of(rooms, own, spec, self.after[name], relation=f"layers.{table}")
        for table, spec in layer.tables.items() if layer.is_carried else ():
            yield files_of(rooms, name_of(self.source, layer), spec, self.base, relation=f"before.{table}")
