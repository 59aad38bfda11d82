"""Tries again what may pass, a bounded number of times, and leaves alone for a while what does not answer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_exception_type, wait_random_exponential

from offramp.domain.errors import (
    DestinationChanged,
    DestinationClosed,
    DestinationDown,
    DestinationUnreachable,
    OfframpError,
    VerificationFailed,
)
from offramp.pipeline.rooms import Down

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenacity import RetryCallState

    from offramp.pipeline.rooms import Patience, Report, Rooms

_MOST_TIMES = 4
_MAY_PASS = (DestinationUnreachable, DestinationChanged, VerificationFailed)


@dataclass(slots=True)
class Tries:
    """How often work failed, and since when, without getting any further in between."""

    patience: Patience
    failed: int = 0
    _moved_at: float = field(default_factory=time.monotonic)

    def moved(self) -> None:
        """Note that something goes on, if only the reading back of what was sent."""
        self._moved_at = time.monotonic()

    def further(self) -> None:
        """Begin to count anew: a long upload that got further may break off again."""
        self.failed = 0
        self.moved()

    @property
    def silence(self) -> timedelta:
        """How long nothing moved."""
        return timedelta(seconds=time.monotonic() - self._moved_at)

    def are_over(self, _state: object) -> bool:
        """Count an attempt that failed, and return whether it was the last one."""
        self.failed += 1
        return self.failed >= self.patience.attempts or self.silence > self.patience.silence


def patience_with(rooms: Rooms, name: str) -> Patience:
    """Return how often a destination is tried: once where it broke off lately, for it may do so for every file."""
    return replace(rooms.patience, attempts=1) if name in rooms.wary else rooms.patience


def again(subject: str, work: Callable[[], object], report: Report, tries: Tries) -> None:
    """Do work at a destination; after an error that may pass, do it again, each time after a longer pause.

    Pauses are drawn by chance below a bound that doubles, so that runs that failed together do not come back
    together. Each is reported as the step ``retry``. ``tries`` is told by the work when it gets further. Raises the
    last error, as DestinationDown where nothing moved for long.
    """
    patience = tries.patience

    def tell(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        pause = state.next_action.sleep if state.next_action else 0
        told = f"{subject}: attempt {tries.failed + 1} of {patience.attempts} in {pause:.1f} s"
        report("retry", f"{told}: {_said(error)}" if isinstance(error, OfframpError) else told)

    first, longest = patience.first_pause.total_seconds(), patience.longest_pause.total_seconds()
    retrying = Retrying(
        retry=retry_if_exception_type(_MAY_PASS),
        stop=tries.are_over,
        wait=wait_random_exponential(multiplier=first, min=first / 2, max=longest),
        before_sleep=tell,
        reraise=True,
    )
    try:
        retrying(work)
    except _MAY_PASS as error:
        if type(error) is not DestinationUnreachable or tries.silence < patience.hangs:
            raise
        raise DestinationDown(
            error.what, where=error.where, expected=error.expected, found=error.found, todo=error.todo
        ) from error


def expect_up(rooms: Rooms, name: str) -> None:
    """Raise at once what a destination said that is left alone now."""
    down = rooms.down.get(name)
    if down is not None and (down.until is None or rooms.clock() < down.until):
        error, when = down.error, "for the rest of this run"
        if down.until is not None:
            when = f"until {down.until:%H:%M:%S} UTC"
        raise type(error)(
            f"it is left alone {when}, for {error.what}", expected=error.expected, found=error.found, todo=error.todo
        )


def learn(rooms: Rooms, name: str, error: OfframpError | None) -> None:
    """Keep in mind what became of a destination, so that others do not wait for it.

    One that does not answer is left alone for a while, twice as long each time; one that does not let us in for the
    rest of the run, for accounts are locked after a few wrong passwords; one that broke off is tried once a file.
    """
    known = rooms.down.get(name)
    match error:
        case None:
            rooms.down.pop(name, None)
            rooms.wary.discard(name)
        case DestinationClosed():
            rooms.down[name] = Down(None, error)
        case DestinationDown() if known is None or (known.until is not None and known.until <= rooms.clock()):
            times = 1 if known is None else min(known.times + 1, _MOST_TIMES)
            rooms.down[name] = Down(rooms.clock() + rooms.patience.down_for * 2 ** (times - 1), error, times)
        case DestinationDown():
            pass  # what expect_up says again
        case DestinationUnreachable() | VerificationFailed():
            rooms.wary.add(name)
        case _:
            pass


def _said(error: OfframpError) -> str:
    return error.what if error.found is None else f"{error.what}: {error.found}"
