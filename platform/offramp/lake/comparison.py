"""Whether two Parquet files hold the same rows, in any order."""

from __future__ import annotations

import filecmp
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from offramp.domain.quoting import identifier
from offramp.lake.queries import scan

if TYPE_CHECKING:
    from pathlib import Path

    from offramp.lake.queries import Queries, Schema

_HASHED_EXACTLY = frozenset(
    {"BIGINT", "INTEGER", "SMALLINT", "TINYINT", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"}
)
_MAKER = f"duckdb-{duckdb.__version__}"


@dataclass(frozen=True, slots=True)
class Extremes:
    """What a file's footer says of one column. None where the writer left it out."""

    nulls: int | None
    lowest: object = None
    highest: object = None


def may_be_equal(first: Path, second: Path) -> bool:
    """Tell from the footers alone whether two files can hold the same rows: columns, rows, nulls, extremes."""
    with pq.ParquetFile(first) as one, pq.ParquetFile(second) as other:
        if one.metadata.num_rows != other.metadata.num_rows or not one.schema_arrow.equals(other.schema_arrow):
            return False
        pairs = zip(_extremes(one.metadata), _extremes(other.metadata), strict=True)
        return not any(_differ(left, right) for left, right in pairs)


def are_same_bytes(first: Path, second: Path) -> bool:
    """Tell whether two files are equal byte by byte; files of different sizes are not read."""
    return filecmp.cmp(first, second, shallow=False)


def is_current(known: str) -> bool:
    """Tell whether a fingerprint can be compared with one that is made now."""
    return known.startswith(f"{_MAKER}:")


def fingerprint(queries: Queries, path: Path, schema: Schema) -> str:
    """Return a text that two files share only if they hold the same rows, whatever their order.

    Two 64-bit hashes of each row, summed over all rows, and the xor of both. The second hash takes the columns
    the other way round and texts salted, and sees floats as text, because -0.0 and 0.0 have one value hash; so
    tables that differ pass for equal about once in 2 to the 128. DuckDB's version is part of it, because its
    hashes may change. Casting every column to text instead costs five times as much.
    """
    values = ", ".join(identifier(name) for name, _ in schema)
    others = ", ".join(_seen_otherwise(name, kind) for name, kind in reversed(schema))
    [(rows, by_value, otherwise, mixed)] = queries.run(
        f"select count(*), sum(one), sum(other), bit_xor(hash(one, other)) "
        f"from (select hash({values}) as one, hash({others}) as other from {scan([path])})"
    )
    return f"{_MAKER}:{rows}:{by_value}:{otherwise}:{mixed}"


def _seen_otherwise(name: str, kind: str) -> str:
    """Return what the second hash takes of a column: whole numbers, dates and the like hash without collisions."""
    if kind in _HASHED_EXACTLY or kind.startswith("DECIMAL"):
        return identifier(name)
    return f"cast({identifier(name)} as varchar) || chr(31)"


def _extremes(metadata: pq.FileMetaData) -> list[Extremes]:
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    return [_column_extremes([group.column(number) for group in groups]) for number in range(metadata.num_columns)]


def _column_extremes(chunks: list[pq.ColumnChunkMetaData]) -> Extremes:
    statistics = [chunk.statistics for chunk in chunks]
    if any(one is None or not one.has_null_count for one in statistics):
        return Extremes(None)
    nulls = sum(one.null_count for one in statistics)
    # A group of nothing but nulls has no extremes and says nothing about the others.
    dated = [one for one in statistics if one.num_values > 0]
    if not dated or not all(one.has_min_max for one in dated):
        return Extremes(nulls)
    try:
        return Extremes(nulls, min(one.min for one in dated), max(one.max for one in dated))
    except (pa.ArrowException, OverflowError, ValueError):  # an instant outside Python's years
        return Extremes(nulls)


def _differ(one: Extremes, other: Extremes) -> bool:
    if one.nulls is not None and other.nulls is not None and one.nulls != other.nulls:
        return True
    if one.lowest is None or other.lowest is None:
        return False
    return one.lowest != other.lowest or one.highest != other.highest
