"""Windows in time, and the ticks that end them.

Pure functions of a cron text, a data day and a zone: the wall clock is never read here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from cronsim import CronSim, CronSimError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Half-open [start, end) in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse naive times and windows that end before they start."""
        for instant in (self.start, self.end):
            if instant.utcoffset() != timedelta(0):
                message = f"a window's instants are in UTC, found {instant!r}"
                raise ValueError(message)
        if self.end <= self.start:
            message = f"a window ends after it starts, found [{self.start}, {self.end})"
            raise ValueError(message)

    def __str__(self) -> str:
        return f"[{self.start:%Y-%m-%dT%H:%M:%SZ}, {self.end:%Y-%m-%dT%H:%M:%SZ})"


def midnight(day: date) -> datetime:
    """Return 00:00 UTC of a day."""
    return datetime.combine(day, time(), UTC)


def check_cron(cron: str) -> str | None:
    """Say what is wrong with a cron text, or None. Five fields; the empty text is off and not a cron."""
    if len(cron.split()) != 5:
        return f"a cron has five fields, found {len(cron.split())}"
    try:
        # From a minute before a day begins: cronsim leaves out the instant that it starts from.
        ticks = CronSim(cron, datetime(2023, 12, 31, 23, 59))  # noqa: DTZ001 - cronsim counts in naive UTC
        first = next(ticks)
    except CronSimError as error:
        return f"not a cron: {error}"
    except StopIteration:
        return "it never fires"
    # A cron that fires twice within a day does so on the first day on which it fires at all:
    # its hours and minutes are the same for every matching day.
    second = next(ticks, None)
    if second is not None and second.date() == first.date():
        return f"it fires more than once a day ({first:%H:%M} and {second:%H:%M})"
    return None


def tick_of(cron: str, data_day: date) -> datetime | None:
    """Return the cron's one fire in [D+1 00:00, D+2 00:00) UTC, or None on a day without a tick."""
    start = datetime.combine(data_day + DAY, time())
    try:
        fire = next(CronSim(cron, start - timedelta(minutes=1)))
    except StopIteration:
        return None
    return fire.replace(tzinfo=UTC) if fire < start + DAY else None


def next_tick(cron: str, after: datetime) -> datetime | None:
    """Return the first fire strictly after an instant."""
    fire = next(CronSim(cron, after.astimezone(UTC).replace(tzinfo=None)), None)
    return fire.replace(tzinfo=UTC) if fire else None


def ticks_between(cron: str, start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the fires after ``start`` and before ``end``, in order."""
    for fire in CronSim(cron, start.astimezone(UTC).replace(tzinfo=None)):
        tick = fire.replace(tzinfo=UTC)
        if tick >= end:
            return
        yield tick


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a local day, in UTC.

    Where clocks jump over midnight the day begins at the jump; where midnight comes twice, at the first one.
    """
    return datetime.combine(day, time(), zone).astimezone(UTC)


def last_local_midnight(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return the last local midnight at or before an instant, in UTC.

    Where clocks fall back over midnight, the day that has begun stays begun.
    """
    day = instant.astimezone(zone).date()
    following = local_midnight(day + DAY, zone)
    return following if following <= instant else local_midnight(day, zone)


def window_at(tick: datetime, *, days: int, midnight_to_midnight: bool, zone: ZoneInfo) -> Window:
    """Return the delta window of a tick.

    Hour mode ends at the start of the tick's hour and reaches ``days`` times 24 hours back. Midnight mode is
    the last ``days`` whole local days that ended at or before the tick, so a day can last 23 or 25 hours.
    Source: media_exports.md section 7.
    """
    if not midnight_to_midnight:
        end = tick.replace(minute=0, second=0, microsecond=0)
        return Window(end - days * DAY, end)
    end = last_local_midnight(tick, zone)
    first_day = end.astimezone(zone).date() - days * DAY
    # A day that a zone left out begins when the next one does (Samoa, 2011-12-30): it is no day of a window.
    while local_midnight(first_day, zone) >= end:
        first_day -= DAY
    return Window(local_midnight(first_day, zone), end)
