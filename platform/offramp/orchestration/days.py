"""Data days as partitions."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

import dagster as dg

from offramp.domain.windows import DAY

if TYPE_CHECKING:
    from collections.abc import Iterable


def daily(first_day: date) -> dg.DailyPartitionsDefinition:
    """Return one partition per data day in UTC; yesterday is the last one."""
    return dg.DailyPartitionsDefinition(start_date=datetime.combine(first_day, time(), UTC), timezone="UTC")


def days_of(context: dg.AssetExecutionContext) -> tuple[date, ...]:
    """Return the data days of a step, in order."""
    return tuple(sorted(date.fromisoformat(key) for key in context.partition_keys))


def ranges(days: Iterable[date]) -> tuple[tuple[date, date], ...]:
    """Return days as unbroken ranges, first and last day included, in order."""
    found: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if found and day - found[-1][1] == DAY:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return tuple(found)
