"""The table of steps."""

from __future__ import annotations

import pytest

from offramp.domain.deliveries import DELIVERED, State
from offramp.ledger.transitions import ALLOWED


def test_every_state_has_its_steps() -> None:
    assert set(ALLOWED) == set(State)


@pytest.mark.parametrize("state", sorted(set(State) - {State.SUPERSEDED}))
def test_every_state_can_be_superseded(state: State) -> None:
    assert State.SUPERSEDED in ALLOWED[state]


def test_superseded_is_the_end() -> None:
    assert ALLOWED[State.SUPERSEDED] == frozenset()


@pytest.mark.parametrize("state", sorted(DELIVERED))
def test_what_was_delivered_is_never_made_again(state: State) -> None:
    assert not ALLOWED[state] & {State.PLANNED, State.STAGED, State.FAILED, State.PUBLISHED}


@pytest.mark.parametrize("state", sorted(set(State) - {State.STAGED}))
def test_only_what_was_staged_is_published(state: State) -> None:
    assert State.PUBLISHED not in ALLOWED[state]
