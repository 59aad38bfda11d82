"""The speed profile of legs: one pass over the fixes of all of them, compiled by numba.

Only numbers are worked out here; what they mean is decided in ``decide``.
"""

from __future__ import annotations

import hashlib
import math
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from offramp.feeds.mobility.legs import spikes
from offramp.feeds.mobility.legs import stops as stops_near
from offramp.feeds.mobility.legs import thresholds as at
from offramp.feeds.mobility.legs.spikes import Fixes, metres_between, metres_of, of_good_accuracy, without_spikes
from offramp.feeds.mobility.legs.stops import Stops, is_near

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

# The columns of the result, in order. Speeds are in metres per second.
FEATURES = (
    "kept",  # fixes that are no spikes
    "seconds",
    "metres",  # along the kept fixes
    "windows",  # stretches of at least WINDOW_SECONDS without silence
    "median_speed",  # half of the way was slower
    "high_speed",  # 85 % of the moving time was slower
    "top_speed",  # 95 % of the moving time was slower
    "silent_metres",
    "silent_speed",  # of the longest silent stretch
    "silent_stretch_metres",
    "fast_metres",  # faster than FLIGHT_SPEED
    "ride_metres",
    "turns",
    "halts",
    "halts_bus",
    "halts_tram",
    "halts_train",
    "ends_bus",  # ends of the leg, or of the ride in it, at a stop: 0, 1, 2
    "ends_tram",
    "ends_train",
    "ends_airport",
)
_KEPT, _SECONDS, _METRES, _WINDOWS, _MEDIAN, _HIGH, _TOP = range(7)
_SILENT, _SILENT_SPEED, _SILENT_STRETCH, _FAST, _RIDE, _TURNS, _HALTS = range(7, 14)
_HALTS_AT, _ENDS_AT = 14, 17

# By the kinds of stops, in their order.
_HALT_RADII = (at.HALT_AT_STREET_STOP_METRES, at.HALT_AT_STREET_STOP_METRES, at.HALT_AT_STATION_METRES)
_END_RADII = (
    at.END_AT_STREET_STOP_METRES,
    at.END_AT_STREET_STOP_METRES,
    at.END_AT_STATION_METRES,
    at.END_AT_AIRPORT_METRES,
)


class Windows(NamedTuple):
    """Stretches without silence: m/s, metres, seconds, and the kept fixes at which they begin and end."""

    speed: NDArray[np.float64]
    metres: NDArray[np.float64]
    seconds: NDArray[np.float64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]


@njit()
def _speed_of(fixes: Fixes, kept: NDArray[np.int64], way: float, took: float) -> float:
    """Return the speed of a stretch: what the phone reported, where that fits the positions."""
    speed = way / max(took, 1.0)
    said, heard = 0.0, 0
    for i in kept:
        if fixes.speed[i] >= 0.0:
            said += fixes.speed[i]
            heard += 1
    # Phones that know no speed report zero: what the positions say then counts.
    if heard > 0 and speed / 2 <= said / heard <= speed * 2 + 1.0:
        return said / heard
    return speed


@njit()
def _windows(fixes: Fixes, kept: NDArray[np.int64], out: NDArray[np.float64]) -> Windows:
    """Cut a leg into stretches, and write down what is silent and what is fast."""
    count = kept.shape[0]
    speed, metres, seconds = np.empty(count), np.empty(count), np.empty(count)
    begin, end = np.empty(count, np.int64), np.empty(count, np.int64)
    n = 0
    a = 0
    for b in range(1, count):
        took = fixes.seconds[kept[b]] - fixes.seconds[kept[a]]
        if took < at.WINDOW_SECONDS and not (b == count - 1 and n == 0):
            continue
        # Silence stands for itself: what was there of a stretch before it is too short to count.
        if b - 1 > a and fixes.seconds[kept[b]] - fixes.seconds[kept[b - 1]] > at.SILENCE_SECONDS:
            a = b - 1
            took = fixes.seconds[kept[b]] - fixes.seconds[kept[a]]
        way = metres_of(fixes, kept[a], kept[b])
        average = way / max(took, 1.0)
        if average > at.FLIGHT_SPEED:
            out[_FAST] += way
        if took <= at.SILENCE_SECONDS:
            speed[n] = _speed_of(fixes, kept[a + 1 : b + 1], way, took)
            metres[n], seconds[n], begin[n], end[n] = way, took, a, b
            n += 1
        else:
            out[_SILENT] += way
            if way > out[_SILENT_STRETCH]:
                out[_SILENT_STRETCH], out[_SILENT_SPEED] = way, average
        a = b
    return Windows(speed[:n], metres[:n], seconds[:n], begin[:n], end[:n])


@njit()
def _speeds(windows: Windows, out: NDArray[np.float64]) -> None:
    """Write the percentiles of speed: the median by way, so that waits and walks to the stop count little."""
    order = np.argsort(windows.speed, kind="mergesort")
    way, moving = 0.0, 0.0
    for k in order:
        way += windows.metres[k]
        if windows.speed[k] >= at.MOVING_SPEED:
            moving += windows.seconds[k]
    done_way, done_seconds = 0.0, 0.0
    for k in order:
        if windows.speed[k] >= at.MOVING_SPEED:
            if done_way <= 0.5 * way:
                out[_MEDIAN] = windows.speed[k]
            if done_seconds <= 0.85 * moving:
                out[_HIGH] = windows.speed[k]
            if done_seconds <= 0.95 * moving:
                out[_TOP] = windows.speed[k]
            done_seconds += windows.seconds[k]
        done_way += windows.metres[k]


