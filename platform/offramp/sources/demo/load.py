"""Brings a PostgreSQL database to the demo's state as of an instant, so that it can be landed as a real source."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from offramp.domain.quoting import identifier, literal
from offramp.sources.demo.schema import TABLES

if TYPE_CHECKING:
    from offramp.domain.ports import Progress
    from offramp.sources.demo.source import DemoSource
    from offramp.sources.demo.table import DemoTable

CHUNK_BYTES = 1 << 20
# A row's time of ingestion lies before it can be seen, by up to 90 seconds.
_INGESTION_OVERLAP = timedelta(minutes=5)


def load_demo(
    demo: DemoSource, dsn: str, *, schema: str, as_of: datetime, progress: Progress | None = None
) -> dict[str, int]:
    """Bring all tables to the demo's state as of an instant, in one transaction, and return their rows.

    Creates what is missing. A second call adds, changes and removes only what differs. The table ``demo_clock`` holds
    the instant as ``as_of``: with ``read_point_sql: select as_of from demo_clock`` a landing is as of then.
    """
    instant = as_of.astimezone(UTC)
    with (
        psycopg.connect(dsn, application_name="offramp demo", options="-c TimeZone=UTC") as connection,
        demo.connect() as reader,
        tempfile.TemporaryDirectory(prefix=".loading-", dir=demo.folder) as folder,
    ):
        _execute(connection, f"create schema if not exists {identifier(schema)}")
        _execute(connection, f"set local search_path = {identifier(schema)}")
        connection.execute("create table if not exists demo_clock (as_of timestamptz not null)")
        connection.execute("lock table demo_clock in exclusive mode")
        before = connection.execute("select as_of from demo_clock").fetchone()
        rows = {}
        for table in TABLES.values():
            _create(connection, table)
            since = before[0] - _INGESTION_OVERLAP if before and table.is_log and before[0] <= instant else None
            file = Path(folder) / f"{table.name}.csv"
            query = demo.select_as_of(table.name, instant, since=since)
            # Every text is enclosed, so that '' and NULL stay two things.
            reader.execute(f"copy ({query}) to {literal(str(file))} (format csv, header false, force_quote *)")
            rows[table.name] = _merge(connection, table, file, keeps_others=since is not None)
            file.unlink()
            if progress is not None:
                progress(f"load {table.name}", rows=rows[table.name])
        connection.execute("delete from demo_clock")
        connection.execute("insert into demo_clock values (%s)", [instant])
    return rows


def _create(connection: psycopg.Connection[Any], table: DemoTable) -> None:
    columns = ", ".join(f"{identifier(name)} {kind}" for name, kind in table.columns)
    _execute(connection, f"create table if not exists {table.name} ({columns}, primary key ({', '.join(table.key)}))")


def _merge(connection: psycopg.Connection[Any], table: DemoTable, file: Path, *, keeps_others: bool) -> int:
    """Make a table hold exactly a file's rows, or with ``keeps_others`` at least them; return the table's rows."""
    _execute(connection, f"create temp table incoming (like {table.name}) on commit drop")
    with (
        connection.cursor() as cursor,
        cursor.copy("copy incoming from stdin (format csv)") as copy,
        file.open("rb") as content,
    ):
        while chunk := content.read(CHUNK_BYTES):
            copy.write(chunk)
    connection.execute("analyze incoming")
    if not keeps_others:
        same = " and ".join(f"i.{name} = t.{name}" for name in table.key)
        _execute(connection, f"delete from {table.name} as t where not exists (select from incoming as i where {same})")
    others = [(identifier(name), kind) for name, kind in table.columns if name not in table.key]
    taken, values = (", ".join(f"{prefix}{name}" for name, _ in others) for prefix in ("", "excluded."))
    mine, theirs = (", ".join(_comparable(f"{row}.{name}", kind) for name, kind in others) for row in ("t", "excluded"))
    _execute(
        connection,
        f"insert into {table.name} as t select * from incoming on conflict ({', '.join(table.key)}) do update "
        f"set ({taken}) = row({values}) where row({mine}) is distinct from row({theirs})",
    )
    connection.execute("drop table incoming")
    row = _execute(connection, f"select count(*) from {table.name}").fetchone()
    return int(row[0]) if row else 0


def _comparable(column: str, kind: str) -> str:
    # PostgreSQL's json has no equality; its text is kept as it was written.
    return f"{column}::text" if kind == "json" else column


def _execute(connection: psycopg.Connection[Any], statement: str) -> psycopg.Cursor[Any]:
    # psycopg wants literal texts; the names in these are the demo's own, and the schema is quoted.
    return connection.execute(statement.encode())
