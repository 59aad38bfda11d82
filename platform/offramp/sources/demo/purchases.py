"""How the demo's users buy: baskets of a user and an offer, vouchers, and the orders that come of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.draw import DAY, Draw, addresses, decimals, instants, spoil
from offramp.sources.demo.moments import Moments
from offramp.sources.demo.offers import (
    FREE,
    GRACE,
    NOT_STARTED,
    RENEWS,
    STOPPED,
    SUBSCRIPTION,
    OrderStatus,
    after_periods,
    offers,
    opened_content,
)
from offramp.sources.demo.picking import picked_alike, shared_moments
from offramp.sources.demo.schema import TABLES
from offramp.sources.demo.versions import State, changed_at, version
from offramp.sources.demo.words import ISPS, ORDER_REFERENCES

if TYPE_CHECKING:
    from offramp.sources.demo.chapter import Shift

# What a voucher of the type AMOUNT takes off, in hundredths.
_AMOUNT_OFF = {"NOK": 5_000, "EUR": 500}


def baskets(buyers: pl.DataFrame, offered: pl.DataFrame) -> pl.DataFrame:
    """Return who buys what: a user and an offer in each row, without a voucher, replacing nothing."""
    return offered.with_columns(
        buyers.get_column("id").alias("user_id"),
        pl.lit(None, pl.Int64).alias("upgrade_order_id"),
        pl.lit("NEW").alias("change_action"),
        pl.lit(None, pl.String).alias("voucher_code"),
        pl.lit(None, pl.Int64).alias("discount_cents"),
    )


def new_orders(draw: Draw, state: State, basket: pl.DataFrame, when: Moments, *, first_id: int) -> pl.DataFrame:
    """Return initialised orders, one per row of the basket, without the columns of a version."""
    n = len(basket)
    made = instants(when.changed)
    assets, categories = opened_content(draw, state, basket)
    platforms = state.rows("platforms").filter("enabled").get_column("id")
    first = basket.get_column("first_cents") - basket.get_column("discount_cents").fill_null(0)
    renews = pl.col("payment_type_id") == SUBSCRIPTION
    needs_provider = pl.col("payment_type_id") != FREE
    length = pl.col("length")
    start = pl.lit(made)
    end = after_periods(start, length, pl.lit(1))
    return basket.select(
        pl.int_range(first_id, first_id + n, dtype=pl.Int64).alias("id"),
        "user_id",
        "product_group_id",
        "product_id",
        "product_payment_id",
        pl.when(needs_provider).then("payment_provider_id").alias("payment_provider_id"),
        draw.pick(platforms, n).set(pl.Series(draw.chance(0.1, n)), None).alias("platform_id"),
        assets.alias("asset_id"),
        categories.alias("category_id"),
        pl.lit(OrderStatus.INITIALISED, pl.Int64).alias("status_id"),
        start.alias("startdate"),
        end.alias("enddate"),
        pl.when(renews).then(end.dt.offset_by(GRACE)).alias("access_end_date"),
        pl.when(pl.col("minimum_periods") > 0)
        .then(after_periods(start, length, pl.col("minimum_periods")))
        .alias("earliest_end_date"),
        pl.lit(NOT_STARTED, pl.Int64).alias("autorenew_status"),
        pl.lit(0, pl.Int64).alias("autorenew_errors"),
        decimals(basket.get_column("later_cents"), 12, 2).alias("price"),
        decimals(first, 12, 2).alias("init_price"),
        "currency",
        pl.when(renews).then(length).alias("period"),
        pl.lit(1, pl.Int64).alias("active_periods"),
        spoil(draw.pick(ORDER_REFERENCES, n) + draw.hex(10, n), draw.chance(0.04, n)).alias("order_ref"),
        spoil(draw.hex(16, n), draw.chance(0.3, n)).alias("external_order_ref"),
        "voucher_code",
        decimals(basket.get_column("discount_cents"), 12, 2).alias("discount"),
        "upgrade_order_id",
        "change_action",
        draw.pick(("DEFAULT",) * 18 + ("FORCE_TRIAL", "NO_TRIAL"), n).alias("trial_override"),
        spoil(addresses(draw, n), draw.chance(0.05, n)).alias("ip"),
        draw.text(ISPS, n, odd=0.03, null=0.1, empty=0.02).alias("isp"),
        start.alias("registered"),
        pl.lit(None, pl.Datetime("us")).alias("user_stop_date"),
        pl.lit(None, pl.Datetime("us")).alias("auto_renew_stop_date"),
        start.alias("last_activity_date"),
        "tenant",
    )


def bought(
    shift: Shift, orders: pl.DataFrame, upgraded: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return new orders, the orders that some of them replace, and the vouchers that were used."""
    on_sale = offers(shift.state)
    buyers = _buyers(shift, orders)
    chosen = picked_alike(shift.draw, on_sale, buyers.get_column("tenant"), skew=2.0)
    taken = _vouchers_taken(shift, buyers, on_sale)
    extends = pl.col("upgrade_order_id").is_not_null()
    basket = (
        _discounted(baskets(buyers, chosen), taken, on_sale)
        .with_columns(upgrade_order_id=buyers.get_column("previous"))
        .with_columns(change_action=pl.when(extends).then(pl.lit("EXTEND")).otherwise("change_action"))
    )
    upgraded, better = _better(shift.draw, upgraded, on_sale)
    n, k = len(basket), len(upgraded)
    basket = pl.concat([basket, better])
    before = pl.concat([buyers.get_column("before"), upgraded.get_column("last_activity_date")])
    when = shift.moments(n + k)
    when = Moments(np.maximum(when.changed, before.cast(pl.Int64).to_numpy()), when.committed)
    new = new_orders(shift.draw, shift.state, basket, when, first_id=shift.state.next_id("users_access"))
    is_upgrade = pl.lit(pl.Series(np.arange(n + k) >= n))
    # Nothing to pay, nothing to wait for.
    begins = is_upgrade | ((pl.col("price") == 0) & (pl.col("init_price") == 0))
    new = new.with_columns(
        status_id=pl.when(begins).then(OrderStatus.ACTIVE).otherwise("status_id").cast(pl.Int64),
        autorenew_status=pl.when(is_upgrade).then(RENEWS).otherwise("autorenew_status").cast(pl.Int64),
    )
    replaced = changed_at(TABLES["users_access"], upgraded, when.cut(n, n + k))
    changed = pl.col("last_activity_date")
    replaced = replaced.with_columns(
        status_id=pl.lit(OrderStatus.TERMINATED, pl.Int64),
        autorenew_status=pl.lit(STOPPED, pl.Int64),
        enddate=pl.min_horizontal("enddate", changed),
        access_end_date=changed,
        auto_renew_stop_date=changed,
    )
    return version(new, when), version(replaced, when.cut(n, n + k)), _used(shift, taken, when)


