"""Reads the files of a landing into one table, telling of each damaged file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from offramp.domain.errors import SourceRefused
from offramp.sources.tracks.csv_files import check_columns, explain, line_of, rows_of, unpacked
from offramp.sources.tracks.dialect import Times
from offramp.sources.tracks.findings import damaged
from offramp.sources.tracks.folder import Kind
from offramp.sources.tracks.gpx import read_points
from offramp.sources.tracks.points import Points, wrong_value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from offramp.sources.tracks.dialect import CsvDialect
    from offramp.sources.tracks.folder import TrackFile

_GPX_NAMES = {"tracked_at": "time", "latitude": "lat", "longitude": "lon"}


def read_all(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[TrackFile],
    work: Path,
    *,
    dialect: CsvDialect,
    findings: dict[int, SourceRefused],
) -> None:
    """Read files that have no finding yet into the tables of ``Points``, and add what is wrong with others.

    ``work`` is a folder for what has to be unpacked.
    """
    points = Points(connection, files)
    for number, file in enumerate(files):
        if number in findings:
            continue
        try:
            if file.kind is Kind.GPX:
                for batch in read_points(file):
                    points.take(number, batch)
            else:
                _read_csv(points, number, file, work, dialect=dialect)
        except SourceRefused as refused:
            findings[number] = refused
    for number, line, column, found in points.faults():
        if number not in findings:
            findings[number] = _wrong_value(files[number], line, column, found, work=work, dialect=dialect)
    for number in points.empty_files():
        if number not in findings:
            findings[number] = damaged(files[number], None, "the file holds no point of a track", expected="one point")


def _read_csv(points: Points, number: int, file: TrackFile, work: Path, *, dialect: CsvDialect) -> None:
    path = unpacked(file, work)
    header = check_columns(file, path, tuple(dialect.columns.values()), separator=dialect.separator)
    rows = rows_of(path, header, dialect.columns, separator=dialect.separator)
    try:
        points.insert(number, rows, tuple(dialect.columns), dialect.times)
    except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
        raise explain(file, error, header=header) from error


def _wrong_value(
    file: TrackFile, line: int, column: str, found: str | None, *, work: Path, dialect: CsvDialect
) -> SourceRefused:
    if file.kind is Kind.GPX:
        name = _GPX_NAMES.get(column, column)
        return wrong_value(file, line, column, found, name=name, times=Times.ISO_8601)
    begins = line_of(file, unpacked(file, work), line, separator=dialect.separator)
    return wrong_value(file, begins, column, found, name=dialect.columns[column], times=dialect.times)
