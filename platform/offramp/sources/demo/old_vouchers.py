"""The demo's vouchers from before the voucher service. Orders use them up, so here they change at night only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.draw import DAY, Draw, decimals, instants, spoil
from offramp.sources.demo.picking import picked_alike, where
from offramp.sources.demo.schema import TENANTS
from offramp.sources.demo.versions import version
from offramp.sources.demo.words import POOLS, PREFIXES

if TYPE_CHECKING:
    from offramp.sources.demo.chapter import Beginning, Shift
    from offramp.sources.demo.moments import Moments


def first_vouchers(beginning: Beginning, payments: pl.DataFrame) -> pl.DataFrame:
    """Return the vouchers with which the demo begins, some of them used. ``payments`` are the product payments."""
    draw = beginning.draw
    n = beginning.count(120, 24)
    used = pl.lit(pl.Series(np.where(draw.chance(0.6, n), draw.whole(1, 6, n), 0)))
    rows = _vouchers(draw, payments, beginning.before(n)).with_columns(usages=pl.min_horizontal("max_usages", used))
    is_over = pl.col("expiry") < instants(np.full(1, beginning.midnight)).item()
    is_usable = (pl.col("usages") < pl.col("max_usages")) & ~is_over.fill_null(value=False)
    return rows.with_columns(available=is_usable).sort("code")


def live_vouchers(shift: Shift) -> list[pl.DataFrame]:
    """Return vouchers that are added, that expire, and that are removed for good before anybody used them."""
    rows = shift.state.rows("vouchers")
    until = instants(np.full(1, shift.midnight)).item()
    is_over = pl.col("expiry") < until
    expired = rows.filter(is_over & pl.col("available"))
    unused = rows.filter((pl.col("usages") == 0) & ~(is_over & pl.col("available")).fill_null(value=False))
    added = shift.draw.count(max(1.0, 3 * shift.scale))
    return [
        shift.change("vouchers", expired, available=pl.lit(value=False)),
        shift.remove(shift.choose(unused, shift.draw.count(max(0.4, 0.7 * shift.scale)))),
        _vouchers(shift.draw, shift.state.rows("product_providers"), shift.moments(added)),
    ]


def _vouchers(draw: Draw, payments: pl.DataFrame, when: Moments) -> pl.DataFrame:
    n = len(when.changed)
    tenant = pl.Series(TENANTS).gather(np.arange(n) % len(TENANTS)) if n > 1 else draw.pick(TENANTS, n)
    product = picked_alike(draw, payments, tenant)
    kind, discount = draw.rng.random(n), draw.pick(("FRACTION", "FRACTION", "AMOUNT", "FREE"), n)
    is_single = pl.Series(draw.chance(0.7, n))
    is_fraction, lasts = (discount == "FRACTION").to_numpy(), draw.chance(0.4, n)
    fraction = decimals(pl.Series(500 * draw.whole(2, 20, n)), 5, 4)
    pool, has_pool = draw.whole(0, len(POOLS), n), ~draw.chance(0.15, n)
    made = instants(when.changed)
    until = instants(when.changed + draw.whole(20 * DAY, 500 * DAY, n))
    rows = {
        "code": draw.pick(PREFIXES, n) + draw.hex(12, n).str.to_uppercase(),
        "pool": spoil("pool-" + pl.Series(pool).cast(pl.String).str.zfill(3), ~has_pool),
        "pool_name": spoil(draw.text(POOLS, n), ~has_pool),
        "product_id": product.get_column("product_id").set(pl.Series(kind < 0.3), None),
        "product_payment_id": product.get_column("id").set(pl.Series(kind < 0.5), None),
        "voucher_type": pl.Series(["MULTI", "SINGLE"]).gather(is_single.cast(pl.Int64)),
        "discount_type": spoil(discount, draw.chance(0.1, n) & ~is_fraction),
        "discount_fraction": where(is_fraction, fraction),
        "discount_fraction_recurring": where(is_fraction & lasts, fraction),
        "usages": pl.Series(np.zeros(n, dtype=np.int64)),
        "max_usages": pl.Series(np.where(is_single.to_numpy(), 1, draw.whole(5, 500, n))),
        "available": pl.Series(np.ones(n, dtype=bool)),
        "start_date": made.set(pl.Series(draw.chance(0.3, n)), None),
        "expiry": until.set(pl.Series(draw.chance(0.3, n)), None),
        "registered": made,
        "last_updated": made,
        "tenant": tenant,
    }
    return version(pl.DataFrame(rows), when)
