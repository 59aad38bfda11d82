"""Windows of the media feed's schedules, and what is odd about a schedule over a year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from offramp.domain.exports import Mode
from offramp.domain.windows import ticks_between, window_at
from offramp.feeds.jobs import schedule_of
from offramp.feeds.media import options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from offramp.domain.exports import Export
    from offramp.domain.windows import Window

# Every zone's clock changes within a year; a fixed year makes the answer the same every day.
_YEAR_START = datetime(2026, 1, 1, tzinfo=UTC)
_YEAR = timedelta(days=400)


def window_of(chosen: Mapping[str, str], tick: datetime) -> Window:
    """Return the window that a subscription's options give a tick."""
    return window_at(
        tick,
        days=options.delta_days(chosen),
        midnight_to_midnight=options.is_on(chosen, "DATA_DELTA_MIDNIGHT_TO_MIDNIGHT"),
        zone=options.zone(chosen),
    )


def early_ticks(chosen: Mapping[str, str], exports: Iterable[Export], lag: timedelta) -> tuple[str, ...]:
    """Say which schedules fire before their window's end plus the safety lag has passed."""
    found = []
    for variable, cron in _crons(chosen, exports, set(Mode)):
        early = next((tick for tick in _ticks(cron) if tick < window_of(chosen, tick).end + lag), None)
        if early is not None:
            end = window_of(chosen, early).end
            minutes = int(lag / timedelta(minutes=1))
            found.append(
                f"{variable} fires at {early:%H:%M} UTC, but its window ends at {end:%H:%M} UTC and is complete only"
                f" {minutes} minutes later (safety_lag)"
            )
    return tuple(found)


def gaps(chosen: Mapping[str, str], exports: Iterable[Export]) -> tuple[str, ...]:
    """Say which schedules leave a gap between the windows of two deltas."""
    found = []
    for variable, cron in _crons(chosen, exports, {Mode.DELTA}):
        windows = [window_of(chosen, tick) for tick in _ticks(cron)]
        gap = next(
            ((one, two) for one, two in pairwise(windows) if two.start > one.end),
            None,
        )
        if gap is not None:
            one, two = gap
            found.append(
                f"{variable} leaves a gap between windows, for example from {one.end:%Y-%m-%d %H:%M} to"
                f" {two.start:%Y-%m-%d %H:%M} UTC; the next delta catches up what falls into it"
            )
    return tuple(found)


def _crons(chosen: Mapping[str, str], exports: Iterable[Export], modes: set[Mode]) -> Iterator[tuple[str, str]]:
    by_variable: dict[str, str] = {}
    for export in exports:
        schedule, cron = schedule_of(export), options.cron_of(chosen, export)
        if schedule is not None and cron is not None and export.mode in modes:
            by_variable[schedule.variable] = cron
    seen: set[str] = set()
    for variable, cron in sorted(by_variable.items()):
        if cron not in seen:
            seen.add(cron)
            yield variable, cron


@cache
def _ticks(cron: str) -> tuple[datetime, ...]:
    return tuple(ticks_between(cron, _YEAR_START, _YEAR_START + _YEAR))
