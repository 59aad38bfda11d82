from __future__ import annotations

import csv
import io
import string
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offramp.domain.contracts import Column, DataType
from offramp.domain.errors import ContractBroken
from offramp.formats.csv_dialect import CsvDialect, check
from offramp.formats.csv_writer import CsvWriter, _encode, _encode_built
from platform_tests.formats.bad_input import COLUMNS, SCHEMA, TEXTS, bad_rows, column, projected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

TWO = (column("id", "bigint", is_nullable=False), column("text", "varchar"))


def write_texts(path: Path, texts: list[str | None], options: Mapping[str, object]) -> bytes:
    table = pa.table({"id": pa.array(range(len(texts)), pa.int64()), "text": pa.array(texts, pa.string())})
    batches = projected(CsvWriter(), table, options, columns=TWO)
    CsvWriter().write(((0, batch) for batch in batches), [path], schema=table.schema, options=options)
    return path.read_bytes()


def write_values(path: Path, kind: str, expression: str, options: Mapping[str, object] | None = None) -> list[str]:
    """Write one column of a SELECT and return the fields, without header."""
    one = Column("v", DataType.parse(kind), is_nullable=True)
    writer = CsvWriter()
    rows = duckdb.sql(f"select {expression} as v").query(
        "given", f"select {writer.project(one, options or {})} as v from given"
    )
    batches = rows.to_arrow_reader()
    writer.write(((0, b) for b in batches), [path], schema=pa.schema([("v", pa.string())]), options=options or {})
    return path.read_bytes().decode().split("\r\n")[1:-1]


def test_the_text_of_each_type_is_that_of_the_project_rule(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"

    assert write_values(path, "boolean", "unnest([true, false, null])") == ["1", "0", ""]
    assert write_values(path, "decimal(12,3)", "unnest([1.5, -0.001]::decimal(12,3)[])") == ["1.500", "-0.001"]
    assert write_values(path, "date", "unnest(['0001-01-01', '9999-12-31']::date[])") == ["0001-01-01", "9999-12-31"]
    assert write_values(path, "uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid") == [
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    ]
    assert write_values(path, "json", """'{"a" : [1, 2.50]}'::json""") == ['"{""a"":[1,2.5]}"']
    assert write_values(path, "double", "unnest(['nan', 'inf', '-inf', '0.1', '5e-324', '-0.0']::double[])") == [
        "", "", "", "0.1", "5e-324", "-0.0",
    ]  # fmt: skip
    assert write_values(path, "timestamp", "timestamp '2018-01-09 14:56:13.999'") == ["2018-01-09T14:56:13+0000"]
    assert write_values(path, "timestamptz", "timestamptz '2018-01-09 14:56:13+02'") == ["2018-01-09T12:56:13+0000"]
    assert write_values(path, "blob", r"'\x00\xFF'::blob") == ["AP8="]
    assert write_values(path, "bigint", "9223372036854775807") == ["9223372036854775807"]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Oslo", "Asia/Kathmandu"])
def test_the_time_zone_of_the_session_leaves_no_trace(zone: str) -> None:
    plain = projected(CsvWriter(), bad_rows(), {})

    assert projected(CsvWriter(), bad_rows(), {}, session={"TimeZone": zone}) == plain


@settings(deadline=None)
@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_double_reads_back_as_the_same_number(number: float) -> None:
    expression = CsvWriter().project(column("v", "double"), {})
    row = duckdb.execute(f"select {expression} from (select ?::double as v)", [number]).fetchone()

    assert row is not None
    assert float(row[0]).hex() == number.hex()


def test_null_is_nothing_and_empty_text_is_enclosed(tmp_path: Path) -> None:
    assert write_texts(tmp_path / "a.csv", [None, "", "x"], {}) == b'id,text\r\n0,\r\n1,""\r\n2,x\r\n'
    assert write_texts(tmp_path / "b.csv", [None, "", "x"], {"enclose": "all"}) == (
        b'"id","text"\r\n"0",\r\n"1",""\r\n"2","x"\r\n'
    )
    assert write_texts(tmp_path / "c.csv", [None, "", "x"], {"escape": "\\"}) == b'id,text\r\n0,\r\n1,""\r\n2,x\r\n'


def test_blanks_at_the_ends_of_a_field_need_no_enclosure(tmp_path: Path) -> None:
    assert write_texts(tmp_path / "a.csv", [" a "], {"has_header": False}) == b"0, a \r\n"


def test_each_line_break_inside_text_becomes_one_replacement(tmp_path: Path) -> None:
    texts: list[str | None] = ["a\r\nb", "a\rb", "a\nb", "\n\r", "\r\r\n\n", None, "plain"]

    content = write_texts(tmp_path / "a.csv", texts, {"has_header": False, "line_break_replacement": "/'\\"})

    expected = ["a/'\\b", "a/'\\b", "a/'\\b", "/'\\/'\\", "/'\\/'\\/'\\", "", "plain"]
    assert content.decode().split("\r\n")[:-1] == [f"{number},{text}" for number, text in enumerate(expected)]


def test_a_file_without_rows_is_its_header_or_nothing(tmp_path: Path) -> None:
    assert write_texts(tmp_path / "a.csv", [], {}) == b"id,text\r\n"
    assert write_texts(tmp_path / "b.csv", [], {"has_header": False}) == b""


def test_a_type_that_was_not_projected_is_refused_before_the_encoder_sees_it(tmp_path: Path) -> None:
    for array in (pa.array([b"x"]), pa.array([[1]]), pa.array([1.5]), pa.array([True])):
        batch = pa.record_batch({"v": array})
        with pytest.raises(ContractBroken, match="'v'"):
            CsvWriter().write([(0, batch)], [tmp_path / "a.csv"], schema=batch.schema, options={})


def test_rows_with_other_columns_are_refused(tmp_path: Path) -> None:
    batch = pa.record_batch({"b": pa.array(["x"]), "a": pa.array(["y"])})
    schema = pa.schema([("a", pa.string()), ("b", pa.string())])

    with pytest.raises(ContractBroken, match="other columns"):
        CsvWriter().write([(0, batch)], [tmp_path / "a.csv"], schema=schema, options={})


def test_python_reads_every_bad_text_as_it_was(tmp_path: Path) -> None:
    content = write_texts(tmp_path / "a.csv", list(TEXTS), {})

    rows = list(csv.reader(io.StringIO(content.decode(), newline="")))

    assert [row[1] for row in rows[1:]] == [text or "" for text in TEXTS]


def test_pyarrow_reads_every_bad_text_as_it_was_with_nulls(tmp_path: Path) -> None:
    write_texts(tmp_path / "a.csv", list(TEXTS), {})

    table = pyarrow.csv.read_csv(
        tmp_path / "a.csv",
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""],
            column_types={"id": pa.int64(), "text": pa.string()},
        ),
    )  # fmt: skip

    assert table["text"].to_pylist() == list(TEXTS)


