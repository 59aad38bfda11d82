"""Bad input of every kind, written by the real engine and writer in four dialects, read back by foreign readers.

The default dialect's texts are also read back in formats/test_csv_writer.py; here are the other dialects, every type,
the shapes of tables, and long rows. Expected texts are written by hand beside the values.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from itertools import zip_longest
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from offramp.domain.contracts import Column, DataType
from offramp.domain.landings import Relation
from offramp.domain.quoting import identifier
from offramp.domain.subscriptions import Subscription
from offramp.engine.duckdb_engine import DuckDBEngine
from offramp.feeds.media.feed import MediaFeed
from offramp.formats.csv_writer import CsvWriter
from platform_tests.feeds.media.test_media import EXPORTS
from platform_tests.formats.bad_input import TEXTS
from platform_tests.media.foreign_readers import readers
from platform_tests.media.oracle import Told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from platform_tests.media.foreign_readers import Rows

DIALECTS: Mapping[str, dict[str, str]] = {
    "default": {},
    "semicolons": {"CSV_FIELD_SEPARATOR": ";", "CSV_TEXT_ENCLOSURE": "'", "CSV_ESCAPE_CHAR": "\\"},
    "tabs": {"CSV_FIELD_SEPARATOR": "\\t", "CSV_ESCAPE_CHAR": "\\", "CSV_INCLUDE_HEADER": "0"},
    "bars": {"CSV_FIELD_SEPARATOR": "|", "CSV_TEXT_ROW_SEPARATOR": " / ", "CSV_INCLUDE_HEADER": "0"},
}
every_dialect = pytest.mark.parametrize("dialect", DIALECTS)

MORE_TEXTS: tuple[str | None, ...] = (
    *(chr(code) for code in range(1, 32)), "\x00", '\x00\x00"\x00', "\x7f", "\x85", "\u2029", "\u200b", "\ufeff",
    '\ufeff"quoted"', "\ufffd", "\U0010ffff", "\u0301alone", "שלום", "👨‍👩‍👧", "1\u00a0000", "\uff11\uff12",
    '"', '"""', "'\"'",
    "\\\\", '\\"\\', "ends with \\", "~", "a\n", "\na", "\r\n\r\n", "\n\n\n", ",\r\n,", "\";\n'|\t\\", '"\n"', ' " ',
    "True", "N/A", "#N/A", "-nan", "inf", "-Infinity", "0x10", "1_000", "1e400", "00:00", "2024-02-30", "\t=1+1",
    "\r=cmd|' /C calc'!A0", "@SUM(1)", '=HYPERLINK("x")', '"' * 50_000, "'" * 50_000, "\\" * 50_000, "\r\n" * 50_000,
    'ü,"' * 30_000,
)  # fmt: skip

