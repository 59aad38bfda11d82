"""The ORACLE rule as one compiled pass: what trackintel 1.4 finds, from the same sorted columns as ``kernel``.

It holds nothing but row numbers between batches: a user who goes on is scanned again from the first row of what is
open.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from offramp.feeds.mobility.timeline import kernel, rule, sphere
from offramp.feeds.mobility.timeline import limits as limits_module
from offramp.feeds.mobility.timeline.kernel import circular_mean
from offramp.feeds.mobility.timeline.sphere import cosine, is_near
from offramp.feeds.mobility.timeline.stamps import stamp_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from offramp.feeds.mobility.timeline.limits import Fixes, Limits

    Scanned = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64], int]

_RADIANS = math.pi / 180


@njit()
def _unique_centre(
    latitude: NDArray[np.float64], longitude: NDArray[np.float64], slots: NDArray[np.int64]
) -> tuple[float, float]:
    """Return the mean over unique coordinates in the order of their first row. Every slot must be -1, and is again.

    ``slots`` has a power of two of places, at least twice the rows: a table of rows by hash, probed one by one.
    """
    north = sines = cosines = 0.0
    count = 0
    for row in range(len(latitude)):
        mixed = int(latitude[row] * 1e10) * 0x9E3779B1 + int(longitude[row] * 1e10) * 0x85EBCA77
        slot = (mixed ^ (mixed >> 29)) & (len(slots) - 1)
        while slots[slot] >= 0:
            known = slots[slot]
            if latitude[known] == latitude[row] and longitude[known] == longitude[row]:
                break
            slot = (slot + 1) & (len(slots) - 1)
        if slots[slot] < 0:
            slots[slot] = row
            count += 1
            north += latitude[row]
            sines += math.sin(longitude[row] * _RADIANS)
            cosines += math.cos(longitude[row] * _RADIANS)
    slots[:] = -1
    return north / count, circular_mean(sines, cosines)


@njit()
def _size_for(rows: int) -> int:
    size = 64
    while size < 2 * rows:
        size *= 2
    return size


@njit()
def _is_line(fixes: Fixes, first: int, end: int) -> bool:
    """Tell whether rows make a valid line: two points or more, not all equal."""
    for row in range(first + 1, end):  # noqa: SIM110  compiled functions have no generators
        if fixes[2][row] != fixes[2][first] or fixes[3][row] != fixes[3][first]:
            return True
    return False


@njit()
def _scan(fixes: Fixes, limits: Limits, is_end: bool) -> Scanned:  # noqa: FBT001  compiled: no keyword-only arguments
    user, time, latitude, longitude, _ = fixes
    rows = len(user)
    stays, centres = np.empty((rows, 5), np.int64), np.empty((rows, 2), np.float64)
    legs = np.empty((rows, 6), np.int64)
    slots = np.full(1024, -1, np.int64)
    stay = leg = first = leg_row = 0
    anchor = (0.0, 0.0, 1.0)
    for row in range(rows + 1):
        is_new = row in (0, rows) or user[row - 1] != user[row]
        if row == rows and not is_end:
            break
        is_gap = not is_new and time[row] - time[row - 1] > limits.gap
        is_inside = not is_new and is_near(anchor, latitude[row], longitude[row], limits.inside, limits.reach_degrees)
        if is_inside and not is_gap:
            continue
        # The group ended: outside at this row, or with the fix before, which a gap does not make a stay.
        last = row - 1 if is_new else row
        if row > 0 and not is_gap and time[last] - time[first] >= limits.least_stay:
            if _is_line(fixes, leg_row, first):
                legs[leg, 0], legs[leg, 1], legs[leg, 2], legs[leg, 3] = user[first], leg_row, first - 1, last
                legs[leg, 4], legs[leg, 5] = leg_row, time[leg_row]
                leg += 1
            stays[stay, 0], stays[stay, 1], stays[stay, 2] = user[first], time[first], time[last]
            stays[stay, 3], stays[stay, 4] = row - first, last
            size = _size_for(row - first)
            if size > len(slots):
                slots = np.full(size, -1, np.int64)
            centres[stay] = _unique_centre(latitude[first:row], longitude[first:row], slots[:size])
            stay += 1
            leg_row = row
        elif is_gap or is_new:
            if row > 0 and _is_line(fixes, leg_row, row):
                legs[leg, 0], legs[leg, 1], legs[leg, 2], legs[leg, 3] = user[first], leg_row, row - 1, last
                legs[leg, 4], legs[leg, 5] = leg_row, time[leg_row]
                leg += 1
            leg_row = row
        first = row
        if row < rows:
            anchor = (latitude[row], longitude[row], cosine(latitude[row]))
    return stays[:stay], centres[:stay], legs[:leg], leg_row


def scan_oracle(fixes: Fixes, limits: Limits, *, is_end: bool) -> Scanned:
    """Fold sorted fixes into stays, centres and legs as in ``kernel.Found``, and the first row that stays open.

    Without ``is_end`` the last user may go on in later rows, and its open rows are told; else none is open.
    """
    return _compiled()(fixes, limits, is_end)


@cache
def _compiled() -> Callable[[Fixes, Limits, bool], Scanned]:
    """Return the pass, compiled or from numba's cache on disk. See ``stamps``."""
    stamp = stamp_of(kernel, limits_module, rule, sphere)

    @njit(cache=True)
    def run(fixes: Fixes, limits: Limits, is_end: bool) -> Scanned:  # noqa: FBT001  compiled
        _ = stamp
        return _scan(fixes, limits, is_end)

    return run
