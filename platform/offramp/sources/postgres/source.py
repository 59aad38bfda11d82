"""PostgreSQL as a source: every table of a landing from one snapshot.

One connection holds a snapshot and exports it; readers import it as the first thing in their transactions
(servers_and_clients.md section 5). A reader is DuckDB, which scans one large table over several connections by
ranges of its pages and writes Parquet without a row passing through Python.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg

from offramp.domain.errors import SourceRefused, SourceUnreachable
from offramp.domain.quoting import identifier, literal
from offramp.sources.postgres.access import Access
from offramp.sources.postgres.columns import SourceTable, check, read_catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from offramp.domain.landings import TableSpec
    from offramp.domain.ports import LandingWriter

# Asked before the snapshot is taken: a row that is committed in between is in the landing though the read point does
# not promise it, while the other order would promise rows that are missing. On a standby the last replayed commit.
_NOW = """
    select case when pg_is_in_recovery() then pg_last_xact_replay_timestamp() else clock_timestamp() end
"""


@dataclass(frozen=True, slots=True)
class Task:
    """One table to read: which rows, and where its file goes."""

    spec: TableSpec
    table: SourceTable
    path: Path
    since: datetime | None

    @property
    def condition(self) -> str:
        """The WHERE clause of an increment. A column without zone is taken as UTC."""
        name = self.spec.increment.column if self.spec.increment else None
        column = self.table.column(name) if name else None
        if self.since is None or column is None:
            return ""
        zone = "+00'::timestamptz" if column.carried_as == "TIMESTAMPTZ" else "'::timestamp"
        return f" where {identifier(column.name)} > '{self.since.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}{zone}"


@dataclass(frozen=True)
class PostgresSource:
    """A PostgreSQL database, one schema of it.

    ``readers`` tables are read at once, each with as many connections. ``read_point_sql`` returns one timestamptz
    for databases whose state is older than their clock, such as restored copies. ``memory_bytes`` bounds a reader.
    """

    name: str
    dsn: str = field(repr=False)
    schema: str = "public"
    readers: int = 2
    read_point_sql: str | None = None
    statement_timeout_seconds: int = 3600
    memory_bytes: int = 1_000_000_000

    @property
    def can_read_as_of(self) -> bool:
        """False: PostgreSQL forgets earlier states."""
        return False

    @property
    def _access(self) -> Access:
        return Access(self.name, self.dsn, self.statement_timeout_seconds)

    def read_point(self) -> datetime:
        """Return the instant of the server up to which a landing made now would be complete."""
        access = self._access
        conninfo = access.conninfo()

        def ask() -> datetime:
            with psycopg.connect(conninfo, autocommit=True) as connection:
                return self._instant(connection, self.read_point_sql or _NOW)

        return access.run(ask, doing="asking for the read point")

    def land(
        self,
        tables: Sequence[TableSpec],
        begin: Callable[[datetime], LandingWriter],
        *,
        as_of: datetime | None,
    ) -> datetime:
        """Write all tables from one exported snapshot, rows as the scan gives them."""
        if as_of is not None:
            raise SourceRefused(
                f"source '{self.name}' cannot be read as of {as_of:%Y-%m-%dT%H:%M:%SZ}",
                todo="restore a copy of that time as a source of its own, with read_point_sql",
            )
        with self._snapshot() as (snapshot, read_point, catalogue):
            checked = [(spec, check(self.name, self.schema, catalogue, spec)) for spec in tables]
            writer = begin(read_point)
            tasks = [
                Task(spec, table, writer.path(spec), writer.read_from(spec) if spec.increment else None)
                for spec, table in checked
            ]
            # The largest first: a large table that starts last is read alone.
            tasks.sort(key=lambda task: -task.table.pages)
            self._read_all(tasks, snapshot, writer)
        return read_point

    @contextmanager
    def _snapshot(self) -> Iterator[tuple[str, datetime, dict[str, SourceTable]]]:
        """Hold a snapshot open; yield its name, its read point and what the schema holds."""
        access = self._access
        conninfo = access.conninfo()
        connection = access.run(lambda: psycopg.connect(conninfo, autocommit=True), doing="connecting")

        def take() -> tuple[str, datetime, dict[str, SourceTable]]:
            before = None if self.read_point_sql else self._instant(connection, _NOW)
            connection.execute("begin isolation level repeatable read read only")
            row = connection.execute("select pg_export_snapshot()").fetchone()
            read_point = before or self._instant(connection, str(self.read_point_sql))
            return str(row[0]) if row else "", read_point, read_catalogue(connection, self.schema)

        with connection:
            yield access.run(take, doing="taking a snapshot")

    def _instant(self, connection: psycopg.Connection[Any], query: str) -> datetime:
        rows = connection.execute(query.encode()).fetchall()
        found = rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else rows
        if found is None and query == _NOW:
            raise SourceUnreachable(
                f"source '{self.name}' is a standby that has not replayed a transaction since it started",
                todo="wait for the next commit on the primary",
            )
        if not isinstance(found, datetime) or found.tzinfo is None:
            raise SourceRefused(
                f"source '{self.name}' tells no read point",
                expected="one timestamptz",
                found=repr(found)[:200],
                todo="correct read_point_sql",
            )
        return found.astimezone(UTC)

    def _read_all(self, tasks: Sequence[Task], snapshot: str, writer: LandingWriter) -> None:
        """Read the tables side by side; the writer is called from this thread alone."""
        with ExitStack() as stack:
            readers = [stack.enter_context(self._reader(snapshot)) for _ in range(min(self.readers, len(tasks)))]
            idle: SimpleQueue[duckdb.DuckDBPyConnection] = SimpleQueue()
            for reader in readers:
                idle.put(reader)

            def read(task: Task) -> TableSpec:
                reader = idle.get()
                try:
                    self._access.run(lambda: self._read(reader, task), doing=f"reading table '{task.spec.name}'")
                finally:
                    idle.put(reader)
                return task.spec

            pool = stack.enter_context(ThreadPoolExecutor(max(len(readers), 1), thread_name_prefix="reader"))
            futures = [pool.submit(read, task) for task in tasks]
            try:
                for future in as_completed(futures):
                    writer.add(future.result())
            finally:
                # After a failure nobody wants the rest.
                for future in futures:
                    future.cancel()
                for reader in readers:
                    reader.interrupt()

    @contextmanager
    def _reader(self, snapshot: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open DuckDB in a transaction that sees the snapshot."""
        access = self._access
        settings: dict[str, str | bool | int | float | list[str]] = {
            "threads": self.readers,
            "memory_limit": f"{self.memory_bytes}B",
        }
        with duckdb.connect(config=settings) as connection:

            def enter() -> None:
                connection.execute("set timezone = 'UTC'")
                access.attach(connection, self.schema)
                connection.execute(f"set pg_connection_limit = {self.readers}")
                connection.execute("begin")
                command = f"set transaction snapshot {literal(snapshot)}"
                connection.execute(f"call postgres_execute('pg', {literal(command)})")

            access.run(enter, doing="importing the snapshot")
            yield connection

    def _read(self, reader: duckdb.DuckDBPyConnection, task: Task) -> None:
        columns = ", ".join(
            f"cast({identifier(column.name)} as {column.carried_as}) as {identifier(column.name)}"
            for column in task.table.columns
        )
        table = f"pg.{identifier(self.schema)}.{identifier(task.spec.name)}"
        target = literal(str(task.path))
        reader.execute(
            f"copy (select {columns} from {table}{task.condition}) to {target} (format parquet, compression zstd)"
        )
        self._refuse_nan(reader, task)

    def _refuse_nan(self, reader: duckdb.DuckDBPyConnection, task: Task) -> None:
        """Refuse numeric NaN: the scanner reads it as 0, without a word. Only tables with a 0 are asked."""
        if not task.table.decimals:
            return
        zeros = " or ".join(f"{identifier(name)} = 0" for name in task.table.decimals)
        if not reader.execute(
            f"select 1 from read_parquet({literal(str(task.path))}) where {zeros} limit 1"
        ).fetchone():
            return
        nans = " or ".join(f"{identifier(name)} = 'NaN'" for name in task.table.decimals)
        query = f"select 1 from {identifier(self.schema)}.{identifier(task.spec.name)} where {nans} limit 1"
        if reader.execute(f"select * from postgres_query('pg', {literal(query)})").fetchone():
            raise SourceRefused(
                f"table '{self.schema}.{task.spec.name}' of source '{self.name}' holds numeric NaN",
                expected="numbers or NULL",
                found=f"NaN in one of {', '.join(task.table.decimals)}",
                todo="correct the rows, or read a view that turns NaN into NULL",
            )
