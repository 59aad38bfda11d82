"""The PRODUCT rule as one compiled pass over whole sorted columns.

It sees users as numbers that never fall, times in microseconds and degrees. What it finds are row numbers and times;
frames are made of them elsewhere. A user who was folded before comes in with rows of before: see ``Opened``.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from offramp.feeds.mobility.timeline import limits as limits_module
from offramp.feeds.mobility.timeline import rule, sphere
from offramp.feeds.mobility.timeline.limits import cuts, is_unsure, left_at
from offramp.feeds.mobility.timeline.sphere import cosine, is_near
from offramp.feeds.mobility.timeline.stamps import stamp_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from offramp.feeds.mobility.timeline.limits import Fixes, Limits

    Row = tuple[NDArray[np.int64], NDArray[np.float64]]

NOTHING, STAY, LED, ANCHORED = 0, 1, 2, 3

DAY_MICROSECONDS = 86_400_000_000
_RADIANS = math.pi / 180


class Opened(NamedTuple):
    """What was open of each user when the fixes before ended; arrays by user number.

    ``kind`` tells what the user's first rows are: NOTHING, none of before; STAY, one row, the last fix inside the open
    stay, whose sums are here; LED, the rows of the open leg, beginning with where the stay before it was left;
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
    last row, row that closed it, and what stands for the first row: the row that tells where, and when. ``states``:
    user, day, kind, anchor time, fixes, first row, last row, where and when as for legs, last row inside; with
    ``state_sums`` as in Opened: what was open when a day with fixes had ended, and at the end.
    """

    stays: NDArray[np.int64]
    centres: NDArray[np.float64]
    legs: NDArray[np.int64]
    states: NDArray[np.int64]
    state_sums: NDArray[np.float64]


def nothing_open(users: int) -> Opened:
    """Return the state of users of whom nothing was seen."""
    return Opened(np.zeros(users, np.int8), np.zeros((users, 2), np.int64), np.zeros((users, 5), np.float64))


@njit()
def circular_mean(sines: float, cosines: float) -> float:
    """Return the mean of angles in degrees, from the sums of their sines and cosines."""
    return math.atan2(sines, cosines) / _RADIANS


# What is open of the user at hand stands in small arrays: whole numbers (times and rows), and sums.
_ANCHOR_AT, _COUNT, _ANCHOR_ROW, _LAST_ROW, _LEG_ROW, _PLACE_ROW, _LEG_AT, _KIND, _LEFT_AT = range(9)
_LATITUDE, _LONGITUDE, _NORTH, _SINES, _COSINES = 0, 1, 2, 3, 4


@njit()
def _add(row: int, fixes: Fixes, now: NDArray[np.int64], sums: NDArray[np.float64]) -> None:
    latitude, longitude = fixes[2][row], fixes[3][row]
    now[_LAST_ROW] = row
    now[_COUNT] += 1
    sums[_NORTH] += latitude
    sums[_SINES] += math.sin(longitude * _RADIANS)
    sums[_COSINES] += math.cos(longitude * _RADIANS)


@njit()
def _anchor(row: int, fixes: Fixes, now: NDArray[np.int64], sums: NDArray[np.float64]) -> tuple[float, float, float]:
    """Begin a group at a row, and return its anchor."""
    latitude, longitude = fixes[2][row], fixes[3][row]
    now[_ANCHOR_AT], now[_ANCHOR_ROW], now[_COUNT] = fixes[1][row], row, 0
    sums[_LATITUDE], sums[_LONGITUDE] = latitude, longitude
    sums[_NORTH:] = 0.0
    _add(row, fixes, now, sums)
    return latitude, longitude, cosine(latitude)


@njit()
def _lead(kind: int, row: int, to: tuple[int, int], now: NDArray[np.int64]) -> None:
    """Begin a leg of a kind at a row, for which a place (the row of a fix) and an instant stand."""
    now[_KIND], now[_LEG_ROW] = kind, row
    now[_PLACE_ROW], now[_LEG_AT] = to


@njit()
def _settle(row: int, fixes: Fixes, now: NDArray[np.int64], leg: NDArray[np.int64]) -> int:
    """Make the group a stay at a row, and return how many legs that closed."""
    is_leg = now[_LEG_ROW] < now[_ANCHOR_ROW]
    if is_leg:
        leg[0], leg[1], leg[2], leg[3] = fixes[0][row], now[_LEG_ROW], now[_ANCHOR_ROW], row
        leg[4], leg[5] = now[_PLACE_ROW], now[_LEG_AT]
    now[_KIND] = STAY
    return int(is_leg)


@njit()
def _left(row: int, fixes: Fixes, limits: Limits, now: NDArray[np.int64], leg: NDArray[np.int64]) -> int:
    """Tell when the group was left that a row outside ends; that may make it a stay, and close a leg."""
    now[_LEFT_AT] = left_at(row, fixes, limits, (now[_LAST_ROW], now[_KIND] == STAY))
    if now[_KIND] == STAY or now[_LEFT_AT] - now[_ANCHOR_AT] < limits.least_stay:
        return 0
    return _settle(row, fixes, now, leg)


@njit()
def _leave(row: int, fixes: Fixes, limits: Limits, now: NDArray[np.int64], legs: NDArray[np.int64]) -> int:
    """End the group before a row that is outside, and return how many legs that closed."""
    user, time, last = fixes[0], fixes[1], now[_LAST_ROW]
    was_stay = now[_KIND] == STAY
    is_awake = now[_LEFT_AT] > time[last]
    cut = 0 if is_awake else cuts(row, fixes, limits, last)
    closed = 0
    if cut > 0:
        if not was_stay and now[_ANCHOR_ROW] > now[_LEG_ROW]:
            legs[closed, :] = np.array([user[row], now[_LEG_ROW], last, row, now[_PLACE_ROW], now[_LEG_AT]])
            closed += 1
        if cut == 2:
            legs[closed, :] = np.array([user[row], row - 1, row, row, last, time[last]])
            closed += 1
        _lead(ANCHORED, row, (row, time[row]), now)
    elif was_stay:
        _lead(LED, row - 1, (last, now[_LEFT_AT]), now)
    elif time[row] - now[_LEG_AT] >= limits.longest_leg:
        legs[closed, :] = np.array([user[row], now[_LEG_ROW], row, row, now[_PLACE_ROW], now[_LEG_AT]])
        closed += 1
        _lead(ANCHORED, row, (row, time[row]), now)
    return closed


@njit()
def _keep(row: int, fixes: Fixes, now: NDArray[np.int64], sums: NDArray[np.float64], to: Row) -> None:
    """Write what is open after a row as a state."""
    state, state_sums = to
    state_sums[:] = sums
    last = now[_LAST_ROW]
    state[0], state[1] = fixes[0][row], fixes[1][row] // DAY_MICROSECONDS
    state[2], state[3], state[4], state[9] = now[_KIND], now[_ANCHOR_AT], now[_COUNT], last
    if now[_KIND] == STAY:
        state[5], state[6], state[7], state[8] = last, last, last, fixes[1][last]
    else:
        state[5], state[6], state[7], state[8] = now[_LEG_ROW], row, now[_PLACE_ROW], now[_LEG_AT]


@njit()
def _end(row: int, fixes: Fixes, now: NDArray[np.int64], sums: NDArray[np.float64], to: Row) -> None:
    """Write the stay that a row closes."""
    stay, centre = to
    stay[0], stay[1], stay[2] = fixes[0][row], now[_ANCHOR_AT], now[_LEFT_AT]
    stay[3], stay[4] = now[_COUNT], row
    centre[0], centre[1] = sums[_NORTH] / now[_COUNT], circular_mean(sums[_SINES], sums[_COSINES])


@njit()
def _is_inside(row: int, fixes: Fixes, anchor: tuple[float, float, float], limits: Limits) -> bool:
    return is_near(anchor, fixes[2][row], fixes[3][row], limits.inside, limits.reach_degrees)


@njit()
def _begin(row: int, fixes: Fixes, opened: Opened, now: NDArray[np.int64], sums: NDArray[np.float64]) -> None:
    """Begin a user at its first row, with what is open of before."""
    who = fixes[0][row]
    _lead(ANCHORED, row, (row, fixes[1][row]), now)
    if opened.kind[who] == STAY:
        now[_ANCHOR_AT], now[_COUNT] = opened.times[who, 0], opened.times[who, 1]
        now[_KIND], now[_LAST_ROW] = STAY, row
        sums[:] = opened.sums[who]
    else:
        if opened.kind[who] == LED:
            now[_KIND] = LED
        _anchor(row, fixes, now, sums)


@njit()
def _scan(fixes: Fixes, opened: Opened, limits: Limits, from_day: int) -> Found:
    user, time = fixes[0], fixes[1]
    rows = len(user)
    stays, centres = np.empty((rows, 5), np.int64), np.empty((rows, 2), np.float64)
    legs = np.empty((2 * rows, 6), np.int64)
    states, state_sums = np.empty((rows, 10), np.int64), np.empty((rows, 5), np.float64)
    stay = leg = state = 0
    now, sums = np.zeros(9, np.int64), np.zeros(5, np.float64)
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
            if now[_KIND] == LED and now[_LEG_ROW] == row - 1:
                anchor = _anchor(row, fixes, now, sums)
            elif _is_inside(row, fixes, anchor, limits) and time[row] - time[now[_LAST_ROW]] <= limits.longest_silence:
                _add(row, fixes, now, sums)
                if now[_KIND] != STAY and time[row] - now[_ANCHOR_AT] >= limits.least_stay:
                    leg += _settle(row, fixes, now, legs[leg])
            elif _is_inside(row, fixes, anchor, limits) or not is_unsure(row, fixes, anchor, limits):
                leg += _left(row, fixes, limits, now, legs[leg])
                if now[_KIND] == STAY:
                    _end(row, fixes, now, sums, (stays[stay], centres[stay]))
                    stay += 1
                leg += _leave(row, fixes, limits, now, legs[leg:])
                anchor = _anchor(row, fixes, now, sums)
        if row + 1 == rows or user[row + 1] != user[row]:
            _keep(row, fixes, now, sums, (states[state], state_sums[state]))
            state += 1
    return Found(stays[:stay], centres[:stay], legs[:leg], states[:state], state_sums[:state])


def scan(fixes: Fixes, opened: Opened, limits: Limits, from_day: int) -> Found:
    """Fold sorted fixes (user, time, latitude, longitude, accuracy) into stays, legs and states.

    A state is told at the end of each day with fixes whose next fix is after ``from_day``, and at the end of each
    user's fixes. Days are counted from 1970. Rows of before come first among a user's rows.
    """
    return _compiled()(fixes, opened, limits, from_day)


@cache
def _compiled() -> Callable[[Fixes, Opened, Limits, int], Found]:
    """Return the pass, compiled or from numba's cache on disk. See ``stamps``."""
    stamp = stamp_of(limits_module, rule, sphere)

    @njit(cache=True)
    def run(fixes: Fixes, opened: Opened, limits: Limits, from_day: int) -> Found:
        _ = stamp
        return _scan(fixes, opened, limits, from_day)

    return run
