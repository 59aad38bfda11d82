"""The oracle's rows are those that trackintel 1.4.2 made: see expected/README.md."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from offramp.feeds.mobility.timeline.rule import ORACLE
from platform_tests.mobility.timeline.independent_comparison import EXACT, Rows, assert_same, expected, folded

EXPECTED = Path(__file__).parent / "expected"
# What the fixes have, the product's frame has more of.
FURTHER = {"accuracy": pl.lit(None, pl.Float64), "speed": pl.lit(None, pl.Float64), "received_at": pl.col("tracked_at")}


def recorded() -> tuple[pl.DataFrame, Rows]:
    fixes, stays, legs = (
        pl.read_parquet(EXPECTED / f"{name}.parquet").with_columns(pl.lit("a" * 24).alias("app_id"))
        for name in ("fixes", "staypoints", "triplegs")
    )
    stays, legs = (rows.rename({"finished_at": "ended_at"}) for rows in (stays, legs))
    key = ["app_id", "user_id", "tracked_at", "latitude", "longitude"]
    return fixes.with_columns(**FURTHER).select(*key, *FURTHER), Rows(
        stays.select(*EXACT, "latitude", "longitude"),
        legs.select(EXACT),
    )


@pytest.mark.parametrize("find", [folded, expected])
def test_the_oracle_equals_trackintel_row_for_row(find: object) -> None:
    fixes, rows = recorded()
    assert callable(find)
    assert_same(find(fixes, ORACLE), rows)


def test_the_recorded_rows_hold_what_is_hard() -> None:
    fixes, (stays, legs) = recorded()
    steps = fixes.select(pl.col("tracked_at").diff().over("user_id")).to_series().dt.total_microseconds()
    assert len(stays) > 200
    assert len(legs) > 100
    assert (steps == 0).any()
    assert (steps == 15 * 60_000_000).any()
    assert (stays["ended_at"] - stays["started_at"]).dt.total_microseconds().min() == 5 * 60_000_000
    assert (fixes["longitude"] > 179.9).any()
    assert (fixes["longitude"] < -179.9).any()
    assert (fixes["latitude"] > 84.9).any()
