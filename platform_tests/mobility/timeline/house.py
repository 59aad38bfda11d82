"""The timeline built day by day over fixes that landed in a folder, with the real engine."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import polars as pl

from offramp.domain.landings import Relation
from offramp.feeds.mobility.timeline.layer import TimelineLayer
from offramp.feeds.mobility.timeline.newest import newest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from offramp.domain.layers import LayerTable
    from offramp.domain.ports import Session
    from offramp.engine.duckdb_engine import DuckDBEngine

APP = "5a689ab0e97b960500002109"

FIXES: dict[str, pl.DataType] = {
    "app_id": pl.String(),
    "user_id": pl.String(),
    "tracked_at": pl.Datetime("us"),
    "latitude": pl.Float64(),
    "longitude": pl.Float64(),
    "accuracy": pl.Float64(),
    "speed": pl.Float64(),
    "received_at": pl.Datetime("us"),
}
EVENTS: dict[str, pl.DataType] = {
    "app_id": pl.String(),
    "user_id": pl.String(),
    "event_id": pl.String(),
    "occurred_at": pl.Datetime("us"),
    "kind": pl.String(),
    "activity": pl.String(),
    "confidence": pl.Float64(),
    "battery": pl.Float64(),
    "received_at": pl.Datetime("us"),
}
VENUES: dict[str, pl.DataType] = {
    "venue_id": pl.String(),
    "name": pl.String(),
    "brand": pl.String(),
    "latitude": pl.Float64(),
    "longitude": pl.Float64(),
    "types": pl.String(),
    "opening_hours": pl.String(),
}
_LANDED: dict[str, dict[str, pl.DataType]] = {
    "fixes": FIXES,
    "sdk_events": EVENTS,
    "venues": VENUES,
}
_SQL = {pl.String(): "VARCHAR", pl.Float64(): "DOUBLE", pl.Datetime("us"): "TIMESTAMP"}


@dataclass
class House:
    """Builds in the order of days. ``land`` puts rows into the file of the day on which they arrived."""

    engine: DuckDBEngine
    root: Path
    layer: TimelineLayer = field(default_factory=TimelineLayer)
    landed: dict[str, list[str]] = field(default_factory=dict)
    builds: dict[date, dict[str, str]] = field(default_factory=dict)
    memory_bytes: int = 100_000_000

    def land(self, table: str, rows: pl.DataFrame) -> None:
        rows = rows.select(list(_LANDED[table])).cast(pl.Schema(_LANDED[table]))
        parts = rows.with_columns(on=pl.col("received_at").dt.date()).partition_by("on", as_dict=True)
        for part in parts.values():
            path = self.root / f"{table}.{len(self.landed.get(table, []))}.parquet"
            part.drop("on").sort(pl.all()).write_parquet(path)
            self.landed.setdefault(table, []).append(str(path))

    def build(self, day: date) -> None:
        work = Work(self, day, is_first=not self.builds)
        self.layer.build(work)
        self.builds[day] = work.paths

    def build_days(self, first: date, last: date) -> None:
        for past in range((last - first).days + 1):
            self.build(first + timedelta(days=past))

    def relations(self, prefix: str) -> Iterator[Relation]:
        for table, schema in _LANDED.items():
            columns = tuple((name, _SQL[kind]) for name, kind in schema.items())
            yield Relation(f"mobility.{table}", tuple(self.landed.get(table, ())), columns)
        for name, spec in self.layer.tables.items():
            builds = [self.builds[day] for day in sorted(self.builds)][-spec.days :]
            found = tuple(build[name] for build in builds if name in build)
            yield Relation(f"{prefix}.{name}", found, spec.columns)

    def read(self, sql: str) -> pl.DataFrame:
        with self.engine.open(tuple(self.relations("layers"))) as session:
            frames = [pl.from_arrow(batch) for batch in session.stream(sql)]
            empty = pl.from_arrow(session.schema(sql).empty_table())
        return pl.concat([empty, *frames])  # type: ignore[type-var, return-value]

    def newest(self, table: str) -> pl.DataFrame:
        return self.read(newest(table) + " order by app_id, user_id, started_at")  # type: ignore[arg-type]

    def table(self, day: date, table: str) -> pl.DataFrame:
        if table in self.builds[day]:
            return pl.read_parquet(self.builds[day][table])
        return self.read(f'select * from "layers.{table}" where false')


@dataclass
class Work:
    """One build under way; see LayerWork. Rows are proved to stand strictly in the order of their key."""

    house: House
    day: date
    is_first: bool
    paths: dict[str, str] = field(default_factory=dict)
    reported: int = 0

    @property
    def until(self) -> datetime:
        return datetime.combine(self.day + timedelta(days=1), time())

    @property
    def memory_bytes(self) -> int:
        return self.house.memory_bytes

    @property
    def scratch(self) -> Path:
        return self.house.root

    @contextmanager
    def open(self) -> Iterator[Session]:
        with self.house.engine.open(tuple(self.house.relations("before"))) as session:
            yield session

    def store(self, table: str, session: Session, sql: str) -> None:
        session.store(sql, self._path(table))

    def write(self, table: str, frames: Iterable[pl.DataFrame]) -> None:
        spec = self.house.layer.tables[table]
        parts = [frame.select([name for name, _ in spec.columns]) for frame in frames]
        if not sum(part.height for part in parts):
            return
        rows = pl.concat(parts)
        prove(rows, spec)
        rows.write_parquet(self._path(table))

    def report(self, rows: int) -> None:
        self.reported += rows

    def _path(self, table: str) -> Path:
        path = self.house.root / f"{self.day}.{table}.parquet"
        self.paths[table] = str(path)
        return path


def prove(rows: pl.DataFrame, spec: LayerTable) -> None:
    keys = rows.select(spec.key)
    assert keys.equals(keys.unique().sort(spec.key)), f"{spec.name} is not in the order of its key"
    assert not rows.drop("waypoints", "points", strict=False).null_count().sum_horizontal().item()
