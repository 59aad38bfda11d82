"""What really happens: each person's legs on each of their days, from which the phones' rows and the truth are made.

A person's day begins at 04:00 where they woke up (14:00 for who works at night), always within the UTC day of the same
number, and ends when the next begins. It depends on nothing that happened on other days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from offramp.sources.phones import free_time, journeys, workdays
from offramp.sources.phones.agenda import FOLLOWS, Agenda, Stops
from offramp.sources.phones.driving_times import Times, times
from offramp.sources.phones.people import People, settle
from offramp.sources.phones.personas import Job, Mode
from offramp.sources.phones.routes import Ways, ways
from offramp.sources.phones.settlements import SETTLEMENTS
from offramp.sources.phones.town_plan import Venues, plan_venues
from offramp.sources.phones.travels import Travels, Trip, travels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from numpy.typing import NDArray

HOUR_SECONDS = 3_600
# So many people are lived at once: their legs of a day take some 50 MB.
CHUNK_PEOPLE = 600
# Nobody turns round on the spot: no two legs of a person share an instant.
_LEAST_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Span:
    """A day of some ``people``: when it ``begins`` and ``ends``, and the places where they ``woke`` and will wake."""

    number: int
    chunk: int
    people: NDArray[np.int64]
    begins: NDArray[np.float64]
    ends: NDArray[np.float64]
    woke: NDArray[np.int64]
    sleeps: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Legs:
    """The legs of some people's days, by person and time; instants in seconds since 1970."""

    span: Span
    person: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    mode: NDArray[np.int64]
    is_passenger: NDArray[np.bool_]
    started: NDArray[np.float64]
    ended: NDArray[np.float64]
    ways: Ways
    times: Times


