"""Which state a delivery may go to from which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.domain.deliveries import State

if TYPE_CHECKING:
    from collections.abc import Mapping

ALLOWED: Mapping[State, frozenset[State]] = {
    State.PLANNED: frozenset({State.STAGED, State.FAILED, State.SUPERSEDED}),
    # Staged again: parts that left the lake before they were published are made anew.
    State.STAGED: frozenset({State.STAGED, State.PUBLISHED, State.SUBMITTED, State.FAILED, State.SUPERSEDED}),
    # Failed again: a retry has an error of its own.
    State.FAILED: frozenset({State.PLANNED, State.STAGED, State.FAILED, State.SUPERSEDED}),
    State.SUBMITTED: frozenset({State.ACCEPTED, State.REFUSED, State.SUPERSEDED}),
    State.PUBLISHED: frozenset({State.SUPERSEDED}),
    State.ACCEPTED: frozenset({State.SUPERSEDED}),
    State.REFUSED: frozenset({State.SUPERSEDED}),
    State.SUPERSEDED: frozenset(),
}
"""Every step that the ledger takes. Superseded is the end: such a revision is never published."""

REPLACES = frozenset({State.PUBLISHED, State.ACCEPTED})
"""On reaching these a correction supersedes the revision that it names."""
