"""Chance that depends on names alone: the same person, day or pair of places always draws the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def unit(salt: int, *columns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return numbers in [0, 1) that follow from a salt and the columns' values (splitmix64)."""
    state = np.zeros(np.broadcast_shapes(*(column.shape for column in columns)), np.uint64)
    state += np.uint64(salt)
    for column in columns:
        state = _mixed(state ^ column.astype(np.uint64))
    return (state >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def _mixed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = state + _GOLDEN
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    return np.asarray(state ^ (state >> np.uint64(31)))
