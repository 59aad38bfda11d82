"""The PRODUCT rule as one compiled pass over whole sorted columns.

It sees users as numbers that never fall, times in microseconds and degrees. What it finds are row numbers and times;
frames are made of them elsewhere. A user who was folded before comes in with rows of before: see ``Opened``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from offramp.feeds.mobility.timeline.sphere import (
    cosine,
    half_sine_squared,
    is_near,
    limit_of,
    metres_of,
    reach_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.feeds.mobility.timeline.rule import Rule

NOTHING, STAY, LED, ANCHORED = 0, 1, 2, 3

DAY_MICROSECONDS = 86_400_000_000
_RADIANS = math.pi / 180


Fixes = tuple["NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.float64]", "NDArray[np.float64]"]

Row = tuple["NDArray[np.int64]", "NDArray[np.float64]"]


class Limits(NamedTuple):
    """The rule as the loop compares it: microseconds, sin2 of half angles, degrees of latitude, metres per second."""

    inside: float
    reach_degrees: float
    least_stay: int
    gap: int
    jump: float
    crossing: float
    crossing_metres_per_second: float
    longest_leg: int


class Opened(NamedTuple):
    """What was open of each user when the fixes before ended; arrays by user number.

    ``kind`` tells what the user's first rows are: NOTHING, none of before; STAY, one row, the last fix of the open
    stay, whose sums are here; LED, the rows of the open leg, beginning with the last fix of the stay before it;
    ANCHORED, the rows of the open leg, beginning with its first anchor. ``times`` holds the anchor's time and the
    number of fixes; ``sums`` anchor latitude, anchor longitude, the sums of latitude and of the sine and the cosine of
    longitude. Both are read for STAY alone.
    """

    kind: NDArray[np.int8]
    times: NDArray[np.int64]
    sums: NDArray[np.float64]


class Found(NamedTuple):
    """What a pass found, in the order in which it closed.

    ``stays``: user, start, end, fixes, row that closed it. ``centres``: latitude, longitude. ``legs``: user, first row,
    last row, row that closed it. ``states``: user, day, kind, anchor time, fixes, first row, last row, with
    ``state_sums`` as in Opened: what was open when a day with fixes had ended, and at the end.
    """

    stays: NDArray[np.int64]
    centres: NDArray[np.float64]
    legs: NDArray[np.int64]
    states: NDArray[np.int64]
    state_sums: NDArray[np.float64]


def limits_of(rule: Rule) -> Limits:
    """Return the numbers of a rule as the loop compares them."""
    return Limits(
        inside=limit_of(rule.radius_metres),
        reach_degrees=reach_of(rule.radius_metres),
        least_stay=round(rule.least_stay.total_seconds() * 1e6),
        gap=round(rule.gap.total_seconds() * 1e6),
        jump=limit_of(rule.jump_metres),
        crossing=limit_of(rule.crossing_metres),
        crossing_metres_per_second=rule.crossing_metres_per_second,
        longest_leg=round(rule.longest_leg.total_seconds() * 1e6),
    )


def nothing_open(users: int) -> Opened:
    """Return the state of users of whom nothing was seen."""
    return Opened(np.zeros(users, np.int8), np.zeros((users, 2), np.int64), np.zeros((users, 5), np.float64))


@njit(cache=True)
def circular_mean(sines: float, cosines: float) -> float:
    """Return the mean of angles in degrees, from the sums of their sines and cosines."""
    return math.atan2(sines, cosines) / _RADIANS


# What is open of the user at hand stands in small arrays: whole numbers (times and rows), and sums.
_ANCHOR_AT, _COUNT, _ANCHOR_ROW, _LEG_ROW, _KIND = 0, 1, 2, 3, 4
_LATITUDE, _LONGITUDE, _NORTH, _SINES, _COSINES = 0, 1, 2, 3, 4


@njit(cache=True)
def _add(now: NDArray[np.int64], sums: NDArray[np.float64], latitude: float, longitude: float) -> None:
    now[_COUNT] += 1
    sums[_NORTH] += latitude
    sums[_SINES] += math.sin(longitude * _RADIANS)
    sums[_COSINES] += math.cos(longitude * _RADIANS)


@njit(cache=True)
def _anchor(row: int, fixes: Fixes, now: NDArray[np.int64], sums: NDArray[np.float64]) -> tuple[float, float, float]:
    """Begin a group at a row, and return its anchor."""
    latitude, longitude = fixes[2][row], fixes[3][row]
    now[_ANCHOR_AT], now[_ANCHOR_ROW], now[_COUNT] = fixes[1][row], row, 0
    sums[_LATITUDE], sums[_LONGITUDE] = latitude, longitude
    sums[_NORTH:] = 0.0
    _add(now, sums, latitude, longitude)
    return latitude, longitude, cosine(latitude)


@njit(cache=True)
def _cuts(row: int, fixes: Fixes, limits: Limits) -> int:
    """Tell what the step to a row outside does to a leg: 0 nothing, 1 cuts it, 2 is a jump."""
    step = fixes[1][row] - fixes[1][row - 1]
    if step <= limits.gap:
        return 0
    across = half_sine_squared(fixes[2][row - 1], fixes[3][row - 1], fixes[2][row], fixes[3][row])
    if across >= limits.jump:
        return 2
    is_crossing = across >= limits.crossing and metres_of(across) >= limits.crossing_metres_per_second * step / 1e6
    return 0 if is_crossing else 1


@njit(cache=True)
def _leave(row: int, fixes: Fixes, limits: Limits, now: NDArray[np.int64], legs: NDArray[np.int64]) -> int:
    """End the group before a row that is outside, and return how many legs that closed."""
    user, time = fixes[0], fixes[1]
    was_stay = now[_KIND] == STAY
    cuts = _cuts(row, fixes, limits)
    closed = 0
    if cuts > 0:
        if not was_stay and now[_ANCHOR_ROW] > now[_LEG_ROW]:
            legs[closed, :] = np.array([user[row], now[_LEG_ROW], row - 1, row])
            closed += 1
        if cuts == 2:
            legs[closed, :] = np.array([user[row], row - 1, row, row])
            closed += 1
        now[_LEG_ROW], now[_KIND] = row, ANCHORED
    elif was_stay:
        now[_LEG_ROW], now[_KIND] = row - 1, LED
    elif time[row] - time[now[_LEG_ROW]] >= limits.longest_leg:
        legs[closed, :] = np.array([user[row], now[_LEG_ROW], row, row])
        closed += 1
        now[_LEG_ROW], now[_KIND] = row, ANCHORED
    return closed


@njit(cache=True)
def _keep(row: int, fixes: Fixes, now: NDArray[np.int64], sums: NDArray[np.float64], to: Row) -> None:
    """Write what is open after a row as a state."""
    state, state_sums = to
    state_sums[:] = sums
    state[0], state[1] = fixes[0][row], fixes[1][row] // DAY_MICROSECONDS
    state[2], state[3], state[4] = now[_KIND], now[_ANCHOR_AT], now[_COUNT]
    state[5], state[6] = row if now[_KIND] == STAY else now[_LEG_ROW], row


@njit(cache=True)
def _end(row: int, fixes: Fixes, now: NDArray[np.int64], sums: NDArray[np.float64], to: Row) -> None:
    """Write the stay that a row closes."""
    stay, centre = to
    stay[0], stay[1], stay[2] = fixes[0][row], now[_ANCHOR_AT], fixes[1][row - 1]
    stay[3], stay[4] = now[_COUNT], row
    centre[0], centre[1] = sums[_NORTH] / now[_COUNT], circular_mean(sums[_SINES], sums[_COSINES])


@njit(cache=True)
def _begin(row: int, fixes: Fixes, opened: Opened, now: NDArray[np.int64], sums: NDArray[np.float64]) -> None:
    """Begin a user at its first row, with what is open of before."""
    who = fixes[0][row]
    now[_LEG_ROW], now[_KIND] = row, ANCHORED
    if opened.kind[who] == STAY:
        now[_ANCHOR_AT], now[_COUNT] = opened.times[who, 0], opened.times[who, 1]
        now[_KIND] = STAY
        sums[:] = opened.sums[who]
    else:
        if opened.kind[who] == LED:
            now[_KIND] = LED
        _anchor(row, fixes, now, sums)


@njit(cache=True)
def scan(fixes: Fixes, opened: Opened, limits: Limits, from_day: int) -> Found:
    """Fold sorted fixes (user, time, latitude, longitude) into stays, legs and states.

    A state is told at the end of each day with fixes whose next fix is after ``from_day``, and at the end of each
    user's fixes. Days are counted from 1970. Rows of before come first among a user's rows.
    """
    user, time, latitude, longitude = fixes
    rows = len(user)
    stays, centres = np.empty((rows, 5), np.int64), np.empty((rows, 2), np.float64)
    legs = np.empty((2 * rows, 4), np.int64)
    states, state_sums = np.empty((rows, 7), np.int64), np.empty((rows, 5), np.float64)
    stay = leg = state = 0
    now, sums = np.zeros(5, np.int64), np.zeros(5, np.float64)
    anchor, day_ends = (0.0, 0.0, 1.0), 0
    for row in range(rows):
        if row == 0 or user[row - 1] != user[row]:
            _begin(row, fixes, opened, now, sums)
            anchor = (sums[_LATITUDE], sums[_LONGITUDE], cosine(sums[_LATITUDE]))
            day_ends = (time[row] // DAY_MICROSECONDS + 1) * DAY_MICROSECONDS
        else:
            if time[row] >= day_ends:
                day_ends = (time[row] // DAY_MICROSECONDS + 1) * DAY_MICROSECONDS
                _keep(row - 1, fixes, now, sums, (states[state], state_sums[state]))
                state += day_ends > (from_day + 1) * DAY_MICROSECONDS
            is_led = now[_KIND] == LED and now[_LEG_ROW] == row - 1
            if not is_led and is_near(anchor, latitude[row], longitude[row], limits.inside, limits.reach_degrees):
                _add(now, sums, latitude[row], longitude[row])
                if now[_KIND] != STAY and time[row] - now[_ANCHOR_AT] >= limits.least_stay:
                    if now[_LEG_ROW] < now[_ANCHOR_ROW]:
                        legs[leg] = (user[row], now[_LEG_ROW], now[_ANCHOR_ROW], row)
                        leg += 1
                    now[_KIND] = STAY
            else:
                if now[_KIND] == STAY:
                    _end(row, fixes, now, sums, (stays[stay], centres[stay]))
                    stay += 1
                if not is_led:
                    leg += _leave(row, fixes, limits, now, legs[leg:])
                anchor = _anchor(row, fixes, now, sums)
        if row + 1 == rows or user[row + 1] != user[row]:
            _keep(row, fixes, now, sums, (states[state], state_sums[state]))
            state += 1
    return Found(stays[:stay], centres[:stay], legs[:leg], states[:state], state_sums[:state])
