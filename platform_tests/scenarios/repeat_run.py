"""A run of all exports over some days, as a process of its own: ``python -m ... <offramp.yaml> <first day> <days>``."""

from __future__ import annotations

import sys
from datetime import date, timedelta
from pathlib import Path

from offramp.domain.windows import DAY, midnight
from offramp.pipeline.deliver import deliver_day
from offramp.settings.reading import load_settings
from offramp.wiring import open_rooms


def run(file: Path, first: date, days: int) -> int:
    """Deliver and return how many deliveries this process staged."""
    staged = 0
    for number in range(days):
        day = first + number * DAY
        now = midnight(day + DAY) + timedelta(hours=1)
        rooms = open_rooms(load_settings(file, environment={}), clock=lambda now=now: now)  # type: ignore[misc]
        for name in sorted(rooms.exports):
            report = deliver_day(rooms, rooms.exports[name], day)
            assert not report.failures
            staged += sum(outcome.is_new for outcome in report.outcomes)
    return staged


if __name__ == "__main__":
    sys.stdout.write(f"{run(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), int(sys.argv[3]))}\n")
