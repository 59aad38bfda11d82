"""What every ledger keeps, on SQLite and on PostgreSQL."""

from __future__ import annotations

import multiprocessing
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from offramp.domain.deliveries import DELIVERED, PlacementRecord, State
from offramp.domain.errors import ClaimHeld, ClaimLost, DeliveryRefused
from offramp.domain.exports import Mode
from offramp.ledger.sql_ledger import SqlLedger
from offramp.ledger.transitions import ALLOWED
from platform_tests.ledger.samples import (
    DAY,
    NOW,
    TTL,
    create_at_once,
    die_while_writing,
    make_delivery,
    make_staged,
    postgres_url,
    race_for_claims,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from offramp.domain.deliveries import Claim, Delivery

MINUTE = timedelta(minutes=1)
PLACED = PlacementRecord("outbox", State.PUBLISHED, "read_back")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state' / 'ledger.sqlite'}"
    return postgres_url(request.getfixturevalue("postgres_dsn"))


@pytest.fixture
def ledger(url: str) -> Iterator[SqlLedger]:
    opened = SqlLedger(url, redact=lambda text: text.replace("hunter2", "***"))
    yield opened
    opened.close()


def take(ledger: SqlLedger, delivery: Delivery, *, owner: str = "run 1", now: datetime = NOW) -> Claim:
    return ledger.claim(delivery, owner=owner, ttl=TTL, now=now)


def publish(ledger: SqlLedger, delivery: Delivery, *, now: datetime = NOW) -> None:
    claim = take(ledger, delivery, now=now)
    ledger.stage(claim, make_staged(delivery), now=now)
    ledger.advance(claim, State.PUBLISHED, now=now)
    ledger.release(claim)


def states(ledger: SqlLedger) -> list[tuple[int, State]]:
    return [(record.revision, record.state) for record in ledger.find()]


def test_a_claim_writes_a_new_delivery_as_planned(ledger: SqlLedger) -> None:
    delivery = make_delivery()

    claim = take(ledger, delivery)

    assert (claim.delivery_id, claim.revision, claim.token, claim.owner) == (delivery.id, 1, 1, "run 1")
    assert claim.expires_at == NOW + TTL
    (record,) = ledger.find()
    assert record.state is State.PLANNED
    assert (record.delivery_id, record.subscription_id, record.recipient) == (delivery.id, "acme-media", "acme")
    assert (record.feed, record.export, record.data_day) == ("media", "media/delta/users", DAY)
    assert delivery.window is not None
    assert (record.tick, record.until, record.window_start) == (delivery.tick, delivery.until, delivery.window.start)
    assert (record.landing_id, record.rows, record.bytes, record.files) == (None, None, None, ())


def test_a_published_delivery_has_all_facts_after_reopening(url: str, ledger: SqlLedger) -> None:
    delivery = make_delivery()
    claim = take(ledger, delivery)
    ledger.stage(claim, make_staged(delivery), now=NOW + MINUTE)
    ledger.place(claim, replace(PLACED, destination="sftp", state=State.FAILED, error="timed out"), now=NOW)
    ledger.place(claim, replace(PLACED, destination="sftp"), now=NOW + MINUTE)
    ledger.place(claim, PLACED, now=NOW + MINUTE)
    ledger.advance(claim, State.PUBLISHED, now=NOW + 2 * MINUTE)
    ledger.close()

    reopened = SqlLedger(url)
    (record,) = reopened.find()
    reopened.close()

    assert (record.state, record.landing_id, record.rows, record.bytes) == (State.PUBLISHED, "landing-1", 20, 2000)
    assert record.files == ("users_1.csv", "users_2.csv")
    assert record.previous == "0" * 16
    assert record.updated_at == NOW + 2 * MINUTE
    assert record.placements == (
        replace(PLACED, updated_at=NOW + MINUTE),
        replace(PLACED, destination="sftp", updated_at=NOW + MINUTE),
    )
    instants = (record.tick, record.until, record.window_start, record.updated_at)
    assert all(instant is not None and instant.tzinfo is UTC for instant in instants)


@pytest.mark.parametrize("owner", ["run 2", "run 1"], ids=["another owner", "the same owner"])
@pytest.mark.parametrize("revision", [1, 2])
def test_a_held_delivery_is_refused_with_its_owner_and_end(ledger: SqlLedger, owner: str, revision: int) -> None:
    take(ledger, make_delivery())

    with pytest.raises(ClaimHeld, match=r"run 1 until 2026-03-03T01:30:00Z"):
        take(ledger, make_delivery(revision=revision), owner=owner, now=NOW + TTL - timedelta(microseconds=1))

    assert states(ledger) == [(1, State.PLANNED)]


def test_a_claim_that_ended_is_taken_over_with_a_higher_token(ledger: SqlLedger) -> None:
    first = take(ledger, make_delivery())

    second = take(ledger, make_delivery(revision=2), owner="run 2", now=NOW + TTL)

    assert (first.token, second.token, second.revision) == (1, 2, 2)


def test_a_claim_that_was_given_back_can_be_taken_at_once(ledger: SqlLedger) -> None:
    first = take(ledger, make_delivery())
    ledger.release(first)

    second = take(ledger, make_delivery())

    assert second.token == 2
    with pytest.raises(ClaimLost):
        ledger.release(first)


def test_a_renewed_claim_holds_longer(ledger: SqlLedger) -> None:
    claim = take(ledger, make_delivery())

    renewed = ledger.renew(claim, ttl=TTL, now=NOW + 20 * MINUTE)

    assert (renewed.token, renewed.expires_at) == (claim.token, NOW + 20 * MINUTE + TTL)
    with pytest.raises(ClaimHeld):
        take(ledger, make_delivery(), now=NOW + TTL)
    ledger.check(claim)


def test_a_claim_that_ended_works_on_while_nobody_took_it_over(ledger: SqlLedger) -> None:
    claim = take(ledger, make_delivery())

    ledger.renew(claim, ttl=TTL, now=NOW + 2 * TTL)

    ledger.check(claim)


ZOMBIE_CALLS: dict[str, Callable[[SqlLedger, Claim, Delivery], object]] = {
    "check": lambda ledger, claim, _: ledger.check(claim),
    "renew": lambda ledger, claim, _: ledger.renew(claim, ttl=TTL, now=NOW),
    "release": lambda ledger, claim, _: ledger.release(claim),
    "stage": lambda ledger, claim, delivery: ledger.stage(claim, make_staged(delivery), now=NOW),
    "advance": lambda ledger, claim, _: ledger.advance(claim, State.FAILED, now=NOW),
    "place": lambda ledger, claim, _: ledger.place(claim, PLACED, now=NOW),
    "stage, covering": lambda ledger, claim, delivery: ledger.stage(
        claim, make_staged(delivery), now=NOW, missed=[make_delivery(DAY - timedelta(days=1))]
    ),
}


@pytest.mark.parametrize("call", ZOMBIE_CALLS)
@pytest.mark.parametrize("successor", ["same owner", "other owner", "other revision", "given back"])
def test_a_zombie_is_refused_at_each_call(ledger: SqlLedger, call: str, successor: str) -> None:
    delivery = make_delivery()
    zombie = take(ledger, delivery)
    later = take(
        ledger,
        make_delivery(revision=2 if successor == "other revision" else 1),
        owner="run 2" if successor == "other owner" else "run 1",
        now=NOW + TTL,
    )
    if successor == "given back":
        ledger.release(later)
    before = ledger.find()

    with pytest.raises(ClaimLost, match="token 1"):
        ZOMBIE_CALLS[call](ledger, zombie, delivery)

    assert ledger.find() == before


def test_claiming_a_published_delivery_does_not_change_it(ledger: SqlLedger) -> None:
    publish(ledger, make_delivery())
    before = ledger.find()

    claim = take(ledger, make_delivery(), now=NOW + TTL)

    assert ledger.find() == before
    with pytest.raises(DeliveryRefused, match="published"):
        ledger.advance(claim, State.STAGED, now=NOW)


@pytest.mark.parametrize("state", [State.PLANNED, State.FAILED])
def test_staging_without_files_is_refused(ledger: SqlLedger, state: State) -> None:
    claim = take(ledger, make_delivery())
    if state is State.FAILED:
        ledger.advance(claim, State.FAILED, now=NOW)

    with pytest.raises(DeliveryRefused, match="never staged"):
        ledger.advance(claim, State.STAGED, now=NOW)


def test_staging_another_delivery_than_the_claimed_one_is_refused(ledger: SqlLedger) -> None:
    claim = take(ledger, make_delivery())

    with pytest.raises(DeliveryRefused, match="not the claimed one"):
        ledger.stage(claim, make_staged(make_delivery(revision=2)), now=NOW)


def test_an_impossible_step_says_what_was_expected_and_found(ledger: SqlLedger) -> None:
    claim = take(ledger, make_delivery())

    with pytest.raises(DeliveryRefused, match=r"(?s)cannot become published.*from planned to staged.*found: +planned"):
        ledger.advance(claim, State.PUBLISHED, now=NOW)


def test_a_correction_supersedes_the_earlier_revision_when_it_is_published(ledger: SqlLedger) -> None:
    publish(ledger, make_delivery())
    correction = make_delivery(revision=2, supersedes=1)
    claim = take(ledger, correction)
    ledger.stage(claim, make_staged(correction), now=NOW)
    assert states(ledger) == [(1, State.PUBLISHED), (2, State.STAGED)]

    ledger.advance(claim, State.PUBLISHED, now=NOW)

    assert states(ledger) == [(1, State.SUPERSEDED), (2, State.PUBLISHED)]
    assert [record.reason for record in ledger.find()] == [None, "a wrong price"]


def test_a_run_that_stages_a_correction_again_need_not_know_what_it_supersedes(ledger: SqlLedger) -> None:
    publish(ledger, make_delivery())
    correction = make_delivery(revision=2, supersedes=1)
    ledger.release(take(ledger, correction))

    claim = take(ledger, correction)
    ledger.stage(claim, make_staged(replace(correction, supersedes=None, reason=None)), now=NOW)
    ledger.advance(claim, State.PUBLISHED, now=NOW)

    assert states(ledger) == [(1, State.SUPERSEDED), (2, State.PUBLISHED)]


def test_a_submitted_correction_supersedes_when_it_is_accepted(ledger: SqlLedger) -> None:
    publish(ledger, make_delivery())
    correction = make_delivery(revision=2, supersedes=1)
    claim = take(ledger, correction)
    ledger.stage(claim, make_staged(correction), now=NOW)

    ledger.advance(claim, State.SUBMITTED, now=NOW)
    assert states(ledger) == [(1, State.PUBLISHED), (2, State.SUBMITTED)]
    ledger.advance(claim, State.ACCEPTED, now=NOW)

    assert states(ledger) == [(1, State.SUPERSEDED), (2, State.ACCEPTED)]


def test_a_superseded_revision_is_never_placed_as_published(ledger: SqlLedger) -> None:
    claim = take(ledger, make_delivery())
    ledger.advance(claim, State.SUPERSEDED, now=NOW)

    with pytest.raises(DeliveryRefused):
        ledger.place(claim, PLACED, now=NOW)
    ledger.place(claim, replace(PLACED, state=State.SUPERSEDED), now=NOW)


def test_covered_days_are_superseded_unless_they_were_delivered(ledger: SqlLedger) -> None:
    days = [make_delivery(DAY - timedelta(days=back)) for back in (4, 3, 2, 1)]
    never, failed, published, worked_on = days
    ledger.advance(take(ledger, failed), State.FAILED, now=NOW, error="no source")
    publish(ledger, published)
    zombie = take(ledger, worked_on)
    covering = take(ledger, make_delivery())

    ledger.stage(covering, make_staged(make_delivery()), now=NOW, missed=days)
    ledger.stage(covering, make_staged(make_delivery()), now=NOW, missed=days)

    found = {record.data_day: (record.state, record.covered_by) for record in ledger.find(last_day=days[-1].data_day)}
    covered = (State.SUPERSEDED, make_delivery().id)
    assert found == {
        never.data_day: covered,
        failed.data_day: covered,
        published.data_day: (State.PUBLISHED, None),
        worked_on.data_day: covered,
    }
    with pytest.raises(ClaimLost):
        ledger.check(zombie)
    ledger.check(covering)


def test_find_filters_by_each_argument_and_orders_by_day_subscription_export_and_revision(ledger: SqlLedger) -> None:
    wanted = [
        make_delivery(day, subscription=subscription, recipient=subscription.upper(), entity=entity, revision=revision)
        for day in (DAY - timedelta(days=1), DAY)
        for subscription in ("B", "a")
        for entity in ("Zebras", "stationaries")
        for revision in (1, 2)
    ]
    for delivery in reversed(wanted):
        ledger.release(take(ledger, delivery))
    claim = take(ledger, wanted[-1])
    ledger.advance(claim, State.FAILED, now=NOW)

    found = ledger.find()

    assert [(one.delivery_id, one.revision) for one in found] == [(one.id, one.revision) for one in wanted]
    assert len(ledger.find(subscription="a")) == 8
    assert len(ledger.find(recipient="B")) == 8
    assert len(ledger.find(feed="media")) == 16
    assert ledger.find(feed="plays") == ()
    assert len(ledger.find(export="media/delta/Zebras")) == 8
    assert len(ledger.find(first_day=DAY)) == len(ledger.find(last_day=DAY - timedelta(days=1))) == 8
    assert ledger.find(first_day=DAY, last_day=DAY - timedelta(days=1)) == ()
    assert len(ledger.find(states=[State.FAILED])) == 1
    assert len(ledger.find(states={State.FAILED, State.PLANNED})) == 16
    assert ledger.find(states=[]) == ()
    assert len(ledger.find(subscription="a", export="media/delta/Zebras", first_day=DAY)) == 2


def test_a_snapshot_has_no_window(ledger: SqlLedger) -> None:
    take(ledger, replace(make_delivery(mode=Mode.SNAPSHOT), window=None, previous=None))

    (record,) = ledger.find()
    assert (record.window_start, record.previous, record.export) == (None, None, "media/snapshot/users")


def test_instants_of_any_zone_come_back_as_the_same_instant_in_utc(ledger: SqlLedger) -> None:
    elsewhere = NOW.astimezone(ZoneInfo("Asia/Kathmandu"))
    take(ledger, replace(make_delivery(), tick=elsewhere))

    (record,) = ledger.find()
    assert record.tick == NOW
    assert record.tick.tzinfo is UTC


def test_secrets_and_unstorable_characters_never_reach_the_ledger(ledger: SqlLedger) -> None:
    claim = take(ledger, make_delivery())
    ledger.advance(claim, State.FAILED, now=NOW, error="login hunter2 failed\0\ud800")
    ledger.place(claim, PlacementRecord("sftp", State.FAILED, error="hunter2 again"), now=NOW)

    (record,) = ledger.find()
    assert record.error == "login *** failed\N{REPLACEMENT CHARACTER}?"
    assert record.placements[0].error == "*** again"
    assert "hunter2" not in str(ledger.history(claim.delivery_id))


def test_the_log_keeps_every_step(ledger: SqlLedger) -> None:
    delivery = make_delivery()
    claim = take(ledger, delivery)
    ledger.advance(claim, State.FAILED, now=NOW + MINUTE, error="no source")
    ledger.release(claim)
    publish(ledger, delivery, now=NOW + 2 * MINUTE)

    log = [(one.at, one.token, one.from_state, one.to_state, one.error) for one in ledger.history(delivery.id)]

    assert log == [
        (NOW, 1, None, State.PLANNED, None),
        (NOW + MINUTE, 1, State.PLANNED, State.FAILED, "no source"),
        (NOW + 2 * MINUTE, 2, State.FAILED, State.STAGED, None),
        (NOW + 2 * MINUTE, 2, State.STAGED, State.PUBLISHED, None),
    ]
    (record,) = ledger.find()
    assert record.error is None


def test_of_eight_processes_exactly_one_gets_the_claim_in_each_of_twenty_rounds(url: str) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(8), context.Queue()
    racers = [context.Process(target=race_for_claims, args=(url, worker, 20, barrier, answers)) for worker in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(120)
    assert [racer.exitcode for racer in racers] == [0] * 8

    won = [answers.get(timeout=10) for _ in range(20)]

    assert answers.empty()
    assert sorted(number for number, _, _ in won) == list(range(20))
    assert {token for _, _, token in won} == {1}
    answers.close()
    answers.join_thread()


def test_processes_that_start_at_once_create_one_schema(url: str) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(4), context.Queue()
    starters = [context.Process(target=create_at_once, args=(url, barrier, answers)) for _ in range(4)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join(60)

    assert [starter.exitcode for starter in starters] == [0] * 4
    assert [answers.get(timeout=10) for _ in starters] == [0] * 4
    answers.close()
    answers.join_thread()


def test_a_process_that_is_killed_while_it_writes_leaves_no_lock_and_no_half_step(url: str, ledger: SqlLedger) -> None:
    claim = take(ledger, make_delivery())
    before = ledger.find()
    writer = multiprocessing.get_context("spawn").Process(target=die_while_writing, args=(url, claim))
    writer.start()
    writer.join(60)

    assert writer.exitcode == -signal.SIGKILL
    assert ledger.find() == before
    ledger.advance(claim, State.FAILED, now=NOW, error="no source")
    assert len(ledger.history(claim.delivery_id)) == 2


_EXAMPLES = count()


class LedgerMachine(RuleBasedStateMachine):
    """Any calls in any order, against a model of a few lines: states, and who holds which delivery."""

    def __init__(self, ledger: SqlLedger) -> None:
        super().__init__()
        self.ledger = ledger
        self.subscription = f"example {next(_EXAMPLES)}"
        self.now = NOW
        self.states: dict[tuple[str, int], State] = {}
        self.staged: set[tuple[str, int]] = set()
        self.holders: dict[str, tuple[Claim | None, datetime]] = {}
        self.tokens: dict[str, int] = {}
        self.claims: list[tuple[Claim, Delivery]] = []

    def delivery(self, day: int, revision: int) -> Delivery:
        return make_delivery(
            DAY + timedelta(days=day),
            subscription=self.subscription,
            revision=revision,
            supersedes=revision - 1 if revision > 1 else None,
        )

    def is_current(self, claim: Claim) -> bool:
        holder, _ = self.holders[claim.delivery_id]
        return holder is not None and (holder.token, holder.revision) == (claim.token, claim.revision)

    @rule(minutes=st.integers(1, 40))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule(day=st.integers(0, 1), revision=st.integers(1, 3), owner=st.sampled_from(["run 1", "run 2"]))
    def claim(self, day: int, revision: int, owner: str) -> None:
        delivery = self.delivery(day, revision)
        holder, until = self.holders.get(delivery.id, (None, self.now))
        if holder is not None and until > self.now:
            with pytest.raises(ClaimHeld):
                take(self.ledger, delivery, owner=owner, now=self.now)
            return
        claim = take(self.ledger, delivery, owner=owner, now=self.now)
        assert claim.token == self.tokens.get(delivery.id, 0) + 1
        self.tokens[delivery.id] = claim.token
        self.holders[delivery.id] = (claim, self.now + TTL)
        self.states.setdefault((delivery.id, revision), State.PLANNED)
        self.claims.append((claim, delivery))

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), state=st.sampled_from(State))
    def advance(self, data: st.DataObject, state: State) -> None:
        claim, delivery = data.draw(st.sampled_from(self.claims))
        key = (claim.delivery_id, claim.revision)
        if not self.is_current(claim):
            expected: type[Exception] | None = ClaimLost
        elif (state is State.STAGED and key not in self.staged) or state not in ALLOWED[self.states[key]]:
            expected = DeliveryRefused
        else:
            expected = None
        if expected is not None:
            with pytest.raises(expected):
                self.ledger.advance(claim, state, now=self.now)
            return
        self.ledger.advance(claim, state, now=self.now)
        self.states[key] = state
        if state in {State.PUBLISHED, State.ACCEPTED} and delivery.supersedes is not None:
            for earlier in range(1, claim.revision):
                if (claim.delivery_id, earlier) in self.states:
                    self.states[claim.delivery_id, earlier] = State.SUPERSEDED

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), covered=st.none() | st.integers(1, 3))
    def stage(self, data: st.DataObject, covered: int | None) -> None:
        """Stage, and cover a revision of the other day in the same step; refused, nothing is covered either."""
        claim, delivery = data.draw(st.sampled_from(self.claims))
        key = (claim.delivery_id, claim.revision)
        missed = [] if covered is None else [self.delivery(1 if delivery.data_day == DAY else 0, covered)]
        if not self.is_current(claim):
            with pytest.raises(ClaimLost):
                self.ledger.stage(claim, make_staged(delivery), now=self.now, missed=missed)
        elif State.STAGED not in ALLOWED[self.states[key]]:
            with pytest.raises(DeliveryRefused):
                self.ledger.stage(claim, make_staged(delivery), now=self.now, missed=missed)
        else:
            self.ledger.stage(claim, make_staged(delivery), now=self.now, missed=missed)
            self.states[key] = State.STAGED
            self.staged.add(key)
            for one in missed:
                self._covered(one)

    def _covered(self, missed: Delivery) -> None:
        state = self.states.get((missed.id, missed.revision))
        if state not in DELIVERED and state is not State.SUPERSEDED:
            self.states[missed.id, missed.revision] = State.SUPERSEDED
            if missed.id in self.holders:
                self.holders[missed.id] = (None, self.now)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), is_renewal=st.booleans())
    def renew_or_release(self, data: st.DataObject, *, is_renewal: bool) -> None:
        claim, _ = data.draw(st.sampled_from(self.claims))
        if not self.is_current(claim):
            with pytest.raises(ClaimLost):
                self.ledger.release(claim)
            with pytest.raises(ClaimLost):
                self.ledger.renew(claim, ttl=TTL, now=self.now)
        elif is_renewal:
            self.ledger.renew(claim, ttl=TTL, now=self.now)
            self.holders[claim.delivery_id] = (claim, self.now + TTL)
        else:
            self.ledger.release(claim)
            self.holders[claim.delivery_id] = (None, self.now)

    @invariant()
    def the_states_are_those_of_the_model(self) -> None:
        found = self.ledger.find(subscription=self.subscription)
        assert {(one.delivery_id, one.revision): one.state for one in found} == self.states

    @invariant()
    def every_step_is_in_the_log_and_allowed(self) -> None:
        for delivery_id in self.tokens:
            current: dict[int, State] = {}
            for step in self.ledger.history(delivery_id):
                assert step.from_state == current.get(step.revision)
                assert step.from_state is None or step.to_state in ALLOWED[step.from_state]
                current[step.revision] = step.to_state


def _check_machine(ledger: SqlLedger, examples: int) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: LedgerMachine(ledger),
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_calls_in_any_order_follow_the_model(ledger: SqlLedger) -> None:
    _check_machine(ledger, 25)


@pytest.mark.deep
def test_many_more_calls_in_any_order_follow_the_model(ledger: SqlLedger) -> None:
    _check_machine(ledger, 400)
