"""Places of users: stays that lie together, found in one pass over the sorted stays of many users.

1. Stays, longest first, join the nearest group whose first stay is within 50 m, else they found a group.
2. Groups are united, nearest centres first, while their centres are within 100 m (union-find), but never when two of
   the stays that founded them would be more than 150 m apart.

So two stays of one place are never more than 50 + 150 + 50 = 250 m apart, however many lie between them. Joining
whatever is within 100 m of anything chains a street of stays into one place: DBSCAN with min_samples 1 does
(trackintel #600, mobility_computation.md A2), and it takes longitude for latitude (A1), which is not copied.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from offramp.feeds.mobility.timeline.rule import EARTH_RADIUS_METRES
from offramp.feeds.mobility.visits.parameters import CLUSTERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GROUP = math.sin(CLUSTERS.group_metres / (2 * EARTH_RADIUS_METRES)) ** 2
_UNITE = math.sin(CLUSTERS.unite_metres / (2 * EARTH_RADIUS_METRES)) ** 2
_FOUNDERS = math.sin(CLUSTERS.founders_metres / (2 * EARTH_RADIUS_METRES)) ** 2


@njit(cache=True)
def place_rows(
    user_starts: NDArray[np.int64],
    latitudes: NDArray[np.float64],
    longitudes: NDArray[np.float64],
    seconds: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return for each stay the number of its place, from 0: by user, and within one by the first stay at it.

    Stays are sorted by user and start; ``user_starts`` are the indices at which users begin, and the number of stays.
    """
    rows = np.empty(latitudes.size, np.int64)
    first = 0
    for user in range(user_starts.size - 1):
        start, end = user_starts[user], user_starts[user + 1]
        weights = np.maximum(seconds[start:end], 1)
        groups, founders = _groups(latitudes[start:end], longitudes[start:end], weights)
        roots = _united(groups, founders, latitudes[start:end], longitudes[start:end], weights)
        numbers = np.full(founders.size, -1, np.int64)
        for stay in range(end - start):
            root = roots[groups[stay]]
            if numbers[root] < 0:
                numbers[root] = first
                first += 1
            rows[start + stay] = numbers[root]
    return rows


@njit(cache=True)
def centres(
    rows: NDArray[np.int64],
    places: int,
    latitudes: NDArray[np.float64],
    longitudes: NDArray[np.float64],
    seconds: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean latitude and longitude of each place's stays, weighted by seconds, summed in the stays' order.

    Sums are of differences to the first stay of the place, so they hold across the date line.
    """
    firsts = np.full(places, -1, np.int64)
    norths, easts, weights = np.zeros(places), np.zeros(places), np.zeros(places)
    for stay in range(rows.size):
        row = rows[stay]
        if firsts[row] < 0:
            firsts[row] = stay
        weight = max(seconds[stay], 1)
        norths[row] += weight * (latitudes[stay] - latitudes[firsts[row]])
        easts[row] += weight * _turn(longitudes[stay] - longitudes[firsts[row]])
        weights[row] += weight
    for row in range(places):
        norths[row] = latitudes[firsts[row]] + norths[row] / weights[row]
        easts[row] = _turn(longitudes[firsts[row]] + easts[row] / weights[row])
    return norths, easts


@njit(cache=True, inline="always")
def _turn(degrees: float) -> float:
    """Return an angle of at most two turns within [-180, 180)."""
    if degrees >= 180.0:
        return degrees - 360.0
    if degrees < -180.0:
        return degrees + 360.0
    return degrees


@njit(cache=True, inline="always")
def _half_chord(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Return the squared sine of half the angle between two points in radians. It has no fault at the date line."""
    over = math.sin((other_latitude - latitude) / 2)
    along = math.sin((other_longitude - longitude) / 2)
    return over * over + math.cos(latitude) * math.cos(other_latitude) * along * along


@njit(cache=True)
def _groups(
    latitudes: NDArray[np.float64], longitudes: NDArray[np.float64], weights: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each stay's group, and each group's first stay. Of equally long stays the earlier one counts as longer."""
    norths, easts = np.radians(latitudes), np.radians(longitudes)
    groups = np.empty(latitudes.size, np.int64)
    founders = np.empty(latitudes.size, np.int64)
    count = 0
    reach = 2 * math.asin(math.sqrt(_GROUP))
    for stay in np.argsort(-weights, kind="mergesort"):
        best, nearest = -1, _GROUP
        for group in range(count):
            founder = founders[group]
            if abs(norths[founder] - norths[stay]) > reach:
                continue
            chord = _half_chord(norths[founder], easts[founder], norths[stay], easts[stay])
            if chord < nearest or (chord == nearest and best < 0):
                best, nearest = group, chord
        if best < 0:
            best = count
            founders[count] = stay
            count += 1
        groups[stay] = best
    return groups, founders[:count]


@njit(cache=True)
def _united(
    groups: NDArray[np.int64],
    founders: NDArray[np.int64],
    latitudes: NDArray[np.float64],
    longitudes: NDArray[np.float64],
    weights: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return for each group the group that stands for all that it was united with."""
    count = founders.size
    norths, easts = centres(groups, count, latitudes, longitudes, weights)
    firsts, seconds, chords = _near_pairs(np.radians(norths), np.radians(easts))
    founding_norths, founding_easts = np.radians(latitudes[founders]), np.radians(longitudes[founders])
    roots = np.arange(count)
    for pair in np.argsort(chords, kind="mergesort"):
        one, other = roots[firsts[pair]], roots[seconds[pair]]
        if one == other or not _fits(one, other, roots, founding_norths, founding_easts):
            continue
        kept, gone = min(one, other), max(one, other)
        for group in range(count):
            if roots[group] == gone:
                roots[group] = kept
    return roots


@njit(cache=True)
def _near_pairs(
    norths: NDArray[np.float64], easts: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return all pairs of points, in radians, within the distance at which groups are united."""
    firsts, seconds, chords = [0][:0], [0][:0], [0.0][:0]
    reach = 2 * math.asin(math.sqrt(_UNITE))
    for one in range(norths.size):
        for other in range(one + 1, norths.size):
            if abs(norths[one] - norths[other]) > reach:
                continue
            chord = _half_chord(norths[one], easts[one], norths[other], easts[other])
            if chord <= _UNITE:
                firsts.append(one)
                seconds.append(other)
                chords.append(chord)
    return np.array(firsts, np.int64), np.array(seconds, np.int64), np.array(chords, np.float64)


@njit(cache=True)
def _fits(
    one: int, other: int, roots: NDArray[np.int64], norths: NDArray[np.float64], easts: NDArray[np.float64]
) -> bool:
    """Tell whether no two founders of two united groups are too far apart."""
    for left in range(roots.size):
        if roots[left] != one:
            continue
        for right in range(roots.size):
            if roots[right] == other and (
                _half_chord(norths[left], easts[left], norths[right], easts[right]) > _FOUNDERS
            ):
                return False
    return True
