"""Frames of what a kernel found: stays, and legs with their points.

Nothing here decides anything; the rows stand in the order in which they begin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from offramp.feeds.mobility.timeline.columns import Ranges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.feeds.mobility.timeline.columns import Columns

CENTRE_DECIMALS = 7


def stays_of(stays: NDArray[np.int64], centres: NDArray[np.float64], users: pl.DataFrame) -> pl.DataFrame:
    """Return stays: app_id, user_id, started_at, ended_at, latitude, longitude, fixes."""
    return users[stays[:, 0]].with_columns(
        instants("started_at", stays[:, 1]),
        instants("ended_at", stays[:, 2]),
        pl.Series("latitude", centres[:, 0]).round(CENTRE_DECIMALS),
        pl.Series("longitude", centres[:, 1]).round(CENTRE_DECIMALS),
        pl.Series("fixes", stays[:, 3]),
    )


def legs_of(legs: NDArray[np.int64], columns: Columns, users: pl.DataFrame) -> pl.DataFrame:
    """Return legs: app_id, user_id, started_at, ended_at, closed_at, received_at, fixes, points.

    ``closed_at`` is when the fix that closed the leg was tracked, ``received_at`` when the last of its fixes and that
    one arrived.
    """
    ranges, closed = Ranges(legs[:, 1], legs[:, 2], legs[:, 4], legs[:, 5]), legs[:, 3]
    points, rows, offsets = points_of(columns, ranges)
    received = np.zeros(len(closed), np.int64)
    if len(closed):
        received = np.maximum(np.maximum.reduceat(rows.received, offsets[:-1]), columns.received[closed])
    return users[legs[:, 0]].with_columns(
        instants("started_at", ranges.at),
        instants("ended_at", columns.time[ranges.last]),
        instants("closed_at", columns.time[closed]),
        instants("received_at", received),
        pl.Series("fixes", np.diff(offsets)),
        points.alias("points"),
    )


def points_of(
    columns: Columns, ranges: Ranges, *, has_received: bool = False
) -> tuple[pl.Series, Columns, NDArray[np.int64]]:
    """Return the rows of ranges as lists of points, with all these rows and where each list begins."""
    rows, offsets = columns.ranges(ranges)
    fields = [
        instants("tracked_at", rows.time),
        pl.Series("latitude", rows.latitude),
        pl.Series("longitude", rows.longitude),
        pl.Series("speed", rows.speed, nan_to_null=True),
        pl.Series("accuracy", rows.accuracy, nan_to_null=True),
    ]
    if has_received:
        fields.append(instants("received_at", rows.received))
    # Arrays go to Arrow by way of polars: pyarrow would load pandas, where it is installed, to look at them.
    points = pl.DataFrame(fields).to_struct("points").to_arrow(compat_level=pl.CompatLevel.oldest())
    lists = pl.from_arrow(pa.LargeListArray.from_arrays(pl.Series(offsets).to_arrow(), points))
    assert isinstance(lists, pl.Series)  # noqa: S101  an array becomes a series
    return lists, rows, offsets


def instants(name: str, microseconds: NDArray[np.int64]) -> pl.Series:
    """Return microseconds since 1970 as a column of instants."""
    return pl.Series(name, microseconds).cast(pl.Datetime("us"))
