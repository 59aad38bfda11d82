"""The lake's own questions to Parquet files, asked in DuckDB: equality, differences, increments."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from offramp.domain.errors import PermanentError, TransientError
from offramp.domain.quoting import literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

Schema = tuple[tuple[str, str], ...]

# Some 100,000 rows, as many as DuckDB gives to one thread at a time.
_SMALL_BYTES = 2 * 1024 * 1024


def scan(paths: Sequence[Path]) -> str:
    """Return the table function that reads files by column name."""
    files = ", ".join(literal(str(path)) for path in paths)
    return f"read_parquet([{files}], union_by_name = true, hive_partitioning = false)"


class Queries:
    """A bounded DuckDB connection for one piece of the lake's work."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, threads: int) -> None:
        self._connection = connection
        self._threads = self._threads_now = threads
        self.is_narrowed = False
        """True once a query had to run in one thread; so does all that follows."""

    def prepare_for(self, paths: Iterable[Path]) -> None:
        """Use one thread for files that are not worth a second: to hand it pieces costs a third more CPU."""
        if self.is_narrowed:
            return
        wanted = 1 if sum(path.stat().st_size for path in paths) < _SMALL_BYTES else self._threads
        if wanted != self._threads_now:
            self._connection.execute(f"set threads = {wanted}")
            self._threads_now = wanted

    def run(self, sql: str) -> list[tuple[object, ...]]:
        """Run a query and return its few rows; one that does not fit into memory runs again in one thread."""
        try:
            return self._run(sql)
        except duckdb.Error as error:
            text = str(error).split("\n\n", maxsplit=1)[0]
            if "No space left" in text or "max_temp_directory_size" in text:
                raise TransientError(
                    "the lake's disk is full", found=text, todo="free space there, or give the lake a larger disk"
                ) from error
            raise PermanentError(
                "the lake could not read or write a landed table",
                found=text,
                todo="if a file is named, land its source again; if memory ran out, raise it in offramp.yaml",
            ) from error

    def _run(self, sql: str) -> list[tuple[object, ...]]:
        try:
            return self._connection.execute(sql).fetchall()
        except duckdb.OutOfMemoryException:
            self.is_narrowed = True
            self._connection.execute("set threads = 1")  # merging spilled runs needs memory for each thread
            return self._connection.execute(sql).fetchall()

    def count(self, sql: str) -> int:
        """Run a query of one number."""
        return int(str(self.run(sql)[0][0]))

    def schema(self, path: Path) -> Schema:
        """Return a file's columns as (name, DuckDB type)."""
        return tuple((str(name), str(kind)) for name, kind, *_ in self.run(f"describe select * from {scan([path])}"))

    def write(self, sql: str, path: Path) -> int:
        """Write a query that ends in a total order as a Parquet file of repeatable bytes, and return its rows."""
        target = literal(str(path))
        return self.count(f"copy ({sql}) to {target} (format parquet, compression zstd, row_group_size 122880)")


@contextmanager
def queries(memory_bytes: int, threads: int, spill: Path) -> Iterator[Queries]:
    """Open a connection whose memory, threads and spilling are bounded."""
    with duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{memory_bytes}B",
            "threads": threads,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "enable_external_file_cache": False,
            "allocator_flush_threshold": "8MB",
            "allocator_bulk_deallocation_flush_threshold": "8MB",
        },
    ) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield Queries(connection, threads)
