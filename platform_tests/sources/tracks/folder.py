"""A folder of tracks that a test fills, and what a landing of it holds."""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import gpxpy.gpx
import pytest

from offramp.domain.errors import SourceRefused
from offramp.domain.landings import Increment, TableSpec
from offramp.sources.phones.schema import TABLES
from offramp.sources.tracks.dialect import CsvDialect
from offramp.sources.tracks.source import TracksSource
from platform_tests.sources.landing_folder import FolderWriter

if TYPE_CHECKING:
    from pathlib import Path

APP = "5a689ab0e97b960500002109"
ANNA = "0123456789abcdef01234567"
NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
START = datetime(2026, 11, 2, 8, 15, 30, 250_000, tzinfo=UTC)


def specs() -> list[TableSpec]:
    """The raw tables as dbt_like_sql declares them."""
    return [
        TableSpec(
            "mobility",
            name,
            table.key,
            "app_id" if "app_id" in dict(table.columns) else None,
            table.change_column,
            Increment("received_at", timedelta(hours=1), timedelta(days=2)) if table.is_log else None,
        )
        for name, table in TABLES.items()
    ]


def track(count: int, *, version: str = "1.1", start: datetime = START) -> str:
    """A GPX of so many points, one a second to the north, written by gpxpy."""
    written = gpxpy.gpx.GPX()
    one = gpxpy.gpx.GPXTrack()
    half = max(count // 2, 1)
    points = [
        gpxpy.gpx.GPXTrackPoint(52 + number / 1000, 4.5, 3.0, start + timedelta(seconds=number), speed=2.5)
        for number in range(count)
    ]
    for part in (points[:half], points[half:]):
        segment = gpxpy.gpx.GPXTrackSegment()
        segment.points = part
        one.segments.append(segment)
    written.tracks.append(one)
    written.waypoints.append(gpxpy.gpx.GPXWaypoint(1, 1, name="no point of a track"))
    return written.to_xml(version=version)


@dataclass
class Folder:
    """A folder of tracks and the source over it. The clock stands still until a test moves it."""

    root: Path
    dialect: CsvDialect = field(default_factory=CsvDialect)
    now: datetime = NOW
    landings: int = 0

    @property
    def tracks(self) -> Path:
        return self.root / "tracks"

    def put(self, name: str, content: str | bytes, *, at: datetime | None = NOW - timedelta(hours=2)) -> Path:
        """Write a file, packed where its name says so, modified at an instant."""
        path = self.tracks / name
        path.parent.mkdir(parents=True, exist_ok=True)
        plain = content.encode() if isinstance(content, str) else content
        path.write_bytes(gzip.compress(plain) if name.endswith(".gz") else plain)
        if at is not None:
            os.utime(path, (at.timestamp(), at.timestamp()))
        return path

    def source(self) -> TracksSource:
        return TracksSource("mobility", self.tracks, APP, lambda: self.now, self.dialect, memory_bytes=128 * 1024**2)

    def land(self, *, since: datetime | None = None) -> Path:
        """Land all tables and return the folder of their files."""
        self.landings += 1
        target = self.root / f"landing-{self.landings}"
        target.mkdir()
        self.tracks.mkdir(exist_ok=True)
        read_point = self.source().land(specs(), lambda _: FolderWriter(target, since), as_of=None)
        assert read_point == self.now
        return target

    def fixes(self, *, since: datetime | None = None) -> list[dict[str, Any]]:
        return rows(self.land(since=since) / "fixes.parquet")

    def refused(self) -> SourceRefused:
        with pytest.raises(SourceRefused) as caught:
            self.land()
        return caught.value


def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a Parquet file by user and time."""
    relation = duckdb.sql(f"select * from '{path}' order by all")
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
