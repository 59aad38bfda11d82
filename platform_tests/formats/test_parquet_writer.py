from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from offramp.domain.errors import ContractBroken
from offramp.formats.parquet_writer import ParquetWriter
from platform_tests.formats.bad_input import COLUMNS, SCHEMA, TEXTS, bad_rows, projected

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "a.parquet"
    batches = projected(ParquetWriter(), bad_rows(), {}, session={"TimeZone": "Europe/Oslo"})
    ParquetWriter(rows_per_group=50).write(((0, batch) for batch in batches), [path], schema=SCHEMA, options={})
    return path


def test_the_schema_is_that_of_the_contract_without_a_stored_arrow_schema(written: Path) -> None:
    file = pq.ParquetFile(written)

    assert file.metadata.metadata is None
    assert [file.schema.column(number).name for number in range(len(COLUMNS))] == [one.name for one in COLUMNS]
    assert file.schema.column(0).max_definition_level == 0
    assert file.schema.column(1).max_definition_level == 1
    times = file.schema_arrow.field("registered_at")
    assert times.type == pa.timestamp("us", tz="UTC")
    assert times.type == file.schema_arrow.field("seen_at").type


def test_every_group_but_the_last_has_the_fixed_rows_with_statistics_and_zstd(written: Path) -> None:
    metadata = pq.ParquetFile(written).metadata

    rows = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    assert rows == [50, 50, 3 * len(TEXTS) - 100]
    column = metadata.row_group(0).column(0)
    assert (column.compression, column.statistics.min, column.statistics.max) == ("ZSTD", 0, 49)


def test_three_readers_give_the_values_that_went_in(written: Path) -> None:
    given = bad_rows()
    names = ["id", "text", "count", "price", "amount", "is_live", "born_on", 'odd, "name"', "always_null"]

    by_pyarrow = pq.read_table(written)
    by_polars = pl.read_parquet(written)
    by_duckdb = duckdb.execute("select * from read_parquet(?) order by id", [str(written)]).to_arrow_table()

    for name in names:
        expected = given[name].to_pylist()
        assert by_pyarrow[name].to_pylist() == expected
        assert by_polars[name].to_list() == expected
        assert by_duckdb[name].to_pylist() == expected
    micros = given["registered_at"].cast(pa.int64()).to_pylist()
    assert by_pyarrow["registered_at"].cast(pa.int64()).to_pylist() == micros
    assert by_pyarrow["seen_at"].cast(pa.int64()).to_pylist() == micros


def test_doubles_keep_nan_and_infinity(written: Path) -> None:
    assert str(pq.read_table(written)["ratio"].to_pylist()[:8]) == str(bad_rows()["ratio"].to_pylist()[:8])


def test_a_null_where_none_may_be_is_refused(tmp_path: Path) -> None:
    batch = pa.record_batch({"id": pa.array([1, None])})
    schema = pa.schema([pa.field("id", pa.int64(), nullable=False)])

    with pytest.raises(ContractBroken, match="'id' has NULLs"):
        ParquetWriter().write([(0, batch)], [tmp_path / "a.parquet"], schema=schema, options={})


def test_a_value_that_its_type_cannot_hold_is_refused(tmp_path: Path) -> None:
    batch = pa.record_batch({"id": pa.array([2**40])})

    with pytest.raises(ContractBroken, match="'id' holds"):
        ParquetWriter().write([(0, batch)], [tmp_path / "a"], schema=pa.schema([("id", pa.int32())]), options={})
