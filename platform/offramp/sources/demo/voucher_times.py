"""When rows of the voucher service are made and change: in UTC, dated in microseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.draw import SECOND, Draw, instants
from offramp.sources.demo.moments import Moments
from offramp.sources.demo.schema import TABLES, TENANTS
from offramp.sources.demo.versions import changed_at, version

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.demo.chapter import Shift


def utc(values: NDArray[np.int64]) -> pl.Series:
    """Return microseconds since 1970 as times with the zone UTC."""
    return instants(values, zone="UTC")


def instant(microseconds: int) -> pl.Expr:
    """Return an instant in microseconds as a time with the zone UTC."""
    return pl.lit(microseconds).cast(pl.Datetime("us", "UTC"))


def numbers(column: pl.Series) -> NDArray[np.int64]:
    """Return times as microseconds since 1970."""
    return column.cast(pl.Int64).to_numpy()


def finer(draw: Draw, when: Moments) -> Moments:
    """Voucher tables come from a system that dates changes in microseconds."""
    return Moments(np.minimum(when.changed + draw.whole(0, SECOND, len(when.changed)), when.committed), when.committed)


def not_before(when: Moments, column: pl.Series) -> NDArray[np.int64]:
    """Return when rows are made that need others: a change that is noted late may be older than what it needs."""
    return np.maximum(when.changed, numbers(column))


def nulled(column: pl.Series, where: NDArray[np.bool_]) -> pl.Series:
    """Return a column that is NULL where a mask holds."""
    return column.set(pl.Series(where), None)


def turns_of_tenants(draw: Draw, n: int) -> tuple[NDArray[np.int64], pl.Series]:
    """Return running numbers from anywhere, and the tenants that take turns by them."""
    turn = np.arange(n) + draw.whole(0, 6, 1) * (n < 6)
    return turn, pl.Series(TENANTS).gather(turn % len(TENANTS))


def next_versions(shift: Shift, table: str, rows: pl.DataFrame, /, **columns: pl.Expr | pl.Series) -> pl.DataFrame:
    """Return the next versions of rows, with some columns set and changes dated in microseconds."""
    when = finer(shift.draw, shift.moments(len(rows)))
    return version(changed_at(TABLES[table], rows, when).with_columns(**columns), when)
