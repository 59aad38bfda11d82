"""What phones notice in cars: how it is driven, by the driver's character, and where on which road."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.phones.driving_times import Road
from offramp.sources.phones.fixes import looks
from offramp.sources.phones.ground import moved
from offramp.sources.phones.personas import Mode
from offramp.sources.phones.uploads import ids, instants, names, nullable, uploaded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.phones.people import People
    from offramp.sources.phones.phones import Phones
    from offramp.sources.phones.schedule import Legs

_KINDS = ("acceleration", "turn", "phone_handling", "call_handheld", "call_handsfree", "mounted")
# By kind, and by character: calm, aggressive, distracted. Events per km, at least per trip of a few km.
_RATES = {
    "brake": (0.5, 0.9, 0.6),
    "speed_up": (0.5, 0.9, 0.6),
    "coast": (0.5, 0.15, 0.3),
    "turn": (0.5, 0.7, 0.5),
    "handling": (0.01, 0.03, 0.25),
    "handheld": (0.002, 0.004, 0.03),
    "handsfree": (0.012, 0.01, 0.01),
}
_PASSENGER_RATES = {"handling": 0.5, "handheld": 0.02}
# The share of harsh events, above 3 m/s2, by character.
_HARSH = (0.02, 0.22, 0.07)
_MOST_KM = 25.0
_WAYPOINT_SECONDS = 12.0


def sensor_events(rng: np.random.Generator, legs: Legs, people: People, phones: Phones) -> pl.DataFrame:
    """Return the sensor events of some people's days in cars."""
    cars = np.flatnonzero((legs.mode == Mode.CAR) & (legs.ended - legs.started > 90))
    parts = [_of_kind(rng, legs, cars, (kind, people)) for kind in _RATES]
    parts.append(_mounted(rng, legs, cars[phones.is_mounted[legs.person[cars]]]))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    person = columns[0].astype(np.int64)
    seen = phones.sees(person, columns[2]) & phones.sees(person, columns[3])
    person, kind, started, ended, magnitude, mean, angle = (column[seen] for column in (person, *columns[1:]))
    return uploaded(
        "sensor_events",
        (person, ended),
        {
            "event_id": ids(rng, len(person)),
            "kind": names(kind.astype(np.int64), _KINDS),
            "started_at": instants(started),
            "ended_at": instants(ended),
            "magnitude": nullable(magnitude, 3),
            "mean": nullable(mean, 3),
            "angle": nullable(angle, 1),
        },
        people=people,
        phones=phones,
    )


def _of_kind(
    rng: np.random.Generator, legs: Legs, cars: NDArray[np.int64], what: tuple[str, People]
) -> tuple[NDArray[np.float64], ...]:
    """Return persons, kinds, starts, ends, peaks, means and angles of one kind's events."""
    kind, people = what
    character = people.character[legs.person[cars]]
    rate = np.array(_RATES[kind])[character]
    rate = np.where(legs.is_passenger[cars], _PASSENGER_RATES.get(kind, rate), rate)
    km = np.minimum(legs.ways.total_metres[cars] / 1_000, _MOST_KM)
    leg = np.repeat(np.arange(len(cars)), rng.poisson(rate * km))
    count = len(leg)
    shortest, longest = _LASTS[kind]
    takes = (legs.ended - legs.started)[cars][leg]
    lasts = np.minimum(rng.uniform(shortest, longest, count), takes * 0.5)
    started = legs.started[cars][leg] + rng.random(count) * (takes - lasts)
    harsh = rng.random(count) < np.array(_HARSH)[character][leg]
    peak = np.where(harsh, rng.uniform(3.05, 6.0, count), rng.uniform(1.05, 2.7, count))
    side = np.where(rng.random(count) < 0.5, -1.0, 1.0)
    nothing = np.full(count, np.nan)
    magnitude = {"brake": -peak, "speed_up": peak * 0.95, "coast": rng.uniform(-0.8, -0.1, count), "turn": peak}
    found = magnitude.get(kind, nothing)
    angle = side * rng.uniform(35, 110, count) if kind == "turn" else nothing
    number = np.full(count, _KINDS.index(_TABLE_KIND[kind]), np.float64)
    person = legs.person[cars][leg].astype(np.float64)
    ended = np.round(started + lasts, 3)
    return person, number, np.round(started, 3), ended, found, found * rng.uniform(0.4, 0.7, count), angle


_LASTS = {
    "brake": (1.0, 5.0),
    "speed_up": (1.0, 6.0),
    "coast": (4.0, 20.0),
    "turn": (2.0, 6.0),
    "handling": (4.0, 45.0),
    "handheld": (40.0, 400.0),
    "handsfree": (40.0, 500.0),
}
_TABLE_KIND = {
    "brake": "acceleration",
    "speed_up": "acceleration",
    "coast": "acceleration",
    "turn": "turn",
    "handling": "phone_handling",
    "handheld": "call_handheld",
    "handsfree": "call_handsfree",
}


def _mounted(rng: np.random.Generator, legs: Legs, cars: NDArray[np.int64]) -> tuple[NDArray[np.float64], ...]:
    """Return the span of each leg, or most of it, in which the phone sits in a mount; passengers hold theirs."""
    cars = cars[~legs.is_passenger[cars]]
    takes = legs.ended[cars] - legs.started[cars]
    started = legs.started[cars] + rng.uniform(2, 20, len(cars))
    ended = started + np.maximum(takes - 25, 5) * rng.uniform(0.6, 1.0, len(cars))
    nothing = np.full(len(cars), np.nan)
    number = np.full(len(cars), float(_KINDS.index("mounted")))
    person = legs.person[cars].astype(np.float64)
    return person, number, np.round(started, 3), np.round(ended, 3), nothing, nothing, nothing


def waypoints(rng: np.random.Generator, legs: Legs, people: People, phones: Phones) -> pl.DataFrame:
    """Return positions on roads with speed, limit and kind of road; now and then one of them is not known."""
    cars = np.flatnonzero(legs.mode == Mode.CAR)
    found, seconds = looks(rng, legs.started[cars], legs.ended[cars], np.full(len(cars), _WAYPOINT_SECONDS))
    leg = cars[found]
    happened = np.round(legs.started[leg] + seconds, 3)
    seen = phones.sees(legs.person[leg], happened)
    leg, seconds, happened = leg[seen], seconds[seen], happened[seen]
    metres, speed, knot = legs.times.at(leg, seconds)
    latitude, longitude = moved(*legs.ways.at(leg, metres), *rng.normal(0, 2, (2, len(leg))))
    # Between knots, of which each row has one more than it has stretches.
    stretch = np.minimum(knot - leg * legs.times.seconds.shape[1], legs.times.road.shape[1] - 1)
    road, limit = legs.times.road[leg, stretch], legs.times.limit_kmh[leg, stretch]
    chance = rng.random((3, len(leg)))
    kmh = np.maximum(speed * 3.6 + rng.normal(0, 1.2, len(leg)) * (speed > 0), 0.0)
    return uploaded(
        "waypoints",
        (legs.person[leg], happened),
        {
            "tracked_at": instants(happened),
            "latitude": pl.Series(np.round(latitude, 6)),
            "longitude": pl.Series(np.round(longitude, 6)),
            "speed": nullable(np.where(chance[0] < 0.02, np.nan, kmh), 1),
            "speed_limit": nullable(np.where(chance[1] < 0.04, np.nan, limit), 2),
            "road": names(np.where(chance[2] < 0.01, len(Road), road), (*(one.name.lower() for one in Road), None)),
        },
        people=people,
        phones=phones,
    )
