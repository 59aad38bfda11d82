"""A plan is a pure function of the facts it is given."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from offramp.domain.deliveries import DeliveryRecord, Kind, State, delivery_id
from offramp.domain.landings import Landing
from offramp.domain.windows import DAY, midnight
from offramp.pipeline.plan import Facts, PlanOptions, SkipReason, plan_day
from offramp.sql.project import load_project
from platform_tests.pipeline.house import SHOP, ShopFeed, subscription

if TYPE_CHECKING:
    from collections.abc import Sequence

    from offramp.domain.exports import Export
    from offramp.domain.subscriptions import Subscription

LAG = timedelta(minutes=5)
FEED = ShopFeed()
EXPORTS = {one.name: one for one in FEED.exports([loaded.model for loaded in load_project(SHOP).models.values()])}
DELTA, SNAPSHOT = EXPORTS["shop/delta/items"], EXPORTS["shop/snapshot/items"]
D = date(2026, 3, 10)


def landing(moment: datetime) -> Landing:
    return Landing(f"{moment:%Y%m%dT%H%M}", "shop", moment, ())


def record(
    day: date, export: Export = DELTA, *, state: State = State.PUBLISHED, kind: Kind = Kind.REGULAR, **facts: object
) -> DeliveryRecord:
    until = midnight(day + DAY)
    values: dict[str, object] = {
        "delivery_id": delivery_id("north", export.name, day),
        "revision": 1,
        "subscription_id": "north",
        "recipient": "north",
        "feed": "shop",
        "export": export.name,
        "data_day": day,
        "tick": until + timedelta(minutes=10),
        "until": until,
        "window_start": until - DAY,
        "kind": kind,
        "state": state,
        "landing_id": f"{until + LAG:%Y%m%dT%H%M}",
    }
    return DeliveryRecord(**(values | facts))  # type: ignore[arg-type]


def facts(
    *,
    landings: Sequence[Landing] = (),
    history: Sequence[DeliveryRecord] = (),
    now: datetime | None = None,
    can_read_as_of: bool = False,
    taken: Subscription | None = None,
) -> Facts:
    return Facts(
        feed=FEED,
        source="shop",
        can_read_as_of=can_read_as_of,
        subscriptions=[taken or subscription()],
        landings=landings,
        history=history,
        now=now or midnight(D + DAY) + timedelta(hours=1),
        safety_lag=LAG,
    )


def test_the_earliest_landing_at_or_after_the_windows_end_plus_the_lag_is_used() -> None:
    until = midnight(D + DAY)
    landings = [landing(until + LAG - timedelta(seconds=1)), landing(until + LAG), landing(until + 2 * LAG)]

    plan = plan_day(DELTA, D, facts(landings=landings))

    assert [one.landing_id for one in plan.owed] == [landings[1].id]
    assert not plan.needs


def test_a_missing_landing_is_needed_between_this_window_and_the_next() -> None:
    plan = plan_day(DELTA, D, facts())

    (need,) = plan.needs
    assert need.at == midnight(D + DAY) + LAG
    assert need.before == midnight(D + 2 * DAY) + LAG
    assert plan.owed[0].landing_id is None


def test_nothing_is_owed_before_the_tick() -> None:
    tick = midnight(D + DAY) + timedelta(minutes=10)
    early = plan_day(DELTA, D, facts(now=tick - timedelta(seconds=1)))
    on_time = plan_day(DELTA, D, facts(now=tick))

    assert [(one.reason, one.due_at) for one in early.skipped] == [(SkipReason.NOT_DUE, tick)]
    assert len(on_time.owed) == 1


def test_the_first_delta_is_a_baseline_and_the_next_one_names_it_as_its_base() -> None:
    first = plan_day(DELTA, D, facts())
    second = plan_day(DELTA, D, facts(history=[record(D - DAY, kind=Kind.INITIAL)]))

    assert first.owed[0].kind is Kind.INITIAL
    assert first.owed[0].window is None
    assert second.owed[0].kind is Kind.REGULAR
    assert second.owed[0].previous is not None
    assert second.owed[0].window is not None
    assert second.owed[0].window.start == second.owed[0].previous.until


def test_missed_days_are_named_by_the_delivery_that_catches_them_up() -> None:
    plan = plan_day(DELTA, D, facts(history=[record(D - 3 * DAY)]))

    assert plan.owed[0].covers == (D - 2 * DAY, D - DAY)


def test_a_covered_day_needs_force_and_is_then_a_backfill() -> None:
    covered = record(D, state=State.SUPERSEDED, landing_id=None, covered_by="x")
    history = [record(D - DAY), covered, record(D + DAY)]
    now = midnight(D + 3 * DAY)
    skipped = plan_day(DELTA, D, facts(history=history, now=now, can_read_as_of=True))
    forced = plan_day(DELTA, D, facts(history=history, now=now, can_read_as_of=True), PlanOptions(force=True))

    assert [one.reason for one in skipped.skipped] == [SkipReason.COVERED]
    assert [one.kind for one in forced.owed] == [Kind.BACKFILL]


def test_what_is_delivered_is_skipped_and_a_correction_is_its_next_revision() -> None:
    history = [record(D - DAY), record(D)]
    skipped = plan_day(DELTA, D, facts(history=history))
    corrected = plan_day(DELTA, D, facts(history=history), PlanOptions(correction="wrong prices"))

    assert [one.reason for one in skipped.skipped] == [SkipReason.DELIVERED]
    (owed,) = corrected.owed
    assert (owed.revision, owed.supersedes, owed.kind, owed.reason) == (2, 1, Kind.CORRECTION, "wrong prices")


@pytest.mark.parametrize("export", [DELTA, SNAPSHOT])
def test_a_time_that_was_not_landed_is_refused_with_the_reason(export: Export) -> None:
    late = midnight(D + 5 * DAY)
    plan = plan_day(export, D, facts(now=late, landings=[landing(late)]))

    assert not plan.owed
    assert "no landing" in plan.refused[0][1]


def test_a_delta_may_be_approximated_from_a_later_landing_and_a_snapshot_may_not() -> None:
    late = midnight(D + 5 * DAY)
    asked = PlanOptions(is_approximate=True)
    delta = plan_day(DELTA, D, facts(now=late, landings=[landing(late)]), asked)
    snapshot = plan_day(SNAPSHOT, D, facts(now=late, landings=[landing(late)]), asked)

    (owed,) = delta.owed
    assert (owed.is_approximate, owed.kind, owed.previous) == (True, Kind.BACKFILL, None)
    assert not snapshot.owed


def test_an_approximate_delivery_is_never_the_base_of_a_later_one() -> None:
    history = [record(D - 2 * DAY), record(D - DAY, kind=Kind.BACKFILL, is_approximate=True)]

    (owed,) = plan_day(DELTA, D, facts(history=history)).owed

    assert owed.previous is not None
    assert owed.previous.delivery_id == delivery_id("north", DELTA.name, D - 2 * DAY)


def test_a_subscription_gets_nothing_before_it_starts() -> None:
    plan = plan_day(DELTA, D, facts(taken=subscription(starts_on=D + DAY)))

    assert [one.reason for one in plan.skipped] == [SkipReason.NOT_STARTED]


def test_an_export_that_is_switched_off_is_not_mentioned() -> None:
    plan = plan_day(DELTA, D, facts(taken=subscription(options={"CRON_SCHEDULE_ITEMS": ""})))

    assert not plan.owed
    assert not plan.skipped


def test_a_day_without_a_tick_owes_nothing() -> None:
    weekly = subscription(options={"CRON_SCHEDULE_ITEMS": "0 3 * * 1"})
    ticks = [
        plan_day(
            DELTA, D + number * DAY, facts(taken=weekly, now=datetime(2026, 6, 1, tzinfo=UTC), can_read_as_of=True)
        )
        for number in range(7)
    ]

    assert sum(len(plan.owed) for plan in ticks) == 1
    assert [one.reason for plan in ticks for one in plan.skipped] == [SkipReason.NO_TICK] * 6
