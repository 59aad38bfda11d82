"""Nights away from home: business trips, holidays and weekends. A trip lies within one week, Monday to Sunday."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from offramp.sources.phones.personas import PLANTED, Job
from offramp.sources.phones.settlements import FLIGHTS, REGIONS, SETTLEMENTS
from offramp.sources.phones.venue_kinds import NUMBER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.phones.people import People
    from offramp.sources.phones.town_plan import Venues


class Trip(IntEnum):
    """Why somebody is away."""

    NONE = 0
    BUSINESS = 1
    HOLIDAY = 2
    WEEKEND = 3


@dataclass(frozen=True, slots=True)
class Travels:
    """The trips of a week: ``leaves`` and ``returns`` are weekdays, Monday 0; the hotel is a place."""

    trip: NDArray[np.int64]
    leaves: NDArray[np.int64]
    returns: NDArray[np.int64]
    town: NDArray[np.int64]
    hotel: NDArray[np.int64]

    def base(self, weekday: NDArray[np.int64], home: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where each person wakes up."""
        is_away = (self.trip != Trip.NONE) & (weekday > self.leaves) & (weekday <= self.returns)
        return np.where(is_away, self.hotel, home)


def travels(seed: int, week: int, people: People, venues: Venues) -> Travels:
    """Draw the trips of a week."""
    count = len(people)
    rng = np.random.default_rng([seed, 3, week])
    turn, where, when, nights = rng.random((4, count))
    is_free = ~np.isin(people.job, (Job.NIGHT, Job.DRIVER))
    is_planted = np.arange(count) < len(PLANTED)
    trip = np.full(count, Trip.NONE)
    trip[(turn < 0.09) & is_free] = Trip.WEEKEND
    trip[(turn < 0.035) & is_free & ~is_planted] = Trip.HOLIDAY
    trip[(turn < 0.015) & (people.job == Job.OFFICE) & ~is_planted] = Trip.BUSINESS
    trip[people.is_flyer & (people.job == Job.OFFICE)] = Trip.BUSINESS
    town = np.where(trip == Trip.WEEKEND, _near(people.town, where), _far(people.town, where))
    trip[town < 0] = Trip.NONE
    is_weekend, is_business = trip == Trip.WEEKEND, trip == Trip.BUSINESS
    leaves = np.where(is_weekend, 5, np.where(is_business, (when * 3).astype(int), (when * 2).astype(int)))
    stay = np.where(is_weekend, 1, np.where(is_business, 1 + (nights * 2).astype(int), 3 + (nights * 3).astype(int)))
    hotel = _hotels(venues)[town, (where * 97).astype(int) % 2]
    return Travels(trip, leaves, leaves + stay, town, hotel)


def _near(town: NDArray[np.int64], where: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return another town of the same region, -1 if there is none."""
    chosen = np.full(len(town), -1)
    for number, one in enumerate(SETTLEMENTS):
        others = [place for place, two in enumerate(SETTLEMENTS) if two.region == one.region and place != number]
        here = np.flatnonzero(town == number)
        if others:
            chosen[here] = np.array(others)[(where[here] * len(others)).astype(int)]
    return chosen


def _far(town: NDArray[np.int64], where: NDArray[np.float64]) -> NDArray[np.int64]:
    names = [one.name for one in SETTLEMENTS]
    goals = [[names.index(name) for name in FLIGHTS.get(region, names[:3])] for region in REGIONS]
    region = np.array([REGIONS.index(one.region) for one in SETTLEMENTS])[town]
    return np.asarray(np.array(goals)[region, (where * 3).astype(int)])


def _hotels(venues: Venues) -> NDArray[np.int64]:
    """Return two hotels of each town; a village has one."""
    every = [np.flatnonzero((venues.kind == NUMBER["hotel"]) & (venues.town == number))
             for number in range(len(SETTLEMENTS))]  # fmt: skip
    return np.array([[hotels[0], hotels[-1]] for hotels in every])
