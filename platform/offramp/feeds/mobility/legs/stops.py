"""Stops of public transport, laid out so that those near a point are found by a binary search in each band."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from numba import njit

from offramp.feeds.mobility.legs import thresholds as at
from offramp.feeds.mobility.legs.spikes import metres_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The order of kinds in every array.
KINDS = ("bus", "tram", "train", "airport")

# Bands of latitude are 0.05 degrees high, 5.6 km: a radius of 5 km touches three at most.
_BANDS_PER_DEGREE = 20
# A key is (kind, band, longitude in millionths of a degree), each counted from 0.
_BANDS = 180 * _BANDS_PER_DEGREE + 1
_LONGITUDES = 400_000_000


class Stops(NamedTuple):
    """Stops by key, in rising order, with their degrees."""

    key: NDArray[np.int64]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]


def stops_by_place(stops: pl.DataFrame) -> Stops:
    """Return stops (kind, latitude, longitude) by place. Those of other kinds and off the globe are left out."""
    placed = (
        stops.filter(
            pl.col("kind").is_in(KINDS),
            pl.col("latitude").is_between(-90, 90),
            pl.col("longitude").is_between(-180, 180),
        )
        .with_columns(
            pl.col("kind").replace_strict(list(KINDS), list(range(len(KINDS))), return_dtype=pl.Int64).alias("code"),
            ((pl.col("latitude") + 90) * _BANDS_PER_DEGREE).floor().cast(pl.Int64).alias("band"),
            ((pl.col("longitude") + 180) * 1e6).floor().cast(pl.Int64).alias("east"),
        )
        .with_columns(((pl.col("code") * _BANDS + pl.col("band")) * _LONGITUDES + pl.col("east")).alias("key"))
        .sort("key", "latitude", "longitude")
    )
    return Stops(
        placed.get_column("key").to_numpy(writable=True),
        placed.get_column("latitude").cast(pl.Float64).to_numpy(writable=True),
        placed.get_column("longitude").cast(pl.Float64).to_numpy(writable=True),
    )


@njit()
def is_near(stops: Stops, kind: int, latitude: float, longitude: float, metres: float) -> bool:
    """Return whether a stop of the kind lies within so many metres. Those beyond the 180th meridian are not seen."""
    degrees = math.degrees(metres / at.EARTH_METRES)
    wide = degrees / max(math.cos(math.radians(latitude)), 0.01)
    south = int((max(latitude - degrees, -90.0) + 90) * _BANDS_PER_DEGREE)
    north = int((min(latitude + degrees, 90.0) + 90) * _BANDS_PER_DEGREE)
    for band in range(south, north + 1):
        base = (kind * _BANDS + band) * _LONGITUDES
        i = np.searchsorted(stops.key, base + int(max(longitude + 180 - wide, 0.0) * 1e6))
        most = base + int(min(longitude + 180 + wide, 360.0) * 1e6)
        while i < stops.key.shape[0] and stops.key[i] <= most:
            if metres_between(latitude, longitude, stops.latitude[i], stops.longitude[i]) <= metres:
                return True
            i += 1
    return False
