"""The demo's orders: users buy, renew, upgrade, stop, and are credited."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo import care, purchases
from offramp.sources.demo.draw import DAY, HOUR, SECOND, Draw, instants
from offramp.sources.demo.moments import Moments, Part
from offramp.sources.demo.offers import (
    GRACE,
    NOT_STARTED,
    RENEWS,
    STOPPED,
    OrderStatus,
    after_periods,
    is_subscription,
    offers,
)
from offramp.sources.demo.picking import picked_alike
from offramp.sources.demo.schema import TABLES
from offramp.sources.demo.versions import changed_at, version

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.demo.chapter import Beginning, First, Shift, Versions

# A renewal is tried so often before the order ends.
_TRIES = 3


def begin(beginning: Beginning) -> First:
    """Return the orders with which the demo begins, bought within the two years before, and what care knows of them."""
    draw, midnight = beginning.draw, beginning.midnight
    users = beginning.state.rows("users").filter(~pl.col("deleted"))
    n = round(0.4 * len(users))
    buyers = users[draw.rng.choice(len(users), n, replace=False).astype(np.uint32)]
    signed_up = buyers.get_column("registration_date").cast(pl.Int64).to_numpy()
    # One in thirty bought yesterday, so that some orders are still on their way.
    since = np.where(draw.chance(0.03, n), np.maximum(signed_up, midnight - DAY), signed_up)
    bought = since + ((midnight - HOUR - since) * draw.rng.random(n)).astype(np.int64)
    by_time = np.argsort(bought, kind="stable")
    buyers, bought = buyers[by_time], bought[by_time] // SECOND * SECOND
    when = Moments(bought, np.full(n, midnight, dtype=np.int64))
    offered = picked_alike(draw, offers(beginning.state), buyers.get_column("tenant"), skew=2.0)
    orders = purchases.new_orders(draw, beginning.state, purchases.baskets(buyers, offered), when, first_id=1)
    orders = version(_lived(draw, orders, offered, midnight), when)
    return {"users_access": orders, "users_access_crm": care.first_crm(draw, orders, buyers)}


def live(shift: Shift) -> Versions:
    """Return the versions of one part of a day: renewals at night, purchases and stops by day, care in office hours."""
    orders = shift.state.rows("users_access")
    changed, crm = [_settled(shift, orders)], []
    vouchers: list[pl.DataFrame] = []
    if shift.part is Part.NIGHT:
        changed.append(_renewed(shift, orders))
    else:
        stopped, upgraded, others = _stopped(shift, orders)
        bought, replaced, used = purchases.bought(shift, orders, upgraded)
        changed += [stopped, *others, replaced, bought]
        vouchers.append(used)
        crm += [care.new_crm(shift, bought), care.reasons(shift, stopped)]
    comments = [care.comments(shift, orders)] if shift.part is Part.WORK else []
    return {
        "users_access": changed,
        "users_access_crm": crm,
        "users_access_comments": comments,
        "vouchers": vouchers,
    }


def _lived(draw: Draw, orders: pl.DataFrame, offered: pl.DataFrame, midnight: int) -> pl.DataFrame:
    """Return orders of the past as they are at midnight: renewed up to then, or ended on the way."""
    rows, begun = _periods(orders, offered, midnight)
    n, renews = len(rows), rows.select(is_subscription()).to_series().to_numpy()
    age, length = (rows.get_column(name).to_numpy() for name in ("_age", "_seconds"))
    kept = draw.rng.geometric(np.where(length > 100 * DAY // SECOND, 0.3, 0.06), n)
    lasted = np.minimum(np.where(renews, kept, 1), begun)
    is_over, fate = lasted < begun, draw.rng.random(n)
    at_once = is_over & (lasted == 1) & renews
    status = np.select(
        [at_once & (fate < 0.2), at_once & (fate < 0.35), is_over, age < DAY // 4 // SECOND],
        [OrderStatus.FAILED, OrderStatus.CREDITED, OrderStatus.TERMINATED, OrderStatus.INITIALISED],
        OrderStatus.ACTIVE,
    ).astype(np.int64)
    is_failed = status == OrderStatus.FAILED
    stops = renews & (is_over | (fate > 0.85)) & ~is_failed & (status != OrderStatus.INITIALISED)
    autorenew = np.select([stops, renews & (status == OrderStatus.ACTIVE)], [STOPPED, RENEWS], NOT_STARTED)
    paid_until = after_periods(pl.col("startdate"), pl.col("_length"), pl.col("active_periods"))
    failed, grace = pl.lit(pl.Series(is_failed)), pl.col("access_end_date").is_not_null()
    rows = rows.with_columns(
        status_id=pl.Series(status),
        autorenew_status=pl.Series(autorenew.astype(np.int64)),
        active_periods=pl.Series(lasted),
    ).with_columns(
        enddate=pl.when(failed).then("startdate").otherwise(paid_until),
        access_end_date=pl.when(grace & ~failed).then(paid_until.dt.offset_by(GRACE)),
        last_activity_date=after_periods(pl.col("startdate"), pl.col("_length"), pl.col("active_periods") - 1),
    )
    return _stopped_before(draw, rows, stops, is_over, midnight).select(orders.columns)


def _periods(orders: pl.DataFrame, offered: pl.DataFrame, midnight: int) -> tuple[pl.DataFrame, NDArray[np.int64]]:
    """Return orders with the length of their period and their age, and how many periods have begun since."""
    start, length, now = pl.col("startdate"), pl.col("_length"), pl.lit(instants(np.full(1, midnight)).item())
    rows = orders.with_columns(offered.get_column("length").alias("_length"), _age=(now - start).dt.total_seconds())
    fixed = (after_periods(start, length, pl.lit(1)) - start).dt.total_seconds()
    # A calendar month counts with its mean, and the guess may be one period off.
    rows = rows.with_columns(_seconds=pl.when(length.str.ends_with("M")).then(2_629_746).otherwise(fixed))
    guess = pl.col("_age") // pl.col("_seconds") + 1
    too_few, too_many = after_periods(start, length, guess) <= now, after_periods(start, length, guess - 1) > now
    begun = rows.select(guess + too_few.cast(pl.Int64) - too_many.cast(pl.Int64)).to_series()
    return rows, begun.to_numpy()


def _stopped_before(
    draw: Draw, rows: pl.DataFrame, stops: NDArray[np.bool_], is_over: NDArray[np.bool_], midnight: int
) -> pl.DataFrame:
    """Return orders with the dates of their stops, somewhere in the last period, and of their last change."""
    n = len(rows)
    now = pl.lit(instants(np.full(1, midnight)).item())
    share, by_user = pl.Series(draw.rng.random(n)), pl.lit(pl.Series(draw.chance(0.75, n)))
    renewed = pl.col("last_activity_date")
    open_for = (pl.min_horizontal("enddate", now) - renewed).dt.total_seconds()
    stop = renewed + pl.duration(seconds=(open_for * share).cast(pl.Int64))
    ended = pl.when(pl.lit(pl.Series(is_over))).then("enddate").otherwise(renewed)
    return rows.with_columns(auto_renew_stop_date=pl.when(pl.lit(pl.Series(stops))).then(stop)).with_columns(
        user_stop_date=pl.when(by_user).then("auto_renew_stop_date"),
        last_activity_date=pl.min_horizontal(pl.max_horizontal(ended, "auto_renew_stop_date"), now),
    )


def _settled(shift: Shift, orders: pl.DataFrame) -> pl.DataFrame:
    """Return initialised orders that become active, or fail; some wait for the next part."""
    open_orders = orders.filter(pl.col("status_id") == OrderStatus.INITIALISED)
    open_orders = open_orders.filter(pl.Series(shift.draw.chance(0.9, len(open_orders))))
    fails = pl.lit(pl.Series(shift.draw.chance(0.06, len(open_orders))))
    return shift.change(
        "users_access",
        open_orders,
        status_id=pl.when(fails).then(OrderStatus.FAILED).otherwise(OrderStatus.ACTIVE).cast(pl.Int64),
        autorenew_status=pl.when(~fails & is_subscription()).then(RENEWS).otherwise(NOT_STARTED).cast(pl.Int64),
        enddate=pl.when(fails).then("startdate").otherwise("enddate"),
        access_end_date=pl.when(~fails).then("access_end_date"),
    )


def _renewed(shift: Shift, orders: pl.DataFrame) -> pl.DataFrame:
    """Return the orders whose paid period has passed: renewed, not renewed this time, or ended."""
    today = instants(np.full(1, shift.midnight)).item()
    due = orders.filter((pl.col("status_id") == OrderStatus.ACTIVE) & (pl.col("enddate") < today))
    n = len(due)
    when = shift.moments(n)
    passed = due.get_column("enddate").cast(pl.Int64).to_numpy()
    when = Moments(np.maximum(when.changed, passed), when.committed)
    wants = pl.col("autorenew_status") == RENEWS
    pays = pl.lit(pl.Series(shift.draw.chance(0.92, n)))
    renews = wants & pays
    waits = wants & ~pays & (pl.col("autorenew_errors") < _TRIES - 1)
    end = pl.when(renews).then(after_periods(pl.col("enddate"), pl.col("period"), pl.lit(1))).otherwise("enddate")
    changed = pl.col("last_activity_date")
    due = changed_at(TABLES["users_access"], due, when).with_columns(
        status_id=pl.when(renews | waits).then(OrderStatus.ACTIVE).otherwise(OrderStatus.TERMINATED).cast(pl.Int64),
        autorenew_status=pl.when(renews | waits).then(RENEWS).when(is_subscription()).then(STOPPED).otherwise(
            "autorenew_status"
        ).cast(pl.Int64),
        autorenew_errors=pl.when(renews).then(0).otherwise(pl.col("autorenew_errors") + (wants & ~pays)),
        active_periods=pl.col("active_periods") + renews,
        enddate=end,
        access_end_date=pl.when(renews).then(end.dt.offset_by(GRACE)).otherwise("access_end_date"),
        auto_renew_stop_date=pl.when(renews | waits | ~is_subscription()).then("auto_renew_stop_date").otherwise(
            pl.coalesce("auto_renew_stop_date", changed)
        ),
    )  # fmt: skip
    return version(due, when)


def _stopped(shift: Shift, orders: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, list[pl.DataFrame]]:
    """Return orders that stop renewing, orders to be replaced by an upgrade, and ones resumed or credited."""
    # What ends within the day is left to the night.
    tomorrow = instants(np.full(1, shift.midnight + DAY)).item()
    lasting = orders.filter(
        (pl.col("status_id") == OrderStatus.ACTIVE) & (pl.col("enddate") > tomorrow) & is_subscription()
    )
    renewing = lasting.filter(pl.col("autorenew_status") == RENEWS)
    counts = [shift.draw.count(mean * shift.scale * shift.share) for mean in (10, 1.5, 1.2)]
    chosen = shift.choose(renewing, sum(counts))
    stopped, upgraded = chosen.slice(0, counts[0]), chosen.slice(counts[0], counts[1])
    credited = chosen.slice(counts[0] + counts[1]).filter(pl.col("active_periods") <= 2)
    resumed = shift.choose(
        lasting.filter(pl.col("autorenew_status") == STOPPED), shift.draw.count(1.5 * shift.scale * shift.share)
    )
    changed = pl.col("last_activity_date")
    by_user = pl.lit(pl.Series(shift.draw.chance(0.85, len(stopped))))
    stopping = shift.change(
        "users_access",
        stopped,
        autorenew_status=pl.lit(STOPPED, pl.Int64),
    )
    nothing = pl.lit(None, pl.Datetime("us"))
    return (
        stopping.with_columns(auto_renew_stop_date=changed, user_stop_date=pl.when(by_user).then(changed)),
        upgraded,
        [
            shift.change(
                "users_access",
                resumed,
                autorenew_status=pl.lit(RENEWS, pl.Int64),
                user_stop_date=nothing,
                auto_renew_stop_date=nothing,
            ),
            shift.change(
                "users_access",
                credited,
                status_id=pl.lit(OrderStatus.CREDITED, pl.Int64),
                autorenew_status=pl.lit(STOPPED, pl.Int64),
            ).with_columns(auto_renew_stop_date=changed, access_end_date=changed),
        ],
    )
