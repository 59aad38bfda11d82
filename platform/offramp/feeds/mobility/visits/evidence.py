"""What the stays of places say about rest and work, by local date: one pass over the sorted stays of many users.

A stay speaks to every local date that it touches. Its **rest** on a date is how long it has lasted without a break
when it ends, or when the date ends: a night from 18:00 to 08:00 is 6 hours of rest on the first date and 14 on the
second. So the long unbroken sleep of somebody who works at night counts by day as well.

Wall time is taken as it is on the clock: where clocks change, a night is an hour longer or shorter than it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from offramp.feeds.mobility.visits.parameters import ROLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DAY = 86_400

NIGHT_SECONDS = ROLES.night_seconds
OFFICE_FROM = ROLES.office_from_seconds
OFFICE_TO = ROLES.office_to_seconds
LONGEST_REST = ROLES.longest_rest_seconds


class Evidence(NamedTuple):
    """Seconds by place of one user and local date: [place, date]."""

    rest: NDArray[np.int64]
    """The longest rest without a break."""
    weighted: NDArray[np.int64]
    """The most of rest with the hours of night one and a half times."""
    night: NDArray[np.int64]
    """Time between 00:00 and 06:00."""
    spent: NDArray[np.int64]
    """All time."""
    office: NDArray[np.int64]
    """Time between 08:00 and 18:00."""


@njit(cache=True)
def gathered(
    places: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64], dates: tuple[int, int, int]
) -> Evidence:
    """Return the evidence of one user.

    ``places`` are from 0; starts and ends are seconds of wall time since 1970; ``dates`` says how many places there
    are, which local date comes first, as days since 1970, and how many follow. Other dates are left out.
    """
    count, first, days = dates
    evidence = Evidence(
        np.zeros((count, days), np.int64),
        np.zeros((count, days), np.int64),
        np.zeros((count, days), np.int64),
        np.zeros((count, days), np.int64),
        np.zeros((count, days), np.int64),
    )
    for stay in range(places.size):
        place, start, end = places[stay], starts[stay], ends[stay]
        if end <= start:
            continue
        for day in range(max(start // _DAY - first, 0), min((end - 1) // _DAY - first, days - 1) + 1):
            midnight = (first + day) * _DAY
            until = min(end, midnight + _DAY)
            since = max(start, until - LONGEST_REST)
            rest = until - since
            night = _in_nights(until) - _in_nights(since)
            evidence.rest[place, day] = max(evidence.rest[place, day], rest)
            evidence.weighted[place, day] = max(evidence.weighted[place, day], rest + night // 2)
            came = max(start, midnight)
            evidence.spent[place, day] += until - came
            evidence.night[place, day] += _shared(came, until, midnight, midnight + NIGHT_SECONDS)
            evidence.office[place, day] += _shared(came, until, midnight + OFFICE_FROM, midnight + OFFICE_TO)
    return evidence


@njit(cache=True, inline="always")
def _in_nights(instant: int) -> int:
    """Return how many seconds of nights lie between 1970 and an instant of wall time."""
    return instant // _DAY * NIGHT_SECONDS + min(instant % _DAY, NIGHT_SECONDS)


@njit(cache=True, inline="always")
def _shared(start: int, end: int, other_start: int, other_end: int) -> int:
    return max(0, min(end, other_end) - max(start, other_start))
