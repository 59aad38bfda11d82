"""Landing from PostgreSQL: ours, and DuckDB's own scan of the same table to Parquet."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import psycopg

from offramp.domain.landings import TableSpec
from offramp.lake.landings import FolderLandingStore
from offramp.sources.postgres.source import PostgresSource
from platform_tests.benchmarks.csv_cases import MEMORY, rows_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from offramp.domain.ports import LandingWriter

SPEC = TableSpec(source="bench", name="rows", key=("id",), tenant_column="tenant", change_column="registered")


def load(dsn: str, folder: Path) -> None:
    """Fill the server with the generated rows, by DuckDB's extension."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "create table rows (id bigint, asset_id bigint, name text, url text, price numeric(12,3), live boolean, "
            "registered timestamp, born_on date, country text, user_agent text, seconds bigint, tenant text)"
        )
    with duckdb.connect() as connection:
        _attach(connection, dsn, read_only=False)
        connection.execute(f"insert into pg.public.rows select * from '{rows_file(folder)}'")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("vacuum analyze rows")


def _attach(connection: duckdb.DuckDBPyConnection, dsn: str, *, read_only: bool) -> None:
    from importlib.util import find_spec

    package = find_spec("duckdb_extension_postgres_scanner")
    assert package is not None
    assert package.submodule_search_locations
    found = next(Path(package.submodule_search_locations[0]).rglob("*.duckdb_extension"))
    connection.execute(f"load '{found}'")
    connection.execute(f"attach '{dsn}' as pg (type postgres{', read_only' if read_only else ''})")


def offramp(dsn: str, folder: Path) -> None:
    """Land from one exported snapshot into the lake, and commit."""
    shutil.rmtree(folder / "landed", ignore_errors=True)
    store = FolderLandingStore(folder / "landed", memory_bytes=MEMORY, threads=2)
    writers: list[LandingWriter] = []

    def begin(read_point: datetime) -> LandingWriter:
        writers.append(store.begin("bench", read_point))
        return writers[0]

    PostgresSource("bench", dsn, readers=2, memory_bytes=1_000_000_000).land([SPEC], begin, as_of=None)
    landing = store.commit(writers[0])
    assert landing.table("rows").rows > 0


def duckdb_scan(dsn: str, folder: Path) -> None:
    with duckdb.connect(config={"threads": 2}) as connection:
        _attach(connection, dsn, read_only=True)
        target = folder / "duckdb.parquet"
        connection.execute(f"copy (select * from pg.public.rows) to '{target}' (format parquet, compression zstd)")


CASES: dict[str, Callable[[str, Path], None]] = {"offramp": offramp, "duckdb scan": duckdb_scan}

if __name__ == "__main__":
    CASES[sys.argv[1]](sys.argv[2], Path(sys.argv[3]))
