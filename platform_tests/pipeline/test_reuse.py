"""A snapshot over files that did not change takes the parts that were made of them, and only then."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from offramp.domain.memory import Memory
from offramp.domain.windows import DAY, midnight
from offramp.pipeline.plan import PlanOptions
from platform_tests.pipeline.history_source import HistorySource
from platform_tests.pipeline.house import Clock, House, subscription

if TYPE_CHECKING:
    from pathlib import Path

FIRST = date(2026, 3, 1)
LAST = FIRST + 2 * DAY
SNAPSHOT, DELTA = "shop/snapshot/items", "shop/delta/items"


def open_house(folder: Path, steps: list[str] | None = None) -> House:
    at = datetime(2026, 2, 28, tzinfo=UTC)
    rows = [
        {"id": number, "title": f"{name}{number}", "amount": 1, "last_updated": at.replace(tzinfo=None), "tenant": name}
        for name in "ab"
        for number in range(40)
    ]
    clock = Clock(midnight(FIRST))
    both = [subscription("north", options={"CSV_MD5": "1"}), subscription("south", tenants=["b"])]
    seen = [] if steps is None else steps
    return House(folder, HistorySource(clock, items=[(at, False, row) for row in rows]), clock, both, seen.append)


def change(house: House, day: date) -> None:
    _at, _gone, row = house.source.items[0]
    house.source.items.append((midnight(day), False, row | {"title": f"changed {day}"}))


def outbox(house: House) -> dict[str, bytes]:
    return {
        f"{recipient}/{path.relative_to(house.outbox(recipient=recipient))}": path.read_bytes()
        for recipient in ("north", "south")
        for path in house.files("**/*", recipient)
        if path.is_file()
    }


def test_a_snapshot_of_unchanged_tables_is_not_made_again_and_has_the_same_bytes(tmp_path: Path) -> None:
    steps: list[str] = []
    kept, anew = open_house(tmp_path / "kept", steps), open_house(tmp_path / "anew")
    for house in (kept, anew):
        change(house, LAST + DAY)
    for day in (FIRST, FIRST + DAY, LAST):
        steps.clear()
        for name in (SNAPSHOT, DELTA):
            kept.deliver(name, day)
            again = House(anew.folder, anew.source, anew.clock, anew.subscriptions)
            again.deliver(name, day)
        # A delta is always cut, for it depends on its window. On the last day a row of the table changed.
        assert steps.count("stage.write") == {FIRST: 4, FIRST + DAY: 2, LAST: 4}[day]
        assert steps.count("stage.save") == 4

    found = outbox(kept)
    assert found == outbox(anew)
    assert sum(name.endswith(".csv") for name in found) >= 2 * 2 * 3
    records = [[(one.rows, one.bytes, one.files) for one in house.rooms.ledger.find()] for house in (kept, anew)]
    assert records[0] == records[1]


@pytest.mark.parametrize("how", ["damaged", "lost"])
def test_a_part_that_is_not_whole_any_more_is_made_again(tmp_path: Path, how: str) -> None:
    steps: list[str] = []
    house = open_house(tmp_path, steps)
    outcomes = house.deliver(SNAPSHOT, FIRST).outcomes
    before = [outcome.staged.files[0].sha256 for outcome in outcomes]
    part = house.rooms.lake.parts.path(before[0])
    if how == "lost":
        part.unlink()
    else:
        part.write_bytes(b"no rows")
    steps.clear()

    later = house.deliver(SNAPSHOT, FIRST + DAY).outcomes

    assert steps.count("stage.write") == 1
    assert {outcome.staged.files[0].sha256 for outcome in later} == set(before)
    assert house.rooms.lake.parts.verify(before[0])


def test_a_correction_is_made_again(tmp_path: Path) -> None:
    steps: list[str] = []
    house = open_house(tmp_path, steps)
    house.deliver(SNAPSHOT, FIRST)
    steps.clear()

    outcomes = house.deliver(SNAPSHOT, FIRST, PlanOptions(correction="asked for")).outcomes

    assert [outcome.staged.delivery.revision for outcome in outcomes] == [2, 2]
    assert steps.count("stage.write") == 2


def test_the_memory_forgets_what_was_not_asked_for_the_longest_time() -> None:
    memory: Memory[int] = Memory(most=2)
    memory.put("a", 1)
    memory.put("b", 2)
    assert memory.get("a") == 1
    memory.put("c", 3)

    assert [memory.get(name) for name in "abc"] == [1, None, 3]
