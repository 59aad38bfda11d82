"""What people mean to do on a day: stops one after another, collected from all routines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from offramp.sources.phones.ground import distance_metres
from offramp.sources.phones.personas import Mode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.phones.people import People

FOLLOWS = -1
_FOOT_METRES = 1_100.0
_BIKE_METRES = 4_500.0
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Stops:
    """Stops of all people, by person and then in their order.

    ``planned`` is the second of the local day at which the person leaves for the stop, or FOLLOWS: as soon as the
    stop before has lasted its ``dwell`` seconds.
    """

    person: NDArray[np.int64]
    planned: NDArray[np.float64]
    place: NDArray[np.int64]
    mode: NDArray[np.int64]
    dwell: NDArray[np.float64]


@dataclass(slots=True)
class Agenda:
    """The day of all people under way: what is added later may lie earlier in the day."""

    people: People
    base: NDArray[np.int64]
    rng: np.random.Generator
    away_from: NDArray[np.float64] = field(init=False)
    away_until: NDArray[np.float64] = field(init=False)
    _rows: list[tuple[NDArray[np.float64], ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Let everybody be where they woke up all day long."""
        self.away_from = np.full(len(self.people), np.inf)
        self.away_until = np.full(len(self.people), -np.inf)

    def be_away(self, who: NDArray[np.int64], since: NDArray[np.float64], until: NDArray[np.float64]) -> None:
        """Remember the hours in which people cannot set out from where they woke up."""
        self.away_from[who], self.away_until[who] = since, until

    def some(self, who: NDArray[np.int64], share: float) -> NDArray[np.int64]:
        """Return about a share of some people."""
        return who[self.rng.random(len(who)) < share]

    def hours(self, who: NDArray[np.int64], mean: float, spread: float) -> NDArray[np.float64]:
        """Return an hour of the day for each of some people, mostly within ``spread`` of the mean."""
        return np.asarray(self.rng.normal(mean, spread / 2, len(who)).clip(mean - spread, mean + spread))

    def minutes(self, who: NDArray[np.int64], low: float, high: float) -> NDArray[np.float64]:
        """Return seconds to spend somewhere, given in minutes."""
        return np.asarray(self.rng.uniform(low * MINUTE, high * MINUTE, len(who)))

    def go(
        self,
        who: NDArray[np.int64],
        place: NDArray[np.int64],
        *,
        at: NDArray[np.float64],
        mode: NDArray[np.int64] | Mode,
        dwell: NDArray[np.float64] | float = 0.0,
        step: int = 0,
    ) -> None:
        """Add a stop at an hour; with a ``step`` it follows what was added for that hour with a lower one."""
        there = place >= 0
        count = int(there.sum())
        self._rows.append(
            (
                who[there].astype(np.float64),
                at[there] * 3_600,
                np.full(count, float(step)),
                place[there].astype(np.float64),
                np.broadcast_to(np.asarray(mode, np.float64), who.shape)[there],
                np.broadcast_to(np.asarray(dwell, np.float64), who.shape)[there],
            )
        )

    def out(
        self,
        who: NDArray[np.int64],
        place: NDArray[np.int64],
        *,
        at: NDArray[np.float64],
        dwell: NDArray[np.float64] | float,
        mode: NDArray[np.int64] | Mode | None = None,
    ) -> None:
        """Add a stop from where the person sleeps, and the way back: after work where it would lie within.

        Without a mode it follows from the distance.
        """
        is_away = (at >= self.away_from[who]) & (at < self.away_until[who])
        at = np.where(is_away, self.away_until[who], at)
        chosen = self.mode_between(who, self.base[who], place) if mode is None else mode
        self.go(who, place, at=at, mode=chosen, dwell=dwell, step=1)
        back = np.where(place >= 0, self.base[who], -1)
        self.go(who, back, at=at, mode=chosen, step=2)

    def ride(
        self,
        who: NDArray[np.int64],
        through: tuple[NDArray[np.int64], NDArray[np.int64]],
        target: NDArray[np.int64],
        *,
        at: NDArray[np.float64],
    ) -> None:
        """Add a walk to a stop, a ride to another one, and a walk to the target."""
        self.go(who, through[0], at=at, mode=Mode.WALKING, dwell=self.minutes(who, 1.5, 5.5), step=1)
        mode = self.people.mode[who]
        self.go(who, through[1], at=at, mode=mode, dwell=self.minutes(who, 0.3, 1.0), step=2)
        self.go(who, target, at=at, mode=Mode.WALKING, step=3)

    def mode_between(
        self, who: NDArray[np.int64], place: NDArray[np.int64], other: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return how people go: on foot when near, else as they like; who has no car is driven when it is far."""
        latitude, longitude = self.people.latitude, self.people.longitude
        metres = distance_metres(latitude[place], longitude[place], latitude[other], longitude[other])
        wheels = np.where(self.people.has_car[who] | (metres > _BIKE_METRES), Mode.CAR, Mode.BIKING)
        wheels = np.where((self.people.mode[who] == Mode.BIKING) & (metres < _BIKE_METRES), Mode.BIKING, wheels)
        return np.where(metres < _FOOT_METRES, Mode.WALKING, wheels)

    def stops(self) -> Stops:
        """Return all stops in order, without those at which a person is already."""
        rows = [np.concatenate(column) for column in zip(*self._rows, strict=True)]
        person, at, step, place = rows[:4]
        order = np.lexsort((step, at, person))
        person, at, step, place, mode, dwell = (column[order] for column in rows)
        is_first = np.diff(person, prepend=-1) != 0
        before = np.where(is_first, self.base[person.astype(np.int64)], np.roll(place, 1))
        moves = before != place
        planned = np.where(step > 1, FOLLOWS, at)
        return Stops(
            person[moves].astype(np.int64),
            planned[moves],
            place[moves].astype(np.int64),
            mode[moves].astype(np.int64),
            dwell[moves],
        )