@dataclass(frozen=True)
class Schedule:
    """All days of everybody."""

    seed: int
    start_on: date
    scale: float

    @cached_property
    def venues(self) -> Venues:
        """The venues of all towns."""
        return plan_venues(self.seed)

    @cached_property
    def people(self) -> People:
        """Everybody."""
        return settle(self.seed, self.scale, self.venues)

    @cached_property
    def _first_hour(self) -> NDArray[np.float64]:
        return np.where(self.people.job == Job.NIGHT, 14.0, 4.0)

    @cached_property
    def _shift(self) -> NDArray[np.int64]:
        """The days by which a local date is ahead of the UTC day in which the person's day begins."""
        offset = offsets(self.start_on)[self.people.town]
        return np.where(offset > self._first_hour * HOUR_SECONDS, 1, 0)

    def legs(self, number: int) -> Iterator[Legs]:
        """Yield the legs of the days with a number, some people at a time."""
        stops, begins, woke = self._stops(number)
        _, ends, sleeps = self._wakings(number + 1)
        everybody = np.arange(len(self.people))
        for chunk in range(-(-len(everybody) // CHUNK_PEOPLE)):
            here = slice(chunk * CHUNK_PEOPLE, (chunk + 1) * CHUNK_PEOPLE)
            first, last = np.searchsorted(stops.person, [everybody[here][0], everybody[here][-1] + 1])
            mine = Stops(*(getattr(stops, name)[first:last] for name in Stops.__slots__))
            rng = np.random.default_rng([self.seed, 5, number, chunk])
            span = Span(number, chunk, everybody[here], begins[here], ends[here], woke[here], sleeps[here])
            yield self._lived(rng, mine, span)

    def _wakings(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
        """Return each person's local date as an ordinal, the second at which the day begins, and where."""
        ordinal = self.start_on.toordinal() + number + self._shift
        base = self.people.home.copy()
        begins = np.zeros(len(base))
        for one in np.unique(ordinal).tolist():
            who = np.flatnonzero(ordinal == one)
            week, weekday = divmod(one - 1, 7)
            base[who] = self._travels(week).base(np.full(len(base), weekday), self.people.home)[who]
            begins[who] = midnights(one)[self.people.place_town[base[who]]]
        return ordinal, begins + self._first_hour * HOUR_SECONDS, base

    @cached_property
    def _known_travels(self) -> dict[int, Travels]:
        return {}

    def _travels(self, week: int) -> Travels:
        known = self._known_travels
        if week not in known:
            known[week] = travels(self.seed, week, self.people, self.venues)
        return known[week]

    def _stops(self, number: int) -> tuple[Stops, NDArray[np.float64], NDArray[np.int64]]:
        """Return everybody's plan of a day in seconds since 1970."""
        ordinal, begins, base = self._wakings(number)
        agenda = Agenda(self.people, base, np.random.default_rng([self.seed, 4, number]))
        for one in np.unique(ordinal).tolist():
            week, weekday = divmod(one - 1, 7)
            self._plan(agenda, np.flatnonzero(ordinal == one), (week, weekday, number))
        stops = agenda.stops()
        midnight = begins - self._first_hour * HOUR_SECONDS
        planned = np.where(stops.planned == FOLLOWS, 0.0, stops.planned + midnight[stops.person])
        return Stops(stops.person, planned, stops.place, stops.mode, stops.dwell), begins, base

    def _plan(self, agenda: Agenda, who: NDArray[np.int64], day: tuple[int, int, int]) -> None:
        """Add what some people do on a day: (week, weekday, number)."""
        week, weekday, number = day
        people, trips = self.people, self._travels(week)
        has_trip = trips.trip[who] != Trip.NONE
        leaves, returns = trips.leaves[who], trips.returns[who]
        journeys.leave(agenda, who[has_trip & (leaves == weekday)], trips, self.venues)
        journeys.come_back(agenda, who[has_trip & (returns == weekday)], trips, self.venues)
        journeys.days_away(agenda, who[has_trip & (leaves < weekday) & (weekday < returns)], trips, self.venues)
        at_home = who[~(has_trip & (leaves <= weekday) & (weekday <= returns))]
        job = people.job[at_home]
        rests = free_time.is_free(job, np.full(len(at_home), weekday))
        for kind, live in workdays.WORK.items():
            live(agenda, at_home[(job == kind) & ~rests])
        workdays.driver_days(agenda, at_home[(job == Job.DRIVER) & ~rests], self.venues)
        free_time.retired_days(agenda, at_home[job == Job.RETIRED])
        by_day = at_home[job != Job.NIGHT]
        free_time.free_days(agenda, at_home[rests & (job != Job.NIGHT)], is_sunday=weekday == 6)
        free_time.dog_walks(agenda, by_day[people.has_dog[by_day]])
        free_time.sport(agenda, by_day, number, 10.8 if weekday >= 5 else 18.3)
        free_time.evenings(agenda, by_day, is_late=weekday in {4, 5})

    def _lived(self, rng: np.random.Generator, stops: Stops, span: Span) -> Legs:
        """Let people make their ways: who is held up leaves later for what follows."""
        people = self.people
        row = stops.person - span.people[0]
        is_first = np.diff(stops.person, prepend=-1) != 0
        start = np.where(is_first, span.woke[row], np.roll(stops.place, 1))
        way = ways(start, stops.place, stops.mode, people.latitude, people.longitude)
        passes = ~people.has_car[stops.person] | (rng.random(len(start)) < 0.06)
        time_table = times(rng, way, mode=stops.mode, driver=stops.person, people=people)
        takes = time_table.total_seconds
        turn = np.arange(len(start)) - np.maximum.accumulate(np.where(is_first, np.arange(len(start)), 0))
        started, ready = np.zeros(len(start)), span.begins.copy()
        for step in range(int(turn.max(initial=-1)) + 1):
            rows = np.flatnonzero(turn == step)
            who = row[rows]
            started[rows] = np.round(np.maximum(stops.planned[rows], ready[who]), 3)
            ready[who] = started[rows] + takes[rows] + np.maximum(stops.dwell[rows], _LEAST_SECONDS)
        return Legs(
            span=span,
            person=stops.person,
            start=start,
            end=stops.place,
            mode=stops.mode,
            is_passenger=passes & (stops.mode == Mode.CAR),
            started=started,
            ended=np.round(started + takes, 3),
            ways=way,
            times=time_table,
        )


@lru_cache(maxsize=400)
def offsets(day: date) -> NDArray[np.int64]:
    """Return the seconds by which each town's clock is ahead of UTC at noon of a day."""
    noon = datetime.combine(day, time(12), UTC)
    found = [noon.astimezone(ZoneInfo(town.zone)).utcoffset() or timedelta() for town in SETTLEMENTS]
    return np.array([round(one.total_seconds()) for one in found])


def midnights(ordinal: int) -> NDArray[np.float64]:
    """Return when a date begins in each town, in seconds since 1970."""
    day = datetime.fromordinal(ordinal).replace(tzinfo=UTC)
    return np.asarray(day.timestamp() - offsets(day.date()).astype(np.float64))
