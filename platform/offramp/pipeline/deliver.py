"""Deliver: plan, land, stage and publish one export for one data day. What a run does, without Dagster."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from offramp.domain.deliveries import DELIVERED, Delivery, State
from offramp.domain.errors import ClaimHeld, ClaimLost, ContractBroken, DeliveryRefused, LandingUnavailable
from offramp.pipeline.land import ensure_landings
from offramp.pipeline.plan import Facts, Plan, PlanOptions, Skipped, plan_day
from offramp.pipeline.publish import publish
from offramp.pipeline.rooms import Outcome, PublishFailure, no_report
from offramp.pipeline.scan import group_key
from offramp.pipeline.stage import open_group

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from offramp.domain.deliveries import Claim, DeliveryRecord
    from offramp.domain.exports import Export
    from offramp.pipeline.rooms import Report, Rooms

_WAIT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class DayReport:
    """What one export did for one data day."""

    export: Export
    data_day: date
    outcomes: tuple[Outcome, ...]
    skipped: tuple[Skipped, ...]
    refused: tuple[tuple[Delivery, str], ...] = ()

    @property
    def failures(self) -> tuple[PublishFailure, ...]:
        """Destinations that did not take what they are owed."""
        return tuple(failure for outcome in self.outcomes for failure in outcome.failures)

    @property
    def rows(self) -> int:
        """Rows delivered in this run."""
        return sum(outcome.staged.rows for outcome in self.outcomes)

    @property
    def bytes(self) -> int:
        """Bytes delivered in this run, once per subscription."""
        return sum(outcome.staged.bytes for outcome in self.outcomes)


def plan_export(rooms: Rooms, export: Export, data_day: date, options: PlanOptions | None = None) -> Plan:
    """Plan one export's day from the lake and the ledger as they are now."""
    source = rooms.source_of(export)
    facts = Facts(
        feed=rooms.feed_of(export),
        source=source.name,
        can_read_as_of=source.can_read_as_of,
        subscriptions=[one for one in rooms.subscriptions if one.feed == export.feed],
        landings=rooms.lake.landings.landings(source.name),
        history=rooms.ledger.find(feed=export.feed, export=export.name),
        now=rooms.clock(),
        safety_lag=rooms.safety_lag,
    )
    return plan_day(export, data_day, facts, options)


def plan_with_landings(
    rooms: Rooms, export: Export, data_day: date, options: PlanOptions | None = None, report: Report = no_report
) -> Plan:
    """Plan one export's day and make the landings that it needs.

    Raises LandingUnavailable where a delivery cannot be made any more, NotYetDue where it cannot be made yet.
    """
    rooms.at_step("plan")
    plan = plan_export(rooms, export, data_day, options)
    if plan.needs:
        ensure_landings(rooms, plan.needs, report)
        plan = plan_export(rooms, export, data_day, options)
    if plan.refused:
        reasons = "\n".join(f"  {delivery.label}: {reason}" for delivery, reason in plan.refused)
        raise LandingUnavailable(f"{len(plan.refused)} delivery(ies) cannot be made any more:\n{reasons}")
    return plan


def deliver_day(
    rooms: Rooms, export: Export, data_day: date, options: PlanOptions | None = None, report: Report = no_report
) -> DayReport:
    """Deliver what one export owes for one data day and return what was done.

    A delivery that another run works on is waited for. A content failure raises; a destination's failure is
    returned in the report, with the parts staged, so that the next run does only that.
    """
    plan = plan_with_landings(rooms, export, data_day, options, report)
    outcomes: list[Outcome] = []
    for _key, group in groupby(sorted(plan.owed, key=_group_order), key=group_key):
        outcomes += _deliver_group(rooms, list(group), report)
    return DayReport(export, data_day, tuple(outcomes), plan.skipped)


def _group_order(delivery: Delivery) -> str:
    return f"{group_key(delivery)!r}|{delivery.subscription.id}"


def _deliver_group(rooms: Rooms, deliveries: Sequence[Delivery], report: Report) -> Iterator[Outcome]:
    claims: dict[str, Claim] = {}
    try:
        fresh = []
        for delivery in deliveries:
            claim = _claim(rooms, delivery)
            claims[delivery.id] = claim
            record = _record(rooms, delivery)
            if record is not None and record.state in DELIVERED:
                continue
            staged = rooms.lake.staged.load(delivery) if record and record.state is State.STAGED else None
            if staged is None:
                fresh.append(delivery)
            else:
                failures = publish(rooms, staged, claim, report, record=record)
                yield Outcome(staged, is_new=False, failures=failures)
        if fresh:
            yield from _stage_and_publish(rooms, fresh, claims, report)
    finally:
        for claim in claims.values():
            _release(rooms, claim)


