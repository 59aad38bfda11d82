"""What tables hold: the server's catalogue, and which of its types can be carried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from offramp.domain.errors import SourceRefused, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

    from offramp.domain.landings import TableSpec

# What DuckDB's scanner reads exactly. Anything else it would guess at (numeric without a scale becomes a double).
_CARRIED = {
    "int2": "SMALLINT", "int4": "INTEGER", "int8": "BIGINT", "float4": "FLOAT", "float8": "DOUBLE", "bool": "BOOLEAN",
    "text": "VARCHAR", "varchar": "VARCHAR", "bpchar": "VARCHAR", "name": "VARCHAR", "date": "DATE",
    "timestamp": "TIMESTAMP", "timestamptz": "TIMESTAMPTZ", "uuid": "UUID", "json": "JSON", "jsonb": "JSON",
    "bytea": "BLOB",
}  # fmt: skip
INSTANTS = ("TIMESTAMP", "TIMESTAMPTZ")

_CATALOGUE = """
    select c.relname, a.attname, t.typname, t.typtype, a.atttypmod, format_type(a.atttypid, a.atttypmod),
           has_table_privilege(c.oid, 'select'), greatest(c.relpages, 0)
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    join pg_type t on t.oid = a.atttypid
    where n.nspname = %s and c.relkind in ('r', 'p', 'v', 'm', 'f')
    order by c.relname, a.attnum
"""


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column of the server: its type there, and the DuckDB type that carries it; None if nothing does."""

    name: str
    type: str
    carried_as: str | None


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table of the server. ``pages`` is the planner's estimate of its size."""

    name: str
    columns: tuple[SourceColumn, ...]
    is_readable: bool
    pages: int

    def column(self, name: str) -> SourceColumn | None:
        """Return a column by name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def decimals(self) -> tuple[str, ...]:
        """The names of the numeric columns."""
        return tuple(c.name for c in self.columns if c.carried_as and c.carried_as.startswith("DECIMAL"))


def read_catalogue(connection: psycopg.Connection[Any], schema: str) -> dict[str, SourceTable]:
    """Return the tables and views of a schema by name."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for row in connection.execute(_CATALOGUE, [schema]):
        found.setdefault(row[0], []).append(row)
    return {
        name: SourceTable(
            name,
            tuple(SourceColumn(row[1], row[5], _carried(row[2], row[3], row[4])) for row in rows),
            bool(rows[0][6]),
            int(rows[0][7]),
        )
        for name, rows in found.items()
    }


def _carried(type_name: str, type_kind: str, modifier: int) -> str | None:
    if type_kind == "e":
        return "VARCHAR"
    if type_name == "numeric":
        if modifier < 0:
            return None
        # PostgreSQL packs both into one number; a scale is an 11-bit value with a sign.
        precision, scale = (modifier - 4) >> 16 & 0xFFFF, ((modifier - 4) & 0x7FF ^ 1024) - 1024
        return f"DECIMAL({precision},{scale})" if precision <= 38 and 0 <= scale <= precision else None
    return _CARRIED.get(type_name) if type_kind == "b" else None


def check(source: str, schema: str, tables: Mapping[str, SourceTable], spec: TableSpec) -> SourceTable:
    """Return the table of a spec; SourceRefused if it, a column or a type is not there or cannot be carried."""
    table = tables.get(spec.name)
    if table is None:
        raise SourceRefused(
            f"source '{source}' has no table '{spec.name}' in schema '{schema}'", todo=nearest(spec.name, tables)
        )
    if not table.is_readable:
        raise SourceRefused(
            f"source '{source}' may not read table '{schema}.{spec.name}'",
            todo=f"grant select on {schema}.{spec.name} to the user of the dsn",
        )
    place = f"{schema}.{spec.name}' of source '{source}"
    increment = spec.increment.column if spec.increment else None
    names = [column.name for column in table.columns]
    for wanted in (*spec.key, spec.tenant_column, spec.change_column, increment):
        if wanted is not None and wanted not in names:
            raise SourceRefused(
                f"table '{place}' has no column '{wanted}'",
                todo=nearest(wanted, names),
            )
    for column in table.columns:
        if column.carried_as is None:
            raise SourceRefused(
                f"column '{column.name}' of table '{place}' cannot be carried exactly",
                expected=f"numeric(p,s) with p up to 38 and s from 0 to p, an enum, or one of {', '.join(_CARRIED)}",
                found=column.type,
                todo="read a view of the table that casts the column or leaves it out",
            )
    if increment is not None and (by := table.column(increment)) is not None and by.carried_as not in INSTANTS:
        raise SourceRefused(
            f"column '{increment}' of table '{place}' cannot order an increment",
            expected="timestamp or timestamptz",
            found=by.type,
        )
    return table
