"""How well legs of a demo lie within the true ones: shares of time in the right mode, and modes by legs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from platform_tests.mobility.legs.confusion import confusion

if TYPE_CHECKING:
    from collections import Counter

_SECONDS = pl.duration(seconds=1)


def overlaps(legs: pl.DataFrame, true: pl.DataFrame) -> pl.DataFrame:
    """For each leg (event_id, mode, seconds) and each true mode within it: true_mode and right_seconds of overlap."""
    spans = true.select("user_id", true_mode="mode", true_start="started_at", true_end="ended_at")
    lasted = (pl.col("ended_at") - pl.col("started_at")) / _SECONDS
    both = pl.min_horizontal("ended_at", "true_end") - pl.max_horizontal("started_at", "true_start")
    return (
        legs.with_columns(seconds=lasted)
        .join(spans, on="user_id", how="left")
        .with_columns(both=pl.max_horizontal(both / _SECONDS, 0.0).fill_null(0.0))
        .group_by("event_id", "mode", "seconds", "true_mode")
        .agg(pl.col("both").sum())
        .sort("event_id", "both", "true_mode", nulls_last=True)
    )


def share_in_mode(found: pl.DataFrame) -> pl.DataFrame:
    """By mode: legs, those shorter than a minute, and the share of their time, and of true movement, in it."""
    by_leg = found.group_by("event_id", "mode", "seconds").agg(
        right=pl.col("both").filter(pl.col("true_mode") == pl.col("mode")).sum(), moving=pl.col("both").sum()
    )
    return (
        by_leg.group_by("mode")
        .agg(
            legs=pl.len(),
            tiny=(pl.col("seconds") < 60).sum(),
            share=(pl.col("right").sum() / pl.col("seconds").sum()).round(3),
            moving=(pl.col("right").sum() / pl.col("moving").sum()).round(3),
        )
        .sort("mode")
    )


def by_legs(found: pl.DataFrame) -> dict[str, Counter[str]]:
    """The confusion of legs: the true mode of each is the one that it shares most time with; without one it is out."""
    best = found.filter(pl.col("both") > 0).group_by("event_id").agg(pl.all().sort_by("both").last())
    return confusion(best["true_mode"].to_list(), best["mode"].to_list())