def _buyers(shift: Shift, orders: pl.DataFrame) -> pl.DataFrame:
    """Return users with the order that they extend, and the instant before which they cannot have bought."""
    draw = shift.draw
    users = shift.state.rows("users").filter(pl.col("enabled") & ~pl.col("deleted"))
    users = users.select("id", "tenant", "registration_date")
    status = pl.col("status_id")
    busy = orders.filter(status <= OrderStatus.INITIALISED).select("user_id")
    idle = users.join(busy, left_on="id", right_on="user_id", how="anti", maintain_order="left")
    # All of a day's 25 orders are made by day.
    n = draw.count(25 * shift.scale * shift.share / 0.8)
    some = round(0.85 * n)
    buyers = pl.concat([shift.choose(idle, some), shift.choose(users, n - some)])
    ended = orders.filter(status == OrderStatus.TERMINATED).unique("user_id", keep="last", maintain_order=True)
    last = ended.select("user_id", pl.col("id").alias("previous"), pl.col("last_activity_date").alias("_since"))
    buyers = buyers.join(last, left_on="id", right_on="user_id", how="left", maintain_order="left")
    extends = pl.lit(pl.Series(draw.chance(0.5, len(buyers))))
    return buyers.select(
        "id",
        "tenant",
        pl.when(extends).then("previous").alias("previous"),
        pl.max_horizontal("registration_date", "_since").alias("before"),
    )


