"""Which leg is which: a leg that is found again keeps its event id, however late fixes changed it.

A new leg takes the id of the known one with which it shares most time, if that is more than half of the shorter of
both, though of one with the same start before any other; each known id goes to one leg at most. Any other leg is new,
and its id is the SHA-256 of app id, user id and start. Source: mobility_offloads.md, section 8, rule 5.
"""

from __future__ import annotations

import duckdb
import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

Times = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def with_identity(legs: pl.DataFrame, known: pl.DataFrame, *, start: pl.Expr, end: pl.Expr) -> pl.DataFrame:
    """Return legs with event_id, processed_at and is_new, in the same order.

    ``legs``: number (of the user), app_id, user_id, started_at, ended_at, closed_at, received_at, first_on: the first
    day that this build saw anew. ``known``: number, event_id, started_at, ended_at, processed_at, is_newest (false for
    what was superseded before). Both in the order of number and start; newest legs of a user do not overlap. A new
    leg is processed when the last of its fixes or the one that closed it arrived, within ``start`` and ``end``. A first
    build has no ``start`` (the earliest instant there is): what it finds of weeks was not driven on its day, and a
    recipient who gets one day of it gets what arrived on that day.

    A leg that closed before ``first_on`` was known then, whether or not the builds that are still read hold it. An id
    that was given to a leg of the same start, and is free now, is taken up again and is not new.
    """
    newest = known.filter("is_newest")
    mates = match(_times(legs), _times(newest))
    own = legs.select(pl.format("{}|{}|{}", "app_id", "user_id", pl.col("started_at").dt.strftime(_INSTANT)))
    given = pl.DataFrame(
        {
            "mate": pl.Series(mates, dtype=pl.Int64),
            "text": own.to_series(),
            "own_id": digests(own.to_series()),
        }
    ).with_columns(pl.col("mate").replace(-1, None))
    taken = newest.select("event_id", "processed_at").with_row_index("mate").cast({"mate": pl.Int64})
    given = given.join(taken, on="mate", how="left", maintain_order="left")
    in_use = given["event_id"].drop_nulls().implode()
    turn = 2
    while (is_taken := given["event_id"].is_null() & given["own_id"].is_in(in_use)).any():
        again = digests(given["text"] + f"|{turn}")
        given = given.with_columns(own_id=pl.when(is_taken).then(again).otherwise("own_id"))
        turn += 1
    once = known.group_by("event_id", maintain_order=True).agg(pl.col("processed_at").last().alias("once_at"))
    given = given.join(once, left_on="own_id", right_on="event_id", how="left", maintain_order="left")
    found = pl.coalesce("inherited_at", "once_at")
    arrived = pl.max_horizontal("received_at", start)
    is_known = found.is_not_null() | (pl.col("closed_at").dt.date() < pl.col("first_on"))
    return (
        legs.with_columns(
            given["event_id"].fill_null(given["own_id"]).alias("event_id"),
            given["processed_at"].alias("inherited_at"),
            given["once_at"],
        )
        .with_columns(
            is_new=~is_known,
            processed_at=found.fill_null(
                pl.when(is_known).then("received_at").otherwise(pl.min_horizontal(arrived, end))
            ),
        )
        .drop("inherited_at", "once_at")
    )


_INSTANT = "%Y-%m-%dT%H:%M:%S%.6f"


def digests(texts: pl.Series) -> pl.Series:
    """Return the SHA-256 of texts as 64 hex digits."""
    if not len(texts):
        return pl.Series("digest", [], dtype=pl.String)
    with duckdb.connect(config={"threads": 1}) as connection:
        given = connection.from_arrow(texts.alias("text").to_frame().to_arrow())
        found = pl.from_arrow(given.project("sha256(text) as digest").to_arrow_table())
    assert isinstance(found, pl.DataFrame)  # noqa: S101  a table becomes a frame
    return found["digest"]


def _times(legs: pl.DataFrame) -> Times:
    return (
        legs["number"].cast(pl.Int64).to_numpy(),
        legs["started_at"].cast(pl.Datetime("us")).to_physical().to_numpy(),
        legs["ended_at"].cast(pl.Datetime("us")).to_physical().to_numpy(),
    )


def match(legs: Times, known: Times) -> NDArray[np.int64]:
    """Return for each leg the row of the known leg that it is, or -1. Both by user, then time, without overlaps."""
    pairs, shared = _pairs(legs, known)
    # Those of one start first: a recipient knows a trip by user and start too, so the part that keeps the start keeps
    # the id. Then the most shared time, the earliest leg, the earliest known one.
    has_other_start = legs[1][pairs[:, 0]] != known[1][pairs[:, 1]]
    order = np.lexsort((pairs[:, 1], pairs[:, 0], -shared, has_other_start))
    return _mates(pairs[order], len(legs[0]), len(known[0]))


@njit(cache=True)
def _pairs(legs: Times, known: Times) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return all pairs that share more than half the time of the shorter, and how much that is."""
    rows, others = len(legs[0]), len(known[0])
    pairs = np.empty((rows + others, 2), np.int64)
    shared = np.empty(rows + others, np.int64)
    found = row = other = 0
    while row < rows and other < others:
        if legs[0][row] != known[0][other]:
            is_row_first = legs[0][row] < known[0][other]
        else:
            both = min(legs[2][row], known[2][other]) - max(legs[1][row], known[1][other])
            shorter = min(legs[2][row] - legs[1][row], known[2][other] - known[1][other])
            if both > 0 and 2 * both > shorter:
                pairs[found, 0], pairs[found, 1] = row, other
                shared[found] = both
                found += 1
            is_row_first = legs[2][row] <= known[2][other]
        if is_row_first:
            row += 1
        else:
            other += 1
    return pairs[:found], shared[:found]


@njit(cache=True)
def _mates(pairs: NDArray[np.int64], rows: int, others: int) -> NDArray[np.int64]:
    mates = np.full(rows, -1, np.int64)
    is_given = np.zeros(others, np.bool_)
    for pair in range(len(pairs)):
        row, other = pairs[pair, 0], pairs[pair, 1]
        if mates[row] < 0 and not is_given[other]:
            mates[row] = other
            is_given[other] = True
    return mates
