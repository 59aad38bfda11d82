"""Where phones believe they are: fixes while they move, around arrivals, and heartbeats while they lie still."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from offramp.sources.phones.ground import moved
from offramp.sources.phones.personas import RIDES, Mode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.phones.people import People
    from offramp.sources.phones.phones import Phones
    from offramp.sources.phones.schedule import Legs

_ARRIVAL_SECONDS = 380.0
_POOR = 0.02
_UNKNOWN_ACCURACY = 0.01
_ABSURD = 0.0003
_TIES = 0.002


@dataclass(frozen=True, slots=True)
class Fixes:
    """Fixes as columns; instants in seconds since 1970, speed in m/s or NaN where the phone gives none.

    ``happened`` is the true instant: ``tracked`` differs where a phone's clock is wrong.
    """

    person: NDArray[np.int64]
    happened: NDArray[np.float64]
    tracked: NDArray[np.float64]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    speed: NDArray[np.float64]

    def only(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Fixes:
        """Return some of the fixes."""
        return Fixes(*(getattr(self, name)[which] for name in Fixes.__slots__))


@dataclass(frozen=True, slots=True)
class _Truth:
    """Instants at which a phone looks, and where it is."""

    person: NDArray[np.int64]
    happened: NDArray[np.float64]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    speed: NDArray[np.float64]


def fixes(rng: np.random.Generator, legs: Legs, people: People, phones: Phones) -> Fixes:
    """Return the fixes of some people's days."""
    parts = (_moving(rng, legs, phones), _arriving(rng, legs, people), _resting(legs, people, phones))
    every = [np.concatenate([getattr(part, name) for part in parts]) for name in _Truth.__slots__]
    seen = phones.sees(every[0], every[1])
    person, happened, latitude, longitude, speed = (column[seen] for column in every)
    count = len(person)
    accuracy = phones.accuracy_metres[person] * rng.uniform(0.9, 1.5, count)
    poor = np.exp(rng.uniform(np.log(50), np.log(1_500), count))
    accuracy = np.where(rng.random(count) < _POOR, poor, accuracy)
    # Two thirds of the fixes lie within their accuracy, as phones mean it.
    east, north = rng.normal(0, 1, (2, count)) * accuracy / 1.5
    latitude, longitude = moved(latitude, longitude, east, north)
    accuracy = np.where(rng.random(count) < _UNKNOWN_ACCURACY, np.nan, accuracy)
    known = rng.random(count) < 0.9
    noisy = np.where(known, np.maximum(speed + rng.normal(0, 0.3, count), 0.0), np.nan)
    tracked = happened + phones.clock_error(person, happened)
    return _spoiled(rng, Fixes(person, happened, tracked, latitude, longitude, accuracy, noisy))


