"""What is foretold of subscriptions: a run of the churn model each week, and a set to train it on another day.

Each tenant has runs of its own, so that deciles are right within what a tenant is sent. Runs begin at night and are
written in one transaction. A run that falls on a quiet day is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.chapter import logged
from offramp.sources.demo.draw import DAY, HOUR, MINUTE, SECOND, decimals, instants, spoil
from offramp.sources.demo.moments import Moments, Part
from offramp.sources.demo.offers import STOPPED, OrderStatus, is_subscription
from offramp.sources.demo.words import CHURN_REASONS

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from offramp.sources.demo.chapter import Beginning, First, Shift, Versions
    from offramp.sources.demo.draw import Draw

_HORIZON_DAYS = 30
# The first day of each, and of every seventh after it.
_SCORED_ON, _TRAINED_ON = 1, 0
_ROWS_A_SECOND = 50


def begin(_: Beginning) -> First:
    """Return nothing: both tables are logs, which begin with the first run."""
    return {}


def live(shift: Shift) -> Versions:
    """Return the rows of the run that is due in a part of a day."""
    if shift.part is not Part.NIGHT:
        return {}
    if shift.number % 7 == _SCORED_ON:
        return {"churn_predict": [_scored(shift)]}
    if shift.number % 7 == _TRAINED_ON:
        return {"churn_training": [_trained(shift)]}
    return {}


def _scored(shift: Shift) -> pl.DataFrame:
    """Return a probability for each active subscription, and its tenth among those of its run."""
    draw, now = shift.draw, pl.lit(_instant(shift.midnight))
    is_active = (pl.col("status_id") == OrderStatus.ACTIVE) & (pl.col("startdate") <= now) & (pl.col("enddate") > now)
    orders = shift.state.rows("users_access").filter(is_active & is_subscription())
    n = len(orders)
    is_stopped = (orders.get_column("autorenew_status") == STOPPED).to_numpy()
    errors = orders.get_column("autorenew_errors").to_numpy()
    weeks = _tenure(orders, shift.midnight).to_numpy() / 7
    odds = 2.6 * is_stopped + 0.9 * errors - 0.5 * np.log1p(weeks) - 1.0 + draw.rng.normal(0.0, 0.9, n)
    millionths = pl.Series((1_000_000 / (1 + np.exp(-odds))).astype(np.int64))
    reason = spoil(draw.pick(CHURN_REASONS, n), errors > 0, "autorenew_errors")
    reason = spoil(reason, is_stopped, "autorenew_status")
    # Of what is written, not of the odds: equal probabilities never lie two deciles apart.
    rank = pl.col("_millionths").rank("ordinal").over("tenant").cast(pl.Int64)
    rows = orders.with_columns(millionths.alias("_millionths")).select(
        _run("churn", shift.midnight),
        pl.col("id").alias("users_access_id"),
        "user_id",
        "product_group_id",
        pl.lit(f"gbm-3.{shift.number // 28}").alias("model_version"),
        pl.lit(_instant(shift.midnight - DAY)).cast(pl.Date).alias("feature_date"),
        pl.lit(_HORIZON_DAYS, pl.Int64).alias("horizon_days"),
        decimals(millionths, 7, 6).alias("churn_probability"),
        ((rank - 1) * 10 // pl.len().over("tenant").cast(pl.Int64) + 1).alias("churn_decile"),
        spoil(reason, draw.chance(0.04, n)).alias("top_reason"),
        "tenant",
    )
    return _written(shift, rows, "scored_at")


def _trained(shift: Shift) -> pl.DataFrame:
    """Return what was known of the subscriptions of a horizon ago, and whether they ended within it."""
    draw, then = shift.draw, shift.midnight - _HORIZON_DAYS * DAY
    as_of = pl.lit(_instant(then))
    began = ~pl.col("status_id").is_in([OrderStatus.INITIALISED, OrderStatus.FAILED])
    was_active = began & (pl.col("startdate") < as_of) & (pl.col("enddate") > as_of)
    orders = shift.state.rows("users_access").filter(was_active & is_subscription())
    has_ended = (orders.get_column("status_id") != OrderStatus.ACTIVE).to_numpy()
    # Not those of the order: what a renewal met later may not leak into the features.
    errors = np.where(draw.chance(0.12, len(orders)) & has_ended, 2, draw.chance(0.03, len(orders)))
    rows = orders.select(
        _run("training", shift.midnight),
        pl.col("id").alias("users_access_id"),
        "user_id",
        pl.lit(_instant(then - DAY)).cast(pl.Date).alias("feature_date"),
        pl.lit(_HORIZON_DAYS, pl.Int64).alias("horizon_days"),
        pl.Series("label_churned", has_ended),
        _tenure(orders, then).alias("tenure_days"),
        "product_group_id",
        _period_days(pl.col("period")).alias("period_days"),
        "price",
        pl.col("voucher_code").is_not_null().alias("voucher_used"),
        pl.Series("autorenew_errors", errors.astype(np.int64)),
        *_use(draw, has_ended),
        _profiles(shift, orders, then).alias("profiles_count"),
        "tenant",
    )
    return _written(shift, rows, "built_at")


def _use(draw: Draw, has_ended: NDArray[np.bool_]) -> list[pl.Series]:
    """Return how subscriptions were used. The numbers agree with each other; views are not counted for them."""
    n = len(has_ended)
    month = np.where(draw.chance(0.2, n), 0, draw.rng.poisson(np.where(has_ended, 5.0, 14.0)))
    week = draw.rng.binomial(month, 7 / 30)
    earlier = month - week
    fewest, most = np.sign(week) + np.sign(earlier), np.minimum(week, 7) + np.minimum(earlier, 23)
    days = fewest + ((most - fewest + 1) * draw.rng.random(n)).astype(np.int64)
    since = np.where(week > 0, draw.whole(0, 7, n), draw.whole(7, 30, n))
    platforms = np.minimum(days, draw.whole(1, 5, n))
    hours = month * draw.whole(5, 90, n)
    columns = {"views_7d": week, "views_30d": month, "active_days_30d": days, "platforms_30d": platforms}
    return [
        *(pl.Series(name, values.astype(np.int64)) for name, values in columns.items()),
        decimals(pl.Series(hours), 9, 2).alias("watched_hours_30d"),
        pl.Series("days_since_last_view", since).set(pl.Series(month == 0), None),
        pl.Series("logins_30d", draw.rng.poisson(1 + month / 5).astype(np.int64)),
    ]


def _profiles(shift: Shift, orders: pl.DataFrame, then: int) -> pl.Series:
    """Return how many sub-profiles the users of orders had."""
    profiles = shift.state.rows("users_profiles").filter(pl.col("registered") < _instant(then))
    counts = profiles.group_by("user_id").len("count")
    counted = orders.select("user_id").join(counts, on="user_id", how="left", maintain_order="left")
    return counted.get_column("count").cast(pl.Int64).fill_null(0)


def _period_days(period: pl.Expr) -> pl.Expr:
    """Return the days of P<n>D, P<n>M or PT<n>S; a month counts as 30."""
    number = period.str.extract(r"(\d+)").cast(pl.Int64)
    is_days, is_seconds = period.str.ends_with("D"), period.str.ends_with("S")
    return pl.when(is_days).then(number).when(is_seconds).then(number // (DAY // SECOND)).otherwise(number * 30)


def _tenure(orders: pl.DataFrame, midnight: int) -> pl.Series:
    """Return the whole days from the start of orders to a midnight."""
    return (midnight - orders.get_column("startdate").cast(pl.Int64)) // DAY


def _run(kind: str, midnight: int) -> pl.Expr:
    """Return the name of a run: what it makes, the day that begins, whose rows it reads."""
    return pl.concat_str(pl.lit(f"{kind}-{_instant(midnight):%Y-%m-%d}-"), "tenant").alias("run_id")


def _instant(microseconds: int) -> datetime:
    instant: datetime = instants(np.array([microseconds])).item()
    return instant


def _written(shift: Shift, rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return a run's log rows: made one after the other in the small hours, visible all at once."""
    begins = shift.midnight + int(shift.draw.whole(2 * HOUR, 4 * HOUR, 1)[0]) // SECOND * SECOND
    n = len(rows)
    changed = begins + np.arange(n) // _ROWS_A_SECOND * SECOND
    # Rows can say that they were ingested up to 90 s before they could be seen.
    committed = np.full(n, begins + n // _ROWS_A_SECOND * SECOND + 2 * MINUTE)
    when = Moments(changed, committed)
    return logged(rows.with_columns(instants(changed).alias(column)), when)
