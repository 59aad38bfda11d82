"""Days of travel: to the airport and on, days away, and the way home."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from offramp.sources.phones.personas import Mode
from offramp.sources.phones.settlements import REGIONS, SETTLEMENTS
from offramp.sources.phones.travels import Trip
from offramp.sources.phones.venue_kinds import NUMBER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.phones.agenda import Agenda
    from offramp.sources.phones.town_plan import Venues
    from offramp.sources.phones.travels import Travels


def leave(agenda: Agenda, who: NDArray[np.int64], trips: Travels, venues: Venues) -> None:
    """Add the way to the hotel."""
    _journey(agenda, who, trips, venues, is_back=False)


def come_back(agenda: Agenda, who: NDArray[np.int64], trips: Travels, venues: Venues) -> None:
    """Add the way home."""
    _journey(agenda, who, trips, venues, is_back=True)


def _journey(agenda: Agenda, who: NDArray[np.int64], trips: Travels, venues: Venues, *, is_back: bool) -> None:
    goal = agenda.people.home[who] if is_back else trips.hotel[who]
    by_road = trips.trip[who] == Trip.WEEKEND
    drivers, flyers = who[by_road], who[~by_road]
    at = agenda.hours(drivers, 15.5 if is_back else 9.5, 0.8)
    agenda.go(drivers, goal[by_road], at=at, mode=Mode.CAR)
    towns = agenda.people.town[flyers], trips.town[flyers]
    start, end = (_airports(venues)[town] for town in (reversed(towns) if is_back else towns))
    at = agenda.hours(flyers, 6.2 if is_back else 7.2, 0.4)
    agenda.go(flyers, start, at=at, mode=Mode.CAR, dwell=agenda.minutes(flyers, 70, 100), step=1)
    agenda.go(flyers, end, at=at, mode=Mode.FLIGHT, dwell=agenda.minutes(flyers, 22, 40), step=2)
    agenda.go(flyers, goal[~by_road], at=at, mode=Mode.CAR, step=3)


def days_away(agenda: Agenda, who: NDArray[np.int64], trips: Travels, venues: Venues) -> None:
    """Add work at an office of the other town, or sights; food in the evening."""
    business = trips.trip[who] == Trip.BUSINESS
    at_work, idle = who[business], who[~business]
    office = some_venues(agenda, at_work, ("office", trips.town[at_work]), venues)
    at = agenda.hours(at_work, 8.6, 0.3)
    agenda.out(at_work, office, at=at, dwell=agenda.minutes(at_work, 430, 520))
    for kind, share, hour in (("museum", 0.5, 10.2), ("park", 0.4, 13.0), ("beach", 0.4, 14.5), ("cafe", 0.5, 16.5)):
        some = agenda.some(idle, share)
        place = some_venues(agenda, some, (kind, trips.town[some]), venues)
        agenda.out(some, place, at=agenda.hours(some, hour, 0.4), dwell=agenda.minutes(some, 40, 110))
    dinner = some_venues(agenda, who, ("restaurant.fastfood", trips.town[who]), venues)
    agenda.out(who, dinner, at=agenda.hours(who, 19.3, 0.5), dwell=agenda.minutes(who, 50, 90))


def some_venues(
    agenda: Agenda, who: NDArray[np.int64], what: tuple[str, NDArray[np.int64]], venues: Venues
) -> NDArray[np.int64]:
    """Return any venue of a kind in each of some towns, -1 where there is none."""
    kind, towns = what
    every = np.flatnonzero(venues.kind == NUMBER[kind])
    every = every[np.argsort(venues.town[every], kind="stable")]
    first = np.searchsorted(venues.town[every], towns)
    count = np.searchsorted(venues.town[every], towns, side="right") - first
    turn = (agenda.rng.random(len(who)) * count).astype(np.int64)
    chosen = every[np.minimum(first + turn, len(every) - 1)]
    return np.where(count > 0, chosen, -1)


def _airports(venues: Venues) -> NDArray[np.int64]:
    """Return the airport of each town."""
    airports = np.flatnonzero(venues.kind == NUMBER["airport"])
    return np.asarray(airports[np.array([REGIONS.index(one.region) for one in SETTLEMENTS])])
