"""What the demo's customer care knows of orders: CRM facts, and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from offramp.sources.demo.chapter import logged
from offramp.sources.demo.draw import Draw, spoil
from offramp.sources.demo.moments import Moments
from offramp.sources.demo.schema import TABLES
from offramp.sources.demo.versions import COMMITTED, changed_at, version
from offramp.sources.demo.words import AGENTS_OF_CARE, APPS, CAMPAIGN_CODES, CARE_NOTES, REFERRERS, STOP_REASONS

if TYPE_CHECKING:
    from offramp.sources.demo.chapter import Shift


def first_crm(draw: Draw, orders: pl.DataFrame, users: pl.DataFrame) -> pl.DataFrame:
    """Return CRM facts of most of the first orders, with a reason for most of the stopped ones."""
    chosen = orders.filter(pl.Series(draw.chance(0.85, len(orders))))
    rows, n = _crm(draw, chosen, users), len(chosen)
    stopped = chosen.get_column("auto_renew_stop_date")
    is_told = stopped.is_not_null() & pl.Series(draw.chance(0.8, n))
    return rows.with_columns(
        stop_reason=spoil(draw.text(STOP_REASONS, n, empty=0.05), ~is_told.to_numpy()),
        last_updated=pl.max_horizontal("registered", stopped),
    )


def new_crm(shift: Shift, bought: pl.DataFrame) -> pl.DataFrame:
    """Return CRM facts of most new orders, written in the transactions of the orders."""
    chosen = bought.filter(pl.Series(shift.draw.chance(0.85, len(bought))))
    return _crm(shift.draw, chosen, shift.state.rows("users"))


def reasons(shift: Shift, stopped: pl.DataFrame) -> pl.DataFrame:
    """Return CRM facts with a reason for stopping, written in the transaction of the stop."""
    rows = shift.state.rows("users_access_crm")
    mine = stopped.select(pl.col("id").alias("users_access_id"), "last_activity_date", COMMITTED)
    mine = mine.join(rows.select("users_access_id"), on="users_access_id", how="semi", maintain_order="left")
    when = _moments(mine, "last_activity_date")
    rows = mine.select("users_access_id").join(rows, on="users_access_id", maintain_order="left")
    text = shift.draw.text(STOP_REASONS, len(rows), odd=0.15, empty=0.05)
    return version(changed_at(TABLES["users_access_crm"], rows, when).with_columns(stop_reason=text), when)


def comments(shift: Shift, orders: pl.DataFrame) -> pl.DataFrame:
    """Return notes on some orders, many of them over several lines."""
    draw = shift.draw
    chosen = shift.choose(orders, 1 + draw.count(max(2.0, 4 * shift.scale)))
    n = len(chosen)
    when = shift.moments(n)
    note, more = draw.text(CARE_NOTES, n, odd=0.25), draw.text(CARE_NOTES, n, odd=0.1)
    longer = note + draw.pick(("\n", "\r\n", "\n\n"), n) + more
    changed = pl.lit(pl.Series(when.changed).cast(pl.Datetime("us")))
    rows = chosen.select(
        pl.col("id").alias("users_access_id"),
        "user_id",
        draw.text(AGENTS_OF_CARE, n, odd=0.05).alias("author"),
        longer.zip_with(pl.Series(draw.chance(0.4, n)), note).alias("comment"),
        pl.max_horizontal(changed, "registered").alias("registered"),
        "tenant",
    )
    return logged(rows, when)


def _crm(draw: Draw, orders: pl.DataFrame, users: pl.DataFrame) -> pl.DataFrame:
    n = len(orders)
    names = users.select(pl.col("id").alias("user_id"), "ext_user_id")
    extends = pl.col("change_action") == "EXTEND"
    rows = orders.join(names, on="user_id", how="left", maintain_order="left").select(
        pl.col("id").alias("users_access_id"),
        "user_id",
        spoil("C-" + draw.hex(8, n), draw.chance(0.2, n)).alias("crm_customer_id"),
        "ext_user_id",
        draw.text(REFERRERS, n, odd=0.05, null=0.3, empty=0.05).alias("referrer"),
        draw.text(APPS, n, odd=0.02, null=0.1).alias("app_name"),
        draw.text(CAMPAIGN_CODES, n, odd=0.05, null=0.6).alias("campaign_code"),
        pl.lit(None, pl.String).alias("stop_reason"),
        (extends | pl.lit(pl.Series(draw.chance(0.02, n)))).alias("win_back"),
        "registered",
        pl.col("registered").alias("last_updated"),
        "tenant",
    )
    return version(rows, _moments(orders, "registered"))


def _moments(orders: pl.DataFrame, changed: str) -> Moments:
    """Return the moments of orders again, for what is written in the same transactions."""
    return Moments(*(orders.get_column(name).cast(pl.Int64).to_numpy() for name in (changed, COMMITTED)))
