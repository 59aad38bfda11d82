"""Steps: the named points at which work that leaves something behind can be cut off.

Whoever lands, stages or publishes tells ``at_step`` the name of each point as it gets there: before a write, between
a rename and its flush. What a killed process left at any of them is whole, or is seen by nobody. In production
nobody listens; tests end the process there, and prove that the next run ends what this one began.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def no_step(_name: str) -> None:
    """Do nothing at a step."""


def nothing_sent(_bytes: int) -> None:
    """Tell nobody how far an upload is."""


@contextmanager
def around(at_step: Callable[[str], None], step: str) -> Iterator[None]:
    """Tell of a step before and after it was done; not after it failed."""
    at_step(f"before {step}")
    yield
    at_step(f"after {step}")
