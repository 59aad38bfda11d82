"""Rows of the ledger as values, and a delivery's plan as a row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, select

from offramp.domain.deliveries import Delivery, DeliveryRecord, Kind, PlacementRecord, State
from offramp.ledger.tables import deliveries, placements

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.engine import Row

_PLACED = placements.c

_RECORDS = (
    select(
        deliveries,
        _PLACED.destination,
        _PLACED.state.label("placed_state"),
        _PLACED.verified_by,
        _PLACED.error.label("placed_error"),
        _PLACED.updated_at.label("placed_at"),
    )
    .outerjoin(
        placements,
        and_(_PLACED.delivery_id == deliveries.c.delivery_id, _PLACED.revision == deliveries.c.revision),
    )
    .order_by(deliveries.c.delivery_id, deliveries.c.revision)
)
_CONDITIONS = {
    "subscription": deliveries.c.subscription_id == bindparam("subscription"),
    "recipient": deliveries.c.recipient == bindparam("recipient"),
    "feed": deliveries.c.feed == bindparam("feed"),
    "export": deliveries.c.export == bindparam("export"),
    "first_day": deliveries.c.data_day >= bindparam("first_day"),
    "last_day": deliveries.c.data_day <= bindparam("last_day"),
    "states": deliveries.c.state.in_(bindparam("states", expanding=True)),
}


@cache
def records_by(conditions: frozenset[str]) -> Select[Any]:
    """Return the query of records by what is asked of them; each is built once, as that costs more than to run it."""
    return _RECORDS.where(*(_CONDITIONS[name] for name in sorted(conditions)))


@dataclass(frozen=True, slots=True)
class Transition:
    """A line of the log: who took a revision from which state to which, when, and what went wrong."""

    revision: int
    at: datetime
    owner: str
    token: int
    from_state: State | None
    to_state: State
    error: str | None


def plan_values(delivery: Delivery) -> dict[str, object]:
    """Return what a plan decides; until a revision is staged its plan can still change."""
    return {
        "tick": delivery.tick,
        "until": delivery.until,
        "window_start": delivery.window.start if delivery.window else None,
        "kind": delivery.kind.value,
        "previous": delivery.previous.delivery_id if delivery.previous else None,
        "supersedes": delivery.supersedes,
        "reason": delivery.reason,
        "is_approximate": delivery.is_approximate,
    }


def record_of(rows: Sequence[Row[Any]]) -> DeliveryRecord:
    """Make one record of the rows that a revision has: one per destination, or one without any."""
    row = rows[0]
    placed = sorted((one for one in rows if one.destination is not None), key=lambda one: str(one.destination))
    return DeliveryRecord(
        delivery_id=row.delivery_id,
        revision=row.revision,
        subscription_id=row.subscription_id,
        recipient=row.recipient,
        feed=row.feed,
        export=row.export,
        data_day=row.data_day,
        tick=row.tick,
        until=row.until,
        window_start=row.window_start,
        kind=Kind(row.kind),
        state=State(row.state),
        landing_id=row.landing_id,
        previous=row.previous,
        supersedes=row.supersedes,
        reason=row.reason,
        covered_by=row.covered_by,
        is_approximate=row.is_approximate,
        rows=row.rows,
        bytes=row.bytes,
        files=tuple(row.files),
        error=row.error,
        updated_at=row.updated_at,
        placements=tuple(
            PlacementRecord(one.destination, State(one.placed_state), one.verified_by, one.placed_error, one.placed_at)
            for one in placed
        ),
    )


def transition_of(row: Row[Any]) -> Transition:
    """Make one line of the log."""
    return Transition(
        revision=row.revision,
        at=row.at,
        owner=row.owner,
        token=row.token,
        from_state=State(row.from_state) if row.from_state else None,
        to_state=State(row.to_state),
        error=row.error,
    )
