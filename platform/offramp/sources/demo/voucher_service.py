"""The demo's voucher service: how its seven tables begin and live."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.campaigns import (
    core_products,
    live_campaigns,
    new_campaigns,
    new_covers,
    new_discounts,
    new_products,
)
from offramp.sources.demo.draw import DAY, SECOND
from offramp.sources.demo.moments import Moments, Part
from offramp.sources.demo.redemptions import booked, first_touched, live_codes, newly_counted, no_redemptions
from offramp.sources.demo.schema import TABLES
from offramp.sources.demo.versions import State, version
from offramp.sources.demo.voucher_pools import added_pools, new_pools, new_vouchers, removed_pools
from offramp.sources.demo.voucher_times import finer, next_versions, utc

if TYPE_CHECKING:
    from offramp.sources.demo.chapter import Beginning, First, Shift, Versions

# In this turn for each tenant, so that few campaigns already have every status.
FIRST_STATES = ("ACTIVE", "ACTIVE", "ENDED", "DRAFT", "ACTIVE", "PAUSED")


def begin(beginning: Beginning) -> First:
    """Return what is there when the demo begins."""
    draw, state = beginning.draw, State(dict(beginning.state.tables))

    def when(n: int, days: int = 365) -> Moments:
        return finer(draw, beginning.before(n, days=days))

    discounts = state.tables["vvs_discounts"] = new_discounts(draw, when(18))
    campaigns = new_campaigns(draw, discounts, FIRST_STATES, when(beginning.count(20, 12)))
    ended = pl.lit(utc(beginning.midnight - draw.whole(SECOND, DAY, len(campaigns))))
    campaigns = state.tables["vvs_campaigns"] = campaigns.with_columns(
        pl.when(pl.col("status") == "ENDED").then(ended).otherwise(name).alias(name)
        for name in ("end_date", "updated_at")
    )
    offered = core_products(state)
    state.tables["vvs_products"] = new_products(draw, offered, when(len(offered)))
    covering = campaigns[np.arange(3 * len(campaigns)) % len(campaigns)]
    state.tables["vvs_campaign_products"] = new_covers(draw, state, covering, when(len(covering)))
    n = beginning.count(40, 12)
    pools = new_pools(draw, campaigns[np.arange(n) % len(campaigns)], when(n, 330), days=(200, 700))
    state.tables["vvs_pools"] = pools
    state.tables["vvs_vouchers"] = new_vouchers(draw, state, pools, made=0)
    state.tables["vvs_voucher_redemptions"] = no_redemptions()
    for name, rows in booked(draw, state, first_touched(beginning, state)).items():
        state.apply(TABLES[name], rows)
    tallied = newly_counted(state)
    state.apply(TABLES["vvs_campaigns"], version(tallied, beginning.before(len(tallied))))
    return {name: rows for name, rows in state.tables.items() if name.startswith("vvs_")}


def live(shift: Shift) -> Versions:
    """Return the versions of one part of a day."""
    removed: dict[str, pl.DataFrame] = {}
    versions: dict[str, list[pl.DataFrame]] = {}
    kept = shift.state.rows("vvs_pools")
    if shift.part is Part.WORK:
        removed = removed_pools(shift)
        kept = kept.join(removed["vvs_pools"], on="id", how="anti", maintain_order="left")
        versions = live_campaigns(shift)
    elif shift.part is Part.NIGHT:
        versions = {"vvs_campaigns": [next_versions(shift, "vvs_campaigns", newly_counted(shift.state))]}
    changed = live_codes(shift, kept)
    added = added_pools(shift) if shift.part is Part.EVENING else {}
    for frames in (removed, changed, added):
        for name, rows in frames.items():
            versions.setdefault(name, []).append(rows)
    return versions
