"""The demo's payments: charges are authorised and captured, or fail; some money is given back. Each step is logged.

Payments follow orders by one part of a day: an order is charged for after it was bought or renewed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo import charges
from offramp.sources.demo.chapter import logged
from offramp.sources.demo.charges import Kind
from offramp.sources.demo.cuts import cuts
from offramp.sources.demo.draw import DAY, HOUR, Draw, instants
from offramp.sources.demo.moments import Moments, Part
from offramp.sources.demo.offers import OrderStatus
from offramp.sources.demo.picking import shared_moments
from offramp.sources.demo.schema import TABLES
from offramp.sources.demo.versions import changed_at, version
from offramp.sources.demo.words import RESPONSE_CODES, STATUS_TEXTS

if TYPE_CHECKING:
    from offramp.sources.demo.chapter import Beginning, First, Shift, Versions

_NAME = "payment_transactions"
_STEP = ("id", "users_access_id", "status", "last_updated", "tenant")


def begin(beginning: Beginning) -> First:
    """Return the payments of the past, about two of each order, nearly all of them settled."""
    draw, state, midnight = beginning.draw, beginning.state, beginning.midnight
    orders = state.rows("users_access").filter(pl.col("status_id") != OrderStatus.INITIALISED)
    earlier = charges.renewals(state, orders, back=2)
    due = pl.concat([
        charges.first_charges(state, orders),
        charges.renewals(state, orders),
        earlier.filter(pl.Series(draw.chance(0.7, len(earlier)))),
    ])  # fmt: skip
    due = due.sort("registered", "users_access_id")
    made = charges.transactions(draw, state, due, first_id=1)
    status = orders.select(pl.col("id").alias("users_access_id"), "status_id")
    status = made.select("users_access_id").join(status, on="users_access_id", maintain_order="left")
    order_status = status.get_column("status_id")
    made = _settled_before(draw, made, order_status, midnight)
    is_given, by_us = made.get_column("status") == "CREDITED", order_status == OrderStatus.CREDITED
    back = pl.concat([
        charges.given_back(made.filter(is_given & by_us), Kind.REFUND),
        charges.given_back(made.filter(is_given & ~by_us), Kind.CHARGEBACK),
    ])  # fmt: skip
    back = charges.transactions(draw, state, back, first_id=len(made) + 1)
    back = back.with_columns(status=pl.lit("CAPTURED"), captured_at="registered")
    rows = pl.concat([made, back])
    settled = rows.get_column("last_updated").cast(pl.Int64).to_numpy()
    return {_NAME: version(rows, Moments(settled, np.full(len(rows), midnight, dtype=np.int64)))}


def live(shift: Shift) -> Versions:
    """Return the versions of one part of a day: charges made, steps taken, money given back, and what is logged."""
    rows, orders = shift.state.rows(_NAME), shift.state.rows("users_access")
    stepped, stepped_when, before = _stepped(shift, rows, orders)
    captured = np.flatnonzero((stepped.get_column("status") == "CAPTURED").to_numpy())
    originals, back = _given_back(shift, rows, orders)
    charged = charges.not_yet_charged(shift, orders, rows)
    due = pl.concat([back, charged])
    when = _not_before(shift.moments(len(due)), due.get_column("registered"))
    new = charges.transactions(
        shift.draw,
        shift.state,
        due.with_columns(registered=instants(when.changed)),
        first_id=shift.state.next_id(_NAME),
    )
    credited_when = when.cut(0, len(originals))
    credited = changed_at(TABLES[_NAME], originals, credited_when).with_columns(status=pl.lit("CREDITED"))
    free = charges.free_orders(shift, orders)
    no_status = pl.Series([None], dtype=pl.String).new_from_index(0, len(new) + len(free))
    taken = pl.concat([rows.select(_STEP) for rows in (stepped, credited, new, free)])
    before = pl.concat([before, originals.get_column("status"), no_status])
    free_when = shift.moments(len(free))
    return {
        _NAME: [version(stepped, stepped_when), version(credited, credited_when), version(new, when)],
        "payment_status_log": [
            _steps(shift.draw, taken, before, _joined(stepped_when, credited_when, when, free_when))
        ],
        "payment_transaction_cuts": [cuts(shift, stepped[captured], shared_moments(stepped_when, captured))],
    }


def _settled_before(draw: Draw, rows: pl.DataFrame, order_status: pl.Series, midnight: int) -> pl.DataFrame:
    n = len(rows)
    begun = rows.get_column("registered").cast(pl.Int64).to_numpy()
    settled = np.minimum(begun + draw.whole(HOUR, 3 * DAY, n) // 1_000_000 * 1_000_000, midnight)
    is_charge, fate = rows.select(charges.is_charge()).to_series().to_numpy(), draw.rng.random(n)
    is_later = (rows.get_column("payment_transaction_type_id") == Kind.RENEWAL).to_numpy()
    status = np.select(
        [
            (order_status == OrderStatus.FAILED).to_numpy(),
            is_charge & ((order_status == OrderStatus.CREDITED).to_numpy() | (fate < 0.012)),
            is_later & (fate < 0.05),
            is_later & (fate < 0.06),
        ],
        ["FAILED", "CREDITED", "FAILED", "CANCELLED"],
        "CAPTURED",
    ).astype("<U10")
    # The latest charges of active orders are reserved, not captured yet.
    waiting = np.flatnonzero((status == "CAPTURED") & (order_status == OrderStatus.ACTIVE).to_numpy())
    status[waiting[-max(6, n // 100) :]] = "AUTHORIZED"
    was_captured = np.isin(status, ("CAPTURED", "CREDITED"))
    return rows.with_columns(
        status=pl.Series(status, dtype=pl.String),
        captured_at=instants(settled).set(pl.Series(~was_captured), None),
        last_updated=instants(settled),
    )


def _stepped(shift: Shift, rows: pl.DataFrame, orders: pl.DataFrame) -> tuple[pl.DataFrame, Moments, pl.Series]:
    """Return open transactions after their next step, when they took it, and their status before."""
    status = orders.select(pl.col("id").alias("users_access_id"), "status_id")
    is_open = rows.filter(pl.col("status").is_in(["INITIALIZE", "AUTHORIZED"]))
    is_open = is_open.filter(pl.Series(shift.draw.chance(0.85, len(is_open))))
    # A payment waits for its order to be settled, and fails with it.
    is_open = is_open.join(status, on="users_access_id", maintain_order="left")
    is_open = is_open.filter(pl.col("status_id") != OrderStatus.INITIALISED)
    failed, before = pl.col("status_id") == OrderStatus.FAILED, is_open.get_column("status")
    chance = pl.lit(pl.Series(shift.draw.rng.random(len(is_open))))
    is_new, charged = pl.col("status") == "INITIALIZE", charges.is_charge()
    after = (
        pl.when(is_new & (failed | (charged & (chance < 0.02)))).then(pl.lit("FAILED"))
        .when(charged & (chance < 0.03)).then(pl.lit("CANCELLED"))
        .when(is_new).then(pl.lit("AUTHORIZED"))
        .otherwise(pl.lit("CAPTURED"))
    )  # fmt: skip
    when = shift.moments(len(is_open))
    moved = changed_at(TABLES[_NAME], is_open.with_columns(status=after).select(rows.columns), when)
    is_taken = pl.col("status") == "CAPTURED"
    return moved.with_columns(captured_at=pl.when(is_taken).then("last_updated")), when, before


def _given_back(shift: Shift, rows: pl.DataFrame, orders: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return captured charges of credited orders, and a few that banks take back, with what gives them back."""
    in_office = shift.part is Part.WORK
    captured = rows.filter((pl.col("status") == "CAPTURED") & charges.is_charge()) if in_office else rows.clear()
    is_mine = pl.col("users_access_id").is_in(
        orders.filter(pl.col("status_id") == OrderStatus.CREDITED).get_column("id").implode()
    )
    refunded = captured.filter(is_mine)
    recent = pl.col("captured_at") > instants(np.full(1, shift.midnight - 90 * DAY)).item()
    claimed = shift.choose(captured.filter(~is_mine & recent), shift.draw.count(max(0.2, 0.5 * shift.scale)))
    back = [charges.given_back(refunded, Kind.REFUND), charges.given_back(claimed, Kind.CHARGEBACK)]
    return pl.concat([refunded, claimed]), pl.concat(back)


