"""When things happen in a day of the demo, and when they become visible.

A row's change column tells when it happened, ``_committed_at`` when readers could see it. Most rows are visible
within seconds. Some are minutes or hours late, some so late that their day had closed: those are what the delta
rules of media_exports.md section 7 call late. Some happen in the first minutes of a day: those are pending.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from offramp.sources.demo.draw import HOUR, MINUTE, SECOND, Draw

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Part(Enum):
    """The parts of a day, each with its [start, end) in hours and its share of the day's changes.

    A key changes at most once in a part, so that its versions are in the order of their commits.
    """

    NIGHT = (0, 7, 0.2)
    WORK = (7, 17, 0.45)
    EVENING = (17, 24, 0.35)


@dataclass(frozen=True, slots=True)
class Moments:
    """Instants in microseconds since 1970: ``changed`` in whole seconds unless asked, ``committed`` never before it."""

    changed: NDArray[np.int64]
    committed: NDArray[np.int64]

    def cut(self, first: int, last: int) -> Moments:
        """Return the moments at [first, last)."""
        return Moments(self.changed[first:last], self.committed[first:last])


def moments(draw: Draw, midnight: int, part: Part, n: int) -> Moments:
    """Draw when n changes of a part of a day happen and become visible."""
    start, end, _ = part.value
    committed = midnight + draw.whole(start * HOUR, end * HOUR, n)
    lag = (draw.rng.exponential(2.0, n) * SECOND).astype(np.int64)
    lag = np.where(draw.chance(0.06, n), draw.whole(5 * MINUTE, 5 * HOUR, n), lag)
    if part is Part.NIGHT:
        fate = draw.rng.random(n)
        at_midnight = midnight + draw.whole(2 * SECOND, 4 * MINUTE, n)
        committed = np.where(fate < 0.25, at_midnight, committed)
        lag = np.where(fate < 0.25, SECOND, lag)
        # After 00:05, when the landing of a delivery with the usual safety lag has been made.
        committed = np.where(fate > 0.6, midnight + draw.whole(6 * MINUTE, 6 * HOUR, n), committed)
        yesterday = midnight - draw.whole(SECOND, 6 * HOUR, n)
        lag = np.where(fate > 0.6, committed - yesterday, lag)
    return Moments((committed - lag) // SECOND * SECOND, committed)