@njit()
def _turns(fixes: Fixes, kept: NDArray[np.int64], windows: Windows, riding: NDArray[np.int64]) -> int:
    turns = 0
    before = np.nan
    for w in range(riding[0], riding[-1] + 1):
        if windows.speed[w] < at.TURN_SPEED:
            continue
        i, j = kept[windows.begin[w]], kept[windows.end[w]]
        east = (fixes.longitude[j] - fixes.longitude[i]) * math.cos(math.radians(fixes.latitude[i]))
        heading = math.degrees(math.atan2(east, fixes.latitude[j] - fixes.latitude[i]))
        if abs((heading - before + 180) % 360 - 180) > at.TURN_DEGREES:
            turns += 1
        before = heading
    return turns


@njit()
def _halts(fixes: Fixes, riding: NDArray[np.int64], stops: Stops, out: NDArray[np.float64]) -> None:
    """Count the halts among the fixes of a ride, and those at stops of each kind."""
    last_y, last_x = np.nan, np.nan
    i = 0
    while i < riding.shape[0]:
        j = i
        y, x = fixes.latitude[riding[i]], fixes.longitude[riding[i]]
        while j + 1 < riding.shape[0] and metres_of(fixes, riding[i], riding[j + 1]) <= at.HALT_METRES:
            j += 1
            y += fixes.latitude[riding[j]]
            x += fixes.longitude[riding[j]]
        y, x = y / (j - i + 1), x / (j - i + 1)
        is_long = fixes.seconds[riding[j]] - fixes.seconds[riding[i]] >= at.HALT_SECONDS
        if not is_long and not 0.0 <= fixes.speed[riding[i]] <= at.HALT_REPORTED_SPEED:
            i += 1
            continue
        if not metres_between(y, x, last_y, last_x) <= at.SAME_HALT_METRES:
            out[_HALTS] += 1
            for kind in range(3):
                if is_near(stops, kind, y, x, _HALT_RADII[kind]):
                    out[_HALTS_AT + kind] += 1
        last_y, last_x = y, x
        i = j + 1


@njit()
def _describe(fixes: Fixes, track: NDArray[np.int64], stops: Stops, out: NDArray[np.float64]) -> None:
    out[_KEPT] = track.shape[0]
    if track.shape[0] == 0:
        return
    for k in range(1, track.shape[0]):
        out[_METRES] += metres_of(fixes, track[k - 1], track[k])
    out[_SECONDS] = fixes.seconds[track[-1]] - fixes.seconds[track[0]]
    kept = of_good_accuracy(fixes, track)
    windows = _windows(fixes, kept, out)
    out[_WINDOWS] = windows.speed.shape[0]
    _speeds(windows, out)
    first, last = 0, kept.shape[0] - 1
    riding = np.flatnonzero(windows.speed >= at.RIDE_SPEED)
    if riding.shape[0] > 0:
        first, last = windows.begin[riding[0]], windows.end[riding[-1]]
        for w in range(riding[0], riding[-1] + 1):
            out[_RIDE] += windows.metres[w]
        out[_TURNS] = _turns(fixes, kept, windows, riding)
        _halts(fixes, kept[first + 1 : last], stops, out)
    # A leg that was cut out begins where its vehicle was boarded; the first fast stretch may begin 300 m later.
    for kind in range(4):
        for ride, leg in ((first, 0), (last, kept.shape[0] - 1)):
            for k in (ride, leg):
                if is_near(stops, kind, fixes.latitude[kept[k]], fixes.longitude[kept[k]], _END_RADII[kind]):
                    out[_ENDS_AT + kind] += 1
                    break


def profiles(offsets: NDArray[np.int64], fixes: Fixes, stops: Stops) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return FEATURES for each leg, and for each fix whether it is kept.

    ``offsets`` are where the fixes of each leg begin, with one more at the end; fixes of a leg are in order of time.
    """
    found, is_kept = _compiled()(offsets, fixes, stops)
    return found, is_kept


@cache
def _compiled() -> Callable[[NDArray[np.int64], Fixes, Stops], tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Return the whole pass, compiled or from numba's cache on disk: compiling takes seven seconds.

    numba notices a change of the file that a function stands in only, not of what it calls or of constants elsewhere.
    What a function closes over is in its key, so the sources of all that it needs are put there.
    """
    modules = (spikes, stops_near, at)
    sources = b"".join(Path(str(module.__file__)).read_bytes() for module in modules)
    stamp = int.from_bytes(hashlib.sha256(sources).digest()[:7], "big")

    @njit(cache=True)
    def run(offsets: NDArray[np.int64], fixes: Fixes, stops: Stops) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        _ = stamp
        legs = offsets.shape[0] - 1
        out = np.zeros((legs, len(FEATURES)))
        is_kept = np.zeros(fixes.seconds.shape[0], np.bool_)
        for leg in range(legs):
            kept = without_spikes(fixes, offsets[leg], offsets[leg + 1])
            for i in kept:
                is_kept[i] = True
            _describe(fixes, kept, stops, out[leg])
        return out, is_kept

    return run
