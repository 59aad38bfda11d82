"""Builds the layer of visits over tables that a test writes down, with the real engine."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import polars as pl

from offramp.domain.landings import Relation
from offramp.engine.duckdb_engine import DuckDBEngine
from offramp.feeds.mobility.visits.layer import VisitsLayer
from offramp.feeds.mobility.visits.tables import DAY, OUTLIERS, PLACES, TRIPS, VISITS, names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from offramp.domain.ports import Session

APP = "5a689ab0e97b960500002109"
DAY_ON = date(2018, 12, 7)
UNTIL = datetime(2018, 12, 8)  # noqa: DTZ001 - the tables' times are UTC without zone

_POINTS = "STRUCT(tracked_at TIMESTAMP, latitude DOUBLE, longitude DOUBLE)[]"
_SCHEMAS = {
    "layers.stays": (
        ("app_id", "VARCHAR"),
        ("user_id", "VARCHAR"),
        ("started_at", "TIMESTAMP"),
        ("ended_at", "TIMESTAMP"),
        ("latitude", "DOUBLE"),
        ("longitude", "DOUBLE"),
        ("fixes", "BIGINT"),
        ("built_on", "DATE"),
    ),
    "layers.legs": (
        ("app_id", "VARCHAR"),
        ("user_id", "VARCHAR"),
        ("event_id", "VARCHAR"),
        ("started_at", "TIMESTAMP"),
        ("ended_at", "TIMESTAMP"),
        ("processed_at", "TIMESTAMP"),
        ("is_new", "BOOLEAN"),
        ("mode", "VARCHAR"),
        ("distance", "BIGINT"),
        ("waypoints", _POINTS),
        ("fixes", "BIGINT"),
        ("built_on", "DATE"),
    ),
    "layers.rebuilds": (("app_id", "VARCHAR"), ("user_id", "VARCHAR"), ("built_on", "DATE"), ("from_on", "DATE")),
    "layers.open_stays": (
        ("app_id", "VARCHAR"),
        ("user_id", "VARCHAR"),
        ("day", "DATE"),
        ("anchor_at", "TIMESTAMP"),
        ("last_at", "TIMESTAMP"),
        ("latitude", "DOUBLE"),
        ("longitude", "DOUBLE"),
        ("is_stay", "BOOLEAN"),
        ("built_on", "DATE"),
    ),
    "mobility.venues": (
        ("venue_id", "VARCHAR"),
        ("name", "VARCHAR"),
        ("brand", "VARCHAR"),
        ("latitude", "DOUBLE"),
        ("longitude", "DOUBLE"),
        ("types", "VARCHAR"),
        ("opening_hours", "VARCHAR"),
    ),
}


def user(number: int) -> str:
    return f"{number:024x}"


@dataclass
class House:
    """The work of one build. Rows are added, ``build`` runs the layer, ``tables`` are what it wrote."""

    folder: Path
    day: date = DAY_ON
    is_first: bool = False
    memory_bytes: int = 200_000_000
    rows: dict[str, list[dict[str, object]]] = field(default_factory=lambda: {name: [] for name in _SCHEMAS})
    frames: dict[str, pl.DataFrame] = field(default_factory=dict)
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    reported: int = 0

    @property
    def until(self) -> datetime:
        return datetime.combine(self.day + timedelta(days=1), time(), UTC)

    @property
    def scratch(self) -> Path:
        return self.folder

    @contextmanager
    def open(self) -> Iterator[Session]:
        relations = [Relation(name, self._stored(name), schema) for name, schema in _SCHEMAS.items()]
        engine = DuckDBEngine(self.folder / "scratch", memory_bytes=400_000_000, threads=2)
        with engine.open(relations) as session:
            yield session
        engine.close()

    def write(self, table: str, frames: Iterable[pl.DataFrame]) -> None:
        description = {one.name: one for one in (DAY, PLACES, VISITS, TRIPS, OUTLIERS)}[table]
        kept = list(frames)
        assert all(frame.columns == names(description) for frame in kept)
        whole = pl.concat(kept) if kept else pl.DataFrame(schema=names(description))
        assert whole.select(pl.struct(description.key).is_duplicated().any()).item() is not True
        assert whole.equals(whole.sort(description.key))
        self.tables[table] = whole

    def store(self, table: str, session: Session, sql: str) -> None:
        raise AssertionError(table, session, sql)

    def report(self, rows: int) -> None:
        self.reported += rows

    def stay(
        self, start: datetime, end: datetime, latitude: float, longitude: float, who: int = 1, **other: object
    ) -> None:
        """Add a closed stay, by default built when it ended."""
        self.rows["layers.stays"].append(
            {
                "app_id": APP,
                "user_id": user(who),
                "started_at": start,
                "ended_at": end,
                "latitude": latitude,
                "longitude": longitude,
                "fixes": 5,
                "built_on": end.date(),
                **other,
            }
        )

    def leg(self, start: datetime, end: datetime, points: list[tuple[float, float]], who: int = 1) -> None:
        """Add a walk over points that are as far apart in time."""
        step = (end - start) / max(len(points) - 1, 1)
        self.rows["layers.legs"].append(
            {
                "app_id": APP,
                "user_id": user(who),
                "event_id": f"{len(self.rows['layers.legs']):064x}",
                "started_at": start,
                "ended_at": end,
                "processed_at": end,
                "is_new": True,
                "mode": "walking",
                "distance": 1000,
                "waypoints": [
                    {"tracked_at": start + number * step, "latitude": latitude, "longitude": longitude}
                    for number, (latitude, longitude) in enumerate(points)
                ],
                "fixes": len(points),
                "built_on": end.date(),
            }
        )

    def open_stay(
        self, since: datetime, last: datetime, place: tuple[float, float], who: int = 1, **other: object
    ) -> None:
        self.rows["layers.open_stays"].append(
            {
                "app_id": APP,
                "user_id": user(who),
                "day": self.day,
                "anchor_at": since,
                "last_at": last,
                "latitude": place[0],
                "longitude": place[1],
                "is_stay": True,
                "built_on": self.day,
                **other,
            }
        )

    def venue(self, name: str, place: tuple[float, float], types: str, hours: str | None = None) -> None:
        self.rows["mobility.venues"].append(
            {
                "venue_id": f"{len(self.rows['mobility.venues']):024x}",
                "name": name,
                "brand": None,
                "latitude": place[0],
                "longitude": place[1],
                "types": types,
                "opening_hours": hours,
            }
        )

    def rebuild(self, built_on: date, from_on: date, who: int = 1) -> None:
        self.rows["layers.rebuilds"].append(
            {"app_id": APP, "user_id": user(who), "built_on": built_on, "from_on": from_on}
        )

    def build(self, *, range_rows: int = 200_000) -> dict[str, pl.DataFrame]:
        """Build; every day of which rows tell counts as built, unless the test says so itself."""
        said = self.rows["layers.rebuilds"]
        if not said:
            told = {
                (str(row["app_id"]), str(row["user_id"]), row["built_on"])
                for name in ("layers.stays", "layers.legs")
                for row in self.rows[name]
            }
            self.rows["layers.rebuilds"] = [
                {"app_id": app, "user_id": who, "built_on": built, "from_on": built} for app, who, built in sorted(told)
            ]
        VisitsLayer(range_rows=range_rows).build(self)
        self.rows["layers.rebuilds"] = said
        return self.tables

    def _stored(self, name: str) -> tuple[str, ...]:
        frame = self.frames.get(name)
        if frame is None:
            if not self.rows[name]:
                return ()
            frame = pl.DataFrame(self.rows[name], infer_schema_length=None)
        path = self.folder / f"{name}.parquet"
        frame.write_parquet(path)
        return (str(path),)
