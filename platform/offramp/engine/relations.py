"""The SQL of the views through which queries see relations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.domain.quoting import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from offramp.domain.landings import Relation


def parquet_scan(uris: Sequence[str]) -> str:
    """Return the table function that reads files by column name; nothing is guessed from their paths."""
    files = ", ".join(literal(uri) for uri in uris)
    union = ", union_by_name = true" if len(uris) > 1 else ""
    return f"read_parquet([{files}], hive_partitioning = false{union})"


def view_query(relation: Relation, stored: Mapping[str, str]) -> str:
    """Return the SELECT of a relation with its declared columns.

    ``stored`` maps the columns that the files hold to their DuckDB types. A column that only later files would
    hold is NULL; a type that changed between landings is cast, and a value that does not fit fails the query.
    """
    columns = []
    for name, declared in relation.schema:
        column = identifier(name)
        if name not in stored:
            columns.append(f"cast(null as {declared}) as {column}")
        elif stored[name] != declared:
            columns.append(f"cast({column} as {declared}) as {column}")
        else:
            columns.append(column)
    chosen = ", ".join(columns)
    if not relation.uris:
        return f"select {chosen} where false"
    return f"select {chosen} from {parquet_scan(relation.uris)}"
