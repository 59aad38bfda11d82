"""Landings: consistent copies of a source's tables, and the relations that engines read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Increment:
    """How an append-only table lands: by ingestion order, each row once.

    ``column`` is the ingestion time; without it every row is re-read and rows whose key landed within
    ``lookback`` are left out. ``overlap`` is how far behind the last read point the re-read starts, so that
    a transaction that was open then is not lost (media_exports.md section 7).
    """

    column: str | None
    overlap: timedelta
    lookback: timedelta


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table to land. ``tenant_column`` is None only where the table is shared by all tenants."""

    source: str
    name: str
    key: tuple[str, ...]
    tenant_column: str | None
    change_column: str | None = None
    increment: Increment | None = None

    @property
    def is_shared(self) -> bool:
        """True where every tenant may see every row."""
        return self.tenant_column is None


@dataclass(frozen=True, slots=True)
class LandedFile:
    """A Parquet file of a landed table. ``landing_id`` is the landing that wrote it.

    ``uri`` is relative to the lake; bytes and rows are those of this file.
    """

    uri: str
    rows: int
    bytes: int
    landing_id: str


@dataclass(frozen=True, slots=True)
class LandedTable:
    """A table as of a landing: the files to read, oldest first, and its columns as (name, DuckDB type)."""

    name: str
    files: tuple[LandedFile, ...]
    schema: tuple[tuple[str, str], ...]

    @property
    def rows(self) -> int:
        """Rows over all files."""
        return sum(file.rows for file in self.files)


@dataclass(frozen=True, slots=True)
class Landing:
    """One consistent copy of a source's tables.

    ``data_as_of`` is the read point: every row committed at or before it is in, none committed after it.
    """

    id: str
    source: str
    data_as_of: datetime
    tables: tuple[LandedTable, ...]

    def table(self, name: str) -> LandedTable:
        """Return a table by name; a KeyError if it did not land."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Relation:
    """What an engine reads under a name: Parquet files and their columns as (name, DuckDB type).

    ``uris`` are absolute paths or object URLs. No uris means a relation without rows.
    """

    name: str
    uris: tuple[str, ...]
    schema: tuple[tuple[str, str], ...]
