"""What a chapter of the demo's life is given, and what it returns.

A chapter owns some tables. It begins them once and lives them part by part of a day. All chapters of a part are drawn
from the state that the part before left: rows point only to rows that were there before, so that references hold at
every instant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl

from offramp.sources.demo.draw import DAY, HOUR, SECOND, Draw, instants
from offramp.sources.demo.moments import Moments, Part, moments
from offramp.sources.demo.schema import TABLES
from offramp.sources.demo.versions import COMMITTED, REMOVED, VERSION, State, changed_at, version

INGESTED = "ingested_at"

First: TypeAlias = Mapping[str, pl.DataFrame]
Versions: TypeAlias = Mapping[str, Sequence[pl.DataFrame]]


@dataclass(frozen=True, slots=True)
class Beginning:
    """The instant before the first day. ``state`` holds the tables of the chapters before this one."""

    draw: Draw
    state: State
    midnight: int
    scale: float

    def count(self, mean: float, least: int) -> int:
        """Return how many rows there are: ``mean`` at scale 1, never less than ``least``."""
        return max(least, round(mean * self.scale))

    def before(self, n: int, *, days: int = 365) -> Moments:
        """Return moments of rows that changed within so many days before, rising, all visible at the first midnight."""
        changed = np.sort(self.midnight - self.draw.whole(DAY, days * DAY, n)) // SECOND * SECOND
        return Moments(changed, np.full(n, self.midnight, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Shift:
    """One part of one day. ``state`` is as the part before left it, ``number`` counts days from 0."""

    draw: Draw
    state: State
    number: int
    midnight: int
    part: Part
    scale: float

    @property
    def share(self) -> float:
        """This part's share of a day's changes."""
        return self.part.value[2]

    def count(self, mean_a_day: float) -> int:
        """Return how often something happens that happens so often a day, on average. Scale is the caller's."""
        return self.draw.count(mean_a_day * self.share)

    def moments(self, n: int) -> Moments:
        """Draw when n changes happen and become visible."""
        return moments(self.draw, self.midnight, self.part, n)

    def choose(self, rows: pl.DataFrame, n: int) -> pl.DataFrame:
        """Return n different rows, or all of them in any order where there are fewer."""
        n = min(n, len(rows))
        return rows[self.draw.rng.choice(len(rows), n, replace=False).astype(np.uint32)]

    def change(self, name: str, rows: pl.DataFrame, **columns: pl.Expr | pl.Series) -> pl.DataFrame:
        """Return the next versions of existing rows with some columns set and the change column moved."""
        when = self.moments(len(rows))
        return version(changed_at(TABLES[name], rows, when).with_columns(**columns), when)

    def remove(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return versions that take rows away for good; nothing may point to them any more."""
        return version(rows, self.moments(len(rows)), is_removed=True)


@dataclass(frozen=True, slots=True)
class Chapter:
    """Some tables and how they live. ``begin`` gives first versions, ``live`` the versions and log rows of a part."""

    begin: Callable[[Beginning], First]
    live: Callable[[Shift], Versions]


def logged(rows: pl.DataFrame, when: Moments) -> pl.DataFrame:
    """Return log rows as they are committed at the given moments. ``id`` is given later, in the order of ingestion."""
    return rows.with_columns(instants(when.committed).alias(COMMITTED))


def ingested(name: str, frames: Sequence[pl.DataFrame], shift: Shift, *, first_id: int) -> pl.DataFrame:
    """Return a part's log rows of a table in the order of their ingestion, with what every log row has."""
    rows = pl.concat(frames, rechunk=True)
    n = len(rows)
    committed = rows.get_column(COMMITTED).cast(pl.Int64).to_numpy()
    # Rows of a longer transaction carry a time of ingestion well before they can be seen.
    is_long = shift.draw.chance(0.05, n)
    open_for = np.where(is_long, shift.draw.whole(5 * SECOND, 90 * SECOND, n), shift.draw.whole(0, SECOND, n))
    start = shift.midnight + shift.part.value[0] * HOUR
    at = instants(np.maximum(committed - open_for, start))
    change = TABLES[name].change_column
    rows = rows.with_columns(at.alias(INGESTED)).sort(INGESTED, maintain_order=True)
    if change is not None:
        rows = rows.with_columns(pl.min_horizontal(change, pl.col(INGESTED).dt.truncate("1s")).alias(change))
    if TABLES[name].key == ("id",):
        rows = rows.with_columns(pl.int_range(first_id, first_id + n, dtype=pl.Int64).alias("id"))
    return rows.select(
        *(column for column, _ in TABLES[name].columns),
        COMMITTED,
        pl.lit(1, pl.Int64).alias(VERSION),
        pl.lit(value=False).alias(REMOVED),
    )
