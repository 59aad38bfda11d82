"""What the demo's orders cost: charges of orders, and money given back, as rows of payment_transactions."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.draw import DAY, HOUR, Draw, decimals, instants
from offramp.sources.demo.moments import Part
from offramp.sources.demo.offers import OrderStatus, after_periods
from offramp.sources.demo.picking import cents
from offramp.sources.demo.versions import COMMITTED, VERSION, State

if TYPE_CHECKING:
    from offramp.sources.demo.chapter import Shift

# A whole in ten-thousandths of a per cent, and how much of a gross amount is tax: 25 of 125, and 19 of 119.
WHOLE = 1_000_000
TAX_SHARES = {"aurora": 200_000, "borealis": 159_664}


class Kind(IntEnum):
    """Ids of payment_transaction_types."""

    PURCHASE = 1
    RENEWAL = 2
    REFUND = 3
    UPGRADE = 4
    VOUCHER = 5
    CHARGEBACK = 6


def is_charge() -> pl.Expr:
    """Say whether money was taken: what can be given back."""
    return pl.col("payment_transaction_type_id").is_in([Kind.PURCHASE, Kind.RENEWAL, Kind.UPGRADE])


def transactions(draw: Draw, state: State, due: pl.DataFrame, *, first_id: int) -> pl.DataFrame:
    """Return transactions that begin at ``due.registered``, without the columns of a version.

    ``due`` has what ``first_charges``, ``renewals`` or ``given_back`` return.
    """
    n = len(due)
    rate = pl.col("tenant").replace_strict(TAX_SHARES, return_dtype=pl.Int64)
    tax = due.select((pl.col("cents") * rate + WHOLE // 2) // WHOLE).to_series()
    untaxed = (due.get_column("cents") == 0) | pl.Series(draw.chance(0.04, n))
    stored = _stored_methods(state)
    return due.join(stored, on=("user_id", "payment_provider_id"), how="left", maintain_order="left").select(
        pl.int_range(first_id, first_id + n, dtype=pl.Int64).alias("id"),
        "users_access_id",
        "user_id",
        "payment_transaction_type_id",
        "payment_type_id",
        "payment_provider_id",
        "users_payment_method_id",
        "original_transaction_id",
        "order_ref",
        "external_order_ref",
        decimals(due.get_column("cents"), 12, 2).alias("amount"),
        decimals(tax.set(untaxed, None), 12, 2).alias("vat"),
        "currency",
        pl.lit("INITIALIZE").alias("status"),
        "voucher_code",
        "ip",
        "registered",
        pl.lit(None, pl.Datetime("us")).alias("captured_at"),
        pl.col("registered").alias("last_updated"),
        "tenant",
    )  # fmt: skip


def first_charges(state: State, orders: pl.DataFrame) -> pl.DataFrame:
    """Return what the first period of orders costs; a voucher may have paid all of it. What is free is left out."""
    upgrades = pl.col("change_action").is_in(["UPGRADE", "DOWNGRADE"])
    is_paid = pl.col("init_price") > 0
    kind = pl.when(~is_paid).then(Kind.VOUCHER).when(upgrades).then(Kind.UPGRADE).otherwise(Kind.PURCHASE)
    paid = orders.filter(is_paid | pl.col("voucher_code").is_not_null())
    return _charges(state, paid, kind, "init_price", pl.col("registered"))


def renewals(state: State, orders: pl.DataFrame, *, back: int = 1) -> pl.DataFrame:
    """Return what a later period of orders costs: the last one, or one further back."""
    begins = after_periods(pl.col("startdate"), pl.col("period"), pl.col("active_periods") - back)
    kept = orders.filter((pl.col("active_periods") > back) & (pl.col("price") > 0))
    return _charges(state, kept, pl.lit(Kind.RENEWAL), "price", begins)


def given_back(originals: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    """Return what gives charges back in full."""
    return originals.select(
        "users_access_id",
        "user_id",
        pl.lit(kind, pl.Int64).alias("payment_transaction_type_id"),
        "payment_type_id",
        "payment_provider_id",
        pl.col("id").alias("original_transaction_id"),
        "order_ref",
        "external_order_ref",
        cents(originals.get_column("amount")).alias("cents"),
        "currency",
        "voucher_code",
        pl.lit(None, pl.String).alias("ip"),
        pl.col("last_updated").alias("registered"),
        "tenant",
    )


def not_yet_charged(shift: Shift, orders: pl.DataFrame, made: pl.DataFrame) -> pl.DataFrame:
    """Return what orders cost that were bought or renewed in the part before and have not been charged for it."""
    state = shift.state
    # The part before may have been on the day before a quiet one.
    recent = pl.col(COMMITTED) >= instants(np.full(1, shift.midnight - DAY - 7 * HOUR)).item()
    bought = orders.filter((pl.col(VERSION) == 1) & recent)
    bought = bought.join(made, left_on="id", right_on="users_access_id", how="anti", maintain_order="left")
    due = [first_charges(state, bought)]
    if shift.part is Part.WORK:
        # Orders renew at night, and whatever else changes then is in its first period.
        tonight = pl.col(COMMITTED) >= instants(np.full(1, shift.midnight)).item()
        is_renewed = tonight & (pl.col(VERSION) > 1) & (pl.col("autorenew_errors") == 0)
        due.append(renewals(state, orders.filter(is_renewed & (pl.col("status_id") == OrderStatus.ACTIVE))))
    return pl.concat(due)


def free_orders(shift: Shift, orders: pl.DataFrame) -> pl.DataFrame:
    """Return the first step of the orders of the part before that nobody has to pay for: there is no transaction."""
    start = {Part.NIGHT: -7, Part.WORK: 0, Part.EVENING: 7}[shift.part]
    since = instants(np.full(1, shift.midnight + start * HOUR)).item()
    is_free = (pl.col("init_price") == 0) & pl.col("voucher_code").is_null()
    return orders.filter((pl.col(VERSION) == 1) & (pl.col(COMMITTED) > since) & is_free).select(
        pl.lit(None, pl.Int64).alias("id"),
        pl.col("id").alias("users_access_id"),
        pl.lit("INITIALIZE").alias("status"),
        pl.col("last_activity_date").alias("last_updated"),
        "tenant",
    )


def _charges(state: State, orders: pl.DataFrame, kind: pl.Expr, price: str, registered: pl.Expr) -> pl.DataFrame:
    periods = state.rows("product_periods").select(pl.col("id").alias("product_period_id"), "payment_type_id")
    products = state.rows("products").select(pl.col("id").alias("product_id"), "product_period_id")
    types = products.join(periods, on="product_period_id", maintain_order="left")
    charged = orders.filter(pl.col("payment_provider_id").is_not_null())
    return charged.join(types, on="product_id", how="left", maintain_order="left").select(
        pl.col("id").alias("users_access_id"),
        "user_id",
        kind.cast(pl.Int64).alias("payment_transaction_type_id"),
        "payment_type_id",
        "payment_provider_id",
        pl.lit(None, pl.Int64).alias("original_transaction_id"),
        "order_ref",
        "external_order_ref",
        pl.col(price).to_physical().cast(pl.Int64).alias("cents"),
        "currency",
        pl.when(kind != Kind.RENEWAL).then("voucher_code").alias("voucher_code"),
        "ip",
        registered.alias("registered"),
        "tenant",
    )


def _stored_methods(state: State) -> pl.DataFrame:
    """Return the latest usable method of each user at each provider."""
    methods = state.rows("users_payment_methods").filter(pl.col("user_payment_method_status") == "ACTIVE")
    methods = methods.select("user_id", "payment_provider_id", pl.col("id").alias("users_payment_method_id"))
    return methods.unique(["user_id", "payment_provider_id"], keep="last", maintain_order=True)
