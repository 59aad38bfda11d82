"""Comparison of the product's fold with other rows: exact in users, times, counts and points, near in centres."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from offramp.feeds.mobility.timeline.fold import fold
from offramp.feeds.mobility.timeline.rule import ORACLE, PRODUCT, Rule
from platform_tests.mobility.timeline import independent

RULES = {"oracle": ORACLE, "product": PRODUCT}
EXACT = ["app_id", "user_id", "started_at", "ended_at", "fixes"]
POINT = ["tracked_at", "latitude", "longitude"]
# What the rule says of closing is not the oracle's.
CLOSING = ["closed_at", "received_at"]
# Centres are means of the same fixes, added up in another way (1e-9 degrees), and ours are rounded to 7 decimals.
NEAR_DEGREES = 0.5e-7 + 1e-9


class Rows(NamedTuple):
    """Stays and legs in one order, the columns that are compared exactly first."""

    stays: pl.DataFrame
    legs: pl.DataFrame


def folded(fixes: pl.DataFrame, rule: Rule) -> Rows:
    """Return what the product's fold finds."""
    return _rows(*fold(fixes, rule), rule)


def expected(fixes: pl.DataFrame, rule: Rule) -> Rows:
    """Return what the independent implementation finds."""
    return _rows(*(independent.oracle if rule is ORACLE else independent.product)(fixes), rule)


def _rows(stays: pl.DataFrame, legs: pl.DataFrame, rule: Rule) -> Rows:
    points = pl.col("points").list.eval(pl.struct(pl.element().struct.field(name) for name in POINT))
    return Rows(
        stays.select(*EXACT, "latitude", "longitude").sort(EXACT),
        legs.select(*EXACT, points, *(CLOSING if rule is PRODUCT else [])).sort(EXACT),
    )


def assert_same(found: Rows, wanted: Rows) -> None:
    """Compare stays and legs row for row, all that the wanted ones have."""
    for name, ours, theirs in zip(Rows._fields, found, wanted, strict=True):
        exact = [column for column in theirs.columns if column not in {"latitude", "longitude"}]
        left, right = (rows.select(exact).cast({"fixes": pl.Int64}) for rows in (ours, theirs))
        assert left.equals(right), (
            f"{name}: ours only\n{left.join(right, on=EXACT, how='anti')}\n"
            f"{name}: theirs only\n{right.join(left, on=EXACT, how='anti')}\n"
            f"equal columns: {[one for one in exact if left[one].equals(right[one])]}"
        )
    assert_near(found.stays, wanted.stays)


def assert_near(found: pl.DataFrame, wanted: pl.DataFrame, *, degrees: float = NEAR_DEGREES) -> None:
    """Compare centres, longitudes around the globe."""
    north = (found["latitude"] - wanted["latitude"]).abs()
    east = ((found["longitude"] - wanted["longitude"] + 540) % 360 - 180).abs()
    assert (north <= degrees).all(), north.max()
    assert (east <= degrees).all(), east.max()