def _stage_and_publish(
    rooms: Rooms, deliveries: Sequence[Delivery], claims: dict[str, Claim], report: Report
) -> Iterator[Outcome]:
    def keep_alive() -> None:
        now = rooms.clock()
        for key, claim in claims.items():
            if claim.expires_at - now < rooms.claim_ttl / 2:
                claims[key] = rooms.ledger.renew(claim, ttl=rooms.claim_ttl, now=now)

    broken: list[ContractBroken] = []
    with open_group(rooms, deliveries, report, keep_alive=keep_alive) as stage:
        for delivery in deliveries:
            claim = claims[delivery.id]
            try:
                staged = stage(delivery)
            except ContractBroken as error:
                rooms.ledger.advance(claim, State.FAILED, now=rooms.clock(), error=str(error))
                broken.append(error)
                continue
            rooms.at_step("stage.save")
            rooms.lake.staged.save(staged)
            rooms.at_step("stage.ledger")
            rooms.ledger.stage(claims[delivery.id], staged, now=rooms.clock())
            if delivery.covers:
                rooms.ledger.cover(claims[delivery.id], _missed(delivery), now=rooms.clock())
            failures = publish(rooms, staged, claims[delivery.id], report)
            yield Outcome(staged, is_new=True, failures=failures)
    if broken:
        raise broken[0]


def _claim(rooms: Rooms, delivery: Delivery) -> Claim:
    """Claim a delivery, waiting for another run's claim to be released or to expire."""
    give_up_at = rooms.clock() + 2 * rooms.claim_ttl
    while True:
        try:
            return rooms.ledger.claim(delivery, owner=rooms.owner, ttl=rooms.claim_ttl, now=rooms.clock())
        except ClaimHeld:
            if rooms.clock() >= give_up_at:
                raise
            time.sleep(_WAIT_SECONDS)


def _release(rooms: Rooms, claim: Claim) -> None:
    """Give a claim back. One that was lost is not this run's any more, and the loss was raised where it mattered."""
    with suppress(ClaimLost):
        rooms.ledger.release(claim)


def _record(rooms: Rooms, delivery: Delivery) -> DeliveryRecord | None:
    records = rooms.ledger.find(
        subscription=delivery.subscription.id,
        export=delivery.export.name,
        first_day=delivery.data_day,
        last_day=delivery.data_day,
    )
    return next((record for record in records if record.revision == delivery.revision), None)


def _missed(delivery: Delivery) -> tuple[Delivery, ...]:
    """Return the missed days that a delivery catches up, as the deliveries that they would have been."""
    return tuple(
        replace(delivery, data_day=day, landing_id=None, revision=1, previous=None, covers=(), window=None)
        for day in delivery.covers
    )


def redeliver(rooms: Rooms, records: Sequence[DeliveryRecord], report: Report = no_report) -> tuple[Outcome, ...]:
    """Publish kept parts again, as they are: what is missing or damaged at a destination is put back.

    Raises DeliveryRefused for a revision that was superseded or whose parts are no longer kept.
    """
    return tuple(_redeliver_one(rooms, record, report) for record in records)


def _redeliver_one(rooms: Rooms, record: DeliveryRecord, report: Report) -> Outcome:
    delivery = _as_delivery(rooms, record)
    _refuse_undelivered(delivery, record)
    claim = _claim(rooms, delivery)
    try:
        # Asked again under the claim: a correction may have come in between.
        current = _record(rooms, delivery) or record
        _refuse_undelivered(delivery, current)
        staged = rooms.lake.staged.load(delivery)
        if staged is None:
            raise DeliveryRefused(
                "its parts are no longer kept, or damaged",
                where=delivery.label,
                expected="parts in the lake that match their checksums",
                found="none",
                todo="make it again as a correction: offramp redeliver --correct --reason '...'",
            )
        failures = publish(rooms, staged, claim, report, record=current, repairs=True)
        return Outcome(staged, is_new=False, failures=failures)
    finally:
        _release(rooms, claim)


def _refuse_undelivered(delivery: Delivery, record: DeliveryRecord) -> None:
    if record.state not in DELIVERED | {State.STAGED}:
        raise DeliveryRefused(
            "only what was staged or published can be delivered again",
            where=delivery.label,
            expected="state staged, published, submitted or accepted",
            found=record.state.value,
            todo="deliver the day, or name the newest revision",
        )


def _as_delivery(rooms: Rooms, record: DeliveryRecord) -> Delivery:
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
