"""A gate reads what it has not read before, and what it says is of the landing that it was asked of."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from offramp.domain.windows import DAY, midnight
from offramp.pipeline.gate import gate
from offramp.pipeline.land import land_source
from offramp.pipeline.rooms import no_report
from platform_tests.pipeline.history_source import HistorySource
from platform_tests.pipeline.house import Clock, House

if TYPE_CHECKING:
    from pathlib import Path

    from offramp.domain.landings import Landing

FIRST = date(2026, 3, 1)


def _house(folder: Path, steps: list[str]) -> House:
    at = datetime(2026, 2, 28, tzinfo=UTC)
    row = {"id": 1, "title": "thing", "amount": 1, "last_updated": at.replace(tzinfo=None), "tenant": "a"}
    clock = Clock(midnight(FIRST))
    return House(folder, HistorySource(clock, items=[(at, False, row)]), clock, at_step=steps.append)


def _landed(house: House, day: date) -> Landing:
    house.clock.now = midnight(day + DAY)
    return land_source(house.rooms, house.source, as_of=house.clock.now, report=no_report)


def test_tables_that_did_not_change_are_not_read_again(tmp_path: Path) -> None:
    steps: list[str] = []
    house = _house(tmp_path, steps)
    export = house.rooms.exports["shop/snapshot/items"]
    first, second = _landed(house, FIRST), _landed(house, FIRST + DAY)
    left = house.rooms.lake.rejects.path_for(export.name, FIRST + DAY, "items.id not null")
    left.parent.mkdir(parents=True)
    left.write_text("of an earlier run")

    reports = [gate(house.rooms, export, FIRST, first), gate(house.rooms, export, FIRST + DAY, second)]

    assert first.id != second.id
    assert [report.landing_id for report in reports] == [first.id, second.id]
    assert reports[0].results == reports[1].results
    assert steps.count("gate") == 1


def test_tables_that_changed_or_failed_are_read_again(tmp_path: Path) -> None:
    steps: list[str] = []
    house = _house(tmp_path, steps)
    export = house.rooms.exports["shop/snapshot/items"]
    first = _landed(house, FIRST)
    assert gate(house.rooms, export, FIRST, first).has_passed
    _at, _gone, row = house.source.items[0]
    house.source.items.append((midnight(FIRST + DAY), False, row | {"title": "x" * 21}))

    for number in (1, 2):
        day = FIRST + number * DAY
        report = gate(house.rooms, export, day, _landed(house, day))
        failed = [result for result in report.results if not result.has_passed]
        assert [result.failing for result in failed] == [1]
        assert all(result.kept is not None and day.isoformat() in str(result.kept) for result in failed)

    assert steps.count("gate") == 3


def test_one_landing_is_read_once_for_all_exports_of_a_model(tmp_path: Path) -> None:
    steps: list[str] = []
    house = _house(tmp_path, steps)
    landing = _landed(house, FIRST)

    names = [
        gate(house.rooms, house.rooms.exports[f"shop/{mode}/items"], FIRST, landing).export
        for mode in ("snapshot", "delta")
    ]

    assert names == ["shop/snapshot/items", "shop/delta/items"]
    assert steps.count("gate") == 1
