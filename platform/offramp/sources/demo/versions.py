"""Row versions: what the log of a day holds, and the state that it leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from offramp.sources.demo.draw import instants

if TYPE_CHECKING:
    from collections.abc import Iterable

    from offramp.sources.demo.moments import Moments
    from offramp.sources.demo.table import DemoTable

COMMITTED = "_committed_at"
VERSION = "_version"
REMOVED = "_is_deleted"


def _zone(rows: pl.DataFrame, column: str) -> str | None:
    kind = rows.schema.get(column)
    return kind.time_zone if isinstance(kind, pl.Datetime) else None


def changed_at(table: DemoTable, rows: pl.DataFrame, when: Moments) -> pl.DataFrame:
    """Return rows with their change column moved; it never moves back."""
    column = table.change_column
    if column is None:
        return rows
    zone = _zone(rows, column)
    moved = pl.max_horizontal(pl.col(column), pl.lit(instants(when.changed, zone=zone)))
    return rows.with_columns(moved.alias(column))


def version(rows: pl.DataFrame, when: Moments, *, is_removed: bool = False) -> pl.DataFrame:
    """Return rows as their next versions, committed at the given moments."""
    before = pl.col(VERSION) if VERSION in rows.columns else pl.lit(0, pl.Int64)
    return rows.with_columns(
        instants(when.committed).alias(COMMITTED),
        (before + 1).alias(VERSION),
        pl.lit(is_removed).alias(REMOVED),
    )


def latest(table: DemoTable, frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the last version of each key, removed keys too, sorted by key."""
    every = pl.concat(frames, rechunk=True)
    return every.sort(*table.key, VERSION).unique(table.key, keep="last", maintain_order=True)


@dataclass(slots=True)
class State:
    """All tables at an instant: the last version of each key, removed keys too, so that no id is used twice."""

    tables: dict[str, pl.DataFrame] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """About how much memory the state takes."""
        return sum(int(rows.estimated_size()) for rows in self.tables.values())

    def rows(self, name: str) -> pl.DataFrame:
        """Return the rows that exist."""
        every = self.tables[name]
        return every.filter(~pl.col(REMOVED))

    def next_id(self, name: str) -> int:
        """Return the id after the highest that was ever used."""
        highest = self.tables[name].get_column("id").max()
        if not isinstance(highest, int):
            message = f"the ids of {name} are not numbers"
            raise TypeError(message)
        return highest + 1

    def apply(self, table: DemoTable, versions: pl.DataFrame) -> None:
        """Take new versions."""
        if len(versions):
            self.tables[table.name] = latest(table, [self.tables[table.name], versions])