def looks(
    rng: np.random.Generator, started: NDArray[np.float64], ended: NDArray[np.float64], every: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return instants some seconds apart within spans: the span of each, and the seconds from its start."""
    count = np.maximum(((ended - started) / every).astype(np.int64), 0) + 1
    span = np.repeat(np.arange(len(started)), count)
    number = np.arange(len(span)) - np.repeat(np.cumsum(count) - count, count)
    seconds = (number + rng.uniform(0.0, 0.25, len(span)) * (number > 0)) * every[span]
    return span, np.minimum(np.round(seconds, 3), (ended - started)[span])


def _moving(rng: np.random.Generator, legs: Legs, phones: Phones) -> _Truth:
    """Look while legs are made, but never in flight; lazy phones notice that they move some way from the start."""
    every = phones.looks_every[legs.person]
    every = np.where(np.isin(legs.mode, (Mode.WALKING, Mode.TRAIN)), every * 1.4, every)
    leg, seconds = looks(rng, legs.started, legs.ended, np.clip(every, 10, 60))
    blind = _blind_metres(rng, legs, phones)
    late = np.flatnonzero(blind > 0)
    noticed = np.round(legs.times.when(late, blind[late]), 3)
    is_open = seconds > np.where(blind > 0, legs.times.when(np.arange(len(blind)), blind), -1.0)[leg]
    leg, seconds = np.append(leg[is_open], late), np.append(seconds[is_open], noticed)
    metres, speed, _ = legs.times.at(leg, seconds)
    # Underground and between walls fewer fixes are found.
    is_lost = np.isin(legs.mode, RIDES)[leg] & (rng.random(len(leg)) < 0.15)
    is_off = (legs.mode[leg] == Mode.FLIGHT) & (seconds > 0)
    seen = ~is_off & ~is_lost
    leg, seconds, metres, speed = leg[seen], seconds[seen], metres[seen], speed[seen]
    latitude, longitude = legs.ways.at(leg, metres)
    return _Truth(legs.person[leg], legs.started[leg] + seconds, latitude, longitude, speed)


def _blind_metres(rng: np.random.Generator, legs: Legs, phones: Phones) -> NDArray[np.float64]:
    """Return how far each leg gets before the phone notices: 0 for most."""
    count = len(legs.person)
    is_late = phones.is_lazy[legs.person] & (rng.random(count) < 0.6) & (legs.mode != Mode.FLIGHT)
    return np.where(is_late, np.minimum(rng.uniform(60, 140, count), legs.ways.total_metres), 0.0)


def _arriving(rng: np.random.Generator, legs: Legs, people: People) -> _Truth:
    """Look some more times for six minutes after an arrival, or until the next departure."""
    is_last = np.append(np.diff(legs.person) != 0, True)[: len(legs.person)]
    until = np.where(is_last, legs.span.ends[legs.person - legs.span.people[0]] if len(legs.person) else 0.0,
                     np.roll(legs.started, -1))  # fmt: skip
    until = np.maximum(np.minimum(until - 1, legs.ended + _ARRIVAL_SECONDS), legs.ended)
    lasts = until - legs.ended
    # The last look is at the end of the time: a stay is a stay once it has lasted for five minutes.
    every = lasts / np.ceil(np.maximum(lasts, 1) / rng.uniform(55, 110, len(until)))
    leg, seconds = looks(rng, legs.ended, until, np.maximum(every - 1e-6, 1.0))
    seen = seconds > 0
    leg, seconds = leg[seen], seconds[seen]
    place = legs.end[leg]
    still = np.zeros(len(leg))
    return _Truth(legs.person[leg], legs.ended[leg] + seconds, people.latitude[place], people.longitude[place], still)


def _resting(legs: Legs, people: People, phones: Phones) -> _Truth:
    """Look once in a long while at wherever the phone lies."""
    every = phones.beats_every[legs.span.people]
    beats = np.flatnonzero(every > 0)
    phase = phones.beats_at(legs.span.people)
    first = np.ceil((legs.span.begins - phase) / np.maximum(every, 1))
    count = np.maximum(np.ceil((legs.span.ends - phase) / np.maximum(every, 1)) - first, 0).astype(np.int64)[beats]
    who = np.repeat(beats, count)
    number = np.arange(len(who)) - np.repeat(np.cumsum(count) - count, count)
    happened = (first[who] + number) * every[who] + phase[who]
    place, is_still = places_at(legs, legs.span.people[who], happened)
    who, happened, place = who[is_still], np.round(happened[is_still], 3), place[is_still]
    return _Truth(legs.span.people[who], happened, people.latitude[place], people.longitude[place], np.zeros(len(who)))


def places_at(
    legs: Legs, person: NDArray[np.int64], instant: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return where people stay at instants of their days, and whether they stay at all."""
    if not len(legs.person):
        return legs.span.woke[person - legs.span.people[0]], np.ones(len(person), np.bool_)
    apart, origin = 1e7, legs.span.begins.min() - 86_400
    key = (legs.person - legs.span.people[0]) * apart + (legs.started - origin)
    last = np.searchsorted(key, (person - legs.span.people[0]) * apart + (instant - origin), side="right") - 1
    has_left = (last >= 0) & (legs.person[last] == person)
    place = np.where(has_left, legs.end[last], legs.span.woke[person - legs.span.people[0]])
    return place, ~has_left | (instant >= legs.ended[last])


def _spoiled(rng: np.random.Generator, right: Fixes) -> Fixes:
    """Add what no phone should send: nowhere, no number, far in the future, and two fixes of one instant."""
    chance = rng.random(len(right.person))
    absurd = right.only(chance < _ABSURD)
    kind = rng.integers(0, 4, len(absurd.person))
    latitude = np.select([kind == 0, kind == 1, kind == 2], [0.0, np.nan, 91.5], absurd.latitude)
    longitude = np.select([kind == 0, kind == 1], [0.0, np.nan], absurd.longitude)
    late = absurd.tracked + np.where(kind == 3, 400 * 86_400.0, 0.0)
    absurd = Fixes(absurd.person, absurd.happened, late, latitude, longitude, absurd.accuracy, absurd.speed)
    ties = right.only(chance > 1 - _TIES)
    ties = Fixes(
        ties.person, ties.happened, ties.tracked, ties.latitude + 4e-5, ties.longitude, ties.accuracy * 1.5, ties.speed
    )
    parts = (right, absurd, ties)
    return Fixes(*(np.concatenate([getattr(part, name) for part in parts]) for name in Fixes.__slots__))
