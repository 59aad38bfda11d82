"""Pools of voucher codes: made with all their vouchers, and taken away with them while no code was used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.draw import DAY, Draw, spoil
from offramp.sources.demo.moments import Moments
from offramp.sources.demo.picking import picked_alike, shared_moments
from offramp.sources.demo.versions import COMMITTED, State, version
from offramp.sources.demo.voucher_times import finer, not_before, nulled, numbers, utc
from offramp.sources.demo.words import POOLS, PREFIXES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.demo.chapter import Shift

# 32 letters and digits; the first characters of all prefixes are left out, so that codes with and without a prefix
# cannot be alike.
_LETTERS = np.frombuffer(b"123456789ABCDEFGHIJKLMNOPQRTUVYZ", dtype="S1")
_UNIQUE, _LONGEST = 6, 12


def new_pools(draw: Draw, campaigns: pl.DataFrame, when: Moments, *, days: tuple[int, int]) -> pl.DataFrame:
    """Return a pool for each campaign that is given. Those that expire do so within the given days."""
    n = len(when.changed)
    at = not_before(when, campaigns.get_column("created_at"))
    created = utc(at)
    size = pl.Series(20 + (380 * draw.rng.random(n) ** 3).astype(np.int64))
    until = utc(at + draw.whole(days[0] * DAY, days[1] * DAY, n))
    return version(
        pl.DataFrame(
            {
                "id": draw.uuid(n),
                "campaign_id": campaigns.get_column("id"),
                "name": draw.text(POOLS, n, odd=0.15),
                "voucher_type": draw.pick(("SINGLE", "SINGLE", "MULTI"), n),
                "code_prefix": spoil(spoil(draw.pick(PREFIXES, n), draw.chance(0.2, n)), draw.chance(0.1, n), ""),
                "code_length": pl.Series(draw.whole(_UNIQUE, _LONGEST + 1, n)),
                "size": size,
                "available_count": size,
                "redeemed_count": pl.Series(np.zeros(n, dtype=np.int64)),
                "start_date": nulled(created, draw.chance(0.3, n)),
                "expiry": nulled(until, draw.chance(0.3, n)),
                "created_at": created,
                "updated_at": created,
                "tenant": campaigns.get_column("tenant"),
            }
        ),
        when,
    )


def new_vouchers(draw: Draw, state: State, pools: pl.DataFrame, *, made: int) -> pl.DataFrame:
    """Return all vouchers of new pools, as visible as those. ``made`` counts the vouchers that were made before."""
    rows = pools[np.repeat(np.arange(len(pools)), pools.get_column("size").to_numpy())]
    n = len(rows)
    created = rows.get_column("created_at")
    at = numbers(created)
    committed = numbers(rows.get_column(COMMITTED))
    users = state.rows("users").filter(~pl.col("deleted")).select("id", "tenant")
    user = picked_alike(draw, users, rows.get_column("tenant")).get_column("id")
    number = _codes(draw, np.arange(made, made + n))
    usages = pl.Series([2, 3, 5, 10]).gather(draw.whole(0, 4, n))
    return version(
        rows.select(
            draw.uuid(n).alias("id"),
            (pl.col("code_prefix").fill_null("") + pl.lit(number).str.slice(0, pl.col("code_length"))).alias("code"),
            pl.col("id").alias("pool_id"),
            pl.lit("AVAILABLE").alias("status"),
            pl.lit(0, pl.Int64).alias("usages"),
            pl.when(pl.col("voucher_type") == "MULTI").then(usages).otherwise(1).alias("max_usages"),
            nulled(user, draw.chance(0.92, n)).alias("assigned_user_id"),
            nulled(utc(at + draw.whole(0, 10 * DAY, n)), draw.chance(0.85, n)).alias("start_date"),
            nulled(utc(at + draw.whole(40 * DAY, 600 * DAY, n)), draw.chance(0.8, n)).alias("expiry"),
            "created_at",
            "updated_at",
            "tenant",
        ),
        Moments(at, committed),
    )


def _codes(draw: Draw, number: NDArray[np.int64]) -> pl.Series:
    """Return codes of 12 characters whose first six differ: those spell the number after a permutation of 30 bits."""
    bits = (1 << 5 * _UNIQUE) - 1
    mixed = number * 0x9E3779B1 & bits
    mixed = (mixed ^ mixed >> 15) * 0x2C1B3C6D & bits
    first = mixed[:, None] >> 5 * np.arange(_UNIQUE) & 31
    rest = draw.whole(0, 32, len(number) * (_LONGEST - _UNIQUE)).reshape(len(number), _LONGEST - _UNIQUE)
    letters = np.ascontiguousarray(_LETTERS[np.hstack([first, rest])])
    return pl.Series(letters.view(f"S{_LONGEST}").ravel().astype(str), dtype=pl.String)


def removed_pools(shift: Shift) -> dict[str, pl.DataFrame]:
    """Take away pools, with all their vouchers, of which no voucher was ever used or reserved."""
    state = shift.state
    vouchers, uses = state.rows("vvs_vouchers"), state.rows("vvs_voucher_redemptions")
    used = vouchers.join(uses, left_on="id", right_on="voucher_id", how="semi")
    unused = state.rows("vvs_pools").join(used, left_on="id", right_on="pool_id", how="anti", maintain_order="left")
    pools = shift.choose(unused, shift.draw.count(max(0.6, 0.6 * shift.scale)))
    when = shift.moments(len(pools))
    places = pools.select(pl.int_range(pl.len()).alias("_place"), pool_id="id")
    gone = vouchers.join(places, on="pool_id", how="inner", maintain_order="left")
    return {
        "vvs_pools": version(pools, when, is_removed=True),
        "vvs_vouchers": version(
            gone.drop("_place"), shared_moments(when, numbers(gone.get_column("_place"))), is_removed=True
        ),
    }


def added_pools(shift: Shift) -> dict[str, pl.DataFrame]:
    """Add pools, with all their vouchers, to campaigns that have not ended."""
    state, draw = shift.state, shift.draw
    campaigns = state.rows("vvs_campaigns").filter(pl.col("status") != "ENDED")
    when = finer(draw, shift.moments(draw.count(max(0.9, 0.9 * shift.scale))))
    campaigns = campaigns[draw.whole(0, len(campaigns), len(when.changed))]
    pools = new_pools(draw, campaigns, when, days=(10, 400))
    made = len(state.tables["vvs_vouchers"])
    return {"vvs_pools": pools, "vvs_vouchers": new_vouchers(draw, state, pools, made=made)}