def test_polars_reads_every_bad_text_as_it_was_with_nulls(tmp_path: Path) -> None:
    write_texts(tmp_path / "a.csv", list(TEXTS), {})

    frame = pl.read_csv(tmp_path / "a.csv", eol_char="\n", schema={"id": pl.Int64, "text": pl.String})

    assert frame["text"].to_list() == list(TEXTS)


def test_duckdb_reads_every_bad_text_as_it_was_with_nulls(tmp_path: Path) -> None:
    write_texts(tmp_path / "a.csv", list(TEXTS), {})

    rows = duckdb.execute(
        """select text from read_csv(?, auto_detect=false, header=true, delim=',', quote='"', escape='"', nullstr='',
             new_line='\\r\\n', allow_quoted_nulls=false, columns={'id': 'bigint', 'text': 'varchar'},
             parallel=false) order by id""",
        [str(tmp_path / "a.csv")],
    ).fetchall()

    assert [row[0] for row in rows] == list(TEXTS)


def encoded(encode: Callable[..., None], frame: pl.DataFrame, dialect: CsvDialect) -> bytes:
    target = io.BytesIO()
    encode(frame, target, dialect=dialect)
    return target.getvalue()


def test_both_ways_to_encode_agree_on_the_default_dialect() -> None:
    frame = pl.concat(pl.from_arrow(batch) for batch in projected(CsvWriter(), bad_rows(), {}))  # type: ignore[type-var]
    assert isinstance(frame, pl.DataFrame)

    assert encoded(_encode, frame, CsvDialect()) == encoded(_encode_built, frame, CsvDialect())


@settings(deadline=None)
@given(texts=st.lists(st.none() | st.text(alphabet=st.sampled_from("a ,;\"\\'\r\n|"), max_size=6)))
def test_both_ways_to_encode_agree_on_any_text_and_separator(texts: list[str | None]) -> None:
    frame = pl.DataFrame({"n": range(len(texts)), "t": texts}, schema={"n": pl.Int64, "t": pl.String})

    for dialect in (CsvDialect(), CsvDialect(separator=";", enclosure="'", escape="'"), CsvDialect(separator="|")):
        assert encoded(_encode, frame, dialect) == encoded(_encode_built, frame, dialect)


MARKS = st.sampled_from([mark for mark in string.punctuation + "\t " if mark not in "+-."])


@settings(deadline=None)
@given(
    texts=st.lists(st.text(alphabet=st.sampled_from("ab$ ,;\"'\\|~\t\r\n"), max_size=8), min_size=1),
    separator=MARKS,
    enclosure=MARKS,
    escape=MARKS,
    enclose=st.sampled_from(["necessary", "all"]),
)
def test_python_reads_back_every_dialect(
    texts: list[str], separator: str, enclosure: str, escape: str, enclose: str
) -> None:
    options = {"separator": separator, "enclosure": enclosure, "escape": escape, "enclose": enclose}
    if check(options):
        return
    dialect = CsvDialect.read(options)
    frame = pl.DataFrame({"a": texts, "n": range(len(texts))})

    content = encoded(_encode if dialect.is_plain else _encode_built, frame, dialect).decode()

    doubles = escape == enclosure
    rows = csv.reader(
        io.StringIO(content, newline=""), delimiter=separator, quotechar=enclosure, doublequote=doubles,
        escapechar=None if doubles else escape, strict=True,
    )  # fmt: skip
    assert list(rows) == [[text, str(number)] for number, text in enumerate(texts)]


def test_header_names_are_enclosed_as_fields_are(tmp_path: Path) -> None:
    batches = projected(CsvWriter(), bad_rows(), {})

    CsvWriter().write(((0, b) for b in batches), [tmp_path / "a.csv"], schema=SCHEMA, options={})

    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as lines:
        assert next(csv.reader(lines)) == [one.name for one in COLUMNS]
