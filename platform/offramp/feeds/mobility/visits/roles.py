"""Which places are homes and works: a rule after OSNA, by local time (mobility_computation.md A1).

OSNA takes the place of most rest (02-08, weight 0.739) and leisure (0.358) as home, that of most working hours
(08-19) as work, each stay at its middle. It labels somebody who works at night the wrong way round. Here:

- **Home** is the place with the most rest: over all dates, the longest unbroken stay of the date, the hours from 00:00
  to 06:00 one and a half times. It must be rested at (4 hours without a break) on 3 dates and a fifth of all dates
  with data, and slept at (3 hours of the night) on 3. An office where nobody sleeps is no home of a phone that is
  switched off at home; somebody who works at night rests longer at home, and sleeps there on days off.
- **Second home**: slept at on 10 dates, in 3 calendar weeks, on which the first was not rested at (5 hours without a
  break). A student's parents are found, a holiday of two weeks and a shift at night are not.
- **Work** is the place, no home, with the most time on weekdays, hours from 08:00 to 18:00 twice. It must have
  4 hours on 3 weekdays and on a fifth of all weekdays with data, and not be slept at away from home on half as many
  dates: where one stays the night is no work. Who works at home has no work place. Without a home there is no work.
- **Second work**: the next such place with 30% of the first one's score.
- **Hotels and airports** are neither work nor second home, however often somebody travels.

Somebody who works on weekends only gets no work place; a child's school is its work place, as in OSNA.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from offramp.feeds.mobility.visits.evidence import gathered
from offramp.feeds.mobility.visits.parameters import ROLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.feeds.mobility.visits.evidence import Evidence

NONE, HOME, WORK = 0, 1, 2

LEAST_DATES = ROLES.least_dates
LEAST_SHARE = ROLES.least_share
LEAST_NIGHTS = ROLES.least_nights
REST_SECONDS = ROLES.rest_seconds
SLEPT_SECONDS = ROLES.slept_seconds
AT_HOME_SECONDS = ROLES.at_home_seconds
SECOND_HOME_NIGHTS = ROLES.second_home_nights
SECOND_HOME_WEEKS = ROLES.second_home_weeks
WORK_SECONDS = ROLES.work_seconds
SECOND_WORK_SHARE = ROLES.second_work_share


@njit(cache=True)
def roles_of(
    user_starts: NDArray[np.int64],
    stays: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    is_on_the_way: NDArray[np.bool_],
    dates: tuple[int, int],
) -> NDArray[np.int8]:
    """Return the role of each place: NONE, HOME or WORK.

    ``stays`` are their places as from ``place_rows``, starts and ends in seconds of wall time since 1970;
    ``is_on_the_way`` tells by place whether it is a hotel or an airport; ``dates`` are the first local date of the
    window, in days since 1970, and their number.
    """
    rows, starts, ends = stays
    roles = np.zeros(is_on_the_way.size, np.int8)
    first, days = dates
    for user in range(user_starts.size - 1):
        start, end = user_starts[user], user_starts[user + 1]
        if start == end:
            continue
        lowest, places = rows[start], rows[start:end].max() + 1 - rows[start]
        evidence = gathered(rows[start:end] - lowest, starts[start:end], ends[start:end], (places, first, days))
        of_user = slice(lowest, lowest + places)
        _decide(evidence, roles[of_user], is_on_the_way[of_user], first)
    return roles


@njit(cache=True)
def _decide(evidence: Evidence, roles: NDArray[np.int8], is_on_the_way: NDArray[np.bool_], first: int) -> None:
    home = _first_home(evidence)
    if home < 0:
        return
    roles[home] = HOME
    away = _nights_away(evidence, home)
    second = _second_home(away, is_on_the_way, first)
    if second >= 0:
        roles[second] = HOME
    may_be_work = (roles == NONE) & ~is_on_the_way
    _find_works(evidence, roles, may_be_work, (away, first))


@njit(cache=True)
def _first_home(evidence: Evidence) -> int:
    places, days = evidence.rest.shape
    observed = 0
    for day in range(days):
        observed += evidence.spent[:, day].sum() > 0
    best, most = -1, 0
    for place in range(places):
        dates, nights, score = 0, 0, 0
        for day in range(days):
            dates += evidence.rest[place, day] >= REST_SECONDS
            nights += evidence.night[place, day] >= SLEPT_SECONDS
            score += evidence.weighted[place, day]
        is_enough = dates >= LEAST_DATES and dates >= LEAST_SHARE * observed and nights >= LEAST_NIGHTS
        if is_enough and score > most:
            best, most = place, score
    return best


@njit(cache=True)
def _nights_away(evidence: Evidence, home: int) -> NDArray[np.bool_]:
    """Return by place and date whether the night was slept there and the date not rested at home."""
    places, days = evidence.rest.shape
    away = np.zeros((places, days), np.bool_)
    for place in range(places):
        for day in range(days):
            is_slept = evidence.night[place, day] >= SLEPT_SECONDS
            away[place, day] = place != home and is_slept and evidence.rest[home, day] < AT_HOME_SECONDS
    return away


@njit(cache=True)
def _second_home(away: NDArray[np.bool_], is_on_the_way: NDArray[np.bool_], first: int) -> int:
    places, days = away.shape
    best, most = -1, SECOND_HOME_NIGHTS - 1
    for place in range(places):
        if is_on_the_way[place]:
            continue
        nights, weeks, last_week = 0, 0, -1
        for day in range(days):
            if away[place, day]:
                week = (first + day + 3) // 7
                nights += 1
                weeks += week != last_week
                last_week = week
        if nights > most and weeks >= SECOND_HOME_WEEKS:
            best, most = place, nights
    return best


@njit(cache=True)
def _find_works(
    evidence: Evidence,
    roles: NDArray[np.int8],
    may_be_work: NDArray[np.bool_],
    nights: tuple[NDArray[np.bool_], int],
) -> None:
    away, first = nights
    places, days = evidence.spent.shape
    scores = np.zeros(places, np.int64)
    for place in range(places):
        dates, weekdays, score = 0, 0, 0
        for day in range(days):
            if (first + day + 3) % 7 >= 5:
                continue
            weekdays += evidence.spent[:, day].sum() > 0
            dates += evidence.spent[place, day] >= WORK_SECONDS
            score += evidence.spent[place, day] + evidence.office[place, day]
        is_slept_at = 2 * away[place].sum() >= dates
        is_enough = dates >= LEAST_DATES and dates >= LEAST_SHARE * weekdays
        if may_be_work[place] and is_enough and not is_slept_at:
            scores[place] = score
    best = scores.argmax()
    most = scores[best]
    if most == 0:
        return
    roles[best] = WORK
    scores[best] = 0
    second = scores.argmax()
    if scores[second] >= SECOND_WORK_SHARE * most and scores[second] > 0:
        roles[second] = WORK
