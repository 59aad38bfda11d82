"""Legs from stay to stay cut where the way of moving changes: walk, ride, walk. One pass, compiled by numba.

Only the leg's own points decide, so that a leg is cut the same in whatever build it is found. What the SDK said may
arrive later than the leg closes, and has no say. The mode of each part is decided in ``decide``.

The rule (Zheng 2008, "Understanding Mobility Based on GPS Data", change points between walk segments and others):

- Each step from one point to the next costs, by the second, what it is unlike a walk or unlike a ride. A step faster
  than WALK_SPEED is unlike a walk; one slower, with movement, is unlike a ride; one without movement is a little
  unlike a ride: who waits at a platform has not boarded, but a halt at lights ends no ride. No step counts for more
  than STEP_SECONDS.
- Of all ways to call each step a walk or a ride the cheapest is taken, each change costing CHANGE_SECONDS.
- A part is at least LEAST_PART_SECONDS long, of LEAST_STEPS, and of a least way by kind; a walk between two rides has
  to last longer. The shortest part that is less joins its neighbours, then the next. Of more than MOST_PARTS the
  shortest join theirs.

Parts touch: each begins with the point at which the one before ends. Spikes and points of poor accuracy are in a part,
but decide nothing.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from numba import njit

from offramp.feeds.mobility.legs import spikes
from offramp.feeds.mobility.legs import thresholds as at
from offramp.feeds.mobility.legs.fixes_of_legs import fixes_of
from offramp.feeds.mobility.legs.spikes import Fixes, metres_of, of_good_accuracy, without_spikes
from offramp.feeds.mobility.timeline.stamps import stamp_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_WALK, _RIDE = 0, 1


class Steps(NamedTuple):
    """The steps of a leg from each point that decides to the next: seconds, metres, metres per second."""

    seconds: NDArray[np.float64]
    metres: NDArray[np.float64]
    speeds: NDArray[np.float64]


def cut_legs(legs: pl.DataFrame) -> pl.DataFrame:
    """Return the parts of legs in the order of legs and time, with the same columns.

    ``legs``: started_at, ended_at, fixes, points: list of struct(tracked_at, latitude, longitude, speed in m/s or null,
    accuracy), in order of time, and any other columns, which parts inherit. A leg in one mode stays as it is.
    """
    offsets, fixes = fixes_of(legs)
    leg, first, last = _compiled()(offsets, fixes)
    begins, ends = pl.col("points").list.first(), pl.col("points").list.last()
    place, length = pl.Series(first - offsets[leg]), pl.Series(last - first + 1)
    is_first, is_last = pl.Series(first == offsets[leg]), pl.Series(last + 1 == offsets[leg + 1])
    return (
        legs[leg]
        .with_columns(points=pl.col("points").list.slice(pl.lit(place), pl.lit(length)))
        .with_columns(
            started_at=pl.when(is_first).then("started_at").otherwise(begins.struct.field("tracked_at")),
            ended_at=pl.when(is_last).then("ended_at").otherwise(ends.struct.field("tracked_at")),
            fixes=length.cast(legs.schema["fixes"]),
        )
        .select(legs.columns)
    )


@njit()
def _speed_of(fixes: Fixes, i: int, j: int, still: float) -> float:
    """Return the speed of a step: what the phone reported at its ends, where that fits the positions.

    Positions wander by some metres: where a slow step is said to be slower than ``still``, it was waiting.
    """
    speed: float = metres_of(fixes, i, j) / max(fixes.seconds[j] - fixes.seconds[i], 1.0)
    said, heard = 0.0, 0
    for k in (i, j):
        if fixes.speed[k] >= 0.0:
            said += fixes.speed[k]
            heard += 1
    if heard == 0:
        return speed
    said /= heard
    is_believed = speed / 2 <= said <= speed * 2 + 1.0 or (speed < at.WALK_SPEED and said < still)
    return said if is_believed else speed


@njit()
def _steps(fixes: Fixes, kept: NDArray[np.int64]) -> Steps:
    # Phones that know no speed report zero, also while they move.
    still = 0.0
    for i in kept:
        if fixes.speed[i] >= at.STILL_SPEED:
            still = at.STILL_SPEED
    count = kept.shape[0] - 1
    seconds, metres, speeds = np.empty(count), np.empty(count), np.empty(count)
    for step in range(count):
        i, j = kept[step], kept[step + 1]
        seconds[step] = fixes.seconds[j] - fixes.seconds[i]
        metres[step] = metres_of(fixes, i, j)
        speeds[step] = _speed_of(fixes, i, j, still)
    return Steps(seconds, metres, speeds)


@njit()
def _costs(seconds: float, speed: float) -> tuple[float, float]:
    """Return what it costs to call a step a walk, and to call it a ride, in seconds."""
    counts = min(seconds, at.STEP_SECONDS)
    if speed >= at.WALK_SPEED:
        return counts * min((speed - at.WALK_SPEED) / at.WALK_DOUBT_SPEED, 1.0), 0.0
    if speed < at.STILL_SPEED:
        return 0.0, counts * at.WAIT_SHARE
    return 0.0, counts * min((at.WALK_SPEED - speed) / at.RIDE_DOUBT_SPEED, 1.0)


@njit()
def _kinds(steps: Steps) -> NDArray[np.int64]:
    """Return for each step whether it is walked or ridden: the cheapest way to call them all."""
    count = steps.speeds.shape[0]
    came_from = np.empty((count, 2), np.int64)
    total = np.zeros(2)
    for step in range(count):
        cost = _costs(steps.seconds[step], steps.speeds[step])
        walk, ride = total[_WALK], total[_RIDE]
        came_from[step, _WALK] = _RIDE if ride + at.CHANGE_SECONDS < walk else _WALK
        came_from[step, _RIDE] = _WALK if walk + at.CHANGE_SECONDS < ride else _RIDE
        total[_WALK] = min(walk, ride + at.CHANGE_SECONDS) + cost[_WALK]
        total[_RIDE] = min(ride, walk + at.CHANGE_SECONDS) + cost[_RIDE]
    kinds = np.empty(count, np.int64)
    kind = _WALK if total[_WALK] <= total[_RIDE] else _RIDE
    for step in range(count - 1, -1, -1):
        kinds[step] = kind
        kind = came_from[step, kind]
    return kinds


@njit()
def _is_whole(steps: Steps, part: slice, kind: int, least_seconds: float) -> bool:
    """Tell whether the steps of a part are enough to be one. Steps without movement are no way."""
    count, way = 0, 0.0
    for speed, metres in zip(steps.speeds[part], steps.metres[part]):  # noqa: B905  numba knows no strict
        if speed >= at.STILL_SPEED and (kind == _RIDE or speed < at.WALK_SPEED):
            count += 1
            way += metres
    least_metres = at.LEAST_WALK_METRES if kind == _WALK else at.LEAST_RIDE_METRES
    return count >= at.LEAST_STEPS and way >= least_metres and steps.seconds[part].sum() >= least_seconds


@njit()
def _weakest(steps: Steps, edges: NDArray[np.int64], kind: int) -> int:
    """Return the shortest part that cannot be one, or the shortest at all of too many, or -1. ``kind``: the first's."""
    parts = edges.shape[0] - 1
    weakest, least = -1, np.inf
    for part in range(parts):
        own = kind if part % 2 == 0 else 1 - kind
        here = slice(edges[part], edges[part + 1])
        is_change = own == _WALK and 0 < part < parts - 1
        least_seconds = at.LEAST_CHANGE_SECONDS if is_change else at.LEAST_PART_SECONDS
        took = steps.seconds[here].sum()
        if took < least and (parts > at.MOST_PARTS or not _is_whole(steps, here, own, least_seconds)):
            weakest, least = part, took
    return weakest


