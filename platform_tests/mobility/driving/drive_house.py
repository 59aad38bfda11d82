"""Builds the layer of drives day by day over tables that a test writes down, with the real engine."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from offramp.domain.landings import Relation
from offramp.engine.duckdb_engine import DuckDBEngine
from offramp.feeds.mobility.driving.layer import DrivingLayer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from offramp.domain.ports import Session

APP = "5a689ab0e97b960500002109"
USER = "5b1a6f8a3e2c4d0001f0a001"
DAY = date(2024, 5, 6)
BEGIN = datetime(2024, 5, 6, 8)  # noqa: DTZ001 - tables hold UTC without a zone

_TEXT, _INSTANT, _NUMBER = "VARCHAR", "TIMESTAMP", "DOUBLE"
_WAYPOINTS = "STRUCT(tracked_at TIMESTAMP, latitude DOUBLE, longitude DOUBLE)[]"


def _columns(kind: str, names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, kind) for name in names.split())


SCHEMAS: dict[str, tuple[tuple[str, str], ...]] = {
    "mobility.sensor_events": (
        *_columns(_TEXT, "app_id user_id event_id kind"),
        *_columns(_INSTANT, "started_at ended_at"),
        *_columns(_NUMBER, "magnitude mean angle"),
        ("received_at", _INSTANT),
    ),
    "mobility.waypoints": (
        *_columns(_TEXT, "app_id user_id"),
        ("tracked_at", _INSTANT),
        *_columns(_NUMBER, "latitude longitude speed speed_limit"),
        ("road", _TEXT),
        ("received_at", _INSTANT),
    ),
    "layers.legs": (
        *_columns(_TEXT, "app_id user_id event_id"),
        *_columns(_INSTANT, "started_at ended_at processed_at"),
        ("is_new", "BOOLEAN"),
        ("mode", _TEXT),
        ("distance", "BIGINT"),
        ("waypoints", _WAYPOINTS),
        ("fixes", "BIGINT"),
        ("built_on", "DATE"),
    ),
}
_POLARS: dict[str, pl.DataType] = {
    _TEXT: pl.String(),
    _INSTANT: pl.Datetime("us"),
    _NUMBER: pl.Float64(),
    "BOOLEAN": pl.Boolean(),
    "BIGINT": pl.Int64(),
    "DATE": pl.Date(),
    "DECIMAL(9,6)": pl.Decimal(9, 6),
    _WAYPOINTS: pl.List(pl.Struct({"tracked_at": pl.Datetime("us"), "latitude": pl.Float64, "longitude": pl.Float64})),
}


class DriveHouse:
    """A landing, legs by day, and what was built of them."""

    def __init__(self, folder: Path, engine: DuckDBEngine | None = None) -> None:
        self.folder = folder
        self.engine = engine or DuckDBEngine(folder / "scratch", 256 * 1024 * 1024, 2)
        self.rows: dict[str, list[dict[str, object]]] = {name: [] for name in SCHEMAS}
        self.files: dict[str, list[str]] = {"drives": [], "scores": []}
        self.builds = 0

    def leg(self, event: str = "e1", *, begin: datetime = BEGIN, seconds: int = 1200, **more: object) -> str:
        end = begin + timedelta(seconds=seconds)
        places = ((59.91, 10.75), (59.95, 10.80), (59.99, 10.90))
        steps = (begin, begin + (end - begin) / 2, end)
        waypoints = [
            {"tracked_at": at, "latitude": y, "longitude": x} for at, (y, x) in zip(steps, places, strict=True)
        ]
        row: dict[str, object] = {
            "app_id": APP,
            "user_id": USER,
            "event_id": event,
            "started_at": begin,
            "ended_at": end,
            "processed_at": datetime.combine(DAY, datetime.min.time()) + timedelta(hours=20),
            "is_new": True,
            "mode": "car",
            "distance": 20_000,
            "waypoints": waypoints,
            "fixes": 3,
            "built_on": DAY,
        }
        self.rows["layers.legs"].append(row | more)
        return event

    def event(self, kind: str, second: float, *, seconds: float = 2.0, **more: object) -> None:
        rows = self.rows["mobility.sensor_events"]
        begin = BEGIN + timedelta(seconds=second)
        row: dict[str, object] = {
            "app_id": APP,
            "user_id": USER,
            "event_id": f"s{len(rows):05}",
            "kind": kind,
            "started_at": begin,
            "ended_at": begin + timedelta(seconds=seconds),
            "received_at": begin + timedelta(minutes=30),
        }
        rows.append(row | more)

    def waypoint(self, second: float, speed: float | None = 50.0, limit: float | None = 50.0, **more: object) -> None:
        at = BEGIN + timedelta(seconds=second)
        row: dict[str, object] = {
            "app_id": APP,
            "user_id": USER,
            "tracked_at": at,
            "latitude": 59.9123456,
            "longitude": 10.7512345,
            "speed": speed,
            "speed_limit": limit,
            "road": "road",
            "received_at": at + timedelta(minutes=30),
        }
        self.rows["mobility.waypoints"].append(row | more)

    def build(self, day: date = DAY) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Build a day, and return its drives and scores."""
        work = HouseWork(self, day)
        DrivingLayer().build(work)
        self.builds += 1
        return work.written["drives"], work.written["scores"]


class HouseWork:
    """One build; see LayerWork."""

    def __init__(self, house: DriveHouse, day: date) -> None:
        self._house = house
        self.day = day
        self.until = datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)
        self.is_first = house.builds == 0
        self.memory_bytes = 256 * 1024 * 1024
        self.scratch = house.folder
        self.written: dict[str, pl.DataFrame] = {}
        self.reported = 0

    @contextmanager
    def open(self) -> Iterator[Session]:
        relations = [self._relation(name, schema) for name, schema in SCHEMAS.items()]
        for name, table in DrivingLayer().tables.items():
            relations.append(Relation(f"before.{name}", tuple(self._house.files[name]), table.columns))
        with self._house.engine.open(relations) as session:
            yield session

    def store(self, table: str, session: Session, sql: str) -> None:
        raise NotImplementedError

    def write(self, table: str, frames: Iterable[pl.DataFrame]) -> None:
        spec = DrivingLayer().tables[table]
        schema = {name: _POLARS[kind] for name, kind in spec.columns}
        found = [frame.select(list(schema)) for frame in frames]
        assert all(frame.schema == pl.Schema(schema) for frame in found), [frame.schema for frame in found]
        whole = pl.concat([pl.DataFrame(schema=schema), *found])
        assert whole.equals(whole.sort(spec.key))
        self.written[table] = whole
        if whole.height:
            path = self._house.folder / f"{table}-{self._house.builds}.parquet"
            whole.write_parquet(path)
            self._house.files[table].append(str(path))

    def report(self, rows: int) -> None:
        self.reported += rows

    def _relation(self, name: str, schema: tuple[tuple[str, str], ...]) -> Relation:
        rows = self._house.rows[name]
        if not rows:
            return Relation(name, (), schema)
        path = self._house.folder / f"{name}-{self._house.builds}-{len(rows)}.parquet"
        types = {column: _POLARS[kind] for column, kind in schema}
        pl.DataFrame(rows, schema=types).write_parquet(path)
        return Relation(name, (str(path),), schema)
