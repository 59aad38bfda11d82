"""Days of work: the way there and back, children, lunch, errands, and jobs that are done otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from offramp.sources.phones.personas import RIDES, Job, Mode
from offramp.sources.phones.venue_kinds import KINDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.phones.agenda import Agenda
    from offramp.sources.phones.town_plan import Venues

_DELIVERIES = 16


def office_days(agenda: Agenda, who: NDArray[np.int64]) -> None:
    """Add a day at the office."""
    people = agenda.people
    start = people.starts_hour[who] + agenda.rng.normal(0, 0.12, len(who))
    with_children = people.has_children[who]
    school = np.where(with_children, people.favourites["school"][who], -1)
    mode = people.mode[who]
    way = agenda.mode_between(who, agenda.base[who], school)
    agenda.go(who, school, at=start - 0.75, mode=way, dwell=agenda.minutes(who, 5.5, 9))
    _to_work(agenda, who, start - np.where(with_children, 0.70, 0.5))
    _lunch(agenda, agenda.some(who, 0.35))
    leave = start + 8.6 + agenda.rng.normal(0, 0.3, len(who))
    agenda.be_away(who, start - 1.1, leave + 0.9)
    by_car = np.isin(mode, (Mode.CAR, Mode.BIKING))
    chance = agenda.rng.random(len(who))
    shop = np.where((chance < 0.25) & by_car, people.favourites["supermarket"][who], -1)
    agenda.go(who, shop, at=leave, mode=mode, dwell=agenda.minutes(who, 9, 30))
    fuel = np.where((chance > 0.88) & (mode == Mode.CAR), people.favourites["gas"][who], -1)
    agenda.go(who, fuel, at=leave, mode=mode, dwell=agenda.minutes(who, 5.5, 9))
    _home_from_work(agenda, who, leave + 0.02)


def _to_work(agenda: Agenda, who: NDArray[np.int64], at: NDArray[np.float64]) -> None:
    people = agenda.people
    rides = np.isin(people.mode[who], RIDES)
    riders, others = who[rides], who[~rides]
    agenda.ride(riders, (people.board[riders], people.alight[riders]), people.work[riders], at=at[rides] - 0.3)
    agenda.go(others, people.work[others], at=at[~rides], mode=people.mode[others])


def _home_from_work(agenda: Agenda, who: NDArray[np.int64], at: NDArray[np.float64]) -> None:
    people = agenda.people
    rides = np.isin(people.mode[who], RIDES)
    riders, others = who[rides], who[~rides]
    agenda.ride(riders, (people.alight[riders], people.board[riders]), people.home[riders], at=at[rides])
    agenda.go(others, people.home[others], at=at[~rides], mode=people.mode[others])


def _lunch(agenda: Agenda, who: NDArray[np.int64]) -> None:
    people = agenda.people
    at = agenda.hours(who, 12.1, 0.4)
    agenda.go(who, people.lunch[who], at=at, mode=Mode.WALKING, dwell=agenda.minutes(who, 28, 45), step=1)
    agenda.go(who, np.where(people.lunch[who] >= 0, people.work[who], -1), at=at, mode=Mode.WALKING, step=2)


def student_days(agenda: Agenda, who: NDArray[np.int64]) -> None:
    """Add lectures, with lunch out now and then."""
    start = agenda.hours(who, 9.6, 1.0)
    _to_work(agenda, who, start)
    _lunch(agenda, agenda.some(who, 0.4))
    leave = start + agenda.rng.uniform(4.5, 7, len(who))
    agenda.be_away(who, start - 0.6, leave + 0.9)
    _home_from_work(agenda, who, leave)


def home_days(agenda: Agenda, who: NDArray[np.int64]) -> None:
    """Add a day of work at home: a walk at noon, now and then some hours in a café, errands."""
    people = agenda.people
    outside = agenda.some(who, 0.5)
    agenda.out(outside, people.spot[outside], at=agenda.hours(outside, 12.6, 0.5), dwell=20, mode=Mode.WALKING)
    remote = agenda.some(who, 0.25)
    at = agenda.hours(remote, 9.5, 0.6)
    agenda.out(remote, people.favourites["cafe"][remote], at=at, dwell=agenda.minutes(remote, 90, 150))
    shopping = agenda.some(who, 0.35)
    at = agenda.hours(shopping, 16.2, 0.8)
    agenda.out(shopping, people.favourites["supermarket"][shopping], at=at, dwell=agenda.minutes(shopping, 12, 35))


def night_shifts(agenda: Agenda, who: NDArray[np.int64]) -> None:
    """Add a shift through the night; the day of who works it begins at 14:00."""
    people = agenda.people
    shopping = agenda.some(who, 0.35)
    at = agenda.hours(shopping, 16.5, 0.8)
    agenda.out(shopping, people.favourites["supermarket"][shopping], at=at, dwell=agenda.minutes(shopping, 12, 35))
    start = agenda.hours(who, 21.4, 0.2)
    agenda.go(who, people.work[who], at=start, mode=people.mode[who])
    agenda.go(who, people.home[who], at=start + agenda.rng.normal(8.7, 0.15, len(who)), mode=people.mode[who])


def driver_days(agenda: Agenda, who: NDArray[np.int64], venues: Venues) -> None:
    """Add deliveries all over town, from a warehouse and back."""
    people = agenda.people
    start = agenda.hours(who, 7.0, 0.3)
    agenda.be_away(who, start - 0.3, start + 10)
    agenda.go(who, people.work[who], at=start, mode=Mode.CAR, dwell=agenda.minutes(who, 20, 40), step=1)
    for turn in range(_DELIVERIES):
        goal = _any_venue(agenda, who, venues)
        agenda.go(who, goal, at=start, mode=Mode.CAR, dwell=agenda.minutes(who, 6, 25), step=2 + turn)
    agenda.go(who, people.work[who], at=start, mode=Mode.CAR, dwell=agenda.minutes(who, 20, 40), step=2 + _DELIVERIES)
    agenda.go(who, people.home[who], at=start, mode=Mode.CAR, step=3 + _DELIVERIES)


def _any_venue(agenda: Agenda, who: NDArray[np.int64], venues: Venues) -> NDArray[np.int64]:
    """Return any venue of each person's town that takes deliveries: a stop does not."""
    takers = np.flatnonzero(venues.kind < len(KINDS))
    order = takers[np.argsort(venues.town[takers], kind="stable")]
    first = np.searchsorted(venues.town[order], agenda.people.town[who])
    last = np.searchsorted(venues.town[order], agenda.people.town[who], side="right")
    turn = agenda.rng.random(len(who))
    return np.asarray(order[first + (turn * (last - first)).astype(np.int64)])


WORK = {Job.OFFICE: office_days, Job.STUDENT: student_days, Job.HOMEWORKER: home_days, Job.NIGHT: night_shifts}
