"""Plan: which deliveries does a data day owe, by subscription, window and landing.

Pure: everything it needs is an argument, so the same facts always give the same plan, and it can be printed
before anything runs. Source: architecture.md section 5, media_exports.md section 7.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from offramp.domain.deliveries import DELIVERED, Delivery, Kind, Previous, State
from offramp.domain.exports import Mode
from offramp.domain.subscriptions import Initial
from offramp.domain.windows import DAY, next_tick, tick_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from offramp.domain.deliveries import DeliveryRecord, RecordedCut
    from offramp.domain.exports import Export
    from offramp.domain.landings import Landing
    from offramp.domain.ports import Feed
    from offramp.domain.subscriptions import Subscription
    from offramp.domain.windows import Window

_HAS_PARTS = DELIVERED | {State.STAGED}


class SkipReason(StrEnum):
    """Why a subscription gets nothing of an export on a day."""

    NOT_STARTED = "the subscription starts later"
    NO_TICK = "its schedule does not fire for this day"
    NOT_DUE = "its schedule has not fired yet"
    DELIVERED = "already delivered"
    COVERED = "a later delivery caught it up; --force delivers it as a backfill"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A subscription that gets nothing, and why."""

    subscription: Subscription
    export: Export
    data_day: date
    reason: SkipReason
    due_at: datetime | None = None
    record: DeliveryRecord | None = None


