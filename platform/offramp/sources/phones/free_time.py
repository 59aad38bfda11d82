"""What people do when they do not work: dogs, sport, evenings out, weekends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from offramp.sources.phones.ground import distance_metres
from offramp.sources.phones.personas import Job, Mode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.phones.agenda import Agenda

_DOG_METRES = 1_000.0


def dog_walks(agenda: Agenda, who: NDArray[np.int64]) -> None:
    """Add a walk before the day and one after it: to the park where it is near, else once round the block."""
    people = agenda.people
    park, home = people.favourites["park"][who], people.home[who]
    latitude, longitude = people.latitude, people.longitude
    metres = distance_metres(latitude[home], longitude[home], latitude[park], longitude[park])
    goal = np.where((park >= 0) & (metres < _DOG_METRES), park, people.spot[who])
    early = np.minimum(agenda.hours(who, 6.4, 0.2), agenda.away_from[who] - 0.6)
    agenda.out(who, goal, at=early, dwell=agenda.minutes(who, 0.5, 9), mode=Mode.WALKING)
    agenda.out(who, goal, at=agenda.hours(who, 22.0, 0.4), dwell=agenda.minutes(who, 0.5, 12), mode=Mode.WALKING)


def sport(agenda: Agenda, who: NDArray[np.int64], day_number: int, at: float) -> None:
    """Add sport for those whose days these are: gym, pool, or a run."""
    people = agenda.people
    kind = who % 5
    turn = (who + day_number) % 7
    often = (turn == 0) | (turn == 3)
    gym, pool, runs = (who[often & (kind == number)] for number in range(3))
    for some, place in ((gym, "gym"), (pool, "pool")):
        hour = agenda.hours(some, at, 0.5)
        agenda.out(some, people.favourites[place][some], at=hour, dwell=agenda.minutes(some, 50, 85))
    agenda.out(runs, people.far_spot[runs], at=agenda.hours(runs, at, 0.5), dwell=10, mode=Mode.RUNNING)


def evenings(agenda: Agenda, who: NDArray[np.int64], *, is_late: bool) -> None:
    """Add at most one thing to do in the evening; ``is_late`` before a free day."""
    people = agenda.people
    likes = 1.6 if is_late else 1.0
    turn = agenda.rng.random(len(who)) / likes
    food = ("restaurant.italian", "restaurant.asian", "restaurant.grill", "restaurant.fastfood")
    bands = (
        *((f"{kind}", 0.03, 18.9, 60.0, 110.0) for kind in food),
        ("bar", 0.12, 20.2, 60.0, 170.0),
        ("cinema", 0.04, 19.4, 110.0, 150.0),
        ("club", 0.02 if is_late else 0.0, 22.2, 120.0, 190.0),
        ("supermarket", 0.16, 18.6, 10.0, 30.0),
        ("friend", 0.07, 19.0, 90.0, 180.0),
    )
    low = 0.0
    for kind, share, hour, least, most in bands:
        some = who[(turn >= low) & (turn < low + share)]
        low += share
        place = people.friend[some] if kind == "friend" else people.favourites[kind][some]
        agenda.out(some, place, at=agenda.hours(some, hour, 0.6), dwell=agenda.minutes(some, least, most))


def free_days(agenda: Agenda, who: NDArray[np.int64], *, is_sunday: bool) -> None:
    """Add what is done by day on a day without work."""
    kinds: tuple[tuple[str, float, float, float, float], ...]
    if is_sunday:
        kinds = (
            ("church", 0.1, 9.6, 60, 80),
            ("cafe", 0.2, 10.5, 40, 90),
            ("forest", 0.2, 12.5, 60, 150),
            ("park", 0.3, 14.5, 30, 90),
            ("museum", 0.15, 14.5, 70, 140),
            ("friend", 0.2, 16.3, 60, 120),
        )
    else:
        kinds = (
            ("supermarket", 0.7, 10.3, 15, 45),
            ("clothes", 0.25, 12.0, 20, 60),
            ("diy", 0.12, 12.8, 15, 45),
            ("pets", 0.12, 13.2, 10, 20),
            ("mall", 0.15, 13.8, 40, 120),
            ("beach", 0.12, 14.5, 90, 150),
            ("cafe", 0.25, 15.2, 30, 70),
        )
    _visit(agenda, who, kinds)


def retired_days(agenda: Agenda, who: NDArray[np.int64]) -> None:
    """Add the days of those who need not work."""
    kinds = (
        ("supermarket", 0.5, 9.8, 15, 40),
        ("clinic", 0.06, 11.2, 25, 60),
        ("cafe", 0.3, 11.0, 40, 80),
        ("museum", 0.12, 13.5, 70, 140),
        ("forest", 0.2, 14.0, 50, 120),
        ("friend", 0.2, 15.5, 60, 120),
    )
    _visit(agenda, who, kinds)


def _visit(agenda: Agenda, who: NDArray[np.int64], kinds: tuple[tuple[str, float, float, float, float], ...]) -> None:
    people = agenda.people
    for kind, share, hour, least, most in kinds:
        some = agenda.some(who, share)
        place = people.friend[some] if kind == "friend" else people.favourites[kind][some]
        agenda.out(some, place, at=agenda.hours(some, hour, 0.4), dwell=agenda.minutes(some, least, most))


def is_free(job: NDArray[np.int64], weekday: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say who does not work on a weekday, Monday 0: the weekend, for night workers and students a day more."""
    rest = np.where(job == Job.NIGHT, 4, np.where(job == Job.STUDENT, 4, 5))
    return np.asarray((weekday >= rest) & (job != Job.RETIRED))
