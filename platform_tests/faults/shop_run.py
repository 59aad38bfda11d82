"""A run over a fixed shop history, as a process that can be killed at a named step."""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from offramp.domain.windows import DAY, midnight
from offramp.pipeline.plan import PlanOptions
from platform_tests.pipeline.history_source import HistorySource
from platform_tests.pipeline.house import Clock, House, subscription

if TYPE_CHECKING:
    from collections.abc import Callable

# 2 March is missed, and caught up.
DAYS = (date(2026, 3, 1), date(2026, 3, 3))
MISSED = date(2026, 3, 2)
AFTER = midnight(DAYS[-1] + DAY) + timedelta(hours=1)
EXPORTS = ("shop/delta/items", "shop/snapshot/items", "shop/delta/clicks")


def history(clock: Clock) -> HistorySource:
    """Four days of a shop in which rows come, change, go and arrive late."""
    items: list[tuple[datetime, bool, dict[str, object]]] = []
    clicks: list[dict[str, object]] = []
    start = datetime(2026, 2, 28, tzinfo=UTC)
    for number in range(600):
        committed_at = start + timedelta(minutes=9 * number)
        row: dict[str, object] = {
            "id": number % 150,
            "title": f"item {number}",
            "amount": number,
            "last_updated": (committed_at - timedelta(minutes=number % 90)).replace(tzinfo=None),
            "tenant": "a",
        }
        items.append((committed_at, number % 23 == 22, row))
        registered = (committed_at - timedelta(minutes=number % 500)).replace(tzinfo=None)
        click: dict[str, object] = {"id": number, "item_id": number % 150, "registered": registered, "tenant": "a"}
        clicks.append(click | {"ingested_at": committed_at.replace(tzinfo=None)})
    return HistorySource(clock, items=items, clicks=clicks)


def open_house(folder: Path, at_step: Callable[[str], None], *, separator: str = ",") -> House:
    clock = Clock(midnight(DAYS[0]))
    options = {"CSV_MD5": "1", "CSV_FIELD_SEPARATOR": separator}
    return House(folder, history(clock), clock, [subscription(options=options)], at_step=at_step)


def run(house: House, options: PlanOptions | None = None) -> int:
    """Deliver both days of all exports and return how many deliveries were made."""
    house.clock.now = max(house.clock.now, AFTER)
    made = 0
    for day in DAYS:
        for name in EXPORTS:
            made += len(house.deliver(name, day, options).outcomes)
    return made


def correct(house: House) -> None:
    """Deliver the last day's snapshot again, as a correction."""
    house.clock.now = max(house.clock.now, AFTER)
    house.deliver("shop/snapshot/items", DAYS[-1], PlanOptions(correction="another dialect was agreed"))


class Killer:
    """Ends its process with SIGKILL at the nth time that a step comes."""

    def __init__(self, step: str, nth: int) -> None:
        self._step, self._left = step, nth

    def __call__(self, step: str) -> None:
        if step == self._step:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    target, what, step_name, count = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    killer = Killer(step_name, count)
    if what == "correct":
        correct(open_house(target, killer, separator=";"))
    else:
        run(open_house(target, killer))
