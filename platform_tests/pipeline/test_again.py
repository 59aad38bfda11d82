"""What is resumed, corrected or caught up is cut as it was cut first, and days that were missed are accounted for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from offramp.destinations.local import LocalDestination
from offramp.domain.deliveries import Kind, State
from offramp.domain.errors import ContractBroken
from offramp.domain.subscriptions import Initial
from offramp.domain.windows import DAY, midnight
from offramp.pipeline.plan import PlanOptions
from platform_tests.pipeline.history_source import HistorySource
from platform_tests.pipeline.house import Clock, House, subscription

if TYPE_CHECKING:
    from pathlib import Path

    from offramp.domain.deliveries import DeliveryRecord
    from offramp.domain.subscriptions import Subscription

D = date(2026, 3, 1)
ITEMS = "shop/delta/items"
CORRECTION = PlanOptions(correction="asked for")


def open_house(folder: Path, *subscriptions: Subscription) -> House:
    """Items that change every six hours, five days before and six days after."""
    clock = Clock(midnight(D))
    items: list[tuple[datetime, bool, dict[str, object]]] = []
    for number in range(-20, 24):
        at = midnight(D) + number * timedelta(hours=6)
        row = {"id": number, "title": "t", "amount": 1, "last_updated": at.replace(tzinfo=None), "tenant": "a"}
        items.append((at, False, row))
    return House(folder, HistorySource(clock, items=items), clock, subscriptions or (subscription(),))


def records(house: House, day: date | None = None) -> tuple[DeliveryRecord, ...]:
    return house.rooms.ledger.find(export=ITEMS, first_day=day, last_day=day)


def lose_parts(house: House) -> None:
    for path in (house.folder / "lake" / "parts").rglob("*"):
        if path.is_file():
            path.unlink()


def test_a_baseline_that_is_made_anew_after_a_later_day_is_still_everything(tmp_path: Path) -> None:
    house = open_house(tmp_path)
    house.outbox().parent.mkdir(parents=True)
    house.outbox().write_text("not a folder")
    (first,) = house.deliver(ITEMS, D).outcomes
    house.deliver(ITEMS, D + DAY)
    house.outbox().unlink()
    lose_parts(house)

    (again,) = house.deliver(ITEMS, D).outcomes

    assert again.staged.counts == first.staged.counts
    assert again.staged.delivery.window is None
    assert again.staged.delivery.supersedes == 1


def test_parts_that_are_lost_hold_back_later_days_until_their_day_is_made_anew(tmp_path: Path) -> None:
    house = open_house(tmp_path)
    house.outbox().parent.mkdir(parents=True)
    house.outbox().write_text("not a folder")
    house.deliver(ITEMS, D)
    house.outbox().unlink()
    lose_parts(house)

    report = house.deliver(ITEMS, D + DAY)

    assert [(one.delivery.data_day, one.destination) for one in report.failures] == [
        (D, "outbox"),
        (D + DAY, "outbox"),
    ]
    assert not list(house.outbox().rglob("*.csv"))
    assert [record.revision for record in records(house)] == [1, 1]
    house.deliver(ITEMS, D)
    assert not house.deliver(ITEMS, D + DAY).failures
    assert len(house.files("items/*.csv")) == 2


def test_the_correction_of_a_backfill_is_cut_as_the_backfill_was(tmp_path: Path) -> None:
    house = open_house(tmp_path, subscription(initial=Initial.NONE))
    house.deliver(ITEMS, D + 3 * DAY)
    house.deliver(ITEMS, D)
    (backfill,) = house.deliver(ITEMS, D + DAY).outcomes

    (corrected,) = house.deliver(ITEMS, D + DAY, CORRECTION).outcomes

    assert backfill.staged.delivery.kind is Kind.BACKFILL
    assert corrected.staged.delivery.kind is Kind.CORRECTION
    assert corrected.staged.delivery.previous == backfill.staged.delivery.previous
    assert corrected.staged.counts == backfill.staged.counts


def test_the_correction_of_a_catch_up_still_says_what_it_covers(tmp_path: Path) -> None:
    house = open_house(tmp_path)
    house.deliver(ITEMS, D)
    house.deliver(ITEMS, D + 2 * DAY)

    (corrected,) = house.deliver(ITEMS, D + 2 * DAY, CORRECTION).outcomes

    assert corrected.staged.delivery.covers == (D + DAY,)


def test_the_correction_of_an_approximate_delivery_stays_approximate(tmp_path: Path) -> None:
    house = open_house(tmp_path)
    house.source.can_read_as_of = False
    house.clock.now = midnight(D + 3 * DAY)
    house.deliver(ITEMS, D, PlanOptions(is_approximate=True))
    (record,) = records(house, D)

    (corrected,) = house.deliver(ITEMS, D, replace(CORRECTION, landing_id=record.landing_id)).outcomes

    assert corrected.staged.delivery.is_approximate


@pytest.mark.parametrize("window_days", ["1", "2"])
def test_a_missed_day_is_covered_whatever_the_window(tmp_path: Path, window_days: str) -> None:
    house = open_house(tmp_path, subscription(options={"DATA_DELTA_DAYS": window_days}))
    house.deliver(ITEMS, D)

    house.deliver(ITEMS, D + 2 * DAY)

    (covered,) = (record for record in records(house) if record.covered_by)
    assert (covered.data_day, covered.kind, covered.state) == (D + DAY, Kind.REGULAR, State.SUPERSEDED)
    assert covered.until == midnight(D + 2 * DAY), "it keeps its own window's end"


def test_claims_are_renewed_while_files_are_published(tmp_path: Path) -> None:
    house = open_house(tmp_path, subscription("one"), subscription("two"))

    def take_long(step: str) -> None:
        if step == "publish.put":
            house.clock.now += timedelta(minutes=10)  # a claim lives fifteen

    house.rooms = replace(house.rooms, at_step=take_long)
    house.deliver(ITEMS, D)

    assert {record.state for record in records(house)} == {State.PUBLISHED}
    assert house.clock.now > midnight(D + DAY) + timedelta(hours=1, minutes=15)


def test_the_ledger_says_how_a_destination_verified(tmp_path: Path) -> None:
    class Sized(LocalDestination):
        """A destination that can only compare sizes."""

        @property
        def verified_by(self) -> str:
            return "size"

    house = open_house(tmp_path)
    house.rooms = replace(house.rooms, destination=lambda name, one: Sized(name, house.outbox(name, one.recipient)))
    house.deliver(ITEMS, D)

    ((placement,),) = (record.placements for record in records(house))
    assert placement.verified_by == "size"
    (manifest,) = house.files("_manifests/**/*.json")
    assert '"outbox": "size"' in manifest.read_text(encoding="utf-8")


def test_a_stored_difference_that_is_wrong_is_noticed(tmp_path: Path) -> None:
    house = open_house(tmp_path)
    changed_at = midnight(D) + timedelta(hours=2)
    late = dict(house.source.items[0][2]) | {"id": 777, "last_updated": changed_at.replace(tzinfo=None)}
    house.source.items.append((midnight(D + DAY) + timedelta(hours=10), False, late))
    house.deliver(ITEMS, D)
    other = open_house(tmp_path / "other")
    other.deliver(ITEMS, D)
    other.deliver(ITEMS, D + DAY)
    (stored,) = (other.folder / "lake" / "models" / "shop" / "changes" / "items").glob("*.parquet")
    wrong = house.folder / "lake" / stored.relative_to(other.folder / "lake")
    wrong.parent.mkdir(parents=True)
    wrong.write_bytes(stored.read_bytes())

    with pytest.raises(ContractBroken, match="does not add up"):
        house.deliver(ITEMS, D + DAY)


def test_a_text_key_whose_line_breaks_are_replaced_keeps_its_order(tmp_path: Path) -> None:
    house = open_house(tmp_path, subscription(options={"CSV_TEXT_ROW_SEPARATOR": "~"}))
    export = house.rooms.exports["shop/snapshot/items"]
    contract = replace(export.contract, key=("title", "id"))
    keyed = replace(export, model=replace(export.model, contract=contract))
    house.rooms = replace(house.rooms, exports={keyed.name: keyed})
    for number, (_at, _gone, row) in enumerate(house.source.items):
        row["title"] = "a\nz" if number % 2 else "a!b"

    (outcome,) = house.deliver("shop/snapshot/items", D).outcomes

    assert outcome.staged.rows > 10