def _steps(draw: Draw, rows: pl.DataFrame, before: pl.Series, when: Moments) -> pl.DataFrame:
    """Return the log rows of steps that transactions took, written together with these."""
    n, status = len(rows), pl.col("status")
    plain = status.replace_strict(STATUS_TEXTS, return_dtype=pl.String)
    odd = draw.text(tuple(STATUS_TEXTS.values()), n, odd=1)
    is_odd, is_told = (pl.lit(pl.Series(draw.chance(share, n))) for share in (0.06, 0.9))
    text = pl.when(is_odd).then(pl.lit(odd)).otherwise(plain)
    log = rows.select(
        pl.col("id").alias("payment_transaction_id"),
        "users_access_id",
        before.alias("status_from"),
        status.alias("status_to"),
        pl.when(is_told).then(text).alias("status_text"),
        status.replace_strict(RESPONSE_CODES, return_dtype=pl.String).alias("provider_response_code"),
        pl.col("last_updated").alias("registered"),
        "tenant",
    )
    return logged(log, when)


def _not_before(when: Moments, since: pl.Series) -> Moments:
    return Moments(np.maximum(when.changed, since.cast(pl.Int64).to_numpy()), when.committed)


def _joined(*every: Moments) -> Moments:
    return Moments(np.concatenate([when.changed for when in every]), np.concatenate([when.committed for when in every]))