@njit()
def _edges(steps: Steps) -> NDArray[np.int64]:
    """Return the steps with which the parts of a leg begin, and the number of steps."""
    kinds = _kinds(steps)
    changes = np.flatnonzero(np.diff(kinds) != 0) + 1
    edges = np.empty(changes.shape[0] + 2, np.int64)
    edges[0], edges[1:-1], edges[-1] = 0, changes, kinds.shape[0]
    kind = kinds[0]
    while edges.shape[0] > 2:
        weakest = _weakest(steps, edges, kind)
        if weakest < 0:
            break
        # It joins the parts beside it, which are of one kind: both its edges go, or the one within the leg.
        left = edges[: max(weakest, 1)]
        edges = np.concatenate((left, edges[weakest + 2 :] if weakest < edges.shape[0] - 2 else edges[-1:]))
        if weakest == 0:
            kind = 1 - kind
    return edges


@cache
def _compiled() -> Callable[[NDArray[np.int64], Fixes], tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """Return the pass, compiled or from numba's cache on disk. See ``stamps``.

    It returns the parts in order: the row of the leg, the first and the last of its fixes.
    """
    stamp = stamp_of(spikes, at)

    @njit(cache=True)
    def run(offsets: NDArray[np.int64], fixes: Fixes) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        _ = stamp
        legs = offsets.shape[0] - 1
        most = legs + fixes.seconds.shape[0]
        leg_of, first, last = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
        count = 0
        for leg in range(legs):
            begin, end = offsets[leg], offsets[leg + 1]
            leg_of[count], first[count] = leg, begin
            if end - begin > at.LEAST_STEPS + at.LEAST_STEPS:
                kept = of_good_accuracy(fixes, without_spikes(fixes, begin, end))
                if kept.shape[0] > 2:
                    for edge in _edges(_steps(fixes, kept))[1:-1]:
                        last[count] = kept[edge]
                        count += 1
                        leg_of[count], first[count] = leg, kept[edge]
            last[count] = end - 1
            count += 1
        return leg_of[:count], first[:count], last[:count]

    return run