@dataclass(frozen=True, slots=True)
class LandingNeed:
    """A landing that does not exist yet: its read point has to lie in [at, before)."""

    source: str
    at: datetime
    before: datetime


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the caller asked for beside the day.

    ``recipients`` empty means all. ``force`` delivers a day that a later delivery covers. ``is_approximate``
    lets a delta without a landing of its time be cut from a later one. ``correction`` is the reason of a
    correction: what was delivered is made again as the next revision, from the landing ``landing_id`` where one
    is named (the source was mended and landed again), else from the one that its time names.
    """

    recipients: tuple[str, ...] = ()
    force: bool = False
    is_approximate: bool = False
    correction: str | None = None
    landing_id: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a plan is made from. ``landings`` are of the export's source, ``history`` of the export.

    ``cuts`` says how revisions of the day were cut, by delivery id and revision.
    """

    feed: Feed
    source: str
    can_read_as_of: bool
    subscriptions: Sequence[Subscription]
    landings: Sequence[Landing]
    history: Sequence[DeliveryRecord]
    now: datetime
    safety_lag: timedelta
    cuts: Mapping[tuple[str, int], RecordedCut] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """The deliveries that one export owes for one data day, what is skipped, and the landings that are missing.

    A delivery without ``landing_id`` waits for one of ``needs``. ``refused`` holds deliveries that cannot be
    made any more, each with the reason.
    """

    export: Export
    data_day: date
    owed: tuple[Delivery, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    needs: tuple[LandingNeed, ...] = ()
    refused: tuple[tuple[Delivery, str], ...] = ()


@dataclass(slots=True)
class _Draft:
    owed: list[Delivery] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    needs: list[LandingNeed] = field(default_factory=list)
    refused: list[tuple[Delivery, str]] = field(default_factory=list)


def plan_day(export: Export, data_day: date, facts: Facts, options: PlanOptions | None = None) -> Plan:
    """Plan one export's deliveries of one data day."""
    asked = options or PlanOptions()
    draft = _Draft()
    for subscription in sorted(facts.subscriptions, key=lambda one: one.id):
        if subscription.feed != export.feed or (asked.recipients and subscription.recipient not in asked.recipients):
            continue
        cron = facts.feed.cron(subscription, export)
        if cron is not None:
            _plan_one(draft, export, data_day, subscription=subscription, cron=cron, facts=facts, asked=asked)
    needs = tuple(sorted(set(draft.needs), key=lambda need: (need.at, need.before)))
    return Plan(export, data_day, tuple(draft.owed), tuple(draft.skipped), needs, tuple(draft.refused))


def _plan_one(
    draft: _Draft,
    export: Export,
    data_day: date,
    *,
    subscription: Subscription,
    cron: str,
    facts: Facts,
    asked: PlanOptions,
) -> None:
    tick = tick_of(cron, data_day)
    mine = [record for record in facts.history if record.subscription_id == subscription.id]
    current = latest_revision(mine, data_day)
    reason = _skip_reason(data_day, tick, current, subscription=subscription, now=facts.now, asked=asked)
    if tick is None or reason is not None:
        draft.skipped.append(Skipped(subscription, export, data_day, reason or SkipReason.NO_TICK, tick, current))
        return
    window = facts.feed.window(subscription, export, tick)
    delivery = _delivery(export, data_day, tick, window, subscription=subscription, mine=mine, cron=cron, asked=asked)
    delivery = _cut_as_recorded(delivery, current, facts.cuts)
    is_begun = current is not None and current.revision == delivery.revision and current.landing_id is not None
    if current and (current.state is State.STAGED or (is_begun and asked.landing_id is None)):
        draft.owed.append(replace(delivery, landing_id=current.landing_id))
    else:
        _with_landing(draft, delivery, _next_until(facts.feed, subscription, export, tick, cron), facts, asked)


def _cut_as_recorded(
    delivery: Delivery, current: DeliveryRecord | None, cuts: Mapping[tuple[str, int], RecordedCut]
) -> Delivery:
    """Cut what is resumed or corrected as it was cut first, whatever was delivered since."""
    if current is None:
        return delivery
    # What was saved beside a revision that the ledger does not know as staged was cut for a plan that is no more.
    own = cuts.get((delivery.id, current.revision)) if current.state in _HAS_PARTS else None
    cut = own or cuts.get((delivery.id, delivery.supersedes or 0))
    if cut is None:
        return delivery
    return replace(
        delivery,
        window=cut.window,
        previous=cut.previous,
        covers=cut.covers,
        is_approximate=cut.is_approximate,
    )


def _skip_reason(
    data_day: date,
    tick: datetime | None,
    current: DeliveryRecord | None,
    *,
    subscription: Subscription,
    now: datetime,
    asked: PlanOptions,
) -> SkipReason | None:
    if data_day < subscription.starts_on:
        return SkipReason.NOT_STARTED
    if tick is None:
        return SkipReason.NO_TICK
    if tick > now:
        return SkipReason.NOT_DUE
    if current and current.covered_by and current.state is State.SUPERSEDED and not asked.force:
        return SkipReason.COVERED
    if current and current.state in DELIVERED and not asked.correction:
        return SkipReason.DELIVERED
    return None


def latest_revision(records: Iterable[DeliveryRecord], data_day: date) -> DeliveryRecord | None:
    """Return the newest revision of a day's delivery, or None."""
    days = [record for record in records if record.data_day == data_day]
    return max(days, key=lambda record: record.revision, default=None)


def _delivery(
    export: Export,
    data_day: date,
    tick: datetime,
    window: Window,
    *,
    subscription: Subscription,
    mine: Sequence[DeliveryRecord],
    cron: str,
    asked: PlanOptions,
) -> Delivery:
    current = latest_revision(mine, data_day)
    is_correction = bool(asked.correction and current and current.state in DELIVERED)
    has_later = any(record.data_day > data_day and record.state in _HAS_PARTS for record in mine)
    is_backfill = (has_later and not is_correction) or bool(current and current.covered_by)
    is_delta = export.mode is Mode.DELTA
    previous = _previous(mine, data_day, is_backfill=is_backfill) if is_delta else None
    # A revision that was begun to supersede another stays that, whoever ends it.
    begun = current if current and current.state not in DELIVERED and not current.covered_by else None
    begun = begun if begun and (begun.supersedes is not None or begun.state is State.STAGED) else None
    kind = Kind.REGULAR
    if is_correction:
        kind = Kind.CORRECTION
    elif begun:
        kind = begun.kind
    elif is_backfill:
        kind = Kind.BACKFILL
    elif is_delta and previous is None and subscription.initial is Initial.FULL:
        kind = Kind.INITIAL
    is_again = is_correction or begun is not None
    was_initial = is_delta and is_again and previous is None and subscription.initial is Initial.FULL
    has_window = export.mode is Mode.OFFLOAD or (is_delta and kind is not Kind.INITIAL and not was_initial)
    missed = (
        _missed_days(mine, data_day, previous, subscription=subscription, cron=cron)
        if previous and kind is Kind.REGULAR
        else ()
    )
    return Delivery(
        subscription=subscription,
        export=export,
        data_day=data_day,
        tick=tick,
        until=window.end,
        window=window if has_window else None,
        landing_id=None,
        kind=kind,
        revision=_revision(current, is_correction=is_correction),
        previous=previous,
        covers=missed,
        supersedes=current.revision if is_correction and current else begun.supersedes if begun else None,
        reason=asked.correction if is_correction else begun.reason if begun else None,
    )


def _revision(current: DeliveryRecord | None, *, is_correction: bool) -> int:
    if current is None:
        return 1
    if is_correction or current.covered_by:
        return current.revision + 1
    return current.revision


def _previous(mine: Sequence[DeliveryRecord], data_day: date, *, is_backfill: bool) -> Previous | None:
    """Find the base: the last earlier delivery that has parts. Approximate ones never are a base."""
    kinds = {Kind.INITIAL, Kind.REGULAR, Kind.CORRECTION} | ({Kind.BACKFILL} if is_backfill else set())
    bases = [
        record
        for record in mine
        if record.data_day < data_day
        and record.state in _HAS_PARTS
        and record.kind in kinds
        and not record.is_approximate
        and record.landing_id
    ]
    last = max(bases, key=lambda record: (record.data_day, record.revision), default=None)
    if last is None or last.landing_id is None:
        return None
    return Previous(last.delivery_id, last.revision, last.landing_id, last.until)


def _missed_days(
    mine: Sequence[DeliveryRecord],
    data_day: date,
    previous: Previous,
    *,
    subscription: Subscription,
    cron: str,
) -> tuple[date, ...]:
    """Return the data days between the base and this one that had a tick and were never delivered."""
    base_day = next(record.data_day for record in mine if record.delivery_id == previous.delivery_id)
    done = {record.data_day for record in mine if record.state in _HAS_PARTS or record.covered_by}
    day = max(base_day + DAY, subscription.starts_on)
    missed = []
    while day < data_day:
        if day not in done and tick_of(cron, day) is not None:
            missed.append(day)
        day += DAY
    return tuple(missed)


def _next_until(feed: Feed, subscription: Subscription, export: Export, tick: datetime, cron: str) -> datetime:
    """Return the end of the next window: a landing at or after it plus the lag belongs to that one."""
    until = feed.window(subscription, export, tick).end
    following = next_tick(cron, tick)
    if following is None:
        return until + DAY
    return max(feed.window(subscription, export, following).end, until + timedelta(hours=1))


def _with_landing(draft: _Draft, delivery: Delivery, next_until: datetime, facts: Facts, asked: PlanOptions) -> None:
    at, before = delivery.until + facts.safety_lag, next_until + facts.safety_lag
    # Approximate rows are no base of a later delivery, which would send them again.
    once = delivery.export.model.is_delivered_once
    if facts.can_read_as_of:
        # Read as of this instant: a landing made for a neighbour's window would let bytes depend on who came first.
        before = at + timedelta.resolution
    if delivery.supersedes is not None and asked.landing_id is not None:
        draft.owed.append(replace(delivery, landing_id=asked.landing_id))
        return
    landing = next((one for one in facts.landings if at <= one.data_as_of < before), None)
    if landing is not None:
        draft.owed.append(replace(delivery, landing_id=landing.id))
    elif facts.can_read_as_of or facts.now < before:
        draft.owed.append(delivery)
        draft.needs.append(LandingNeed(facts.source, at, before))
    elif delivery.export.mode is Mode.DELTA and asked.is_approximate and not once:
        later = next((one for one in facts.landings if one.data_as_of >= at), None)
        approximate = replace(
            delivery,
            landing_id=later.id if later else None,
            kind=delivery.kind if delivery.supersedes is not None else Kind.BACKFILL,
            window=delivery.window or facts.feed.window(delivery.subscription, delivery.export, delivery.tick),
            previous=None,
            covers=(),
            is_approximate=True,
        )
        draft.owed.append(approximate)
        if later is None:
            draft.needs.append(LandingNeed(facts.source, at, facts.now + DAY))
    else:
        todo = (
            "deliver the delta with --approximate: rows whose change column lies in the window, from a later landing"
            if delivery.export.mode is Mode.DELTA and not once
            else "deliver a later day: it catches up what this one misses"
            if once
            else "nothing can: a snapshot of a time that was not landed is gone"
        )
        reason = (
            f"no landing of source '{facts.source}' has a read point in [{at:%Y-%m-%d %H:%M}, "
            f"{before:%Y-%m-%d %H:%M}) UTC, and the source cannot be read as of then; {todo}"
        )
        draft.refused.append((delivery, reason))
