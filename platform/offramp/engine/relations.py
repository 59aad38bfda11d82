"""The SQL through which queries see relations: named subqueries before the query itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from offramp.domain.quoting import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from offramp.domain.landings import Relation

_BEGINS_WITH = re.compile(
    r"(?:\s|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*with\b\s*(?P<recursive>recursive\b)?\s*", re.IGNORECASE
)


def parquet_scan(uris: Sequence[str], *, is_uniform: bool = False) -> str:
    """Return the table function that reads files by column name; nothing is guessed from their paths.

    Where all files are known to be uniform, to have the same columns and types, only the first is opened to plan.
    """
    files = ", ".join(literal(uri) for uri in uris)
    union = ", union_by_name = true" if len(uris) > 1 and not is_uniform else ""
    return f"read_parquet([{files}], hive_partitioning = false{union})"


def relation_query(relation: Relation, stored: Mapping[str, str], *, is_uniform: bool = False) -> str:
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
    return f"select {chosen} from {parquet_scan(relation.uris, is_uniform=is_uniform)}"


def with_relations(sql: str, queries: Mapping[str, str]) -> str:
    """Return a query that can select from relations by their names.

    Views would do the same, but each is planned when it is made and again when it is used.
    """
    if not queries:
        return sql
    named = ", ".join(f"{identifier(name)} as not materialized ({query})" for name, query in queries.items())
    own = _BEGINS_WITH.match(sql)
    if own is None:
        return f"with {named} ({sql}\n)"
    return f"with {own['recursive'] or ''} {named}, {sql[own.end() :]}"
