"""When a leg is where: speeds by mode and road, halts at lights and at stops."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from offramp.sources.phones.personas import RIDES, Character, Mode
from offramp.sources.phones.routes import locate
from offramp.sources.phones.settlements import SETTLEMENTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.phones.people import People
    from offramp.sources.phones.routes import Ways

_HALTS = 20
_MOTORWAY_FROM_METRES = 12_000.0
_MOTORWAY_END_METRES = 3_500.0
_LIGHT_EVERY_METRES = 900.0


class Road(IntEnum):
    """The kinds of road, and their names in the waypoints."""

    RESIDENTIAL = 0
    ROAD = 1
    MOTORWAY = 2


# By road: km/h.
_LIMITS = (30.0, 60.0)
_MOTORWAY_LIMITS = {"oslo": 110.0, "london": 112.0, "newyork": 105.0, "singapore": 90.0}
# Metres per second of those that heed no limits; a train's follows from how far its stations are apart.
_SPEEDS = {Mode.WALKING: 1.4, Mode.RUNNING: 2.9, Mode.BIKING: 4.9, Mode.BUS: 10.5, Mode.TRAM: 9.8, Mode.FLIGHT: 215.0}


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds and metres from a leg's start at knots, one leg per row; road and limit between knots."""

    seconds: NDArray[np.float64]
    metres: NDArray[np.float64]
    road: NDArray[np.int64]
    limit_kmh: NDArray[np.float64]

    @property
    def total_seconds(self) -> NDArray[np.float64]:
        """Return how long each leg takes."""
        return np.asarray(self.seconds[:, -1])

    def when(self, leg: NDArray[np.int64], metres: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the seconds after which legs have made some metres."""
        left, part = locate(self.metres, leg, metres)
        times = self.seconds.ravel()
        return np.asarray(times[left] + part * (times[left + 1] - times[left]))

    def at(
        self, leg: NDArray[np.int64], seconds: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """Return metres from the start, metres per second, and the place between knots, at instants of legs."""
        left, part = locate(self.seconds, leg, seconds)
        metres, times = self.metres.ravel(), self.seconds.ravel()
        rise, run = metres[left + 1] - metres[left], times[left + 1] - times[left]
        speed = np.divide(rise, run, out=np.zeros(len(left)), where=run > 0)
        return metres[left] + part * rise, speed, left


def times(
    rng: np.random.Generator,
    ways: Ways,
    *,
    mode: NDArray[np.int64],
    driver: NDArray[np.int64],
    people: People,
) -> Times:
    """Draw how each leg goes. ``driver`` is the person whose habits count at the wheel."""
    total = ways.total_metres
    quiet = np.minimum(400.0, 0.15 * total)[:, None]
    has_motorway = (mode == Mode.CAR) & (total > _MOTORWAY_FROM_METRES)
    ramp = np.where(has_motorway, _MOTORWAY_END_METRES, total / 2)[:, None]
    halts, waits = _halts(rng, ways, mode)
    edges = np.concatenate([quiet, ramp, total[:, None] - ramp, total[:, None] - quiet], axis=1)
    breaks = np.concatenate([halts, edges], axis=1)
    order = np.argsort(breaks, axis=1, kind="stable")
    breaks = np.take_along_axis(breaks, order, axis=1)
    waits = np.take_along_axis(np.pad(waits, ((0, 0), (0, 4))), order, axis=1)
    metres = np.concatenate([np.zeros_like(quiet), breaks, total[:, None]], axis=1)
    middle = (metres[:, 1:] + metres[:, :-1]) / 2
    from_end = np.minimum(middle, total[:, None] - middle)
    road = np.where(from_end < quiet, Road.RESIDENTIAL, Road.ROAD)
    road = np.where(has_motorway[:, None] & (from_end > ramp), Road.MOTORWAY, road)
    limit = _limits(road, people.town[driver])
    speed = _speeds(mode, ways, limit, driver, people) * rng.uniform(0.86, 1.02, road.shape)
    run = np.diff(metres, axis=1) / speed
    waits = np.pad(waits, ((0, 0), (0, 1)))
    seconds = np.cumsum(np.stack([run, waits], axis=2).reshape(len(run), -1), axis=1)
    return Times(
        np.concatenate([np.zeros_like(quiet), seconds], axis=1),
        np.concatenate([np.zeros_like(quiet), np.repeat(metres[:, 1:], 2, axis=1)], axis=1),
        np.repeat(road, 2, axis=1),
        np.repeat(limit, 2, axis=1),
    )


def _halts(
    rng: np.random.Generator, ways: Ways, mode: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where legs halt, in metres, and for how many seconds: at stops, else at lights."""
    total = ways.total_metres[:, None]
    number = np.arange(1, _HALTS + 1)
    # Motorways have no lights: only their ends do.
    has_motorway = ((mode == Mode.CAR) & (ways.total_metres > _MOTORWAY_FROM_METRES))[:, None]
    reach = np.where(has_motorway, 2 * _MOTORWAY_END_METRES, total)
    expected = np.minimum(reach, _HALTS * _LIGHT_EVERY_METRES) / _LIGHT_EVERY_METRES
    share = np.where((mode == Mode.WALKING)[:, None], 0.5, 1.0) * expected / _HALTS
    is_held = rng.random((len(mode), _HALTS)) < np.where((mode == Mode.FLIGHT)[:, None], 0.0, share)
    lights = rng.random((len(mode), _HALTS)) * reach
    lights = np.where(lights > reach / 2, total - reach + lights, lights)
    waits = np.where(is_held, rng.uniform(6, 45, lights.shape), 0.0)
    stops = np.maximum(ways.stops, 1)[:, None]
    at_stops = np.where(number < stops, _at_samples(ways, number / stops), total)
    longest = np.where((mode == Mode.TRAIN)[:, None], 70.0, 32.0)
    stop_waits = np.where(number < stops, rng.uniform(0.55, 1.0, lights.shape) * longest, 0.0)
    rides = np.isin(mode, RIDES)[:, None]
    return np.where(rides, at_stops, lights), np.where(rides, stop_waits, waits)


def _at_samples(ways: Ways, share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the metres at shares of the samples: where a ride's stops are."""
    last = ways.metres.shape[1] - 1
    place = np.clip(share, 0, 1) * last
    left = np.minimum(place.astype(np.int64), last - 1)
    low = np.take_along_axis(ways.metres, left, axis=1)
    return np.asarray(low + (place - left) * (np.take_along_axis(ways.metres, left + 1, axis=1) - low))


def _limits(road: NDArray[np.int64], town: NDArray[np.int64]) -> NDArray[np.float64]:
    fastest = np.array([_MOTORWAY_LIMITS.get(one.region, 120.0) for one in SETTLEMENTS])[town][:, None]
    return np.where(road == Road.MOTORWAY, fastest, np.array([*_LIMITS, 0.0])[road])


def _speeds(
    mode: NDArray[np.int64],
    ways: Ways,
    limit_kmh: NDArray[np.float64],
    driver: NDArray[np.int64],
    people: People,
) -> NDArray[np.float64]:
    """Return metres per second by leg and stretch, before the day's noise."""
    plain = np.array([_SPEEDS.get(Mode(way), 0.0) for way in Mode])[mode]
    gap = ways.total_metres / np.maximum(ways.stops, 1)
    plain = np.where(mode == Mode.TRAIN, np.clip(12 + gap / 250, 14, 36), plain)[:, None]
    haste = np.where(people.is_speeding[driver], 1.24, 1.0)
    haste = haste * np.where(people.character[driver] == Character.AGGRESSIVE, 1.04, 0.97)
    return np.where((mode == Mode.CAR)[:, None], limit_kmh / 3.6 * haste[:, None], plain)
