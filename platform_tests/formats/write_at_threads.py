"""Run as a process of its own, since Polars reads its number of threads once: write every format, print the checksums.

Arguments: threads, folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pyarrow as pa

from offramp.domain.contracts import Column, DataType
from offramp.formats.csv_writer import CsvWriter
from offramp.formats.ndjson_writer import NdjsonWriter
from offramp.formats.parquet_writer import ParquetWriter
from platform_tests.formats.arrow_schema import arrow_schema

COLUMNS = (
    Column("id", DataType.parse("bigint"), is_nullable=False),
    Column("text", DataType.parse("varchar"), is_nullable=True),
    Column("price", DataType.parse("decimal(12,3)"), is_nullable=True),
    Column("ratio", DataType.parse("double"), is_nullable=True),
    Column("is_live", DataType.parse("boolean"), is_nullable=True),
    Column("seen_at", DataType.parse("timestamptz"), is_nullable=True),
)
ROWS = """
    select i as id, case i % 5 when 0 then null when 1 then '' when 2 then 'a,"b' else repeat('text ', i % 40)
        end as text,
        (i / 7)::decimal(12,3) as price, sqrt(i) as ratio, i % 2 = 0 as is_live,
        to_timestamp(i * 977) as seen_at
    from range(140_000) t(i)
"""


def main(threads: int, folder: Path) -> None:
    session = duckdb.connect(config={"threads": threads})
    pa.set_cpu_count(threads)
    for name, writer, options in (
        ("csv", CsvWriter(threads=threads), {}),
        ("csv_gzip", CsvWriter(threads=threads), {"gzip": True}),
        ("csv_built", CsvWriter(threads=threads), {"escape": "\\"}),
        ("parquet", ParquetWriter(), {}),
        ("ndjson_gz", NdjsonWriter(threads=threads), {}),
    ):
        fields = ", ".join(f"{writer.project(column, options)} as {column.name}" for column in COLUMNS)
        reader = session.sql(f"select {fields} from ({ROWS}) order by id").to_arrow_reader(10_000 * threads)
        batches = ((number % 2, batch) for number, batch in enumerate(rechunked(reader)))
        paths = [folder / f"{name}_{part}" for part in range(2)]
        for entry in writer.write(batches, paths, schema=arrow_schema(COLUMNS), options=options):
            sys.stdout.write(f"{name} {entry.rows} {entry.bytes} {entry.sha256}\n")


def rechunked(reader: pa.RecordBatchReader) -> list[pa.RecordBatch]:
    """Give each part the same rows whatever the sizes of batches are."""
    table = pa.Table.from_batches(reader)
    return [
        batch
        for start in range(0, table.num_rows, 70_000)
        for batch in [
            pa.RecordBatch.from_arrays(
                [column.combine_chunks() for column in table.slice(start, 70_000).columns], schema=table.schema
            )
        ]
    ]


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
