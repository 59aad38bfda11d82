"""Deliver: plan, land, stage and publish one export for one data day. What a run does, without Dagster."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING

from offramp.domain.deliveries import DELIVERED, Delivery, Kind, Staged, State
from offramp.domain.errors import ContractBroken, LandingUnavailable, NotYetDue
from offramp.domain.exports import Mode
from offramp.domain.windows import DAY, tick_of
from offramp.pipeline.land import ensure_landings
from offramp.pipeline.plan import Facts, Plan, PlanOptions, Skipped, plan_day
from offramp.pipeline.publish import publish
from offramp.pipeline.recorded import as_delivery, give_back, keep_alive, record_of, take_claim
from offramp.pipeline.reuse import made_before, remember
from offramp.pipeline.rooms import Outcome, PublishFailure, no_report
from offramp.pipeline.scan import group_key
from offramp.pipeline.stage import open_group
from offramp.pipeline.tenants import unknown_tenants

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    from offramp.domain.deliveries import Claim, DeliveryRecord
    from offramp.domain.exports import Export
    from offramp.pipeline.rooms import Report, Rooms


@dataclass(frozen=True, slots=True)
class DayReport:
    """What one export did for one data day.

    ``broken`` are deliveries whose rows break the contract, ``refused`` those that cannot be made (any more).
    """

    export: Export
    data_day: date
    outcomes: tuple[Outcome, ...]
    skipped: tuple[Skipped, ...] = ()
    broken: tuple[ContractBroken, ...] = ()
    refused: tuple[tuple[Delivery, str], ...] = ()
    behind: tuple[PublishFailure, ...] = ()

    @property
    def failures(self) -> tuple[PublishFailure, ...]:
        """Destinations that did not take what they are owed."""
        return (*self.behind, *(failure for outcome in self.outcomes for failure in outcome.failures))

    @property
    def days(self) -> frozenset[date]:
        """The days that the run touched: its own, earlier ones whose parts went out, and missed ones it caught up."""
        deliveries = [outcome.staged.delivery for outcome in self.outcomes]
        return frozenset(
            {self.data_day, *(one.data_day for one in deliveries), *(d for one in deliveries for d in one.covers)}
        )

    def raise_if_incomplete(self) -> None:
        """Raise ContractBroken or LandingUnavailable for what could not be made; dead destinations do not count."""
        refused = [f"{delivery.label}: {reason}" for delivery, reason in self.refused]
        if self.broken and len(self.broken) + len(refused) == 1:
            raise self.broken[0]
        if self.broken:
            raise ContractBroken("\n".join((*map(str, self.broken), *refused)))
        if refused:
            raise LandingUnavailable("\n  ".join((f"{len(refused)} delivery(ies) cannot be made:", *refused)))

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
    history = rooms.ledger.find(feed=export.feed, export=export.name)
    ids = [(one.delivery_id, one.revision) for one in history if one.data_day == data_day]
    cuts = {one: rooms.lake.staged.cut(*one) for one in ids}
    facts = Facts(
        feed=rooms.feed_of(export),
        source=source.name,
        can_read_as_of=source.can_read_as_of,
        subscriptions=[one for one in rooms.subscriptions if one.feed == export.feed],
        landings=rooms.lake.landings.landings(source.name),
        history=history,
        now=rooms.clock(),
        safety_lag=rooms.safety_lag,
        cuts={one: cut for one, cut in cuts.items() if cut is not None},
    )
    return plan_day(export, data_day, facts, options)


def plan_with_landings(
    rooms: Rooms, export: Export, data_day: date, options: PlanOptions | None = None, report: Report = no_report
) -> Plan:
    """Plan one export's day and make the landings that it needs.

    What cannot be made (yet) is among the plan's ``refused`` while other deliveries have their landing. Raises
    NotYetDue where none has one.
    """
    rooms.at_step("plan")
    plan = _with_landings(rooms, export, data_day, options, report)
    return _without_other_keys(rooms, _without_unknown_tenants(rooms, plan))


def _with_landings(rooms: Rooms, export: Export, data_day: date, options: PlanOptions | None, report: Report) -> Plan:
    plan = plan_export(rooms, export, data_day, options)
    if not plan.needs:
        return plan
    try:
        ensure_landings(rooms, plan.needs, report)
    except NotYetDue as early:
        plan = plan_export(rooms, export, data_day, options)
        ready = tuple(delivery for delivery in plan.owed if delivery.landing_id)
        if not ready:
            raise
        waiting = tuple((delivery, str(early)) for delivery in plan.owed if not delivery.landing_id)
        return replace(plan, owed=ready, refused=(*plan.refused, *waiting))
    return plan_export(rooms, export, data_day, options)


def _without_other_keys(rooms: Rooms, plan: Plan) -> Plan:
    """Refuse deltas whose key columns are hashed otherwise than in the delivered ones next to them.

    A receiver that applies them by key would keep every earlier row beside its successor. What is only staged is
    made anew before it goes out.
    """
    export = plan.export
    if export.mode is not Mode.DELTA or not any(export.contract.column(one).is_personal for one in export.contract.key):
        return plan
    faults = {one.id: fault for one in plan.owed if (fault := _key_fault(rooms, one)) is not None}
    owed = tuple(delivery for delivery in plan.owed if delivery.id not in faults)
    refused = tuple((delivery, faults[delivery.id]) for delivery in plan.owed if delivery.id in faults)
    return replace(plan, owed=owed, refused=(*plan.refused, *refused))


def _key_fault(rooms: Rooms, delivery: Delivery) -> str | None:
    records = [
        record
        for record in rooms.ledger.find(
            subscription=delivery.subscription.id, export=delivery.export.name, states=DELIVERED
        )
        if record.data_day != delivery.data_day
    ]
    earlier = [record for record in records if record.data_day < delivery.data_day]
    later = [record for record in records if record.data_day > delivery.data_day]
    mine = delivery.contract.hashed
    for record in (*earlier[-1:], *later[:1]):
        # A record that was lost is taken for one that hashed nothing.
        other = rooms.lake.staged.hashed(record.delivery_id, record.revision) or {}
        if all(other.get(one) == mine.get(one) for one in delivery.contract.key):
            continue
        return (
            f"its key is hashed otherwise than in the delivery of {record.data_day}: take back the change of personal"
            " or hash_key, or give the subscription another id, which begins with a baseline"
        )
    return None


def _without_unknown_tenants(rooms: Rooms, plan: Plan) -> Plan:
    """Refuse deliveries whose tenant owns no row at all, rather than deliver nothing as a success."""
    if not plan.owed:
        return plan
    source = rooms.source_of(plan.export).name
    faults = {
        delivery.id: unknown_tenants(rooms, delivery, rooms.lake.landings.get(source, delivery.landing_id or ""))
        for delivery in plan.owed
    }
    owed = tuple(delivery for delivery in plan.owed if faults[delivery.id] is None)
    unknown = tuple((delivery, fault) for delivery in plan.owed if (fault := faults[delivery.id]) is not None)
    return replace(plan, owed=owed, refused=(*plan.refused, *unknown))


def deliver_day(
    rooms: Rooms, export: Export, data_day: date, options: PlanOptions | None = None, report: Report = no_report
) -> DayReport:
    """Deliver what one export owes for one data day and return what was done.

    Parts of earlier days that a destination still misses go first, so that deltas arrive in order. A delivery that
    another run works on is waited for. A destination's failure is returned in the report, with the parts staged, so
    that the next run does only that; so are deliveries that broke the contract or cannot be made, which stop no
    other: see ``DayReport.raise_if_incomplete``. Raises NotYetDue where nothing can be made yet.
    """
    plan = plan_with_landings(rooms, export, data_day, options, report)
    run = _Run(rooms, report)
    with rooms.lake.parts.scratch():  # one that all steps share
        run.publish_earlier(export, data_day, {delivery.subscription.id for delivery in plan.owed})
        for _key, group in groupby(sorted(plan.owed, key=_group_order), key=group_key):
            run.deliver(list(group))
    return run.report_of(export, data_day, skipped=plan.skipped, refused=plan.refused)


def publish_waiting(
    rooms: Rooms, export: Export, data_day: date, recipients: Collection[str] = (), report: Report = no_report
) -> DayReport:
    """Publish what is staged up to a data day and was never published, oldest first. Nothing is planned or staged.

    ``recipients`` empty means all.
    """
    run = _Run(rooms, report)
    chosen = {one.id for one in rooms.subscriptions if not recipients or one.recipient in recipients}
    run.publish_earlier(export, data_day + DAY, chosen)
    return run.report_of(export, data_day)


def _group_order(delivery: Delivery) -> str:
    return f"{group_key(delivery)!r}|{delivery.subscription.id}"


@dataclass(slots=True)
class _Run:
    """What a run has done so far. A content failure of one delivery is kept in ``broken`` and stops no other."""

    rooms: Rooms
    report: Report
    outcomes: list[Outcome] = field(default_factory=list)
    broken: list[ContractBroken] = field(default_factory=list)
    unusable: list[PublishFailure] = field(default_factory=list)

    def report_of(
        self,
        export: Export,
        data_day: date,
        *,
        skipped: tuple[Skipped, ...] = (),
        refused: tuple[tuple[Delivery, str], ...] = (),
    ) -> DayReport:
        """Return what the run did."""
        done, broken, behind = tuple(self.outcomes), tuple(self.broken), tuple(self.unusable)
        return DayReport(export, data_day, done, skipped, broken=broken, refused=refused, behind=behind)

    def publish_earlier(self, export: Export, data_day: date, subscriptions: Collection[str]) -> None:
        """Publish what is staged of earlier days, oldest first, for some subscriptions.

        Parts that cannot be used any more are for a run of their own day to make anew; until then their
        destinations get nothing newer.
        """
        rooms = self.rooms
        records = rooms.ledger.find(export=export.name, last_day=data_day - DAY, states={State.STAGED})
        newest = {record.delivery_id: record.revision for record in records}
        for record in records:
            if record.subscription_id not in subscriptions or record.revision != newest[record.delivery_id]:
                continue
            delivery = as_delivery(rooms, record)
            claims = {delivery.id: take_claim(rooms, delivery, self.report)}
            try:
                current = record_of(rooms, delivery)
                if current is None or current.state is not State.STAGED:
                    continue
                staged = rooms.lake.staged.load(delivery)
                if staged is None:
                    self.unusable += _unusable(rooms, delivery, current)
                else:
                    self._publish(staged, claims, record=current)
            finally:
                give_back(rooms, claims[delivery.id])

    def deliver(self, deliveries: Sequence[Delivery]) -> None:
        """Deliver what shares one scan: publish what is staged, stage and publish the rest."""
        rooms = self.rooms
        claims: dict[str, Claim] = {}
        try:
            fresh = []
            for planned in deliveries:
                delivery, record, staged = _claim_usable(rooms, planned, claims, self.report)
                if record is not None and record.state in DELIVERED:
                    continue
                if staged is not None:
                    self._publish(staged, claims, record=record)
                elif (made := made_before(rooms, delivery)) is not None:
                    self.report("stage", delivery.label, rows=made.rows)
                    self._save_and_publish(made, claims)
                else:
                    fresh.append(delivery)
            if fresh:
                self._stage_and_publish(fresh, claims)
        finally:
            for claim in claims.values():
                give_back(rooms, claim)

    def _stage_and_publish(self, deliveries: Sequence[Delivery], claims: dict[str, Claim]) -> None:
        rooms = self.rooms
        with open_group(rooms, deliveries, self.report, keep_alive=lambda: keep_alive(self.rooms, claims)) as stage:
            for delivery in deliveries:
                try:
                    staged = stage(delivery)
                except ContractBroken as error:
                    rooms.ledger.advance(claims[delivery.id], State.FAILED, now=rooms.clock(), error=str(error))
                    self.broken.append(error)
                    continue
                self._save_and_publish(staged, claims)
                remember(rooms, staged)

    def _save_and_publish(self, staged: Staged, claims: dict[str, Claim]) -> None:
        rooms, delivery = self.rooms, staged.delivery
        rooms.at_step("stage.save")
        rooms.lake.staged.save(staged)
        rooms.at_step("stage.ledger")
        rooms.ledger.stage(claims[delivery.id], staged, now=rooms.clock(), missed=_missed(rooms, delivery))
        self._publish(staged, claims)

    def _publish(self, staged: Staged, claims: dict[str, Claim], *, record: DeliveryRecord | None = None) -> None:
        rooms, delivery = self.rooms, staged.delivery
        failures = publish(
            rooms,
            staged,
            claims[delivery.id],
            self.report,
            record=record,
            behind=self._behind(delivery.subscription.id),
            keep_alive=lambda: keep_alive(self.rooms, claims),
        )
        self.outcomes.append(Outcome(staged, is_new=record is None, failures=failures))

    def _behind(self, subscription: str) -> dict[str, date]:
        failures = [*self.unusable, *(failure for outcome in self.outcomes for failure in outcome.failures)]
        return {
            failure.destination: failure.delivery.data_day
            for failure in failures
            if failure.delivery.subscription.id == subscription
        }


def _unusable(rooms: Rooms, delivery: Delivery, record: DeliveryRecord) -> list[PublishFailure]:
    placed = {one.destination for one in record.placements if one.state in DELIVERED}
    error = "its staged parts cannot be used any more: deliver this day again, which makes them anew"
    return [PublishFailure(delivery, name, error) for name in rooms.destinations_of(delivery) if name not in placed]


def _claim_usable(
    rooms: Rooms, delivery: Delivery, claims: dict[str, Claim], report: Report
) -> tuple[Delivery, DeliveryRecord | None, Staged | None]:
    """Claim a delivery; return it with what the ledger knows of it and the parts that are staged.

    Where the parts cannot be used any more and their manifest was made, they may stand at a destination: then the
    next revision is claimed, which supersedes them there, and no manifest is written twice.
    """
    while True:
        claims[delivery.id] = claim = take_claim(rooms, delivery, report)
        record = record_of(rooms, delivery)
        if record is None or record.state is not State.STAGED:
            return delivery, record, None
        staged = rooms.lake.staged.load(delivery)
        if staged is not None or rooms.lake.manifests.content(delivery.id, delivery.revision) is None:
            return delivery, record, staged
        give_back(rooms, claim)
        delivery = replace(
            delivery,
            revision=delivery.revision + 1,
            supersedes=delivery.revision,
            reason="made anew, for the staged parts could not be used any more",
        )


def _missed(rooms: Rooms, delivery: Delivery) -> tuple[Delivery, ...]:
    """Return the missed days that a delivery catches up, as the deliveries that they would have been."""
    feed, subscription, export = rooms.feed_of(delivery.export), delivery.subscription, delivery.export
    cron = feed.cron(subscription, export)
    missed = []
    for day in delivery.covers:
        tick = (tick_of(cron, day) if cron else None) or delivery.tick
        window = feed.window(subscription, export, tick)
        own = replace(delivery, data_day=day, tick=tick, until=window.end, window=window)
        missed.append(replace(own, landing_id=None, kind=Kind.REGULAR, revision=1, previous=None, covers=()))
    return tuple(missed)
