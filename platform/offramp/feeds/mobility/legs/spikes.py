"""Fixes that are far off or poor: which of a leg's are kept, and which count for speeds. Compiled by numba."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from offramp.feeds.mobility.legs import thresholds as at

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Fixes(NamedTuple):
    """The fixes of all legs: seconds since 1970, degrees, reported speed in m/s and accuracy in metres.

    Speed and accuracy are NaN where there is none.
    """

    seconds: NDArray[np.float64]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    speed: NDArray[np.float64]
    accuracy: NDArray[np.float64]


@njit()
def metres_between(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Return the great circle distance of two points in degrees, in metres."""
    a, b = math.radians(lat1), math.radians(lat2)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * at.EARTH_METRES * math.asin(min(1.0, math.sqrt(half)))


@njit()
def metres_of(fixes: Fixes, i: int, j: int) -> float:
    """Return the distance of two fixes in metres."""
    return metres_between(fixes.latitude[i], fixes.longitude[i], fixes.latitude[j], fixes.longitude[j])


@njit()
def _speed(fixes: Fixes, i: int, j: int) -> float:
    # Fixes of less than a second apart count as one second apart.
    took: float = max(fixes.seconds[j] - fixes.seconds[i], 1.0)
    return metres_of(fixes, i, j) / took


@njit()
def _is_usable(fixes: Fixes, i: int, last: int) -> bool:
    is_on_globe = abs(fixes.latitude[i]) <= 90.0 and abs(fixes.longitude[i]) <= 180.0
    return is_on_globe and (last < 0 or fixes.seconds[i] > fixes.seconds[last])


@njit()
def _way_back(fixes: Fixes, last: int, i: int, end: int) -> int:
    """Return the next fix after ``i`` that can be reached from ``last`` on the ground, or -1."""
    for j in range(i + 1, min(end, i + 1 + at.MOST_SPIKES_IN_A_ROW)):
        if _is_usable(fixes, j, last) and _speed(fixes, last, j) <= at.MOST_GROUND_SPEED:
            return j
    return -1


@njit()
def without_spikes(fixes: Fixes, begin: int, end: int) -> NDArray[np.int64]:
    """Return the indices of a leg's fixes that are no spikes.

    A fix that can be reached from the last kept one only faster than 300 km/h is a spike if one of the next five can
    be reached more slowly: the detour by it was never made. If none can, the leg goes on from there, as a flight does,
    unless that is faster than sound: then the leg's first fix is off, or the fixes up to its end. Fixes that are not on
    the globe, or not later than the one before, are left out too.
    """
    kept = np.empty(end - begin, np.int64)
    count = 0
    i = begin
    while i < end:
        last = kept[count - 1] if count > 0 else -1
        if not _is_usable(fixes, i, last):
            i += 1
            continue
        if count > 0 and _speed(fixes, last, i) > at.MOST_GROUND_SPEED:
            back = _way_back(fixes, last, i, end)
            if back >= 0:
                i = back
                continue
            if _speed(fixes, last, i) > at.MOST_AIR_SPEED:
                if count == 1:
                    kept[0] = i
                i += 1
                continue
        kept[count] = i
        count += 1
        i += 1
    return kept[:count]


@njit()
def of_good_accuracy(fixes: Fixes, kept: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the fixes that count for speeds: those of poor accuracy do only where most are poor."""
    good = np.empty(kept.shape[0], np.int64)
    count = 0
    for i in kept:
        if not fixes.accuracy[i] > at.GOOD_ACCURACY_METRES:
            good[count] = i
            count += 1
    return good[:count] if 2 * count >= kept.shape[0] else kept
