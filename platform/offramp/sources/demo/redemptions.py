"""Uses of voucher codes, booked together with their vouchers and the counts of their pools.

What happens to codes of a pool in a part of a day is booked in one transaction, so that it becomes visible together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.draw import DAY, SECOND, Draw, decimals
from offramp.sources.demo.moments import Moments, Part
from offramp.sources.demo.picking import picked_alike
from offramp.sources.demo.schema import TABLES
from offramp.sources.demo.versions import VERSION, State, version
from offramp.sources.demo.voucher_times import finer, instant, utc
from offramp.sources.demo.words import CURRENCIES

if TYPE_CHECKING:
    from offramp.sources.demo.chapter import Beginning, Shift

# No campaign has more uses than that in a day, so one that is further from its limit cannot pass it.
_USES_A_DAY = 300


def codes_of(state: State) -> pl.DataFrame:
    """Return the vouchers that can still change, with their ``_start`` and ``_expiry`` and what their campaigns say."""
    campaigns = state.rows("vvs_campaigns").select(
        "discount_id",
        "redemption_count",
        "max_redemptions",
        "max_redemptions_per_user",
        campaign_id="id",
        _campaign="status",
        _campaign_start="start_date",
        _campaign_end="end_date",
    )
    pools = state.rows("vvs_pools").select("campaign_id", pool_id="id", _pool_start="start_date", _pool_end="expiry")
    pools = pools.join(campaigns, on="campaign_id", how="inner", maintain_order="left")
    vouchers = state.rows("vvs_vouchers").filter(pl.col("status").is_in(["AVAILABLE", "RESERVED"]))
    return vouchers.join(pools, on="pool_id", how="inner", maintain_order="left").with_columns(
        pl.max_horizontal(pl.coalesce("start_date", "_pool_start"), "_campaign_start").alias("_start"),
        pl.coalesce("expiry", "_pool_end").alias("_expiry"),
    )


def with_users(draw: Draw, state: State, picks: pl.DataFrame, known_before: int) -> pl.DataFrame:
    """Return picked vouchers with a ``user_id`` each, within the campaigns' limits of uses per user.

    A voucher that is assigned is used by its user; of the others, most are used by somebody who has orders.
    """
    n = len(picks)
    known = instant(known_before).dt.replace_time_zone(None)
    users = state.rows("users").filter(~pl.col("deleted") & (pl.col("registration_date") < known))
    users = users.select("id", "tenant")
    buyers = users.join(state.rows("users_access"), left_on="id", right_on="user_id", how="semi", maintain_order="left")
    buyers = buyers if len(buyers) else users
    tenant = picks.get_column("tenant")
    anyone, buyer = (picked_alike(draw, rows, tenant) for rows in (users, buyers))
    buys = (buyer.get_column("tenant") == tenant) & pl.Series(draw.chance(0.6, n))
    user = buyer.get_column("id").zip_with(buys, anyone.get_column("id"))
    picks = picks.with_columns(pl.coalesce("assigned_user_id", user).alias("user_id"))
    once = ("campaign_id", "user_id")
    uses = state.rows("vvs_voucher_redemptions").filter(pl.col("status") != "CANCELLED")
    uses = uses.join(picks, on=once, how="semi").group_by(once).agg(pl.len().alias("_uses"))
    nth = pl.col("_uses").fill_null(0) + pl.int_range(pl.len()).over(once)
    limit = pl.col("max_redemptions_per_user")
    return (
        picks.join(users.select(user_id="id"), on="user_id", how="semi", maintain_order="left")
        .join(uses, on=once, how="left", maintain_order="left")
        .filter(limit.is_null() | (nth < limit))
    )


def booked(draw: Draw, state: State, touched: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the versions of vouchers, pools and redemptions to which what happened to vouchers leads.

    ``touched`` holds vouchers with ``_outcome`` (what happens), ``_at`` (when), ``_commit`` (when it becomes visible,
    in microseconds), and ``_redemption`` (the reservation that is settled, or NULL).
    """
    outcome = pl.col("_outcome")
    is_used = outcome == "REDEEMED"
    is_usable = is_used & (pl.col("usages") + 1 < pl.col("max_usages")) | (outcome == "CANCELLED")
    touched = touched.with_columns(
        pl.max_horizontal("updated_at", "_at").alias("_at"),
        pl.when(is_usable).then(pl.lit("AVAILABLE")).otherwise(outcome).alias("_after"),
    )
    vouchers = touched.with_columns(
        status="_after", usages=pl.col("usages") + is_used.cast(pl.Int64), updated_at="_at"
    ).select(state.tables["vvs_vouchers"].columns)
    return {
        "vvs_vouchers": version(vouchers, _commits(touched)),
        "vvs_pools": _counted(state.rows("vvs_pools"), touched),
        "vvs_voucher_redemptions": _redemptions(draw, state, touched),
    }


def _commits(rows: pl.DataFrame) -> Moments:
    commits = rows.get_column("_commit").to_numpy()
    return Moments(commits, commits)


