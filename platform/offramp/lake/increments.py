"""What of a freshly read table is new: the SQL by which each row of an append-only table lands once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.domain.quoting import identifier
from offramp.lake.queries import scan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from offramp.lake.queries import Queries, Schema


def write_new_rows(
    queries: Queries,
    source: Path,
    target: Path,
    *,
    key: Sequence[str],
    known: Sequence[Path],
    column: str | None,
    read_from: datetime | None,
) -> int:
    """Write the rows of ``source`` whose key is in none of the ``known`` files, once each, sorted by key.

    Rows whose ingestion time lies before ``read_from`` were offered to an earlier landing and are left out, so
    that a source may give more than it was asked for. Of several rows with one key the first ingested stays.
    Returns the rows written.
    """
    schema = queries.schema(source)
    conditions = []
    if column is not None and read_from is not None:
        instant = f"timestamptz '{read_from.isoformat()}'"
        conditions.append(f"coalesce(fresh.{identifier(column)} >= {instant}, true)")
    if known:
        conditions.append(f"not exists (select 1 from {scan(known)} as known where {_same(key, 'fresh', 'known')})")
    where = f"where {' and '.join(conditions)}" if conditions else ""
    fresh = f"select fresh.* from {scan([source])} as fresh {where}"
    once = f"qualify row_number() over (partition by {_list(key)} order by {_rank(schema, column)}) = 1"
    # Ranking holds whole rows, counting keys does not: rank only where a key comes twice.
    repeated = f"select 1 from ({fresh}) group by {_list(key)} having count(*) > 1 limit 1"
    chosen = f"select * from ({fresh}) {once if queries.run(repeated) else ''}"
    return queries.write(f"{chosen} order by {_list(key)}", target)


def difference(files: Sequence[Path], others: Sequence[Path], key: Sequence[str]) -> str:
    """Return the SELECT of the rows of some files whose key is in none of the others, sorted by key."""
    return (
        f"select here.* from {scan(files)} as here where not exists "
        f"(select 1 from {scan(others)} as there where {_same(key, 'here', 'there')}) order by {_list(key)}"
    )


def _same(key: Sequence[str], one: str, other: str) -> str:
    return " and ".join(f"{one}.{identifier(name)} is not distinct from {other}.{identifier(name)}" for name in key)


def _list(names: Sequence[str]) -> str:
    return ", ".join(identifier(name) for name in names)


def _rank(schema: Schema, column: str | None) -> str:
    names = [name for name, _ in schema]
    first = [column] if column is not None else []
    return ", ".join(f"{identifier(name)} nulls last" for name in dict.fromkeys([*first, *names]))
