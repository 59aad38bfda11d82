"""Readers of CSV that the project did not write, each told the dialect: Python, Arrow, DuckDB and Polars.

Each gives fields as text, NULL as None. Python's reader cannot tell NULL from empty text, and gives empty text.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.csv

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from platform_tests.media.oracle import Told

Rows = list[list[str | None]]
_ROW_BYTES = 64 * 1024 * 1024  # readers hold a row in one buffer; the longest text of the tests has 16 MB


def _doubles(told: Told) -> bool:
    return told.escape == told.enclosure


def by_python(path: Path, told: Told, names: Sequence[str]) -> Rows:
    csv.field_size_limit(_ROW_BYTES)
    lines: list[list[str | None]] = list(
        csv.reader(
            io.StringIO(path.read_bytes().decode(), newline=""), delimiter=told.separator, quotechar=told.enclosure,
            doublequote=_doubles(told), escapechar=None if _doubles(told) else told.escape, strict=True,
        )
    )  # fmt: skip
    if told.has_header:
        assert lines[0] == list(names)
    return lines[told.has_header :]


def by_arrow(path: Path, told: Told, names: Sequence[str]) -> Rows:
    table = pyarrow.csv.read_csv(
        path,
        read_options=pyarrow.csv.ReadOptions(
            column_names=None if told.has_header else list(names), block_size=_ROW_BYTES, use_threads=False
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=told.separator, quote_char=told.enclosure, double_quote=_doubles(told),
            escape_char=False if _doubles(told) else told.escape, newlines_in_values=True,
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, quoted_strings_can_be_null=False,
            null_values=[""],
        ),
    )  # fmt: skip
    assert table.column_names == list(names)
    return [list(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]


def by_duckdb(path: Path, told: Told, names: Sequence[str]) -> Rows:
    marks = {"delim": told.separator, "quote": told.enclosure, "escape": told.escape}
    told_marks = ", ".join(f"{name} = {_text(mark)}" for name, mark in marks.items())
    columns = ", ".join(f"{_text(name)}: 'varchar'" for name in names)
    with duckdb.connect() as connection:
        found = connection.execute(
            f"select * from read_csv({_text(str(path))}, auto_detect = false, header = {told.has_header}, {told_marks},"
            f" new_line = '\\r\\n', nullstr = '', allow_quoted_nulls = false, columns = {{{columns}}},"
            f" parallel = false, max_line_size = {_ROW_BYTES}, buffer_size = {2 * _ROW_BYTES})"
        )
        assert [column[0] for column in found.description or ()] == list(names)
        return [list(row) for row in found.fetchall()]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def by_polars(path: Path, told: Told, names: Sequence[str]) -> Rows:
    """Polars knows no escape but the doubled enclosure, and leaves it doubled in a header, which is passed over."""
    assert _doubles(told)
    frame = pl.read_csv(
        path, has_header=False, skip_rows=int(told.has_header), separator=told.separator, quote_char=told.enclosure,
        eol_char="\n", schema=dict.fromkeys(names, pl.String), raise_if_empty=False,
    )  # fmt: skip
    return [list(row) for row in frame.rows()]


def readers(told: Told) -> dict[str, Callable[[Path, Told, Sequence[str]], Rows]]:
    """The readers that can be told a dialect; three at least."""
    found = {"python": by_python, "arrow": by_arrow, "duckdb": by_duckdb}
    return {**found, "polars": by_polars} if _doubles(told) else found
