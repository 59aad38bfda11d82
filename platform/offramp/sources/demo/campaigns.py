"""What the demo's voucher service sells by: discounts, campaigns, core products, and which campaign covers which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.draw import DAY, Draw, decimals, spoil
from offramp.sources.demo.picking import picked_alike
from offramp.sources.demo.schema import TABLES, TENANTS
from offramp.sources.demo.versions import State, version
from offramp.sources.demo.voucher_times import finer, instant, next_versions, not_before, nulled, turns_of_tenants, utc
from offramp.sources.demo.words import CAMPAIGN_AUTHORS, CAMPAIGNS, CURRENCIES, DISCOUNTS, SENTENCES

if TYPE_CHECKING:
    from offramp.sources.demo.chapter import Shift
    from offramp.sources.demo.moments import Moments

DISCOUNT_TYPES = ("FRACTION", "AMOUNT", "FREE_PERIOD")


def new_discounts(draw: Draw, when: Moments) -> pl.DataFrame:
    """Return discounts; tenants and types take turns, and the columns of other types are NULL."""
    n = len(when.changed)
    turn, tenant = turns_of_tenants(draw, n)
    created = utc(when.changed)
    rows = pl.DataFrame(
        {
            "id": draw.uuid(n),
            "name": draw.text(DISCOUNTS, n, odd=0.2),
            "discount_type": pl.Series(DISCOUNT_TYPES).gather(turn // len(TENANTS) % len(DISCOUNT_TYPES)),
            "discount_fraction": decimals(pl.Series(draw.whole(1, 21, n) * 500), 5, 4),
            "discount_fraction_recurring": decimals(pl.Series(draw.whole(0, 10, n) * 333), 5, 4),
            "discount_amount": decimals(pl.Series(draw.whole(2, 80, n) * 50), 12, 2),
            "currency": tenant.replace_strict(CURRENCIES),
            "free_period": draw.pick(("P7D", "P14D", "P30D", "P1M", "P3M", "PT72H"), n),
            "recurring_periods": pl.Series(draw.whole(1, 13, n)),
            "created_at": created,
            "updated_at": created,
            "tenant": tenant,
        }
    )
    fraction, amount, free = (pl.col("discount_type") == name for name in DISCOUNT_TYPES)
    recurs = pl.lit(pl.Series(draw.chance(0.6, n)))
    ends = pl.lit(pl.Series(draw.chance(0.6, n)))
    rows = rows.with_columns(
        pl.when(fraction).then("discount_fraction").alias("discount_fraction"),
        pl.when(fraction & recurs).then("discount_fraction_recurring").alias("discount_fraction_recurring"),
        pl.when(amount).then("discount_amount").alias("discount_amount"),
        pl.when(amount).then("currency").alias("currency"),
        pl.when(free).then("free_period").alias("free_period"),
        pl.when(~free & recurs & ends).then("recurring_periods").alias("recurring_periods"),
    )
    return version(rows, when)


def new_campaigns(draw: Draw, discounts: pl.DataFrame, states: tuple[str, ...], when: Moments) -> pl.DataFrame:
    """Return campaigns of tenants and with states that take turns; most have a discount of their tenant."""
    n = len(when.changed)
    turn, tenant = turns_of_tenants(draw, n)
    discount = picked_alike(draw, discounts, tenant)
    at = not_before(when, discount.get_column("created_at"))
    start = (at // DAY + draw.whole(0, 14, n)) * DAY
    created = utc(at)
    return version(
        pl.DataFrame(
            {
                "id": draw.uuid(n),
                "name": draw.text(CAMPAIGNS, n, odd=0.2),
                "description": draw.text(SENTENCES, n, odd=0.2, null=0.2, empty=0.1),
                "status": pl.Series(states, dtype=pl.String).gather(turn // len(TENANTS) % len(states)),
                "discount_id": spoil(discount.get_column("id"), draw.chance(0.1, n)),
                "start_date": nulled(utc(start), draw.chance(0.2, n)),
                # After the year before the beginning, so that nothing that is still open has ended when it begins.
                "end_date": nulled(utc(start + draw.whole(375, 900, n) * DAY), draw.chance(0.3, n)),
                "max_redemptions": nulled(
                    pl.Series([500, 2_000, 10_000]).gather(draw.whole(0, 3, n)), draw.chance(0.5, n)
                ),
                "max_redemptions_per_user": nulled(pl.Series(draw.whole(1, 6, n)), draw.chance(0.5, n)),
                "redemption_count": pl.Series(np.zeros(n, dtype=np.int64)),
                "created_by": draw.text(CAMPAIGN_AUTHORS, n, odd=0.1, null=0.15),
                "created_at": created,
                "updated_at": created,
                "tenant": tenant,
            }
        ),
        when,
    )


def core_products(state: State) -> pl.DataFrame:
    """Return what the voucher service takes over from the core platform, one row per core product."""
    payments = (
        state.rows("product_providers")
        .sort("id")
        .group_by("product_id", maintain_order=True)
        .agg(pl.col("id").cast(pl.String))
        .select("product_id", product_payment_ids="[" + pl.col("id").list.join(",") + "]")
    )
    products = state.rows("products").select("name", "tenant", "product_group_id", product_id="id")
    return products.join(payments, on="product_id", how="left", maintain_order="left").with_columns(
        pl.col("product_payment_ids").fill_null("[]")
    )


def new_products(draw: Draw, offered: pl.DataFrame, when: Moments) -> pl.DataFrame:
    """Return the voucher service's own rows of core products."""
    n = len(offered)
    created = utc(when.changed)
    return version(
        offered.select(
            draw.uuid(n).alias("id"),
            "product_id",
            "product_group_id",
            "product_payment_ids",
            "name",
            pl.Series(~draw.chance(0.1, n)).alias("enabled"),
            created.alias("created_at"),
            created.alias("updated_at"),
            "tenant",
        ),
        when,
    )


