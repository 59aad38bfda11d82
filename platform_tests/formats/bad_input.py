"""Rows that break careless writers, and the way from a contract's columns to batches, as the pipeline goes it."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from offramp.domain.contracts import Column, DataType
from offramp.domain.quoting import identifier
from platform_tests.formats.arrow_schema import arrow_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from offramp.domain.ports import FormatWriter

TEXTS: tuple[str | None, ...] = (
    None, "", " ", " leading", "trailing ", ",", ";", "|", "\t", '"', '""', 'a"b', "\n", "\r\n", "\r", "a\rb", "a\r\nb",
    "\x0b", "\u2028", "\ufefffirst", "nul\x00here", "\x1f", "\\", '\\"', "\\N", "NULL", "null", "nan", "NaN", "=1+1",
    "+1", "-1", "@x", "007", "1e5", "😀", "e\u0301", "é", "'", "''", "{}", "[1]", "x" * 100_000, "end",
)  # fmt: skip
DOUBLES = (0.1, -0.0, 5e-324, 0.1 + 0.2, math.nan, math.inf, -math.inf, 1e16, 1.7976931348623157e308, None)
DECIMALS = tuple(Decimal(text) for text in ("0.000", "-0.001", "999999999.999", "1.500"))
LONG_DECIMALS = tuple(Decimal(text) for text in ("12345678901234567890123456.123456789012", "-0.000000000001"))
INTEGERS = (0, -1, 2**63 - 1, -(2**63), 2**53 + 1)
TIMES = (
    dt.datetime(2018, 1, 9, 14, 56, 13),  # noqa: DTZ001  a source's time in UTC without a zone
    dt.datetime(1, 1, 1, 0, 0, 0),  # noqa: DTZ001
    dt.datetime(9999, 12, 31, 23, 59, 59, 999999),  # noqa: DTZ001
    dt.datetime(1969, 12, 31, 23, 59, 59, 500000),  # noqa: DTZ001
    None,
)
DATES = (dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(2024, 2, 29), None)
JSONS = ('{"a" : 1,\n "b": [1, 2.50]}', "null", '"x\\ny"', None)
UUIDS = ("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", None)


def column(name: str, kind: str, *, is_nullable: bool = True) -> Column:
    return Column(name, DataType.parse(kind), is_nullable)


COLUMNS = (
    column("id", "bigint", is_nullable=False),
    column("text", "varchar"),
    column("count", "bigint"),
    column("price", "decimal(12,3)"),
    column("amount", "decimal(38,12)"),
    column("ratio", "double"),
    column("is_live", "boolean"),
    column("registered_at", "timestamp"),
    column("seen_at", "timestamptz"),
    column("born_on", "date"),
    column("token", "uuid"),
    column("doc", "json"),
    column('odd, "name"', "varchar"),
    column("always_null", "varchar"),
)
SCHEMA = arrow_schema(COLUMNS)


def bad_rows(rows: int = 3 * len(TEXTS)) -> pa.Table:
    """A table of the given rows in which each list of values turns at its own pace."""

    def turn(values: Sequence[object], kind: pa.DataType) -> pa.Array:
        return pa.array([values[number % len(values)] for number in range(rows)], kind)

    return pa.table(
        {
            "id": pa.array(range(rows), pa.int64()),
            "text": turn(TEXTS, pa.string()),
            "count": turn(INTEGERS, pa.int64()),
            "price": turn(DECIMALS, pa.decimal128(12, 3)),
            "amount": turn(LONG_DECIMALS, pa.decimal128(38, 12)),
            "ratio": turn(DOUBLES, pa.float64()),
            "is_live": turn((True, False, None), pa.bool_()),
            "registered_at": turn(TIMES, pa.timestamp("us")),
            "seen_at": turn(TIMES, pa.timestamp("us", tz="UTC")),
            "born_on": turn(DATES, pa.date32()),
            "token": turn(UUIDS, pa.string()),
            "doc": turn(JSONS, pa.string()),
            'odd, "name"': turn(TEXTS[::-1], pa.string()),
            "always_null": pa.nulls(rows, pa.string()),
        }
    )


def projected(
    writer: FormatWriter,
    table: pa.Table,
    options: Mapping[str, object],
    *,
    columns: Sequence[Column] = COLUMNS,
    batch_rows: int = 1000,
    session: Mapping[str, object] | None = None,
) -> list[pa.RecordBatch]:
    """Run the writer's expressions over a table, as the pipeline does, and return the batches in the order of rows."""
    typed = ", ".join(f"{identifier(c.name)}::{c.type.duckdb} as {identifier(c.name)}" for c in columns)
    fields = ", ".join(f"{writer.project(c, options)} as {identifier(c.name)}" for c in columns)
    connection = duckdb.connect(config={"threads": 1})
    for name, value in (session or {}).items():
        connection.execute(f"set {name} = '{value}'")
    connection.register("given", table)
    reader = connection.sql(f"with typed as (select {typed} from given) select {fields} from typed").to_arrow_reader(
        batch_rows
    )
    return list(reader)
