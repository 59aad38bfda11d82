"""Reads delivered files back with a reader that wrote none of them, told dialect and columns: it never guesses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

import duckdb

from offramp.domain.errors import ContractBroken
from offramp.domain.exports import FormatName
from offramp.domain.quoting import literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_LONGEST_LINE_BYTES = 16 * 1024 * 1024
_BUFFER_BYTES = 2 * _LONGEST_LINE_BYTES
_MEMORY = "512MB"


@dataclass(frozen=True, slots=True)
class Found:
    """Records of a file, and the names of its columns where the file says them."""

    rows: int
    names: tuple[str, ...] | None


def count_records(path: Path, kind: FormatName, names: Sequence[str], dialect: Mapping[str, object]) -> Found:
    """Count the records of a file. ``dialect`` holds separator, enclosure, escape, has_header and gzip for CSV.

    Raises ContractBroken where the bytes are not of that format and dialect.
    """
    try:
        with duckdb.connect(config={"threads": 1, "memory_limit": _MEMORY}) as session:
            match kind:
                case FormatName.CSV:
                    return _csv(session, path, names, dialect)
                case FormatName.PARQUET:
                    return _parquet(session, path)
                case FormatName.NDJSON_GZ:
                    return _ndjson(session, path)
                case _:
                    assert_never(kind)
    except duckdb.Error as error:
        first_lines = " ".join(str(error).split("\n")[:3])
        raise ContractBroken(f"it does not read as {kind.value}: {first_lines}") from error


def _csv(session: duckdb.DuckDBPyConnection, path: Path, names: Sequence[str], dialect: Mapping[str, object]) -> Found:
    columns = ", ".join(f"{literal(f'column_{number}')}: 'VARCHAR'" for number in range(len(names)))
    # One thread and no line end named: DuckDB told of '\r\n' counts a line break inside a field as its end.
    source = (
        f"read_csv({literal(str(path))}, auto_detect = false, header = false, strict_mode = true, parallel = false, "
        f"columns = {{{columns}}}, nullstr = '', encoding = 'utf-8', "
        f"delim = {literal(str(dialect['separator']))}, quote = {literal(str(dialect['enclosure']))}, "
        f"escape = {literal(str(dialect['escape']))}, compression = {literal('gzip' if dialect['gzip'] else 'none')}, "
        f"max_line_size = {_LONGEST_LINE_BYTES}, buffer_size = {_BUFFER_BYTES})"
    )
    records = _one_number(session, f"select count(*) from {source}")
    if not dialect["has_header"]:
        return Found(records, None)
    first = session.execute(f"select * from {source} limit 1").fetchone()
    return Found(max(records - 1, 0), tuple(str(name) for name in first or ()))


def _parquet(session: duckdb.DuckDBPyConnection, path: Path) -> Found:
    source = f"read_parquet({literal(str(path))}, hive_partitioning = false)"
    described = session.execute(f"describe select * from {source}").fetchall()
    counted = _one_number(session, f"select count(*) from {source}")
    return Found(counted, tuple(str(column[0]) for column in described))


def _ndjson(session: duckdb.DuckDBPyConnection, path: Path) -> Found:
    source = f"read_json_objects({literal(str(path))}, format = 'newline_delimited', compression = 'gzip')"
    counted = _one_number(session, f"select count(*) from {source}")
    first = session.execute(f"select json_keys(json) from {source} limit 1").fetchone()
    return Found(counted, tuple(first[0]) if first else None)


def _one_number(session: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = session.execute(sql).fetchone()
    return int(row[0]) if row else 0
