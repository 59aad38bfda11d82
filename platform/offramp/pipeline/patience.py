"""Tries again what may pass, a bounded number of times, and leaves alone for a while what does not answer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_exception_type, wait_random_exponential

from offramp.domain.errors import (
    DestinationChanged,
    DestinationClosed,
    DestinationUnreachable,
    OfframpError,
    VerificationFailed,
)
from offramp.pipeline.rooms import Down

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenacity import RetryCallState

    from offramp.pipeline.rooms import Patience, Report, Rooms

_MAY_PASS = (DestinationUnreachable, DestinationChanged, VerificationFailed)


@dataclass(slots=True)
class Tries:
    """How often work failed, and since when, without getting any further in between."""

    patience: Patience
    failed: int = 0
    _further_at: float = field(default_factory=time.monotonic)

    def further(self) -> None:
        """Begin to count anew: a long upload that got further may break off again."""
        self.failed, self._further_at = 0, time.monotonic()

    def are_over(self, _state: object) -> bool:
        """Count an attempt that failed, and return whether it was the last one."""
        self.failed += 1
        silence = time.monotonic() - self._further_at
        return self.failed >= self.patience.attempts or silence > self.patience.silence.total_seconds()


def again(rooms: Rooms, subject: str, work: Callable[[], object], report: Report, tries: Tries | None = None) -> None:
    """Do work at a destination; after an error that may pass, do it again, each time after a longer pause.

    Pauses are drawn by chance below a bound that doubles, so that runs that failed together do not come back
    together. Each is reported as the step ``retry``. ``tries`` is told by the work when it gets further. Raises the
    last error.
    """
    patience, counted = rooms.patience, tries or Tries(rooms.patience)

    def tell(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        pause = state.next_action.sleep if state.next_action else 0
        told = f"{subject}: attempt {counted.failed + 1} of {patience.attempts} in {pause:.1f} s"
        report("retry", f"{told}: {_said(error)}" if isinstance(error, OfframpError) else told)

    first, longest = patience.first_pause.total_seconds(), patience.longest_pause.total_seconds()
    retrying = Retrying(
        retry=retry_if_exception_type(_MAY_PASS),
        stop=counted.are_over,
        wait=wait_random_exponential(multiplier=first, min=first / 2, max=longest),
        before_sleep=tell,
        reraise=True,
    )
    retrying(work)


def expect_up(rooms: Rooms, name: str) -> None:
    """Raise DestinationUnreachable at once for a destination that did not answer a short while ago."""
    down = rooms.down.get(name)
    if down is not None and rooms.clock() < down.until:
        error = down.error
        raise DestinationUnreachable(
            f"it is left alone until {down.until:%H:%M:%S} UTC, for {error.what}",
            expected=error.expected,
            found=error.found,
            todo=error.todo,
        )
    rooms.down.pop(name, None)


def set_down(rooms: Rooms, name: str, error: OfframpError) -> None:
    """Leave a destination alone for a while if it did not answer, or did not let us in: others shall not wait."""
    if isinstance(error, DestinationUnreachable | DestinationClosed) and name not in rooms.down:
        rooms.down[name] = Down(rooms.clock() + rooms.patience.down_for, error)


def _said(error: OfframpError) -> str:
    return error.what if error.found is None else f"{error.what}: {error.found}"
