"""The points of a landing's files as one table: text is turned into values once, and each fault keeps its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from offramp.sources.tracks.dialect import OPTIONAL, REQUIRED, Times
from offramp.sources.tracks.findings import damaged
from offramp.sources.tracks.values import (
    EXPECTED_TIME,
    degrees_of,
    is_blank,
    is_no_measure,
    measure_of,
    time_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from offramp.domain.errors import SourceRefused
    from offramp.sources.tracks.folder import TrackFile
    from offramp.sources.tracks.gpx import Point

_BATCH_POINTS = 50_000
_TEXTS = pa.schema(
    [
        ("file", pa.int32()),
        ("line", pa.int64()),
        *((name, pa.string()) for name in ("tracked_at", "latitude", "longitude", "accuracy", "speed")),
    ]
)
_TABLES = (
    """
    create table files
    (file integer, name varchar, user_text varchar, arrived_at timestamp, stood_at timestamp)
    """,
    """
    create table points
    (file integer, line bigint, user_text varchar, tracked_at timestamp, latitude double, longitude double,
     accuracy double, speed double, received_at timestamp, fault varchar, found varchar)
    """,
)
_EXPECTED = {
    "latitude": "degrees from -90 to 90, with a decimal point",
    "longitude": "degrees from -180 to 180, with a decimal point",
    "accuracy": "metres, with a decimal point, or nothing",
    "speed": "metres per second, with a decimal point, or nothing",
    "user_id": "the id of a user",
}


class Points:
    """The tables ``files`` and ``points`` of a DuckDB connection. A file is known by its number."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, files: Sequence[TrackFile]) -> None:
        self._connection = connection
        self._files = files
        self._rows: list[tuple[int, *tuple[str | int | None, ...]]] = []
        for statement in _TABLES:
            connection.execute(statement)
        listed = pa.table(
            {
                "file": pa.array(range(len(files)), pa.int32()),
                "name": pa.array([file.name for file in files], pa.string()),
                "user_text": pa.array([file.user for file in files], pa.string()),
                "arrived_at": pa.array([file.arrived_at.replace(tzinfo=None) for file in files], pa.timestamp("us")),
                "stood_at": pa.array([file.stood_at.replace(tzinfo=None) for file in files], pa.timestamp("us")),
            }
        )
        self._insert_from(listed, "files", "select * from batch")

    def take(self, number: int, points: Sequence[Point]) -> None:
        """Take points of a GPX file; their times are ISO 8601."""
        self._rows += [(number, *point) for point in points]
        if len(self._rows) >= _BATCH_POINTS:
            self.flush()

    def flush(self) -> None:
        """Insert what was taken."""
        if self._rows:
            columns = zip(zip(*self._rows, strict=True), _TEXTS.types, strict=True)
            batch = pa.Table.from_arrays([pa.array(column, kind) for column, kind in columns], schema=_TEXTS)
            self._rows.clear()
            self._insert_from(batch, "points", _checked("batch", _TEXTS.names, Times.ISO_8601))

    def insert(self, number: int, rows: str, columns: Sequence[str], times: Times) -> None:
        """Insert the rows of a CSV file; see ``csv_files.rows_of``."""
        checked = _checked(f"(select {number} as file, * from ({rows}))", ["file", "line", *columns], times)
        self._connection.execute(f"insert into points {checked}")

    def faults(self) -> list[tuple[int, int, str, str | None]]:
        """Return file, line, column and text of the first value of each file that is none."""
        self.flush()
        return self._connection.execute(
            "select file, min(line), arg_min(fault, line), arg_min(coalesce(found, ''), line) from points "
            "where fault is not null group by file order by file"
        ).fetchall()

    def empty_files(self) -> list[int]:
        """Return the numbers of files without a single point."""
        self.flush()
        rows = self._connection.execute("select file from files anti join points using (file) order by file").fetchall()
        return [number for (number,) in rows]

    def _insert_from(self, batch: pa.Table, table: str, select: str) -> None:
        self._connection.register("batch", batch)
        self._connection.execute(f"insert into {table} {select}")
        self._connection.unregister("batch")


def wrong_value(
    file: TrackFile, line: int, column: str, found: str | None, *, name: str, times: Times
) -> SourceRefused:
    """Return the error of a value. ``column`` is our name of it and ``name`` the file's."""
    expected = _EXPECTED.get(column) or EXPECTED_TIME[times]
    what = f"'{name}' is missing" if not (found or "").strip() else f"'{name}' has a wrong value"
    return damaged(file, line, what, expected=expected, found=found or "nothing")


def _checked(rows: str, names: Sequence[str], times: Times) -> str:
    """Return the SELECT of values and faults of rows of text; columns that the rows lack are null."""
    texts = ", ".join(
        f"{name if name in names else 'cast(null as varchar)'} as {name}_text" for name in (*REQUIRED, *OPTIONAL)
    )
    has_users = "true" if "user_id" in names else "false"
    has_arrivals = "true" if "received_at" in names else "false"
    faults = {
        "user_id": f"{has_users} and {is_blank('user_id_text')}",
        "tracked_at": "tracked_at is null",
        "latitude": "latitude is null",
        "longitude": "longitude is null",
        "accuracy": is_no_measure("accuracy_text"),
        "speed": is_no_measure("speed_text"),
        "received_at": f"{has_arrivals} and received_at is null",
    }
    fault = " ".join(f"when {condition} then '{name}'" for name, condition in faults.items())
    found = " ".join(f"when '{name}' then {name}_text" for name in faults)
    return f"""
        with texts as (select file, line, {texts} from {rows}),
        parsed as (
            select *, {time_of("tracked_at_text", times)} as tracked_at, {degrees_of("latitude_text", 90)} as latitude,
                {degrees_of("longitude_text", 180)} as longitude, {measure_of("accuracy_text")} as accuracy,
                {measure_of("speed_text")} as speed, {time_of("received_at_text", times)} as received_at
            from texts
        ),
        checked as (select *, case {fault} end as fault from parsed)
        select file, line, trim(user_id_text) as user_text, tracked_at, latitude, longitude, accuracy, speed,
            received_at, fault, case fault {found} end as found
        from checked
    """
