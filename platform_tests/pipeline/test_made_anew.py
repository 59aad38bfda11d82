"""Runs that are cut off, parts that are lost and settings that change in between leave nothing wrong behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from offramp.domain.deliveries import Kind, State
from offramp.domain.errors import ContractBroken, LandingUnavailable
from offramp.domain.windows import DAY, midnight
from offramp.pipeline.deliver import deliver_day, publish_waiting
from offramp.pipeline.land import land_source
from offramp.pipeline.plan import PlanOptions
from offramp.pipeline.rooms import no_report
from platform_tests.pipeline.history_source import HistorySource
from platform_tests.pipeline.house import Clock, House, subscription

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from offramp.domain.subscriptions import Subscription

D = date(2026, 3, 1)
ITEMS, SNAPSHOT, CLICKS = "shop/delta/items", "shop/snapshot/items", "shop/delta/clicks"
BOTH = ("outbox", "second")


class StoppedError(Exception):
    """The run was cut off at a step."""


def open_house(folder: Path, *subscriptions: Subscription, tenants: tuple[str, ...] = ("a",)) -> House:
    clock = Clock(midnight(D))
    items: list[tuple[datetime, bool, dict[str, object]]] = []
    clicks: list[dict[str, object]] = []
    for tenant in tenants:
        for number in range(-20, 24):
            at = midnight(D) + number * timedelta(hours=6)
            own: dict[str, object] = {"id": number, "tenant": tenant}
            items.append((at, False, own | {"title": tenant * 3, "amount": 1, "last_updated": at.replace(tzinfo=None)}))
            moment = at.replace(tzinfo=None)
            clicks.append(own | {"item_id": 1, "registered": moment, "ingested_at": moment})
    return House(folder, HistorySource(clock, items=items, clicks=clicks), clock, subscriptions or (subscription(),))


def lose_parts(house: House) -> None:
    for path in (house.folder / "lake" / "parts").rglob("*"):
        if path.is_file():
            path.unlink()


def cut_off(house: House, step: str, name: str, day: date, options: PlanOptions | None = None) -> None:
    def stop(found: str) -> None:
        if found == step:
            raise StoppedError

    house.clock.now = max(house.clock.now, midnight(day + DAY) + timedelta(minutes=40))
    with pytest.raises(StoppedError):
        deliver_day(replace(house.rooms, at_step=stop), house.rooms.exports[name], day, options)


def mend_source(house: House) -> str:
    """Add a row that was forgotten, land the first landing's time again, and return the new landing's id."""
    at, _is_deleted, row = house.source.items[0]
    house.source.items.append((at, False, row | {"id": 999, "title": "forgotten"}))
    first = house.rooms.lake.landings.landings("shop")[0]
    return land_source(house.rooms, house.source, as_of=first.data_as_of, report=no_report).id


def test_what_was_cut_off_before_the_ledger_knew_it_is_planned_anew(tmp_path: Path) -> None:
    house = open_house(tmp_path)
    house.deliver(CLICKS, D)
    cut_off(house, "stage.ledger", CLICKS, D + 2 * DAY)
    house.deliver(CLICKS, D + DAY)
    house.deliver(CLICKS, D + 2 * DAY)

    lines = [line for path in house.files("clicks/*.csv") for line in path.read_text().splitlines()[1:]]
    assert len(lines) == len(set(lines)), "an event went out twice"


def test_a_baseline_that_was_cut_off_does_not_come_after_a_later_day(tmp_path: Path) -> None:
    house = open_house(tmp_path)
    cut_off(house, "stage.ledger", CLICKS, D)
    house.deliver(CLICKS, D + DAY)

    (outcome,) = house.deliver(CLICKS, D).outcomes

    assert outcome.staged.delivery.kind is Kind.BACKFILL
    assert outcome.staged.delivery.window is not None


def test_staged_rows_of_a_tenant_that_was_corrected_never_go_out(tmp_path: Path) -> None:
    house = open_house(tmp_path, subscription(tenants=("b",)), tenants=("a", "b"))
    house.outbox().parent.mkdir(parents=True)
    house.outbox().write_text("not a folder")
    house.deliver(SNAPSHOT, D)
    house.outbox().unlink()
    house.rooms = replace(house.rooms, subscriptions=[subscription(tenants=("a",))])

    house.deliver(SNAPSHOT, D)

    text = "".join(path.read_text() for path in house.files("**/*.csv"))
    assert "aaa" in text
    assert "bbb" not in text


@pytest.mark.parametrize("is_taken_away", [False, True])
def test_a_correction_made_anew_reaches_the_destination_that_the_first_one_missed(
    tmp_path: Path, *, is_taken_away: bool
) -> None:
    house = open_house(tmp_path, subscription(destinations=BOTH))
    house.deliver(ITEMS, D)
    (tmp_path / "second").rename(tmp_path / "aside")
    (tmp_path / "second").write_text("not a folder")
    house.deliver(ITEMS, D, PlanOptions(correction="mended", landing_id=mend_source(house)))
    lose_parts(house)
    other = subscription(destinations=BOTH, options={"CSV_FIELD_SEPARATOR": ";"})
    house.rooms = replace(house.rooms, subscriptions=[other])
    (tmp_path / "second").unlink()
    (tmp_path / "aside").rename(tmp_path / "second")
    if is_taken_away:
        for path in (tmp_path / "second").rglob("*.csv"):
            path.unlink()

    report = house.deliver(ITEMS, D)

    assert not report.failures
    states = [record.state for record in house.rooms.ledger.find(export=ITEMS)]
    assert states == [State.SUPERSEDED, State.SUPERSEDED, State.PUBLISHED]
    assert len(list(house.outbox("second").rglob("*.json"))) == 1
    assert not house.deliver(ITEMS, D).outcomes


def test_a_revision_that_waits_does_not_hold_back_the_one_made_anew(tmp_path: Path) -> None:
    house = open_house(tmp_path)
    house.outbox().parent.mkdir(parents=True)
    house.outbox().write_text("not a folder")
    house.deliver(ITEMS, D)
    lose_parts(house)
    house.rooms = replace(house.rooms, subscriptions=[subscription(options={"CSV_FIELD_SEPARATOR": ";"})])
    house.deliver(ITEMS, D)
    house.outbox().unlink()

    assert not publish_waiting(house.rooms, house.rooms.exports[ITEMS], D).failures
    assert not house.deliver(ITEMS, D + DAY).failures


def test_a_tenant_whose_rows_all_went_is_told_so(tmp_path: Path) -> None:
    house = open_house(tmp_path)
    house.source.clicks.clear()
    house.source.items = [one for one in house.source.items if one[0] < midnight(D)]
    for name in (ITEMS, SNAPSHOT):
        house.deliver(name, D)
    rows = [row for _at, _is_deleted, row in house.source.items]
    house.source.items += [(midnight(D + DAY) + timedelta(hours=5), True, row) for row in rows]
    house.source.items.append((midnight(D) - DAY, False, rows[0] | {"tenant": "z"}))

    deletes = [house.deliver(ITEMS, D + number * DAY).outcomes[0].staged.counts.deletes for number in (1, 2)]

    assert deletes == [len(rows), 0]
    assert house.deliver(SNAPSHOT, D + DAY).outcomes[0].staged.rows == 0
    house.rooms = replace(house.rooms, subscriptions=[subscription(tenants=("q",))])
    with pytest.raises(LandingUnavailable, match="tenant 'q'"):
        house.deliver(ITEMS, D + 3 * DAY)


def test_a_correction_that_is_cut_off_keeps_the_landing_it_named(tmp_path: Path) -> None:
    house = open_house(tmp_path)
    house.deliver(SNAPSHOT, D)
    asked = PlanOptions(correction="a row was missing", landing_id=mend_source(house))
    cut_off(house, "stage.write", SNAPSHOT, D, asked)

    house.deliver(SNAPSHOT, D)

    (file,) = house.files("items_snapshot/*.csv")
    assert "999,forgotten" in file.read_text()


def test_an_approximate_correction_is_a_correction(tmp_path: Path) -> None:
    house = open_house(tmp_path)
    house.source.can_read_as_of = False
    house.clock.now = midnight(D + 3 * DAY)
    house.deliver(ITEMS, D, PlanOptions(is_approximate=True))

    (again,) = house.deliver(ITEMS, D, PlanOptions(correction="asked for", is_approximate=True)).outcomes

    assert (again.staged.delivery.kind, again.staged.delivery.supersedes) == (Kind.CORRECTION, 1)


def test_everything_that_could_not_be_delivered_is_named(tmp_path: Path) -> None:
    taken = [subscription(name, tenants=(tenant,)) for name, tenant in (("one", "b"), ("two", "c"), ("x", "nobody"))]
    house = open_house(tmp_path, *taken, tenants=("b", "c"))
    at, _is_deleted, row = house.source.items[0]
    house.source.items += [(at, False, row | {"id": None, "tenant": tenant}) for tenant in ("b", "c")]

    with pytest.raises(ContractBroken) as raised:
        house.deliver(SNAPSHOT, D)

    assert all(name in str(raised.value) for name in ("one shop", "two shop", "tenant 'nobody'"))


def test_days_are_covered_for_each_subscription_alone(tmp_path: Path) -> None:
    house = open_house(tmp_path, subscription("one"), subscription("two"))
    house.deliver(ITEMS, D)
    house.deliver(ITEMS, D + DAY, PlanOptions(recipients=("one",)))

    report = house.deliver(ITEMS, D + 2 * DAY)

    covers = {out.staged.delivery.subscription.id: out.staged.delivery.covers for out in report.outcomes}
    assert covers == {"one": (), "two": (D + DAY,)}
    assert not house.deliver(ITEMS, D + DAY).outcomes
