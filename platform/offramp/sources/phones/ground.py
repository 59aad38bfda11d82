"""Distances and offsets on the ground, near enough to flat for what happens within a town."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RADIUS_METRES = 6_371_000.0
DEGREE_METRES = RADIUS_METRES * np.pi / 180


def distance_metres(
    latitude: NDArray[np.float64],
    longitude: NDArray[np.float64],
    other_latitude: NDArray[np.float64],
    other_longitude: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return great-circle distances between positions in degrees."""
    one, other = np.radians(latitude), np.radians(other_latitude)
    half_latitude = np.sin((other - one) / 2)
    half_longitude = np.sin(np.radians(other_longitude - longitude) / 2)
    square = half_latitude**2 + np.cos(one) * np.cos(other) * half_longitude**2
    return np.asarray(2 * RADIUS_METRES * np.arcsin(np.sqrt(square)))


def moved(
    latitude: NDArray[np.float64],
    longitude: NDArray[np.float64],
    east_metres: NDArray[np.float64],
    north_metres: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return positions moved by metres east and north."""
    return (
        latitude + north_metres / DEGREE_METRES,
        longitude + east_metres / (DEGREE_METRES * np.cos(np.radians(latitude))),
    )