def _counted(pools: pl.DataFrame, touched: pl.DataFrame) -> pl.DataFrame:
    def more(status: str) -> pl.Expr:
        before, after = (pl.col(name).eq(status).sum().cast(pl.Int64) for name in ("status", "_after"))
        return after - before

    sums = touched.group_by("pool_id", maintain_order=True).agg(
        more("AVAILABLE").alias("_available"), more("REDEEMED").alias("_redeemed"), pl.max("_at"), pl.first("_commit")
    )
    rows = pools.join(sums, left_on="id", right_on="pool_id", how="inner", maintain_order="left").with_columns(
        available_count=pl.col("available_count") + pl.col("_available"),
        redeemed_count=pl.col("redeemed_count") + pl.col("_redeemed"),
        updated_at=pl.max_horizontal("updated_at", "_at"),
    )
    return version(rows.select(pools.columns), _commits(rows))


def _redemptions(draw: Draw, state: State, touched: pl.DataFrame) -> pl.DataFrame:
    """Return new uses, and reservations that were settled."""
    rows = state.rows("vvs_voucher_redemptions")
    added = touched.filter(
        pl.col("_redemption").is_null() & pl.col("_outcome").is_in(["REDEEMED", "RESERVED", "CANCELLED"])
    )
    added = added.with_columns(
        draw.uuid(len(added)).alias("id"),
        pl.col("id").alias("voucher_id"),
        *(
            pl.lit(None, rows.schema[name]).alias(name)
            for name in ("users_access_id", "discount_amount", "currency", "redeemed_at")
        ),
        pl.col("_outcome").alias("status"),
        pl.col("_at").alias("created_at"),
        pl.col("_at").alias("updated_at"),
        pl.lit(0, pl.Int64).alias(VERSION),
    ).select(*rows.columns, "_commit")
    settled = touched.select("_outcome", "_at", "_commit", id="_redemption")
    settled = rows.join(settled, on="id", how="inner", maintain_order="left").with_columns(
        status="_outcome", updated_at=pl.max_horizontal("updated_at", "_at")
    )
    both = pl.concat([added, settled.select(added.columns)])
    return version(_settled(draw, state, both).select(rows.columns), _commits(both))


def _settled(draw: Draw, state: State, rows: pl.DataFrame) -> pl.DataFrame:
    """Return redemptions with what only a use has: its time, the last order of its user, and the money taken off."""
    n = len(rows)
    discounts = state.rows("vvs_discounts").select(
        "discount_type", discount_id="id", _fraction="discount_fraction", _amount="discount_amount"
    )
    orders = state.rows("users_access").select("user_id", _order="id").join(rows, on="user_id", how="semi")
    orders = orders.group_by("user_id").agg(pl.max("_order"))
    rows = rows.join(discounts, on="discount_id", how="left", maintain_order="left")
    rows = rows.join(orders, on="user_id", how="left", maintain_order="left")
    is_used = pl.col("status") == "REDEEMED"
    has_order = is_used & pl.lit(pl.Series(draw.chance(0.85, n)))
    price = decimals(pl.Series([49, 79, 99, 149]).gather(draw.whole(0, 4, n)) * 100, 12, 2)
    taken = pl.when(pl.col("discount_type") == "FRACTION").then((price * pl.col("_fraction")).cast(pl.Decimal(12, 2)))
    return rows.with_columns(
        pl.when(is_used).then("updated_at").alias("redeemed_at"),
        pl.when(has_order).then("_order").alias("users_access_id"),
        pl.when(is_used).then(taken.otherwise("_amount")).alias("discount_amount"),
    ).with_columns(
        pl.when(pl.col("discount_amount").is_not_null())
        .then(pl.col("tenant").replace_strict(CURRENCIES))
        .alias("currency")
    )


def first_touched(beginning: Beginning, state: State) -> pl.DataFrame:
    """Return what happened to the first vouchers: a third was used, a few are blocked, and some have expired."""
    draw, midnight = beginning.draw, beginning.midnight
    codes = codes_of(state).filter(pl.col("_campaign") != "DRAFT")
    now = instant(midnight - SECOND)
    start = pl.max_horizontal("_start", "created_at")
    codes = codes.with_columns(
        pl.col("_expiry").lt(now).alias("_is_due"),
        start.alias("_from"),
        (pl.min_horizontal("_expiry", "_campaign_end", now) - start).alias("_span"),
        pl.lit(None, pl.String).alias("_redemption"),
        pl.lit(midnight).alias("_commit"),
    )
    is_used = pl.lit(pl.Series(draw.chance(0.35, len(codes)))) & (pl.col("_span") > pl.duration(seconds=0))
    n = len(codes.filter(is_used))
    outcome = draw.pick(("REDEEMED",) * 14 + ("RESERVED", "CANCELLED", "CANCELLED", "BLOCKED"), n)
    at = pl.col("_from").cast(pl.Int64) + (pl.col("_span").cast(pl.Int64) * draw.rng.random(n)).cast(pl.Int64)
    used = codes.filter(is_used).with_columns(outcome.alias("_outcome"), at.cast(pl.Datetime("us", "UTC")).alias("_at"))
    known = state.rows("users").select(user_id="id", _known=pl.col("registration_date").dt.replace_time_zone("UTC"))
    used = with_users(draw, state, used, midnight).join(known, on="user_id", how="left", maintain_order="left")
    used = used.filter(pl.col("_known") <= pl.col("_at"))
    due = codes.filter("_is_due").join(used, on="id", how="anti", maintain_order="left")
    due = due.with_columns(_outcome=pl.lit("EXPIRED"), _at=pl.col("_expiry"), user_id=pl.lit(None, pl.Int64))
    return pl.concat([used.select(due.columns), due])


