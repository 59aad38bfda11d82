"""What the demo's users can buy, and how long it lasts."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import polars as pl

from offramp.sources.demo.picking import cents, picked_alike
from offramp.sources.demo.products import CHANNEL_GROUPS, RENTAL_GROUPS

if TYPE_CHECKING:
    from offramp.sources.demo.draw import Draw
    from offramp.sources.demo.versions import State

# Ids of payment types: the one that renews, and the one that costs nothing.
SUBSCRIPTION, FREE = 1, 3
# Values of users_access.autorenew_status.
RENEWS, NOT_STARTED, STOPPED = 0, 1, 2
# How long access outlasts the paid period of a subscription.
GRACE = "3d"


class OrderStatus(IntEnum):
    """Values of users_access.status_id."""

    ACTIVE = 0
    INITIALISED = 1
    FAILED = 2
    TERMINATED = 3
    CREDITED = 4


def offers(state: State) -> pl.DataFrame:
    """Return each product payment that can be bought, in the order of the products.

    ``first_cents`` and ``later_cents`` are what periods cost, ``length`` is the period even where it never renews.
    """
    enabled = pl.col("enabled")
    products = state.rows("products").filter(enabled).select(
        pl.col("id").alias("product_id"), "product_group_id", "product_period_id", "currency", "minimum_periods"
    )  # fmt: skip
    periods = state.rows("product_periods").select(
        pl.col("id").alias("product_period_id"), "payment_type_id", pl.col("period").alias("length")
    )
    payments = state.rows("product_providers").filter(enabled)
    first = pl.coalesce("discounted_price", "init_price").map_batches(cents, return_dtype=pl.Int64)
    later = pl.coalesce("recurring_discounted_price", "recurring_price").map_batches(cents, return_dtype=pl.Int64)
    return (
        payments.select(
            pl.col("id").alias("product_payment_id"),
            "product_id",
            "payment_provider_id",
            first.alias("first_cents"),
            later.alias("later_cents"),
            "tenant",
        )
        .join(products, on="product_id", maintain_order="left")
        .join(periods, on="product_period_id", maintain_order="left")
        .sort("product_id", "product_payment_id")
    )


def is_subscription() -> pl.Expr:
    """Say whether an order is paid again when its period has passed."""
    return pl.col("period").is_not_null() & (pl.col("price") > 0)


def after_periods(start: pl.Expr, period: pl.Expr, count: pl.Expr) -> pl.Expr:
    """Return the instants so many periods after others. ``period`` is P<n>D, P<n>M or PT<n>S."""
    unit = pl.when(period.str.ends_with("D")).then(pl.lit("d")).when(period.str.ends_with("S")).then(pl.lit("s"))
    number = period.str.extract(r"(\d+)").cast(pl.Int64) * count
    return start.dt.offset_by(number.cast(pl.String) + unit.otherwise(pl.lit("mo")))


def opened_content(draw: Draw, state: State, bought: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Return the asset of each rental and the category of each channel subscription among what was bought."""
    tenant, group = bought.get_column("tenant"), bought.get_column("product_group_id")
    assets = picked_alike(draw, _published(state), tenant, skew=2.0)
    channels = state.rows("categories").filter(pl.col("level_type") == "CHANNEL")
    channels = picked_alike(draw, channels, tenant)
    is_rental = group.is_in(RENTAL_GROUPS) & (assets.get_column("tenant") == tenant)
    is_channel = group.is_in(CHANNEL_GROUPS)
    return assets.get_column("id").set(~is_rental, None), channels.get_column("id").set(~is_channel, None)


def _published(state: State) -> pl.DataFrame:
    # Only drafts are ever removed for good.
    return state.rows("assets").filter(pl.col("published_date").is_not_null() & ~pl.col("deleted"))
