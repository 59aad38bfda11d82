"""A landing writer that only keeps files, and the demo's tables as specs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb

from offramp.domain.landings import Increment, LandedFile, LandedTable, TableSpec
from offramp.sources.demo.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class FolderWriter:
    """A LandingWriter over a folder: a file per table, nothing removed, nothing shared."""

    folder: Path
    since: datetime | None = None
    added: list[str] = field(default_factory=list)
    landing_id: str = "test"
    kept_from: datetime | None = None
    kept: list[str] = field(default_factory=list)

    def path(self, table: TableSpec) -> Path:
        return self.folder / f"{table.name}.parquet"

    def read_from(self, table: TableSpec) -> datetime | None:
        assert table.increment is not None
        return self.since

    def landed_at(self, table: TableSpec) -> datetime | None:  # noqa: ARG002  the protocol's
        return self.kept_from

    def keep(self, table: TableSpec) -> LandedTable:
        self.kept.append(table.name)
        return LandedTable(table.name, (), ())

    def add(self, table: TableSpec) -> LandedTable:
        path = self.path(table)
        columns = duckdb.sql(f"describe select * from '{path}'").fetchall()
        count = duckdb.sql(f"select count(*) from '{path}'").fetchall()[0][0]
        self.added.append(table.name)
        return LandedTable(
            table.name,
            (LandedFile(path.name, count, path.stat().st_size, self.landing_id),),
            tuple((name, kind) for name, kind, *_ in columns),
        )


def specs_of(source: str, names: Iterable[str] = tuple(TABLES)) -> list[TableSpec]:
    """The demo's tables as dbt_like_sql would declare them."""
    return [
        TableSpec(
            source,
            name,
            TABLES[name].key,
            "tenant" if "tenant" in dict(TABLES[name].columns) else None,
            TABLES[name].change_column,
            Increment(TABLES[name].ingestion_column, timedelta(minutes=5), timedelta(days=7))
            if TABLES[name].is_log
            else None,
        )
        for name in names
    ]
