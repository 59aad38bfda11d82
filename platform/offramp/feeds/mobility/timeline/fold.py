"""Fixes to stays and legs, over a whole history at once or over batches in order.

Days, builds and what arrives late are the matter of ``builds``; the rule itself is that of ``kernel`` and ``oracle``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from offramp.feeds.mobility.timeline.columns import (
    USER,
    Columns,
    Ranges,
    arrays,
    counts,
    in_order,
    is_rising,
    numbered,
    out_of_order,
    prove_order,
)
from offramp.feeds.mobility.timeline.kernel import Found, Opened, nothing_open, scan
from offramp.feeds.mobility.timeline.limits import limits_of
from offramp.feeds.mobility.timeline.oracle import scan_oracle
from offramp.feeds.mobility.timeline.tables import legs_of, stays_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from offramp.feeds.mobility.timeline.rule import Rule

NO_DAY = 1_000_000  # the year 4707: a day from which no state is wanted


class Folded(NamedTuple):
    """Stays and legs that closed, as ``tables.stays_of`` and ``tables.legs_of`` give them."""

    stays: pl.DataFrame
    legs: pl.DataFrame


def fold(fixes: pl.DataFrame | Iterable[pl.DataFrame], rule: Rule) -> Folded:
    """Return the stays and legs of fixes in any order, or of batches in order (see ``fold_batches``).

    Columns: app_id, user_id, tracked_at, latitude, longitude, and if there accuracy, speed, received_at. What is
    still open at the end is left out under PRODUCT.
    """
    if isinstance(fixes, pl.DataFrame):
        return _fold_frame(fixes, rule)
    parts = list(fold_batches(fixes, rule))
    if not parts:
        return _fold_frame(pl.DataFrame(schema=_EMPTY), rule)
    return Folded(pl.concat(part.stays for part in parts), pl.concat(part.legs for part in parts))


_EMPTY = pl.Schema(
    {
        "app_id": pl.String(),
        "user_id": pl.String(),
        "tracked_at": pl.Datetime("us"),
        "latitude": pl.Float64(),
        "longitude": pl.Float64(),
    }
)


def fold_batches(batches: Iterable[pl.DataFrame], rule: Rule) -> Iterator[Folded]:
    """Yield what closes with each batch. Batches stand by app_id, user_id, tracked_at and may cut a user anywhere.

    Held are one batch and what is open of its last user. Raises ContractBroken where the order falls.
    """
    carried: _Carried | None = None
    tail: pl.DataFrame | None = None
    for batch in batches:
        counted = batch.filter(counts(rule, batch.columns))
        rows = counted if tail is None else pl.concat((tail, counted))
        cut = _instants_end(rows)
        tail = rows[cut:]
        if cut:
            folded, carried = _fold_part(rows[:cut], carried, rule, is_end=False)
            yield folded
    if tail is not None and tail.height:
        folded, _ = _fold_part(tail, carried, rule, is_end=True)
        yield folded


class _Carried(NamedTuple):
    """The last user of a batch and what is open of it: rows that come first among its next ones, and sums."""

    user: pl.DataFrame
    rows: Columns
    opened: Opened


def _instants_end(rows: pl.DataFrame) -> int:
    """Return how many rows stand before those of the last instant: more of that may follow in the next batch."""
    if not rows.height:
        return 0
    is_last = pl.all_horizontal(pl.col(name) == pl.col(name).last() for name in (*USER, "tracked_at"))
    return rows.height - int(rows.select(is_last.sum()).item())


def _fold_part(fixes: pl.DataFrame, carried: _Carried | None, rule: Rule, *, is_end: bool) -> tuple[Folded, _Carried]:
    user, users = numbered(fixes, is_sorted=True)
    columns = arrays(fixes, user)
    prove_order(columns)
    known = users if carried is None or users[0].equals(carried.user) else pl.concat((carried.user, users))
    if not is_rising(known):
        raise out_of_order()
    columns = in_order(columns, rule)
    opened = nothing_open(users.height)
    if carried is not None:
        if users[0].equals(carried.user):
            if columns.time[0] <= carried.rows.time[-1]:
                raise out_of_order()
            columns = carried.rows.then(columns)
            opened.kind[:1], opened.times[:1], opened.sums[:1] = carried.opened
        elif rule.style == "oracle":
            columns = carried.rows.then(columns._replace(user=columns.user + 1))
            users = pl.concat((carried.user, users))
    limits = limits_of(rule)
    if rule.style == "oracle":
        stays, centres, legs, first = scan_oracle(columns.fixes, limits, is_end=is_end)
        left = _Carried(users[-1], _numbered_zero(columns.take(slice(first, None))), nothing_open(1))
    else:
        found = scan(columns.fixes, opened, limits, NO_DAY)
        stays, centres, legs = found.stays, found.centres, found.legs
        left = _Carried(users[-1], *last_open(found, columns))
    return Folded(stays_of(stays, centres, users), legs_of(legs, columns, users)), left


def last_open(found: Found, columns: Columns) -> tuple[Columns, Opened]:
    """Return what is open of the last user of a pass, as the first rows of a user numbered 0."""
    state = found.states[-1]
    opened = Opened(state[2:3].astype(np.int8), state[None, 3:5].copy(), found.state_sums[-1:].copy())
    rows, _ = columns.ranges(Ranges(*(state[column : column + 1] for column in range(5, 9))))
    return _numbered_zero(rows), opened


def _numbered_zero(columns: Columns) -> Columns:
    return columns._replace(user=np.zeros(len(columns.user), np.int64))


def _fold_frame(fixes: pl.DataFrame, rule: Rule) -> Folded:
    counted = fixes.filter(counts(rule, fixes.columns))
    user, users = numbered(counted, is_sorted=False)
    columns = in_order(arrays(counted, user), rule)
    limits = limits_of(rule)
    if rule.style == "oracle":
        stays, centres, legs, _ = scan_oracle(columns.fixes, limits, is_end=True)
    else:
        found = scan(columns.fixes, nothing_open(users.height), limits, NO_DAY)
        stays, centres, legs = found.stays, found.centres, found.legs
    return Folded(stays_of(stays, centres, users), legs_of(legs, columns, users))
