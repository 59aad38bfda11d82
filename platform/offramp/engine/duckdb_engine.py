"""DuckDB as the engine: an in-memory database for each session, bounded memory, spilling to a scratch folder."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from offramp.domain.quoting import identifier, literal
from offramp.engine.failures import damaged_file, translate
from offramp.engine.instances import Instances
from offramp.engine.known import Known
from offramp.engine.relations import parquet_scan, relation_query, with_relations

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pyarrow as pa

    from offramp.domain.errors import OfframpError
    from offramp.domain.landings import Relation
    from offramp.engine.known import Columns

# DuckDB's own default; stated, because the bytes of stored files depend on it.
ROW_GROUP_ROWS = 122_880

# The least that is worth a second thread: some 100,000 rows, as many as DuckDB gives to one thread at a time.
_SMALL_BYTES = 2 * 1024 * 1024

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
    """Runs SQL in DuckDB. ``memory_bytes`` bounds the buffers of each session; the process needs 110 MB beside them.

    An instance whose session ended well is used again by a later one, never by two at once. What was learned of
    files and queries is kept too, since files of the lake never change.
    """

    def __init__(self, scratch: Path, memory_bytes: int, threads: int) -> None:
        self._memory_bytes = memory_bytes
        self._instances = Instances(scratch, memory_bytes, threads)
        self._known = Known()

    @contextmanager
    def open(self, relations: Iterable[Relation]) -> Iterator[DuckDBSession]:
        """Open a session in which each relation can be selected from by its name."""
        chosen = tuple(relations)
        size = _bytes_of(chosen)
        # Without files a query makes its rows itself, and may make many.
        instance = self._instances.take(is_small=size < _SMALL_BYTES, in_one_thread=0 < size < _SMALL_BYTES)
        is_sound = False
        try:
            session = DuckDBSession(instance.connection, chosen, self._known, memory_bytes=self._memory_bytes)
            yield session
            is_sound = session.end()
        finally:
            if is_sound:
                self._instances.give_back(instance)
            else:
                instance.close()

    def close(self) -> None:
        """Close what is kept for later sessions, with its spill folders. A next session opens anew."""
        self._instances.close_idle()


class DuckDBSession:
    """A database in which relations have names. What it holds is gone when it ends."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        relations: tuple[Relation, ...],
        known: Known,
        *,
        memory_bytes: int,
    ) -> None:
        self._connection = connection
        self._memory_bytes = memory_bytes
        self._known = known
        self._is_sound = True
        self._open_cursors = 0
        self._held: list[str] = []
        self._uris = tuple(dict.fromkeys(uri for relation in relations for uri in relation.uris))
        self._declared = tuple((relation.name, relation.schema) for relation in relations)
        self._queries = {relation.name: self._query(relation) for relation in relations}

    def end(self) -> bool:
        """Drop what the session holds, and tell whether its database may be used by another."""
        if self._is_sound and self._open_cursors == 0:
            for name in self._held:
                self._connection.execute(f"drop table {identifier(name)}")
            return True
        return False

    def stream(
        self, sql: str, *, batch_rows: int = 50_000, parameters: Mapping[str, bytes] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield the result as Arrow batches, in the query's order. Text comes as Arrow's ``string``.

        ``$name`` in the query stands for a parameter: a secret must not be in its text, which errors repeat.
        """
        with self._cursor() as cursor:
            try:
                # The sort goes on while rows are encoded: with the default of 1 MB it mostly waits.
                cursor.execute(f"set streaming_buffer_size = '{_STREAM_BYTES}B'")
                # execute() streams; a relation's reader would hold the whole result.
                yield from self._execute(cursor, self._said(sql), parameters).to_arrow_reader(batch_rows)
            except (duckdb.Error, OSError) as error:
                raise self._explained(error, sql) from error

    def schema(self, sql: str, *, parameters: Mapping[str, bytes] | None = None) -> pa.Schema:
        """Return the Arrow schema that ``stream`` gives, without running the query."""
        found = self._known.schemas.get((sql, self._declared))
        if found is not None:
            return found
        none = f"select * from ({sql}\n) limit 0"
        with self._cursor() as cursor:
            try:
                schema = self._execute(cursor, self._said(none), parameters).to_arrow_reader(1).schema
            except (duckdb.Error, OSError) as error:
                raise self._explained(error, sql) from error
        self._known.schemas.put((sql, self._declared), schema)
        return schema

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Return a small result: counts, samples. Never data."""
        return self._run(self._said(sql), sql)

    def describe(self, sql: str) -> tuple[tuple[str, str], ...]:
        """Return the result's columns as (name, DuckDB type) without running it."""
        found = self._known.columns.get((sql, self._declared))
        if found is None:
            found = _columns(self._run(f"describe {self._said(sql)}", sql))
            self._known.columns.put((sql, self._declared), found)
        return found

    def store(self, sql: str, path: Path) -> int:
        """Write the result as one Parquet file in the query's order and return its rows.

        The bytes repeat, at any number of threads, where the query ends in a total order.
        """
        target = literal(str(path))
        written = self._run(
            f"copy ({self._said(sql)}) to {target} (format parquet, compression zstd, row_group_size {ROW_GROUP_ROWS})",
            sql,
        )
        return int(str(written[0][0]))

    def hold(self, sql: str, name: str) -> None:
        """Keep a result in memory, in the query's order, to be selected from by a name until the session ends.

        For results of few rows: what does not fit into memory is for ``store``.
        """
        self._run(f"create table {identifier(name)} as ({self._said(sql)})", sql)
        self._held.append(name)
        held = self._connection.table(identifier(name))
        self._declared = (*self._declared, (name, tuple(zip(held.columns, map(str, held.types), strict=True))))

    def _run(self, said: str, sql: str) -> list[tuple[object, ...]]:
        with self._cursor() as cursor:
            try:
                return self._execute(cursor, said).fetchall()
            except duckdb.Error as error:
                raise self._explained(error, sql) from error

    def _execute(
        self, cursor: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, bytes] | None = None
    ) -> duckdb.DuckDBPyConnection:
        """Run a query; one that does not fit into memory runs again in one thread.

        Merging spilled runs pins blocks of every run for each thread: 50 M rows of 12 columns sort within 260 MB
        in one thread and need 400 MB in two. A sort fails before its first row, so nothing was handed out yet.
        """
        try:
            return cursor.execute(sql, parameters)
        except duckdb.OutOfMemoryException:
            self._is_sound = False
            cursor.execute("set threads = 1")  # for the rest of the session: what follows is no smaller
            return cursor.execute(sql, parameters)

    def _said(self, sql: str) -> str:
        return with_relations(sql, self._queries)

    def _query(self, relation: Relation) -> str:
        if not relation.uris:
            return relation_query(relation, {})
        files = {self._columns_of(uri) for uri in relation.uris}
        if len(files) == 1:
            return relation_query(relation, dict(*files), is_uniform=True)
        together = _columns(self._run(f"describe select * from {parquet_scan(relation.uris)}", relation.name))
        return relation_query(relation, dict(together))

    def _columns_of(self, uri: str) -> Columns:
        found = self._known.files.get(uri)
        if found is None:
            found = _columns(self._run(f"describe select * from {parquet_scan([uri])}", uri))
            self._known.files.put(uri, found)
        return found

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a connection of its own, so that a stream outlives other queries of the session."""
        self._open_cursors += 1
        try:
            with self._connection.cursor() as cursor:
                yield cursor
        finally:
            self._open_cursors -= 1

    def _explained(self, error: Exception, sql: str) -> OfframpError:
        """Translate an error; where it may come from a damaged file, look for that file."""
        self._is_sound = False
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


def _bytes_of(relations: Iterable[Relation]) -> float:
    """Return how large the files of relations are together; without end where that cannot be told."""
    try:
        return sum(Path(uri).stat().st_size for uri in {uri for relation in relations for uri in relation.uris})
    except OSError:
        return float("inf")


def _columns(described: Iterable[tuple[object, ...]]) -> Columns:
    return tuple((str(name), str(kind)) for name, kind, *_ in described)
