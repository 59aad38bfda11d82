"""Redeliver: put kept parts back where they are missing or damaged, because somebody asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.domain.deliveries import DELIVERED, Staged, State
from offramp.domain.errors import DeliveryRefused
from offramp.domain.windows import DAY
from offramp.pipeline.publish import publish
from offramp.pipeline.recorded import as_delivery, give_back, keep_alive, record_of, take_claim
from offramp.pipeline.rooms import Outcome, no_report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from offramp.domain.deliveries import Delivery, DeliveryRecord
    from offramp.pipeline.rooms import Report, Rooms


def redeliver(rooms: Rooms, records: Sequence[DeliveryRecord], report: Report = no_report) -> tuple[Outcome, ...]:
    """Publish kept parts again, as they are: what is missing or damaged at a destination is put back.

    Raises DeliveryRefused for a revision that was superseded or whose parts are no longer kept.
    """
    return tuple(_redeliver_one(rooms, record, report) for record in records)


def _redeliver_one(rooms: Rooms, record: DeliveryRecord, report: Report) -> Outcome:
    delivery = as_delivery(rooms, record)
    _refuse_undelivered(delivery, record)
    claims = {delivery.id: take_claim(rooms, delivery, report)}
    try:
        # Asked again under the claim: a correction may have come in between.
        current = record_of(rooms, delivery) or record
        _refuse_undelivered(delivery, current)
        staged = rooms.lake.staged.find(delivery)
        if not isinstance(staged, Staged):
            raise DeliveryRefused(
                "its parts cannot be sent again",
                where=delivery.label,
                expected="parts in the lake that match their checksums",
                found=staged.reason,
                todo="make it again as a correction: offramp redeliver --correct --reason '...'",
            )
        failures = publish(
            rooms,
            staged,
            claims[delivery.id],
            report,
            record=current,
            repairs=True,
            behind=_behind(rooms, delivery),
            keep_alive=lambda: keep_alive(rooms, claims),
        )
        return Outcome(staged, is_new=False, failures=failures)
    finally:
        give_back(rooms, claims[delivery.id])


def _behind(rooms: Rooms, delivery: Delivery) -> dict[str, date]:
    """Return the destinations that still wait for an earlier day, with that day."""
    earlier = rooms.ledger.find(
        subscription=delivery.subscription.id,
        export=delivery.export.name,
        last_day=delivery.data_day - DAY,
        states={State.STAGED},
    )
    return {
        name: record.data_day
        for record in earlier
        for name in rooms.destinations_of(delivery)
        if name not in {one.destination for one in record.placements if one.state in DELIVERED}
    }


def _refuse_undelivered(delivery: Delivery, record: DeliveryRecord) -> None:
    if record.state not in DELIVERED | {State.STAGED}:
        raise DeliveryRefused(
            "only what was staged or published can be delivered again",
            where=delivery.label,
            expected="state staged, published, submitted or accepted",
            found=record.state.value,
            todo="deliver the day, or name the newest revision",
        )