# Values as DuckDB reads them, and the text of each in a file.
TYPED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "bigint": (
        ("-9223372036854775808", "-9223372036854775808"), ("9223372036854775807", "9223372036854775807"), ("0", "0"),
        ("9007199254740993", "9007199254740993"), ("-1", "-1"),
    ),
    "integer": (("-2147483648", "-2147483648"), ("2147483647", "2147483647")),
    "decimal(38,12)": (
        ("99999999999999999999999999.999999999999", "99999999999999999999999999.999999999999"),
        ("-99999999999999999999999999.999999999999", "-99999999999999999999999999.999999999999"),
        ("0.000000000001", "0.000000000001"), ("-0.5", "-0.500000000000"), ("0", "0.000000000000"),
    ),
    "decimal(4,0)": (("-9999", "-9999"), ("0", "0")),
    "decimal(4,4)": (("0.9999", "0.9999"), ("-0.0001", "-0.0001")),
    "boolean": (("true", "1"), ("false", "0")),
    "date": (
        ("0001-01-01", "0001-01-01"), ("9999-12-31", "9999-12-31"), ("2024-02-29", "2024-02-29"),
        ("1969-12-31", "1969-12-31"), ("1582-10-10", "1582-10-10"),
    ),
    "timestamp": (
        ("0001-01-01 00:00:00", "0001-01-01T00:00:00+0000"),
        ("9999-12-31 23:59:59.999999", "9999-12-31T23:59:59+0000"),
        ("1969-12-31 23:59:59.999999", "1969-12-31T23:59:59+0000"),
        ("1969-12-31 23:59:59", "1969-12-31T23:59:59+0000"), ("1900-02-28 12:00:00.5", "1900-02-28T12:00:00+0000"),
        ("2016-12-31 23:59:59.999999", "2016-12-31T23:59:59+0000"), ("2026-03-29 02:30:00", "2026-03-29T02:30:00+0000"),
        ("2018-01-09 24:00:00", "2018-01-10T00:00:00+0000"),
    ),
    "timestamptz": (
        # Half past two comes twice in Oslo on that day, and in St. John's half past one on another.
        ("2026-10-25 02:30:00+02", "2026-10-25T00:30:00+0000"), ("2026-10-25 02:30:00+01", "2026-10-25T01:30:00+0000"),
        ("2026-11-01 01:30:00-02:30", "2026-11-01T04:00:00+0000"),
        ("2026-11-01 01:30:00-03:30", "2026-11-01T05:00:00+0000"),
        ("0001-01-01 00:00:00+00", "0001-01-01T00:00:00+0000"),
        ("1969-12-31 23:59:59.9+00", "1969-12-31T23:59:59+0000"),
        ("2026-01-01 00:00:00+05:45", "2025-12-31T18:15:00+0000"),
    ),
    "uuid": (
        ("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000"),
        ("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    ),
    "json": (
        ('{"a" : 1,\r\n "b": [1, 2],\n\t"c": "x"}', '{"a":1,"b":[1,2],"c":"x"}'), ('"two\\nlines"', '"two\\nlines"'),
        ("[ ]", "[]"), ("null", "null"), ('"it\'s | ; \\\\ \\""', '"it\'s | ; \\\\ \\""'),
        ('{"n": 9223372036854775807}', '{"n":9223372036854775807}'), ('"é😀"', '"é😀"'),
    ),
    "blob": (("\\x00\\xFF", "AP8="), ("", ""), ("\\x0D\\x0A,\\x22", "DQosIg==")),
}  # fmt: skip
DOUBLES = (
    0.1, 0.1 + 0.2, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e16, 1e-7, 1 / 3,
    2.0**53 + 2, 123456789012345680.0, 100.0, math.nan, math.inf, -math.inf, None,
)  # fmt: skip


def dialect_of(options: Mapping[str, str]) -> dict[str, object]:
    """What the feed tells the writer."""
    one = Subscription("n", "n", "media", ("aurora",), dt.date(2018, 9, 1), ("outbox",), options=options)
    _, dialect = MediaFeed().format(one, EXPORTS["media/delta/assets"])
    return dict(dialect)


def write(path: Path, relation: Relation, options: Mapping[str, str], *, select: str = "") -> int:
    """Write a relation, its first column the order, as the pipeline does; return the rows that the entry tells."""
    columns = [Column(name, DataType.parse(kind), True) for name, kind in relation.schema]
    writer, dialect = CsvWriter(), dialect_of(options)
    fields = ", ".join(f"{writer.project(column, dialect)} as {identifier(column.name)}" for column in columns)
    sql = f"select {fields} from ({select or f'select * from {identifier(relation.name)}'})"
    if columns:
        sql += f" order by {identifier(columns[0].name)}"
    with DuckDBEngine(path.parent / "scratch", 512 * 1024 * 1024, 2).open([relation]) as session:
        batches = ((0, batch) for batch in session.stream(sql))
        [entry] = writer.write(batches, [path], schema=session.schema(sql), options=dialect)
    return entry.rows


def stored(path: Path, table: pa.Table, kinds: Sequence[str]) -> Relation:
    """Keep a table as the lake does."""
    pq.write_table(table, path)
    return Relation("given", (str(path),), tuple(zip(table.column_names, kinds, strict=True)))


def check(path: Path, options: Mapping[str, str], names: Sequence[str], expected: Rows) -> None:
    """Read a file with every reader that can be told its dialect."""
    told = Told.by(options)
    for name, read in readers(told).items():
        wanted = expected if name != "python" else [[text or "" for text in row] for row in expected]
        found = read(path, told, names)
        assert len(found) == len(wanted), name
        for number, (got, row) in enumerate(zip(found, wanted, strict=True)):
            assert got == row, (name, number)


def texts_table(texts: Sequence[str | None]) -> tuple[pa.Table, tuple[str, ...]]:
    """Text between numbers, and the same text last in the row, turned by half of its length."""
    turned = [*texts[len(texts) // 2 :], *texts[: len(texts) // 2]]
    table = pa.table(
        {
            "id": pa.array(range(len(texts)), pa.int64()),
            "text": pa.array(texts, pa.string()),
            "always_null": pa.nulls(len(texts), pa.string()),
            "turned": pa.array(turned, pa.string()),
        }
    )
    return table, ("BIGINT", "VARCHAR", "VARCHAR", "VARCHAR")


@every_dialect
def test_every_bad_text_comes_back_and_null_is_not_empty(dialect: str, tmp_path: Path) -> None:
    options, texts = DIALECTS[dialect], (*TEXTS, *MORE_TEXTS, None, "")
    table, kinds = texts_table(texts)

    rows = write(tmp_path / "a.csv", stored(tmp_path / "a.parquet", table, kinds), options)

    assert rows == len(texts)
    told = Told.by(options)
    expected = [[told.text(value) for value in row.values()] for row in table.to_pylist()]
    assert (tmp_path / "a.csv").read_bytes() == told.file(
        table.column_names, [row.values() for row in table.to_pylist()]
    )  # type: ignore[misc]
    check(tmp_path / "a.csv", options, table.column_names, expected)


@every_dialect
def test_every_type_comes_back_as_the_text_that_was_written_by_hand(dialect: str, tmp_path: Path) -> None:
    options = DIALECTS[dialect]
    kinds = {f"c_{number}": kind for number, kind in enumerate(TYPED)}
    columns = [[value for value, _ in TYPED[kind]] for kind in kinds.values()]
    given = list(zip_longest(*columns))  # shorter lists end in NULL
    casts = ", ".join(f"{name}::{kind} as {name}" for name, kind in kinds.items())
    values = ", ".join(
        f"({number}, {', '.join('null' if text is None else literal(text) for text in row)})"
        for number, row in enumerate(given)
    )
    select = f"select id, {casts} from (values {values}) as v(id, {', '.join(kinds)})"
    schema = (("id", "bigint"), *kinds.items())
    relation = Relation("given", (), tuple((name, DataType.parse(kind).duckdb) for name, kind in schema))

    write(tmp_path / "a.csv", relation, options, select=select)

    texts = list(zip_longest(*([text for _, text in TYPED[kind]] for kind in kinds.values())))
    check(tmp_path / "a.csv", options, ["id", *kinds], [[str(number), *row] for number, row in enumerate(texts)])


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@every_dialect
def test_every_double_reads_back_as_the_same_number_and_what_is_none_is_null(dialect: str, tmp_path: Path) -> None:
    options = DIALECTS[dialect]
    table = pa.table({"id": pa.array(range(len(DOUBLES)), pa.int64()), "v": pa.array(DOUBLES, pa.float64())})

    write(tmp_path / "a.csv", stored(tmp_path / "a.parquet", table, ("BIGINT", "DOUBLE")), options)

    told = Told.by(options)
    expected = [value.hex() if value is not None and math.isfinite(value) else None for value in DOUBLES]
    for read in readers(told).values():
        found = [float(text).hex() if text else None for _, text in read(tmp_path / "a.csv", told, ["id", "v"])]
        assert found == expected


def test_readers_that_are_told_the_types_get_the_same_values(tmp_path: Path) -> None:
    names = {
        "id": "bigint", "amount": "decimal(38,12)", "ratio": "double", "born_on": "date", "seen_at": "timestamptz",
        "is_live": "boolean", "token": "uuid",
    }  # fmt: skip
    zoned = [dt.datetime(2026, 10, 25, hour, 30, tzinfo=dt.UTC) for hour in (0, 1)]
    rows: list[tuple[object, ...]] = [
        (-(2**63), Decimal("-99999999999999999999999999.999999999999"), 5e-324, dt.date(1, 1, 1), zoned[0], True, None),
        (2**63 - 1, Decimal("0.000000000001"), 0.1 + 0.2, dt.date(9999, 12, 31), zoned[1], False,
         "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        (2**53 + 1, None, None, None, None, None, None),
    ]  # fmt: skip
    kinds = [
        pa.int64(),
        pa.decimal128(38, 12),
        pa.float64(),
        pa.date32(),
        pa.timestamp("us", "UTC"),
        pa.bool_(),
        pa.string(),
    ]
    columns = [pa.array(values, kind) for values, kind in zip(zip(*rows, strict=True), kinds, strict=True)]
    given = pa.table(dict(zip(names, columns, strict=True))).sort_by("id")
    relation = stored(tmp_path / "a.parquet", given, [DataType.parse(kind).duckdb for kind in names.values()])

    write(tmp_path / "a.csv", relation, {})

    arrow = pyarrow.csv.read_csv(
        tmp_path / "a.csv",
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict(zip(names, kinds, strict=True)) | {"seen_at": pa.timestamp("s", "UTC")},
            timestamp_parsers=["%Y-%m-%dT%H:%M:%S%z"], true_values=["1"], false_values=["0"], null_values=[""],
            strings_can_be_null=True,
        ),
    )  # fmt: skip
    assert arrow.to_pylist() == given.to_pylist()
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        told = ", ".join(f"'{name}': '{kind}'" for name, kind in names.items())
        found = connection.execute(
            f"select * from read_csv('{tmp_path / 'a.csv'}', auto_detect = false, header = true, delim = ',',"
            f" quote = '\"', escape = '\"', nullstr = '', timestampformat = '%Y-%m-%dT%H:%M:%S%z',"
            f" columns = {{{told}}})"
        ).to_arrow_table()
    assert found.set_column(6, "token", found["token"].cast(pa.string())).to_pylist() == given.to_pylist()


INFINITE = ("date", "timestamp", "timestamptz")


@pytest.mark.parametrize("value", ["infinity", "-infinity"])
def test_what_postgresql_calls_infinity_is_written_alike_in_every_type_of_time(value: str, tmp_path: Path) -> None:
    fields = []
    for kind in INFINITE:
        relation = Relation("given", (), (("id", "BIGINT"), ("v", DataType.parse(kind).duckdb)))
        write(tmp_path / "a.csv", relation, {}, select=f"select 1::bigint as id, '{value}'::{kind} as v")
        fields.append((tmp_path / "a.csv").read_text().splitlines()[1].partition(",")[2])

    assert len(set(fields)) == 1, dict(zip(INFINITE, fields, strict=True))


@every_dialect
@pytest.mark.parametrize("rows", [0, 1])
def test_tables_of_no_and_one_row_come_back(dialect: str, rows: int, tmp_path: Path) -> None:
    options = DIALECTS[dialect]
    table, kinds = texts_table(["\"only, one; row|\t\n'", "x"])
    relation = stored(tmp_path / "a.parquet", table.slice(0, rows), kinds)

    written = write(tmp_path / "a.csv", relation, options)

    told = Told.by(options)
    given = [list(row.values()) for row in table.slice(0, rows).to_pylist()]
    content = (tmp_path / "a.csv").read_bytes()
    assert written == rows
    assert content == told.file(table.column_names, given)
    assert bool(content) is (told.has_header or rows == 1)
    if content:  # an empty file has nothing that a reader could be told of
        check(tmp_path / "a.csv", options, table.column_names, [[told.text(one) for one in row] for row in given])


NAMES = (
    "id", "a,b", "a;b", "a|b", "a\tb", 'say "hi"', "it's", "back\\slash", "select", "Order", "blå bær", "列", "😀",
    " blank ", "two\nlines", "NULL", "1", "=1+1", "x" * 1000, "trailing\\", "{}", "%s", "e\u0301",
)  # fmt: skip


@pytest.mark.parametrize("rows", [0, 2])
@pytest.mark.parametrize("dialect", ["default", "semicolons"])
def test_odd_names_of_columns_come_back(dialect: str, rows: int, tmp_path: Path) -> None:
    options = DIALECTS[dialect]
    table = pa.table({name: pa.array([f"{number} {name}" for number in range(rows)], pa.string()) for name in NAMES})

    write(tmp_path / "a.csv", stored(tmp_path / "a.parquet", table, ["VARCHAR"] * len(NAMES)), options)

    check(tmp_path / "a.csv", options, NAMES, [list(row.values()) for row in table.to_pylist()])


@pytest.mark.parametrize("dialect", ["default", "semicolons", "tabs"])
def test_two_thousand_columns_come_back(dialect: str, tmp_path: Path) -> None:
    options, count = DIALECTS[dialect], 2000
    names = ["id", *(f"column_{number:04}" for number in range(1, count))]
    signs = ("", None, "a,b", "a;b", "\t", '"', "'", "\\", "\r\n", "x")
    table = pa.table(
        {
            "id": pa.array(range(3), pa.int64()),
            **{
                name: pa.array([signs[(number + row) % len(signs)] for row in range(3)], pa.string())
                for number, name in enumerate(names[1:])
            },
        }
    )

    write(tmp_path / "a.csv", stored(tmp_path / "a.parquet", table, ["BIGINT", *["VARCHAR"] * (count - 1)]), options)

    told = Told.by(options)
    check(tmp_path / "a.csv", options, names, [[told.text(one) for one in row.values()] for row in table.to_pylist()])


@every_dialect
def test_many_rows_of_enclosed_line_breaks_come_back_in_their_order(dialect: str, tmp_path: Path) -> None:
    options, count = DIALECTS[dialect], 60_000  # more than one block of the writer
    text = ('a\r\n"b",;|\t', None, "", "plain", "\\'\n")
    table = pa.table(
        {
            "id": pa.array(range(count), pa.int64()),
            "text": pa.array([text[number % 5] for number in range(count)], pa.string()),
        }
    )

    rows = write(tmp_path / "a.csv", stored(tmp_path / "a.parquet", table, ("BIGINT", "VARCHAR")), options)

    told = Told.by(options)
    assert rows == count
    texts = [told.text(one) for one in text]
    check(tmp_path / "a.csv", options, ["id", "text"], [[str(number), texts[number % 5]] for number in range(count)])


@pytest.mark.deep
@every_dialect
def test_texts_of_sixteen_megabytes_come_back(dialect: str, tmp_path: Path) -> None:
    options = DIALECTS[dialect]
    size = 16 * 1024 * 1024
    texts = ["x" * size, "\"'\\;|\t,\r\n" * (size // 9), "é" * (size // 2), None, ""]
    table = pa.table({"id": pa.array(range(5), pa.int64()), "text": pa.array(texts, pa.string())})

    write(tmp_path / "a.csv", stored(tmp_path / "a.parquet", table, ("BIGINT", "VARCHAR")), options)

    told = Told.by(options)
    check(
        tmp_path / "a.csv", options, ["id", "text"], [[str(number), told.text(one)] for number, one in enumerate(texts)]
    )
