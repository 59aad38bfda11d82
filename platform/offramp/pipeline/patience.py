"""Tries again what may pass, a bounded number of times, and leaves alone for a while what does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

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

    from offramp.pipeline.rooms import Report, Rooms

_MAY_PASS = (DestinationUnreachable, DestinationChanged, VerificationFailed)


def again(rooms: Rooms, subject: str, work: Callable[[], object], report: Report) -> None:
    """Do work at a destination; after an error that may pass, do it again, each time after a longer pause.

    Pauses are drawn by chance below a bound that doubles, so that runs that failed together do not come back
    together. Each is reported as the step ``retry``. Raises the last error.
    """
    patience = rooms.patience

    def tell(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        pause = state.next_action.sleep if state.next_action else 0
        told = f"{subject}: attempt {state.attempt_number + 1} of {patience.attempts} in {pause:.1f} s"
        report("retry", f"{told}: {_said(error)}" if isinstance(error, OfframpError) else told)

    first, longest = patience.first_pause.total_seconds(), patience.longest_pause.total_seconds()
    retrying = Retrying(
        retry=retry_if_exception_type(_MAY_PASS),
        stop=stop_after_attempt(patience.attempts),
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
