"""Writes down lives as weeks of outings from home, for the segments that follow from habits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from platform_tests.mobility.models.life_rows import hexadecimal
from platform_tests.mobility.models.lives import HOME, Life, Spot, days

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DAY = date(2018, 12, 7)
MONDAY = date(2018, 10, 22)  # clocks change in the first week, on 28 October
SUNDAY = date(2018, 11, 25)
WORKDAYS = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class Outing:
    """A stay away from home on a weekday (1 to 7), in hours of the local day; beyond 24 it ends on the next.

    ``goes_on`` goes from there to the next outing of the day without seeing home.
    """

    spot: Spot
    weekday: int
    start: float
    end: float
    mode: str = "car"
    minutes: int = 20
    metres: int = 8000
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Walk:
    """A way from home to home without a stay."""

    weekday: int
    start: float
    minutes: int = 30
    mode: str = "walking"
    metres: int = 2000


def spot(place_id: int, *types: str, brand: str | None = None, significance: str = "nonregular") -> Spot:
    """Return a spot with a venue of some types."""
    return Spot(place_id, significance, types, f"{types[-1]} {place_id}", brand)


def weekly(weekdays: Sequence[int], outing: Outing | Walk) -> tuple[Outing | Walk, ...]:
    """Return the same outing on each of some weekdays."""
    return tuple(replace(outing, weekday=weekday) for weekday in weekdays)


def live(
    name: str,
    outings: Sequence[Outing | Walk],
    *,
    first: date = MONDAY,
    last: date = SUNDAY,
    home: Spot = HOME,
    each: Callable[[date], bool] = lambda _: True,
) -> Life:
    """Return a life at home between weekly outings; weeks that ``each`` refuses (by their Monday) are spent at home."""
    life = Life(user_id=hexadecimal(name, 24))
    since, place = datetime.combine(first, time()), home
    for day in days(first, last):
        is_out = each(day - timedelta(days=day.weekday()))
        todays = [one for one in outings if is_out and one.weekday == day.isoweekday()]
        for outing in sorted(todays, key=lambda one: one.start):
            starts = datetime.combine(day, time()) + timedelta(hours=outing.start)
            if isinstance(outing, Walk):
                ends = starts + timedelta(minutes=outing.minutes)
                life.at(home, since, starts).go(outing.mode, starts, ends, metres=outing.metres)
                since = ends
                continue
            leaves = starts - timedelta(minutes=outing.minutes)
            life.at(place, since, leaves).go(outing.mode, leaves, starts, metres=outing.metres)
            since, place = starts, outing.spot
            if outing.goes_on:
                continue
            ends = datetime.combine(day, time()) + timedelta(hours=outing.end)
            back = ends + timedelta(minutes=outing.minutes)
            life.at(outing.spot, since, ends).go(outing.mode, ends, back, metres=outing.metres)
            since, place = back, home
    return life.at(place, since, datetime.combine(last, time(23, 59)))