def _better(draw: Draw, upgraded: pl.DataFrame, on_sale: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return orders that are replaced, and baskets with another subscription for their users."""
    renewing = on_sale.filter((pl.col("payment_type_id") == SUBSCRIPTION) & (pl.col("later_cents") > 0))
    chosen = picked_alike(draw, renewing, upgraded.get_column("tenant"))
    is_other = chosen.get_column("product_id") != upgraded.get_column("product_id")
    upgraded, chosen = upgraded.filter(is_other), chosen.filter(is_other)
    is_dearer = decimals(chosen.get_column("later_cents"), 12, 2) >= upgraded.get_column("price")
    basket = baskets(upgraded.select(pl.col("user_id").alias("id")), chosen).with_columns(
        upgraded.get_column("id").alias("upgrade_order_id"),
        pl.when(is_dearer).then(pl.lit("UPGRADE")).otherwise(pl.lit("DOWNGRADE")).alias("change_action"),
    )
    return upgraded, basket


def _vouchers_taken(shift: Shift, buyers: pl.DataFrame, on_sale: pl.DataFrame) -> pl.DataFrame:
    """Return the vouchers used in this part, with ``buyer``, a place, and ``payment``, an offer or NULL."""
    first = on_sale.unique("product_id", keep="first", maintain_order=True)
    first = first.select("product_id", pl.col("product_payment_id").alias("payment"))
    today, tomorrow = (instants(np.full(1, shift.midnight + wait)).item() for wait in (0, DAY))
    rows = shift.state.rows("vouchers").filter(
        pl.col("available")
        & (pl.col("expiry") > tomorrow).fill_null(value=True)
        & (pl.col("start_date") < today).fill_null(value=True)
    )
    rows = rows.join(first, on="product_id", how="left", maintain_order="left")
    rows = rows.with_columns(payment=pl.coalesce("product_payment_id", "payment"))
    is_sold = pl.col("payment").is_in(on_sale.get_column("product_payment_id").implode())
    rows = rows.filter(pl.col("product_id").is_null() | is_sold)
    chosen = shift.choose(rows, shift.draw.count(max(0.5, 3 * shift.scale) * shift.share))
    rank = pl.int_range(pl.len()).over("tenant").alias("rank")
    people = buyers.select("tenant").with_row_index("buyer").with_columns(rank)
    return chosen.with_columns(rank).join(people, on=("tenant", "rank"), maintain_order="left")


def _discounted(basket: pl.DataFrame, taken: pl.DataFrame, on_sale: pl.DataFrame) -> pl.DataFrame:
    """Return baskets with their vouchers: the offer that a voucher is for, and what it takes off."""
    fractions = pl.col("discount_fraction", "discount_fraction_recurring").to_physical().cast(pl.Int64)
    taken = taken.select("buyer", "code", "payment", "discount_type", fractions)
    mine = basket.select("user_id", "upgrade_order_id", "change_action", "product_payment_id").with_row_index("buyer")
    mine = mine.join(taken, on="buyer", how="left", maintain_order="left")
    mine = mine.with_columns(product_payment_id=pl.coalesce("payment", "product_payment_id"))
    full = mine.join(on_sale, on="product_payment_id", how="left", maintain_order="left")
    first, kind = pl.col("first_cents"), pl.col("discount_type")
    amount = pl.col("currency").replace_strict(_AMOUNT_OFF, return_dtype=pl.Int64)
    off = (
        pl.when(kind == "FREE").then(first)
        .when(kind == "FRACTION").then(first * pl.col("discount_fraction") // 10_000)
        .when(kind == "AMOUNT").then(pl.min_horizontal(first, amount))
    )  # fmt: skip
    lasting = pl.col("later_cents") * pl.col("discount_fraction_recurring").fill_null(0) // 10_000
    full = full.with_columns(
        discount_cents=off, later_cents=pl.col("later_cents") - lasting, voucher_code=pl.col("code")
    )
    return full.select(basket.columns)


def _used(shift: Shift, taken: pl.DataFrame, when: Moments) -> pl.DataFrame:
    mine = shared_moments(when, taken.get_column("buyer").cast(pl.Int64).to_numpy())
    rows = taken.select(shift.state.tables["vouchers"].columns)
    rows = changed_at(TABLES["vouchers"], rows, mine).with_columns(usages=pl.col("usages") + 1)
    return version(rows.with_columns(available=pl.col("usages") < pl.col("max_usages")), mine)
