"""The phones: how often they look, how well they know where they are, and when they send it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from offramp.sources.phones.chance import unit
from offramp.sources.phones.personas import PLANTED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.phones.people import People

NEVER = 1e12
_DAY = 86_400.0
_HOUR = 3_600.0


@dataclass(frozen=True, slots=True)
class Phones:
    """How each person's phone behaves. Periods in seconds, instants in seconds since 1970.

    ``looks_every`` while it moves, ``beats_every`` while it is still (0 for never), ``sends_every``; ``is_lazy``
    phones notice a departure only 60 to 150 m later. Between ``joined`` and ``left`` the app is on the phone; from
    ``silent_from`` to ``silent_until`` the phone is off.
    """

    seed: int
    looks_every: NDArray[np.float64]
    beats_every: NDArray[np.float64]
    sends_every: NDArray[np.float64]
    accuracy_metres: NDArray[np.float64]
    is_lazy: NDArray[np.bool_]
    is_mounted: NDArray[np.bool_]
    joined: NDArray[np.float64]
    left: NDArray[np.float64]
    silent_from: NDArray[np.float64]
    silent_until: NDArray[np.float64]

    def sees(self, person: NDArray[np.int64], instant: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say whether a person's phone notices what happens at an instant."""
        is_here = (instant >= self.joined[person]) & (instant < self.left[person])
        is_silent = (instant >= self.silent_from[person]) & (instant < self.silent_until[person])
        off, on = self.restart(person, (instant // _DAY).astype(np.int64))
        return np.asarray(is_here & ~is_silent & ~((instant >= off) & (instant < on)))

    def restart(
        self, person: NDArray[np.int64], day: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return when a phone goes off and on again on a UTC day, counted since 1970; NEVER for most days."""
        off = np.round(day * _DAY + self._chance(41, person, day) * 23 * _HOUR, 3)
        on = np.round(off + 600 + 1_500 * self._chance(43, person, day), 3)
        happens = self._chance(42, person, day) < 0.025
        return np.where(happens, off, NEVER), np.where(happens, on, NEVER)

    def clock_error(self, person: NDArray[np.int64], instant: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the seconds by which clocks are ahead: rarely an hour, for two hours."""
        window = (instant // 7_200).astype(np.int64)
        return np.where(self._chance(51, person, window) < 0.0006, 3_600.0, 0.0)

    def beats_at(self, person: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the second after 1970 from which a phone's heartbeats count."""
        return np.asarray(self._chance(52, person) * self.beats_every[person])

    def _chance(self, salt: int, *columns: NDArray[np.int64]) -> NDArray[np.float64]:
        return unit(self.seed * 1_000 + salt, *columns)

    def sent(self, person: NDArray[np.int64], instant: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return when a phone's batch with what happened at an instant arrives."""
        period = self.sends_every[person]
        phase = self._chance(31, person) * period
        batch = np.ceil((instant - phase) / period).astype(np.int64)
        due = batch * period + phase
        held = np.where(
            self._chance(32, person, batch) < 0.02, self._chance(33, person, batch) * 9 * _HOUR + _HOUR, 0.0
        )
        day = (due // _DAY).astype(np.int64)
        fate = self._chance(34, person, day)
        # Whole days without a network: the next day, or three days later.
        held += np.where(fate < 0.02, (20 + 10 * self._chance(35, person, day)) * _HOUR, 0.0)
        held += np.where(fate > 0.994, (66 + 10 * self._chance(35, person, day)) * _HOUR, 0.0)
        return np.asarray(np.round(due + held + 4 * self._chance(36, person, batch), 3))

    def repeats(self, person: NDArray[np.int64], received: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say what is sent once more: the app did not hear that it had arrived."""
        return np.asarray(self._chance(37, person, (received * 1000).astype(np.int64)) < 0.015)


def equip(seed: int, people: People, begins: float) -> Phones:
    """Give everybody a phone. ``begins`` is the life's first instant, in seconds since 1970."""
    count = len(people)
    rng = np.random.default_rng([seed, 6])
    is_planted = np.arange(count) < len(PLANTED)
    joins_late = (rng.random(count) < 0.2) & ~is_planted
    joined = np.where(joins_late, begins + rng.uniform(1, 40, count) * _DAY, begins)
    leaves = (rng.random(count) < 0.05) & ~is_planted
    left = np.where(leaves, joined + rng.uniform(6, 60, count) * _DAY, NEVER)
    # In every life somebody joins early on, and somebody leaves.
    newcomer, leaver = len(PLANTED), len(PLANTED) + 1
    joined[newcomer], left[newcomer] = begins + 2.4 * _DAY, NEVER
    joined[leaver], left[leaver] = begins, begins + 9.3 * _DAY
    silent_from = np.where(people.is_silent, begins + rng.uniform(4, 14, count) * _DAY, NEVER)
    silent_from[: len(PLANTED)] = np.where(people.is_silent[: len(PLANTED)], begins + 4.6 * _DAY, NEVER)
    beats = rng.uniform(1_800, 3_600, count).round()
    return Phones(
        seed=seed,
        looks_every=rng.uniform(10, 40, count).round(),
        beats_every=np.where(rng.random(count) < 0.6, beats, 0.0),
        sends_every=(rng.uniform(5, 60, count) * 60).round(),
        accuracy_metres=rng.uniform(5, 10, count),
        is_lazy=rng.random(count) < 0.2,
        is_mounted=rng.random(count) < 0.5,
        joined=joined.round(),
        left=left.round(),
        silent_from=silent_from.round(),
        silent_until=(silent_from + rng.uniform(9.5, 12, count) * _DAY).round(),
    )
