"""Publish: bring staged parts to every destination, prove that they arrived, and say so with a manifest."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from offramp.domain.deliveries import DELIVERED, PlacementRecord, State
from offramp.domain.errors import (
    DeliveryRefused,
    DestinationChanged,
    DestinationRefused,
    DestinationUnreachable,
    VerificationFailed,
)
from offramp.domain.exports import Mode
from offramp.domain.manifests import Manifest, build_manifest
from offramp.pipeline.patience import expect_up, learn, patience_with
from offramp.pipeline.placing import Placing
from offramp.pipeline.rooms import PublishFailure, no_news

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from offramp.domain.deliveries import Claim, Delivery, DeliveryRecord, Staged
    from offramp.pipeline.rooms import Report, Rooms

_FAILURES = (DestinationRefused, DestinationUnreachable, DestinationChanged, VerificationFailed, DeliveryRefused)


def manifest_of(rooms: Rooms, staged: Staged) -> Manifest:
    """Build the manifest of a staged delivery from the landing that it was made of."""
    delivery = staged.delivery
    source = rooms.source_of(delivery.export).name
    landing = rooms.lake.landings.get(source, delivery.landing_id or "")
    format_name, options = rooms.feed_of(delivery.export).format(delivery.subscription, delivery.export)
    return build_manifest(
        staged,
        data_as_of=landing.data_as_of,
        safety_lag_seconds=int(rooms.safety_lag.total_seconds()),
        cut_by=delivery.export.contract.change_column if delivery.window else None,
        dialect={"type": format_name.value, **rooms.formats[format_name].dialect(options)},
        verification={name: rooms.proof_of(name, delivery.subscription) for name in rooms.destinations_of(delivery)},
        versions=rooms.versions,
        marker=rooms.feed_of(delivery.export).marker_name(delivery),
    )


def publish(
    rooms: Rooms,
    staged: Staged,
    claim: Claim,
    report: Report,
    *,
    record: DeliveryRecord | None = None,
    repairs: bool = False,
    behind: Mapping[str, date] | None = None,
    keep_alive: Callable[[], None] = no_news,
) -> tuple[PublishFailure, ...]:
    """Publish to every destination of the subscription; one that fails delays no other.

    ``record`` is what the ledger knows of parts that were staged earlier. A destination that has them is left
    alone, for its recipient may have taken the files away; with ``repairs`` they are put back there, whatever stands
    in their place, since that was asked for. ``behind`` are destinations that still miss an earlier day: they get
    nothing newer first. ``keep_alive`` is called before each upload. Returns the failures; without any, what was
    staged is published in the ledger. Raises ClaimLost at once.
    """
    delivery = staged.delivery
    manifest = _kept_manifest(rooms, staged)
    placed = {one.destination for one in record.placements if one.state in DELIVERED} if record else set()
    names = [name for name in rooms.destinations_of(delivery) if repairs or name not in placed]
    was_delivered = record is not None and record.state in DELIVERED
    base = _base(rooms, delivery) if names else None

    def one(name: str) -> PublishFailure | None:
        is_own = repairs and name in placed
        try:
            expect_up(rooms, name)
            if not is_own:
                _expect_in_order(delivery, name, behind or {})
                _warn_of_a_hole(delivery, base, name, report)
            destination = rooms.destination(name, delivery.subscription)
            placing = Placing(rooms, destination, claim, report, keep_alive, patience_with(rooms, name))
            placing.publish(staged, manifest, repairs=is_own)
        except _FAILURES as error:
            learn(rooms, name, error)
            # A repair that fails takes back nothing: the files there are still this delivery's own.
            state = State.PUBLISHED if is_own else State.FAILED
            rooms.ledger.place(claim, PlacementRecord(name, state, error=str(error)), now=rooms.clock())
            return PublishFailure(delivery, name, str(error))
        learn(rooms, name, None)
        rooms.at_step("publish.placed")
        placement = PlacementRecord(name, State.PUBLISHED, verified_by=placing.destination.verified_by)
        rooms.ledger.place(claim, placement, now=rooms.clock())
        report("publish", f"{delivery.label} -> {name}", rows=staged.rows, bytes_=staged.bytes)
        return None

    if len(names) > 1:
        with ThreadPoolExecutor(max_workers=min(rooms.publish_parallel, len(names))) as pool:
            failures = tuple(failure for failure in pool.map(one, names) if failure is not None)
    else:
        failures = tuple(failure for failure in map(one, names) if failure is not None)
    if was_delivered:
        return failures
    if failures:
        first = failures[0]
        rooms.ledger.advance(claim, State.STAGED, now=rooms.clock(), error=f"{first.destination}: {first.error}")
    else:
        rooms.at_step("publish.ledger")
        rooms.ledger.advance(claim, State.PUBLISHED, now=rooms.clock())
    return failures


def _expect_in_order(delivery: Delivery, name: str, behind: Mapping[str, date]) -> None:
    if name in behind:
        raise DeliveryRefused(
            "an earlier delivery has not arrived there yet, and days arrive in order",
            where=f"{name}: {delivery.label}",
            expected=f"the delivery of {behind[name]}",
            todo="mend the destination and run again: all that is staged goes out, oldest first",
        )


def _base(rooms: Rooms, delivery: Delivery) -> DeliveryRecord | None:
    """Return the delivered record that a delta builds upon, or None."""
    base = delivery.previous
    if base is None or delivery.export.mode is not Mode.DELTA:
        return None
    records = rooms.ledger.find(
        subscription=delivery.subscription.id, export=delivery.export.name, states=DELIVERED, last_day=delivery.data_day
    )
    wanted = (base.delivery_id, base.revision)
    return next((one for one in reversed(records) if (one.delivery_id, one.revision) == wanted), None)


def _warn_of_a_hole(delivery: Delivery, base: DeliveryRecord | None, name: str, report: Report) -> None:
    """Tell that a delta goes to a destination which never got what it builds upon: one that was added later."""
    if base is not None and name not in {one.destination for one in base.placements}:
        report(
            "warning",
            f"{name} gets {delivery.label}, and never got {base.data_day}, which it builds upon: send that and what"
            " came before with offramp redeliver, from the baseline on",
        )


def _kept_manifest(rooms: Rooms, staged: Staged) -> Manifest:
    """Return the manifest that the parts were first published with, else build and keep it.

    The settings and the versions of today do not say how parts of yesterday were made.
    """
    delivery = staged.delivery
    content = rooms.lake.manifests.content(delivery.id, delivery.revision)
    if content is not None:
        kept = json.loads(content)
        if [(one["name"], one["sha256"]) for one in kept["files"]] == [(one.name, one.sha256) for one in staged.files]:
            return Manifest(kept)
    manifest = manifest_of(rooms, staged)
    rooms.lake.manifests.keep(delivery.id, delivery.revision, manifest.content)
    return manifest
