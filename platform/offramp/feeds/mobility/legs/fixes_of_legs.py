"""Points of legs as arrays for compiled passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.feeds.mobility.legs.spikes import Fixes

if TYPE_CHECKING:
    from numpy.typing import NDArray


def fixes_of(legs: pl.DataFrame) -> tuple[NDArray[np.int64], Fixes]:
    """Return where the fixes of each leg begin, with one more at the end, and the fixes of all legs.

    ``legs``: points: list of struct(tracked_at, latitude, longitude, speed in m/s or null, accuracy).
    """
    points = legs.get_column("points")
    lengths = points.list.len().fill_null(0).cast(pl.Int64).to_numpy()
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
    rows = points.explode(empty_as_null=False, keep_nulls=False).struct.unnest()
    seconds = rows.get_column("tracked_at").cast(pl.Datetime("us")).dt.epoch("us").to_numpy() / 1e6
    return offsets, Fixes(seconds, *(_numbers(rows, name) for name in Fixes._fields[1:]))


def _numbers(points: pl.DataFrame, name: str) -> NDArray[np.float64]:
    # Writable, though nothing writes: numba compiles anew for arrays that are not.
    return points.get_column(name).cast(pl.Float64).fill_null(float("nan")).to_numpy(writable=True)