def live_codes(shift: Shift, pools: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return what happens to codes: some expire in the night; some are used, reserved or blocked; some settled."""
    draw, state = shift.draw, shift.state
    most = pools.select(pool_id="id", _most=pl.Series(draw.whole(1, 5, len(pools))))
    codes = codes_of(state).join(most, on="pool_id", how="inner", maintain_order="left")
    yesterday, today, tomorrow = (instant(shift.midnight + days * DAY) for days in (-1, 0, 1))
    is_free = pl.col("status") == "AVAILABLE"
    due = codes.filter(is_free & (pl.col("_expiry") < today) & (shift.part is Part.NIGHT))
    busy = most.filter(pl.Series(draw.chance(1.2 * shift.share, len(most))))
    usable = codes.join(busy, on="pool_id", how="semi", maintain_order="left").filter(
        is_free
        & (pl.col("_campaign") == "ACTIVE")
        & (pl.col("_start").is_null() | (pl.col("_start") < yesterday))
        & (pl.min_horizontal("_expiry", "_campaign_end").fill_null(tomorrow) >= tomorrow)
        & (pl.col("max_redemptions").is_null() | (pl.col("redemption_count") + _USES_A_DAY < pl.col("max_redemptions")))
    )
    usable = usable[draw.rng.permutation(len(usable)).astype(np.uint32)]
    picks = usable.filter(pl.int_range(pl.len()).over("pool_id") < pl.col("_most"))
    outcome = draw.pick(("REDEEMED",) * 9 + ("RESERVED",) * 8 + ("BLOCKED",), len(picks))
    no_redemption = pl.lit(None, pl.String).alias("_redemption")
    picks = with_users(draw, state, picks.with_columns(outcome.alias("_outcome"), no_redemption), shift.midnight - DAY)
    opened = state.rows("vvs_voucher_redemptions").filter(pl.col("status") == "RESERVED")
    opened = opened.filter(pl.Series(draw.chance(0.4, len(opened)))).select("user_id", "voucher_id", _redemption="id")
    settled = codes.join(opened, left_on="id", right_on="voucher_id", how="inner", maintain_order="left")
    outcome = draw.pick(("REDEEMED", "REDEEMED", "CANCELLED"), len(settled))
    due = due.with_columns(no_redemption, _outcome=pl.lit("EXPIRED"), user_id=pl.lit(None, pl.Int64))
    touched = pl.concat([picks.select(due.columns), settled.with_columns(_outcome=outcome).select(due.columns), due])
    touching = touched.select(pl.col("pool_id").unique(maintain_order=True))
    when = finer(draw, shift.moments(len(touching)))
    touching = touching.with_columns(utc(when.changed).alias("_at"), pl.Series("_commit", when.committed))
    return booked(draw, state, touched.join(touching, on="pool_id", how="left", maintain_order="left"))


def no_redemptions() -> pl.DataFrame:
    """Return the table of uses as it is before the first one."""
    kinds = {
        "uuid": pl.String(),
        "varchar": pl.String(),
        "bigint": pl.Int64(),
        "decimal(12,2)": pl.Decimal(12, 2),
        "timestamptz": pl.Datetime("us", "UTC"),
    }
    columns = TABLES["vvs_voucher_redemptions"].columns
    nobody = np.zeros(0, dtype=np.int64)
    return version(pl.DataFrame(schema={name: kinds[kind] for name, kind in columns}), Moments(nobody, nobody))


def newly_counted(state: State) -> pl.DataFrame:
    """Return campaigns whose uses are no longer those that were counted last; the service counts them in the night."""
    uses = state.rows("vvs_voucher_redemptions").filter(pl.col("status") == "REDEEMED")
    uses = uses.group_by("campaign_id").agg(pl.len().cast(pl.Int64).alias("_uses"))
    campaigns = state.rows("vvs_campaigns")
    counted = campaigns.join(uses, left_on="id", right_on="campaign_id", how="inner", maintain_order="left")
    counted = counted.filter(pl.col("_uses") != pl.col("redemption_count"))
    return counted.with_columns(redemption_count="_uses").select(campaigns.columns)