def new_covers(draw: Draw, state: State, campaigns: pl.DataFrame, when: Moments) -> pl.DataFrame:
    """Return products of campaigns that the campaigns never had, each with its own discount or the campaign's."""
    n = len(campaigns)
    product = picked_alike(draw, state.rows("vvs_products"), campaigns.get_column("tenant"))
    discount = picked_alike(draw, state.rows("vvs_discounts"), campaigns.get_column("tenant"))
    needed = (rows.get_column("created_at") for rows in (campaigns, product, discount))
    created = pl.select(pl.max_horizontal(utc(when.changed), *needed)).to_series()
    rows = version(
        pl.DataFrame(
            {
                "campaign_id": campaigns.get_column("id"),
                "product_id": product.get_column("id"),
                "discount_id": spoil(discount.get_column("id"), draw.chance(0.6, n)),
                "created_at": created,
                "updated_at": created,
                "tenant": campaigns.get_column("tenant"),
            }
        ),
        when,
    ).unique(TABLES["vvs_campaign_products"].key, keep="first", maintain_order=True)
    # Removed ones too: a key that comes back would begin anew with version 1.
    ever = state.tables.get("vvs_campaign_products", rows.clear())
    return rows.join(ever, on=TABLES["vvs_campaign_products"].key, how="anti", maintain_order="left")


def live_campaigns(shift: Shift) -> dict[str, list[pl.DataFrame]]:
    """Return changes of what the service sells by, each kind every few days."""
    turn = shift.number % 3
    if turn == 0:
        return {"vvs_campaigns": _moved_campaigns(shift)}
    if turn == 1:
        return {"vvs_products": _synchronised(shift), "vvs_discounts": _live_discounts(shift)}
    return {"vvs_campaign_products": _live_covers(shift)}


