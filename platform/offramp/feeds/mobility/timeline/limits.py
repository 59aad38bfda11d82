"""What a fix means that is not inside: the numbers of the rule, and questions about one step, for compiled loops."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from numba import njit

from offramp.feeds.mobility.timeline.sphere import half_sine_squared, limit_of, metres_of, reach_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from offramp.feeds.mobility.timeline.rule import Rule

    # User, time, latitude, longitude, accuracy (NaN where it is not known).
    Fixes = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


class Limits(NamedTuple):
    """The rule as the loop compares it: microseconds, sin2 of half angles, degrees of latitude, metres per second.

    ``unsure_metres`` is the least accuracy with which a fix outside can be unsure.
    """

    inside: float
    reach_degrees: float
    accuracies: float
    unsure_metres: float
    least_stay: int
    gap: int
    wake_gap: int
    wake: float
    walking_metres_per_second: float
    far_wake_gap: int
    far_wake: float
    lying_metres_per_second: float
    riding_metres_per_second: float
    longest_silence: int
    jump: float
    crossing_gap: int
    crossing_metres_per_second: float
    longest_leg: int


def limits_of(rule: Rule) -> Limits:
    """Return the rule of a rule as the loop compares them."""
    return Limits(
        inside=limit_of(rule.radius_metres),
        reach_degrees=reach_of(rule.radius_metres),
        accuracies=rule.unsure_accuracies,
        unsure_metres=rule.radius_metres / rule.unsure_accuracies,
        least_stay=round(rule.least_stay.total_seconds() * 1e6),
        gap=round(rule.gap.total_seconds() * 1e6),
        wake_gap=round(rule.wake_gap.total_seconds() * 1e6),
        wake=limit_of(rule.wake_metres),
        walking_metres_per_second=rule.walking_metres_per_second,
        far_wake_gap=round(rule.far_wake_gap.total_seconds() * 1e6),
        far_wake=limit_of(rule.far_wake_metres),
        lying_metres_per_second=rule.lying_metres_per_second,
        riding_metres_per_second=rule.riding_metres_per_second,
        longest_silence=round(rule.longest_silence.total_seconds() * 1e6),
        jump=limit_of(rule.jump_metres),
        crossing_gap=round(rule.crossing_gap.total_seconds() * 1e6),
        crossing_metres_per_second=rule.crossing_metres_per_second,
        longest_leg=round(rule.longest_leg.total_seconds() * 1e6),
    )


@njit()
def is_unsure(row: int, fixes: Fixes, anchor: tuple[float, float, float], limits: Limits) -> bool:
    """Tell whether a fix outside is so inaccurate that it may be inside. One of unknown accuracy never is."""
    accuracy = fixes[4][row]
    if not accuracy >= limits.unsure_metres:
        return False
    across = half_sine_squared(anchor[0], anchor[1], fixes[2][row], fixes[3][row])
    return bool(metres_of(across) <= limits.accuracies * accuracy)


@njit()
def left_at(row: int, fixes: Fixes, limits: Limits, group: tuple[int, bool]) -> int:
    """Return when a group was left that a row outside ends: in time for a row that is not far away after silence.

    ``group`` is the last row inside, and whether it was a stay then.
    """
    last, was_stay = group
    time = fixes[1]
    silence = time[row] - time[last]
    if silence <= limits.wake_gap or silence > limits.longest_silence:
        return int(time[last])
    across = half_sine_squared(fixes[2][last], fixes[3][last], fixes[2][row], fixes[3][row])
    metres = metres_of(across)
    if across < limits.wake:
        speed = limits.walking_metres_per_second
    elif (
        was_stay
        and silence > limits.far_wake_gap
        and across < limits.far_wake
        and metres < limits.lying_metres_per_second * silence / 1e6
    ):
        speed = limits.riding_metres_per_second
    else:
        return int(time[last])
    return max(int(time[last]), int(time[row]) - math.floor(metres / speed + 0.5) * 1_000_000)


@njit()
def cuts(row: int, fixes: Fixes, limits: Limits, last: int) -> int:
    """Tell what the step from the last row inside to one outside does to a leg: 0 nothing, 1 cuts it, 2 is a jump."""
    step = fixes[1][row] - fixes[1][last]
    if step <= limits.gap:
        return 0
    if step > limits.longest_silence:
        return 1
    across = half_sine_squared(fixes[2][last], fixes[3][last], fixes[2][row], fixes[3][row])
    if across >= limits.jump:
        return 2
    is_crossing = step <= limits.crossing_gap and metres_of(across) >= limits.crossing_metres_per_second * step / 1e6
    return 0 if is_crossing else 1
