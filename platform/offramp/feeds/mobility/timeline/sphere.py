"""Distances on the sphere for compiled loops, compared without an arc cosine.

The sphere and its radius are those of ``rule.py``. Nothing here knows fixes or stays.
"""

from __future__ import annotations

import math

from numba import njit

from offramp.feeds.mobility.timeline.rule import EARTH_RADIUS_METRES

_RADIANS = math.pi / 180
_HALF_RADIANS = math.pi / 360


def limit_of(metres: float) -> float:
    """Return sin2 of half the angle that a distance on the sphere subtends."""
    return math.sin(metres / (2 * EARTH_RADIUS_METRES)) ** 2


def reach_of(metres: float) -> float:
    """Return the degrees of latitude beyond which a point is certainly farther than a distance."""
    return math.degrees(metres / EARTH_RADIUS_METRES) * (1 + 1e-9)


@njit()
def cosine(latitude: float) -> float:
    """Return the cosine of a latitude in degrees."""
    return math.cos(latitude * _RADIANS)


@njit()
def half_sine_squared(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float:
    """Return sin2 of half the angle between two points in degrees, the short way round."""
    apart = abs(to_longitude - longitude)
    if apart > 180.0:
        apart = 360.0 - apart
    north = math.sin((to_latitude - latitude) * _HALF_RADIANS)
    east = math.sin(apart * _HALF_RADIANS)
    return north * north + math.cos(latitude * _RADIANS) * math.cos(to_latitude * _RADIANS) * east * east


@njit()
def is_near(anchor: tuple[float, float, float], latitude: float, longitude: float, limit: float, reach: float) -> bool:
    """Tell whether a point is nearer to an anchor (latitude, longitude, cosine of latitude) than a limit."""
    apart = latitude - anchor[0]
    if abs(apart) > reach:
        return False
    north = math.sin(apart * _HALF_RADIANS)
    left = limit - north * north
    if left <= 0.0:
        return False
    apart = abs(longitude - anchor[1])
    if apart > 180.0:
        apart = 360.0 - apart
    east = math.sin(apart * _HALF_RADIANS)
    return anchor[2] * math.cos(latitude * _RADIANS) * east * east < left


@njit()
def metres_of(half_sine: float) -> float:
    """Return the distance that sin2 of a half angle stands for."""
    return 2 * EARTH_RADIUS_METRES * math.asin(math.sqrt(min(1.0, half_sine)))
