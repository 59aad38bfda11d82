"""What the SDK notices beside positions: motion activity, transitions, battery, restarts, and finished trips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from offramp.sources.phones.fixes import looks, places_at
from offramp.sources.phones.personas import Mode
from offramp.sources.phones.phones import NEVER
from offramp.sources.phones.uploads import ids, instants, names, nullable, uploaded

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from offramp.sources.phones.people import People
    from offramp.sources.phones.phones import Phones
    from offramp.sources.phones.schedule import Legs

_ACTIVITIES = ("still", "walking", "running", "cycling", "automotive", "unknown")
_STILL, _AUTOMOTIVE, _UNKNOWN = 0, 4, 5
_OF_MODE = np.array([1, 2, 3, 4, 4, 4, 4, 4])
_BATTERY_SECONDS = 4 * 3_600.0
_KINDS = ("activity", "transition", "battery", "boot")
_NONE = len(_ACTIVITIES)


def sdk_events(rng: np.random.Generator, legs: Legs, people: People, phones: Phones) -> pl.DataFrame:
    """Return the SDK's events of some people's days."""
    parts = (*_motion(rng, legs), _battery(rng, legs), _boots(legs, phones))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    person = columns[0].astype(np.int64)
    # A phone that has just started says so; all else needs it to be on.
    seen = phones.sees(person, columns[1])
    person, happened, kind, activity, confidence, battery = (column[seen] for column in (person, *columns[1:]))
    return uploaded(
        "sdk_events",
        (person, happened),
        {
            "event_id": ids(rng, len(person)),
            "occurred_at": instants(happened),
            "kind": names(kind.astype(np.int64), _KINDS),
            "activity": names(activity.astype(np.int64), (*_ACTIVITIES, None)),
            "confidence": nullable(confidence, 2),
            "battery": nullable(battery, 2),
        },
        people=people,
        phones=phones,
    )


def _part(
    person: NDArray[np.int64],
    happened: NDArray[np.float64],
    kind: int,
    *,
    activity: NDArray[np.int64] | int = _NONE,
    confidence: NDArray[np.float64] | float = np.nan,
    battery: NDArray[np.float64] | float = np.nan,
) -> tuple[NDArray[np.float64], ...]:
    columns = (person, happened, kind, activity, confidence, battery)
    return tuple(np.broadcast_to(np.asarray(column, np.float64), person.shape) for column in columns)


def _motion(rng: np.random.Generator, legs: Legs) -> tuple[tuple[NDArray[np.float64], ...], ...]:
    """Return what the motion sensors believe: right nine times of ten, never in flight."""
    moves = legs.mode != Mode.FLIGHT
    person, mode = legs.person[moves], legs.mode[moves]
    started, ended = legs.started[moves], legs.ended[moves]
    leg, seconds = looks(rng, started, ended, np.full(len(person), 75.0))
    seconds = np.minimum(seconds + 8, (ended - started)[leg])
    chance = rng.random(len(leg))
    activity = _OF_MODE[mode][leg]
    _, speed, _ = legs.times.at(np.flatnonzero(moves)[leg], seconds)
    activity = np.where((speed < 0.1) & (chance < 0.5), _STILL, activity)
    activity = np.where(chance > 0.94, _UNKNOWN, np.where(chance > 0.90, rng.integers(0, 5, len(leg)), activity))
    confidence = np.where(chance > 0.90, rng.uniform(0.2, 0.6, len(leg)), rng.uniform(0.6, 1.0, len(leg)))
    lag = rng.uniform(4, 40, (2, len(person)))
    return (
        _part(person[leg], np.round(started[leg] + seconds, 3), 0, activity=activity, confidence=confidence),
        _part(person, np.round(started + lag[0], 3), 1, activity=_OF_MODE[mode]),
        _part(person, np.round(ended + lag[1], 3), 1, activity=_STILL),
        _part(person, np.round(ended + lag[1] + 1, 3), 0, activity=_STILL, confidence=rng.uniform(0.7, 1, len(person))),
    )


def _battery(rng: np.random.Generator, legs: Legs) -> tuple[NDArray[np.float64], ...]:
    """Return the charge every few hours: full in the morning, less and less after it, and only noticed at rest."""
    who, seconds = looks(rng, legs.span.begins, legs.span.ends - 1, np.full(len(legs.span.people), _BATTERY_SECONDS))
    _, is_still = places_at(legs, legs.span.people[who], legs.span.begins[who] + seconds)
    who, seconds = who[is_still], seconds[is_still]
    charge = np.clip(1 - seconds / 86_400 * rng.uniform(0.5, 0.95, len(legs.span.people))[who], 0.03, 1)
    return _part(legs.span.people[who], legs.span.begins[who] + seconds, 2, battery=charge)


def _boots(legs: Legs, phones: Phones) -> tuple[NDArray[np.float64], ...]:
    """Return the restarts whose ends lie in the people's days."""
    first = (legs.span.begins // 86_400).astype(np.int64)
    ends = np.stack([phones.restart(legs.span.people, first + number)[1] for number in range(2)])
    inside = (ends >= legs.span.begins) & (ends < legs.span.ends) & (ends < NEVER)
    return _part(np.broadcast_to(legs.span.people, ends.shape)[inside], ends[inside], 3)


def payloads(rng: np.random.Generator, legs: Legs, people: People, phones: Phones) -> pl.DataFrame:
    """Return what the SDK tells of trips: one under way, one that has ended, a stay that has begun."""
    moves = np.flatnonzero((legs.mode != Mode.FLIGHT) & (legs.ended - legs.started > 120))
    person, started, ended = legs.person[moves], legs.started[moves], legs.ended[moves]
    happened = np.round(np.concatenate([started + rng.uniform(20, 90, len(moves)), ended + 60, ended + 330]), 3)
    kind = np.repeat(np.arange(3), len(moves))
    person = np.tile(person, 3)
    seen = phones.sees(person, happened)
    person, happened, kind = person[seen], happened[seen], kind[seen]
    return uploaded(
        "payloads",
        (person, happened),
        {
            "payload_id": ids(rng, len(person)),
            "kind": names(kind, ("trip_event", "trip", "stationary_event")),
            "occurred_at": instants(happened),
        },
        people=people,
        phones=phones,
    )
