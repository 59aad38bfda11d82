"""The demo's voucher pools: codes are used up, pools are added, and some are removed for good."""

from __future__ import annotations

import numpy as np
import polars as pl

from offramp.sources.demo.catalogue import at_the_start
from offramp.sources.demo.draw import DAY, Draw, instants, spoil
from offramp.sources.demo.moments import Moments, Part, moments
from offramp.sources.demo.schema import TABLES, TENANTS
from offramp.sources.demo.versions import State, changed_at, version
from offramp.sources.demo.words import POOLS, PREFIXES


def _finer(draw: Draw, when: Moments) -> Moments:
    """Voucher pools come from a system that dates changes in microseconds."""
    return Moments(
        np.minimum(when.changed + draw.whole(0, 1_000_000, len(when.changed)), when.committed), when.committed
    )


def new_pools(draw: Draw, when: Moments) -> pl.DataFrame:
    """Return pools that are made at the given moments."""
    n = len(when.changed)
    created = instants(when.changed, zone="UTC")
    size = pl.Series(draw.whole(10, 5000, n))
    until = instants(when.changed + draw.whole(30 * DAY, 400 * DAY, n), zone="UTC")
    return version(
        pl.DataFrame(
            {
                "id": draw.uuid(n),
                "campaign_id": draw.uuid(n),
                "name": draw.text(POOLS, n, odd=0.15),
                "voucher_type": draw.pick(("SINGLE", "MULTI"), n),
                "code_prefix": spoil(spoil(draw.pick(PREFIXES, n), draw.chance(0.2, n)), draw.chance(0.1, n), ""),
                "code_length": pl.Series(draw.whole(6, 13, n)),
                "size": size,
                "available_count": size,
                "redeemed_count": pl.Series(np.zeros(n, dtype=np.int64)),
                "start_date": created.set(pl.Series(draw.chance(0.3, n)), None),
                "expiry": until.set(pl.Series(draw.chance(0.3, n)), None),
                "created_at": created,
                "updated_at": created,
                "tenant": draw.pick(TENANTS, n),
            }
        ),
        when,
    )


def first_pools(draw: Draw, midnight: int, scale: float) -> pl.DataFrame:
    """Return the pools with which the demo begins, some for each tenant."""
    n = max(10, round(40 * scale))
    pools = new_pools(draw, _finer(draw, at_the_start(draw, midnight, n)))
    return pools.with_columns(tenant=pl.Series((TENANTS * n)[:n])).sort("id")


def live_pools(draw: Draw, state: State, midnight: int, part: Part, scale: float) -> list[pl.DataFrame]:
    """Return versions of one part of a day."""
    table, share = TABLES["vvs_pools"], part.value[2]
    rows = state.rows("vvs_pools")
    used, removed = draw.count(0.2 * len(rows) * share), draw.count(0.7 * share)
    total = min(used + removed, max(len(rows) - 6, 0))
    used = min(used, total)
    when = _finer(draw, moments(draw, midnight, part, total))
    chosen = rows[draw.rng.choice(len(rows), total, replace=False).astype(np.uint32)]
    redeemed = changed_at(table, chosen.slice(0, used), when.cut(0, used))
    step = pl.min_horizontal(pl.col("available_count"), pl.lit(pl.Series(draw.whole(1, 9, used))))
    redeemed = redeemed.with_columns(
        available_count=pl.col("available_count") - step, redeemed_count=pl.col("redeemed_count") + step
    )
    added = _finer(draw, moments(draw, midnight, part, draw.count(max(1.0, scale) * share)))
    return [
        version(redeemed, when.cut(0, used)),
        version(chosen.slice(used), when.cut(used, total), is_removed=True),
        new_pools(draw, added),
    ]
