"""A run does what is owed, in order, and what one delivery lacks stops no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from offramp.domain.deliveries import State
from offramp.domain.errors import ContractBroken, LandingUnavailable
from offramp.domain.windows import DAY, midnight
from offramp.pipeline.land import land_source
from offramp.pipeline.plan import PlanOptions
from offramp.pipeline.rooms import no_report
from platform_tests.faults.shop_run import DAYS, EXPORTS, history
from platform_tests.pipeline.house import Clock, House, subscription

if TYPE_CHECKING:
    from pathlib import Path

    from offramp.domain.subscriptions import Subscription

DELTA = "shop/delta/items"


def open_house(folder: Path, *subscriptions: Subscription) -> House:
    clock = Clock(midnight(DAYS[0]))
    return House(folder, history(clock), clock, subscriptions)


def test_what_a_destination_missed_goes_out_before_anything_newer(tmp_path: Path) -> None:
    house = open_house(tmp_path, subscription(destinations=("outbox", "second")))
    (tmp_path / "second").write_text("not a folder")
    house.deliver(DELTA, DAYS[0])
    (tmp_path / "second").unlink()

    report = house.deliver(DELTA, DAYS[1])

    assert [(one.staged.delivery.data_day, one.is_new) for one in report.outcomes] == [
        (DAYS[0], False),
        (DAYS[1], True),
    ]
    assert not report.failures
    assert {record.state for record in house.rooms.ledger.find() if not record.covered_by} == {State.PUBLISHED}
    names = sorted(path.name for path in house.outbox("second").glob("items/*.csv"))
    assert names == ["items_2026_03_02.csv", "items_2026_03_04.csv"]


def test_nothing_newer_arrives_while_an_earlier_day_is_missing(tmp_path: Path) -> None:
    house = open_house(tmp_path, subscription(destinations=("outbox", "second")))
    foreign = tmp_path / "second" / "north" / "items" / "items_2026_03_02.csv"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("somebody else's")
    house.deliver(DELTA, DAYS[0])

    report = house.deliver(DELTA, DAYS[1])

    assert [(one.delivery.data_day, one.destination) for one in report.failures] == [
        (DAYS[0], "second"),
        (DAYS[1], "second"),
    ]
    assert "days arrive in order" in report.failures[1].error
    assert sorted(path.name for path in house.outbox("second").rglob("*.csv")) == ["items_2026_03_02.csv"]
    assert len(house.files("items/*.csv")) == 2


def test_rows_that_break_the_contract_for_one_subscription_stop_no_other(tmp_path: Path) -> None:
    house = open_house(tmp_path, subscription("broken", tenants=("b",)), subscription("whole"))
    committed_at, _is_deleted, row = house.source.items[0]
    house.source.items.append((committed_at, False, row | {"id": None, "tenant": "b"}))

    with pytest.raises(ContractBroken, match="column 'id' is empty"):
        house.deliver("shop/snapshot/items", DAYS[0])

    records = {record.subscription_id: record for record in house.rooms.ledger.find()}
    assert {name: record.state for name, record in records.items()} == {
        "broken": State.FAILED,
        "whole": State.PUBLISHED,
    }
    assert "column 'id' is empty" in (records["broken"].error or "")


def test_a_delivery_that_cannot_be_made_any_more_stops_no_other(tmp_path: Path) -> None:
    daily, weekly = subscription("daily"), subscription("weekly", options={"CRON_SCHEDULE_ITEMS": "10 0 * * 1"})
    house = open_house(tmp_path, daily, weekly)
    house.source.can_read_as_of = False
    house.clock.now = midnight(DAYS[0] + 3 * DAY)

    with pytest.raises(LandingUnavailable, match="daily shop/delta/items 2026-03-01"):
        house.deliver(DELTA, DAYS[0])

    assert [record.subscription_id for record in house.rooms.ledger.find(states={State.PUBLISHED})] == ["weekly"]


def test_a_correction_may_name_a_landing_of_the_mended_source(tmp_path: Path) -> None:
    house = open_house(tmp_path, subscription())
    house.deliver("shop/snapshot/items", DAYS[0])
    row = dict(house.source.items[0][2]) | {"id": 999, "title": "forgotten"}
    house.source.items.append((house.source.items[0][0], False, row))
    again = land_source(
        house.rooms, house.source, as_of=house.rooms.lake.landings.landings("shop")[0].data_as_of, report=no_report
    )
    house.deliver("shop/snapshot/items", DAYS[0], PlanOptions(correction="a row was missing", landing_id=again.id))

    (file,) = house.files("items_snapshot/*.csv")
    assert "999,forgotten" in file.read_text(encoding="utf-8")


def test_a_tenant_that_owns_no_row_is_refused_by_name_and_stops_no_other(tmp_path: Path) -> None:
    house = open_house(tmp_path, subscription("misspelt", tenants=("aa",)), subscription("whole"))

    with pytest.raises(LandingUnavailable, match=r"(?s)a row of tenant 'aa'.*did you mean 'a'\?"):
        house.deliver(DELTA, DAYS[0])

    assert [record.subscription_id for record in house.rooms.ledger.find(states={State.PUBLISHED})] == ["whole"]
    assert not (tmp_path / "outbox" / "misspelt").exists()


def test_rows_that_are_held_and_rows_that_are_filed_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for most in (20_000, -1):
        monkeypatch.setattr("offramp.pipeline.scan._HELD_ROWS", most)
        both = (subscription("north"), subscription("south"))
        house = open_house(tmp_path / str(most), *both)
        for name in EXPORTS:
            for day in DAYS:
                house.deliver(name, day)
        folders = [house.outbox(recipient=one.recipient) for one in both]
        found.append(
            {file.relative_to(folder): file.read_bytes() for folder in folders for file in folder.rglob("*.*")}
        )

    assert found[0] == found[1]
    assert len(found[0]) > 10
