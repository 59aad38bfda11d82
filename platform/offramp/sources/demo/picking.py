"""Columns and moments that fit others: rows of the same tenant, one transaction, hundredths of an amount."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.moments import Moments
from offramp.sources.demo.schema import TENANTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.demo.draw import Draw


def picked_alike(draw: Draw, rows: pl.DataFrame, tenant: pl.Series, *, skew: float = 1.0) -> pl.DataFrame:
    """Return a row for each tenant of a column, out of that tenant's rows; a higher skew prefers early ones.

    A tenant that has no rows gets another tenant's: compare the column ``tenant`` where that can be.
    """
    ordered = rows.sort("tenant", maintain_order=True)
    names = ordered.get_column("tenant")
    starts = np.array([int((names < name).sum()) for name in TENANTS])
    sizes = np.array([int((names == name).sum()) for name in TENANTS])
    place = (tenant == TENANTS[1]).cast(pl.Int64).to_numpy()
    within: NDArray[np.float64] = sizes[place] * draw.rng.random(len(tenant)) ** skew
    chosen: NDArray[np.int64] = starts[place] + within.astype(np.int64)
    return ordered[np.minimum(chosen, len(ordered) - 1)]


def shared_moments(when: Moments, places: NDArray[np.int64]) -> Moments:
    """Return moments again for rows that are written in the same transactions."""
    return Moments(when.changed[places], when.committed[places])


def cents(amounts: pl.Series) -> pl.Series:
    """Return decimals of two digits as whole hundredths."""
    return amounts.to_physical().cast(pl.Int64)


def where(mask: pl.Series | NDArray[np.bool_], column: pl.Series) -> pl.Series:
    """Return a column that is NULL where a mask does not hold. Series.set does not take decimals."""
    return pl.select(pl.when(pl.Series(mask)).then(column)).to_series()
