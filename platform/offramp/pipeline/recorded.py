"""Deliveries as the ledger has them: the right to work on one, what is known of it, and its name."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from offramp.domain.deliveries import Delivery
from offramp.domain.errors import ClaimHeld, ClaimLost, DeliveryRefused

if TYPE_CHECKING:
    from offramp.domain.deliveries import Claim, DeliveryRecord
    from offramp.pipeline.rooms import Report, Rooms

_WAIT_SECONDS = 0.5


def take_claim(rooms: Rooms, delivery: Delivery, report: Report) -> Claim:
    """Claim a delivery, waiting for another run's claim to be released or to expire.

    The claim of a process of this machine that was killed is taken over at once.
    """
    give_up_at = rooms.clock() + 2 * rooms.claim_ttl
    gone: Claim | None = None
    is_told = False
    while True:
        try:
            return rooms.ledger.claim(delivery, owner=rooms.owner, ttl=rooms.claim_ttl, now=rooms.clock(), gone=gone)
        except ClaimHeld as held:
            if rooms.has_ended(held.holder.owner):
                gone = held.holder
                continue
            if rooms.clock() >= give_up_at:
                raise
            if not is_told:
                until = f"{held.holder.expires_at:%H:%M:%S} UTC"
                report("wait", f"{delivery.label}: another run works on it, {held.holder.owner}, until {until} at most")
                is_told = True
            time.sleep(_WAIT_SECONDS)


def keep_alive(rooms: Rooms, claims: dict[str, Claim]) -> None:
    """Renew the claims that are past half of their time."""
    now, ttl = rooms.clock(), rooms.claim_ttl
    for key, claim in claims.items():
        if claim.expires_at - now < ttl / 2:
            claims[key] = rooms.ledger.renew(claim, ttl=ttl, now=now)


def give_back(rooms: Rooms, claim: Claim) -> None:
    """Give a claim back. One that was lost is not this run's any more, and the loss was raised where it mattered."""
    with suppress(ClaimLost):
        rooms.ledger.release(claim)


def record_of(rooms: Rooms, delivery: Delivery) -> DeliveryRecord | None:
    """Return what the ledger knows of a delivery's revision."""
    records = rooms.ledger.find(
        subscription=delivery.subscription.id,
        export=delivery.export.name,
        first_day=delivery.data_day,
        last_day=delivery.data_day,
    )
    return next((record for record in records if record.revision == delivery.revision), None)


def as_delivery(rooms: Rooms, record: DeliveryRecord) -> Delivery:
    """Name a recorded delivery, so that its parts can be found; its other facts stand beside the parts."""
    subscription = next((one for one in rooms.subscriptions if one.id == record.subscription_id), None)
    export = rooms.exports.get(record.export)
    if subscription is None or export is None:
        raise DeliveryRefused(
            "its subscription or export is no longer in the configuration",
            where=f"{record.subscription_id} {record.export} {record.data_day}",
            todo="put it back, or deliver the kept parts by hand from the lake",
        )
    return Delivery(
        subscription=subscription,
        export=export,
        data_day=record.data_day,
        tick=record.tick,
        until=record.until,
        window=None,
        landing_id=record.landing_id,
        kind=record.kind,
        revision=record.revision,
    )
