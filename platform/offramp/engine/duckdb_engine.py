"""DuckDB as the engine: one in-memory database per session, bounded memory, spilling to a scratch folder."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from offramp.domain.quoting import identifier, literal
from offramp.engine.failures import damaged_file, translate
from offramp.engine.relations import parquet_scan, view_query
from offramp.engine.spill import spill_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pyarrow as pa

    from offramp.domain.errors import OfframpError
    from offramp.domain.landings import Relation

# DuckDB's own default; stated, because the bytes of stored files depend on it.
ROW_GROUP_ROWS = 122_880

# How far a query may run ahead of its reader.
_STREAM_BYTES = 4 * 1024 * 1024

# Errors that say themselves what is wrong. Any other may come from a damaged file: the text of some does not
# even say that a file was read ("don't know what type: \x0f").
_OF_THE_QUERY = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ConversionException,
    duckdb.InterruptException,
    duckdb.OutOfMemoryException,
    duckdb.OutOfRangeException,
    duckdb.ParserException,
)


class DuckDBEngine:
    """Runs SQL in DuckDB. ``memory_bytes`` bounds DuckDB's buffers; the process needs about 110 MB beside them."""

    def __init__(self, scratch: Path, memory_bytes: int, threads: int) -> None:
        self._scratch = scratch
        self._memory_bytes = memory_bytes
        self._threads = threads

    @contextmanager
    def open(self, relations: Iterable[Relation]) -> Iterator[DuckDBSession]:
        """Open a session in which each relation can be selected from by its name."""
        with (
            spill_folder(self._scratch) as spill,
            duckdb.connect(":memory:", config=self._config(spill)) as connection,
        ):
            yield DuckDBSession(connection, tuple(relations), memory_bytes=self._memory_bytes)

    def _config(self, spill: Path) -> dict[str, str | bool | int | float | list[str]]:
        return {
            "memory_limit": f"{self._memory_bytes}B",
            "threads": self._threads,
            "temp_directory": str(spill),
            "preserve_insertion_order": True,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            # Files are read once: cached blocks would take the room that a sort needs.
            "enable_external_file_cache": False,
            # Freed memory goes back early: at the default of 512 MB a process stays 60 MB larger, at 8 MB a sort of
            # 5 M rows costs half a CPU second more.
            "allocator_flush_threshold": "128MB",
            "allocator_bulk_deallocation_flush_threshold": "128MB",
        }


class DuckDBSession:
    """A connection with relations registered as views."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, relations: tuple[Relation, ...], *, memory_bytes: int
    ) -> None:
        self._connection = connection
        self._memory_bytes = memory_bytes
        self._uris = tuple(dict.fromkeys(uri for relation in relations for uri in relation.uris))
        for relation in relations:
            self._register(relation)

    def stream(self, sql: str, *, batch_rows: int = 50_000) -> Iterator[pa.RecordBatch]:
        """Yield the result as Arrow batches, in the query's order. Text comes as Arrow's ``string``."""
        with self._cursor() as cursor:
            try:
                # execute() streams; a relation's reader would hold the whole result.
                yield from self._execute(cursor, sql).to_arrow_reader(batch_rows)
            except (duckdb.Error, OSError) as error:
                raise self._explained(error, sql) from error

    def schema(self, sql: str) -> pa.Schema:
        """Return the Arrow schema that ``stream`` gives, without running the query."""
        none = f"select * from ({sql}) limit 0"
        with self._cursor() as cursor:
            try:
                return self._execute(cursor, none).to_arrow_reader(1).schema
            except (duckdb.Error, OSError) as error:
                raise self._explained(error, sql) from error

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Return a small result: counts, samples. Never data."""
        with self._cursor() as cursor:
            try:
                return self._execute(cursor, sql).fetchall()
            except duckdb.Error as error:
                raise self._explained(error, sql) from error

    def describe(self, sql: str) -> tuple[tuple[str, str], ...]:
        """Return the result's columns as (name, DuckDB type) without running it."""
        return tuple((str(name), str(kind)) for name, kind, *_ in self.rows(f"describe {sql}"))

    def store(self, sql: str, path: Path) -> int:
        """Write the result as one Parquet file in the query's order and return its rows.

        The bytes repeat, at any number of threads, where the query ends in a total order.
        """
        target = literal(str(path))
        written = self.rows(
            f"copy ({sql}) to {target} (format parquet, compression zstd, row_group_size {ROW_GROUP_ROWS})"
        )
        return int(str(written[0][0]))

    @staticmethod
    def _execute(cursor: duckdb.DuckDBPyConnection, sql: str) -> duckdb.DuckDBPyConnection:
        """Run a query; one that does not fit into memory runs again in one thread.

        Merging spilled runs pins blocks of every run for each thread: 50 M rows of 12 columns sort within 260 MB
        in one thread and need 400 MB in two. A sort fails before its first row, so nothing was handed out yet.
        """
        try:
            return cursor.execute(sql)
        except duckdb.OutOfMemoryException:
            cursor.execute("set threads = 1")  # for the rest of the session: what follows is no smaller
            return cursor.execute(sql)

    def _register(self, relation: Relation) -> None:
        stored = dict(self.describe(f"select * from {parquet_scan(relation.uris)}")) if relation.uris else {}
        self.rows(f"create view {identifier(relation.name)} as {view_query(relation, stored)}")

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of its own, so that a stream outlives other queries of the session."""
        cursor = self._connection.cursor()
        # The sort goes on while rows are encoded: with the default of 1 MB it mostly waits.
        cursor.execute(f"set streaming_buffer_size = '{_STREAM_BYTES}B'")
        cursor.execute("set TimeZone = 'UTC'")
        return cursor

    def _explained(self, error: Exception, sql: str) -> OfframpError:
        """Translate an error; where it may come from a damaged file, look for that file."""
        if not isinstance(error, _OF_THE_QUERY):
            for uri in self._uris:
                if (damage := self._damage(uri)) is not None:
                    return damaged_file(uri, damage)
        return translate(error, sql=sql, memory_bytes=self._memory_bytes)

    def _damage(self, uri: str) -> Exception | None:
        with self._cursor() as cursor:
            try:
                cursor.execute(f"select count(hash(columns(*))) from {parquet_scan([uri])}")
            except duckdb.OutOfMemoryException:
                return None
            except duckdb.Error as error:
                return error
        return None
