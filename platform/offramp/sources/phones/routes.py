"""Ways between places, and how they are driven: the line on the ground, and the time at each metre of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from offramp.sources.phones.chance import unit
from offramp.sources.phones.ground import DEGREE_METRES, distance_metres
from offramp.sources.phones.personas import RIDES, Mode

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Both ends of a way, up to 3 km each, zigzag like streets; between them it bends like a highway.
_PART = 32
_SAMPLES = 3 * _PART + 1
_END_METRES = 3_000.0
_BLOCK_METRES = 380.0
# Flattened columns of all legs stay sorted when each leg is moved by this much, in metres or seconds.
_APART = 1e8


@dataclass(frozen=True, slots=True)
class Ways:
    """The lines of some legs: positions at samples, and the metres from the start to each, one leg per row."""

    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    metres: NDArray[np.float64]
    stops: NDArray[np.int64]

    @property
    def total_metres(self) -> NDArray[np.float64]:
        """Return each leg's length."""
        return np.asarray(self.metres[:, -1])

    def at(
        self, leg: NDArray[np.int64], metres: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the positions of legs at distances from their starts."""
        left, part = locate(self.metres, leg, metres)
        latitude, longitude = self.latitude.ravel(), self.longitude.ravel()
        return (
            latitude[left] + part * (latitude[left + 1] - latitude[left]),
            longitude[left] + part * (longitude[left + 1] - longitude[left]),
        )


def locate(
    table: NDArray[np.float64], row: NDArray[np.int64], value: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the flat place left of each value in its row of a sorted table, and the part of the way to the right."""
    width = table.shape[1]
    shifted = (table + np.arange(len(table))[:, None] * _APART).ravel()
    left = np.searchsorted(shifted, value + row * _APART, side="right") - 1
    left = np.clip(left, row * width, row * width + width - 2)
    flat = table.ravel()
    step = flat[left + 1] - flat[left]
    part = np.divide(value - flat[left], step, out=np.zeros(len(value)), where=step > 0)
    return left, np.clip(part, 0.0, 1.0)


def ways(
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    mode: NDArray[np.int64],
    latitude: NDArray[np.float64],
    longitude: NDArray[np.float64],
) -> Ways:
    """Lay the ways between places; the same two places are always joined by the same way."""
    straight = distance_metres(latitude[start], longitude[start], latitude[end], longitude[end])
    share, aside = _shape(start, end, mode, straight)
    rises = (latitude[end] - latitude[start])[:, None]
    runs = (longitude[end] - longitude[start])[:, None]
    shrink = np.cos(np.radians((latitude[start] + latitude[end]) / 2))[:, None]
    length = np.maximum(np.hypot(rises, runs * shrink) * DEGREE_METRES, 1.0)
    # The normal of the straight line, in degrees per metre aside.
    way_latitude = latitude[start][:, None] + share * rises + aside * (runs * shrink) / length
    way_longitude = longitude[start][:, None] + share * runs - aside * (rises / shrink) / length
    rides = np.flatnonzero(np.isin(mode, RIDES))
    stops = np.zeros(len(start), np.int64)
    stops[rides] = np.abs(end[rides] - start[rides])
    along = start[rides][:, None] + np.linspace(0, 1, _SAMPLES) * (end - start)[rides][:, None]
    left = np.floor(along).astype(np.int64)
    right, part = np.ceil(along).astype(np.int64), along - left
    way_latitude[rides] = latitude[left] + part * (latitude[right] - latitude[left])
    way_longitude[rides] = longitude[left] + part * (longitude[right] - longitude[left])
    step = distance_metres(way_latitude[:, :-1], way_longitude[:, :-1], way_latitude[:, 1:], way_longitude[:, 1:])
    metres = np.concatenate([np.zeros((len(start), 1)), np.cumsum(step, axis=1)], axis=1)
    return Ways(way_latitude, way_longitude, metres, stops)


def _shape(
    start: NDArray[np.int64], end: NDArray[np.int64], mode: NDArray[np.int64], straight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return for each sample the share of the straight line behind it and the metres aside of that line."""
    ends = np.minimum(1 / 3, _END_METRES / np.maximum(straight, 1.0))[:, None]
    grid = np.linspace(0, 1, _PART + 1)
    first = ends * grid[:-1]
    share = np.concatenate([first, ends + (1 - 2 * ends) * grid[:-1], 1 - ends + ends * grid], axis=1)
    chance = [unit(salt, start, end)[:, None] for salt in (11, 12, 13)]
    blocks = ends[:, 0] * straight / _BLOCK_METRES
    cycles = (2.0 ** np.clip(np.round(np.log2(np.maximum(blocks, 1))), 0, 2))[:, None]
    zigzag = (0.06 + 0.1 * chance[0]) * ends * straight[:, None] / cycles
    sign = np.where(chance[1] < 0.5, -1.0, 1.0)
    is_short = ends >= 1 / 3
    wave = _triangle(grid * cycles)
    middle = np.where(is_short, wave[:, :-1], 0.0)
    aside = sign * zigzag * np.concatenate([wave[:, :-1], middle, wave], axis=1)
    bend = straight[:, None] * 0.12 * (chance[2] - 0.5) * np.sin(np.pi * share)
    return share, np.where((mode == Mode.FLIGHT)[:, None], 0.0, aside + bend)


def _triangle(turns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a wave of straight lines between -1 and 1, 0 at whole turns."""
    return np.asarray(4 * np.abs((turns + 0.75) % 1 - 0.5) - 1)
