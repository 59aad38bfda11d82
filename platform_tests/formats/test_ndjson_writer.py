from __future__ import annotations

import gzip
import json
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pytest

from offramp.domain.errors import ContractBroken, SourceRefused, WrongUse
from offramp.formats.ndjson_writer import NdjsonWriter
from platform_tests.formats.bad_input import COLUMNS, SCHEMA, TEXTS, TIMES, bad_rows, column, projected

if TYPE_CHECKING:
    from pathlib import Path


def write_bad_rows(path: Path) -> list[str]:
    batches = projected(NdjsonWriter(), bad_rows(), {})
    NdjsonWriter().write(((0, batch) for batch in batches), [path], schema=SCHEMA, options={})
    return gzip.decompress(path.read_bytes()).decode().split("\n")[:-1]


def refuse_constant(name: str) -> None:
    raise AssertionError(name)


def test_each_line_is_one_strict_json_object_with_the_keys_of_the_contract(tmp_path: Path) -> None:
    lines = write_bad_rows(tmp_path / "a.ndjson.gz")

    rows = [json.loads(line, parse_constant=refuse_constant, parse_float=Decimal) for line in lines]

    assert all(list(row) == [one.name for one in COLUMNS] for row in rows)
    assert [row["text"] for row in rows] == [TEXTS[number % len(TEXTS)] for number in range(len(rows))]
    assert [row['odd, "name"'] for row in rows] == [TEXTS[::-1][number % len(TEXTS)] for number in range(len(rows))]
    assert [row["id"] for row in rows] == list(range(len(rows)))


def test_the_json_of_each_type_is_that_of_the_project_rule(tmp_path: Path) -> None:
    lines = write_bad_rows(tmp_path / "a.ndjson.gz")

    assert '"count":9223372036854775807,' in lines[2]
    assert '"price":-0.001,' in lines[1]
    assert '"price":0.000,' in lines[0]
    assert '"amount":"12345678901234567890123456.123456789012",' in lines[0]
    assert '"ratio":null,' in lines[4]
    assert '"ratio":null,' in lines[5]
    assert '"ratio":-0.0,' in lines[1]
    assert '"is_live":true,' in lines[0]
    assert '"is_live":null,' in lines[2]
    assert '"registered_at":"2018-01-09T14:56:13.000000Z","seen_at":"2018-01-09T14:56:13.000000Z",' in lines[0]
    assert '"registered_at":"0001-01-01T00:00:00.000000Z",' in lines[1]
    assert '"registered_at":"9999-12-31T23:59:59.999999Z",' in lines[2]
    assert '"born_on":"0001-01-01",' in lines[0]
    assert '"token":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",' in lines[0]
    assert '"doc":{"a":1,"b":[1,2.5]},' in lines[0]
    assert '"always_null":null}' in lines[0]
    assert len(TIMES) == 5


def test_polars_reads_the_rows(tmp_path: Path) -> None:
    lines = write_bad_rows(tmp_path / "a.ndjson.gz")

    frame = pl.read_ndjson("\n".join(lines).encode(), schema={"id": pl.Int64, "text": pl.String, "count": pl.Int64})

    assert frame["text"].to_list()[: len(TEXTS)] == list(TEXTS)
    assert frame["count"].to_list()[2:4] == [2**63 - 1, -(2**63)]


def test_binary_is_refused_with_what_to_do() -> None:
    with pytest.raises(SourceRefused, match="Parquet"):
        NdjsonWriter().project(column("photo", "blob"), {})


def test_binary_that_was_not_projected_is_refused_before_the_encoder_sees_it(tmp_path: Path) -> None:
    batch = pa.record_batch({"photo": pa.array([b"\xff"])})

    with pytest.raises(ContractBroken, match="'photo'"):
        NdjsonWriter().write([(0, batch)], [tmp_path / "a.gz"], schema=batch.schema, options={})


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(WrongUse, match="md5"):
        NdjsonWriter().dialect({"md6": True})