def _moved_campaigns(shift: Shift) -> list[pl.DataFrame]:
    """Start, pause and end campaigns, and add some. Nobody ends a tenant's last two campaigns before their time."""
    draw, state = shift.draw, shift.state
    rows = state.rows("vvs_campaigns")
    status = pl.col("status")
    is_over = (pl.col("end_date") < instant(shift.midnight)).fill_null(value=False)
    over = rows.filter(is_over & (status != "ENDED"))
    may_move = (status != "ENDED") & ((status != "ACTIVE") | ((status == "ACTIVE").sum().over("tenant") > 2))
    moved = shift.choose(rows.filter(may_move & ~is_over), draw.count(max(2.0, 2 * shift.scale)))
    n = len(over) + len(moved)
    ends = pl.lit(pl.Series(np.arange(n) < len(over))) | pl.lit(pl.Series(draw.chance(0.25, n))) & (status != "DRAFT")
    after = (
        pl.when(ends).then(pl.lit("ENDED")).when(status == "ACTIVE").then(pl.lit("PAUSED")).otherwise(pl.lit("ACTIVE"))
    )
    moved = next_versions(shift, "vvs_campaigns", pl.concat([over, moved]), status=after).with_columns(
        pl.when(status == "ENDED")
        .then(pl.min_horizontal("end_date", "updated_at"))
        .otherwise("end_date")
        .alias("end_date")
    )
    added = finer(draw, shift.moments(draw.count(max(0.8, 0.8 * shift.scale))))
    return [moved, new_campaigns(draw, state.rows("vvs_discounts"), ("DRAFT", "ACTIVE"), added)]


def _live_discounts(shift: Shift) -> list[pl.DataFrame]:
    draw = shift.draw
    rows = shift.choose(shift.state.rows("vvs_discounts"), draw.count(1.0))
    added = finer(draw, shift.moments(draw.count(0.4)))
    renamed = draw.text(DISCOUNTS, len(rows), odd=0.3)
    return [next_versions(shift, "vvs_discounts", rows, name=renamed), new_discounts(draw, added)]


def _synchronised(shift: Shift) -> list[pl.DataFrame]:
    """Take over core products that are new or paid for otherwise, and switch a product on or off."""
    draw, rows = shift.draw, shift.state.rows("vvs_products")
    offered = core_products(shift.state)
    unknown = offered.join(rows, on="product_id", how="anti", maintain_order="left")
    offered = offered.select("product_id", "product_group_id", _payments="product_payment_ids")
    known = rows.join(offered, on=("product_id", "product_group_id"), how="inner", maintain_order="left")
    is_switched = pl.lit(pl.Series(np.arange(len(known)) == draw.whole(0, max(len(known), 1), 1)))
    known = known.with_columns(pl.col("enabled") ^ is_switched).filter(
        is_switched | (pl.col("_payments") != pl.col("product_payment_ids"))
    )
    known = known.with_columns(product_payment_ids="_payments").select(rows.columns)
    added = finer(draw, shift.moments(len(unknown)))
    return [next_versions(shift, "vvs_products", known), new_products(draw, unknown, added)]


def _live_covers(shift: Shift) -> list[pl.DataFrame]:
    """Change the discount of one product of a campaign, take some out of campaigns for good, and put others in."""
    draw, state = shift.draw, shift.state
    rows = shift.choose(state.rows("vvs_campaign_products"), 1 + draw.count(max(1.0, shift.scale)))
    changed, removed = rows.head(1), rows.slice(1)
    discount = picked_alike(draw, state.rows("vvs_discounts"), changed.get_column("tenant")).get_column("id")
    campaigns = state.rows("vvs_campaigns").filter(pl.col("status") != "ENDED")
    campaigns = shift.choose(campaigns, draw.count(max(2.0, 2 * shift.scale)))
    added = finer(draw, shift.moments(len(campaigns)))
    return [
        next_versions(shift, "vvs_campaign_products", changed, discount_id=discount),
        shift.remove(removed),
        new_covers(draw, state, campaigns, added),
    ]
