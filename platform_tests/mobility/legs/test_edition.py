"""The edition of how legs are described."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.feeds.mobility.legs.edition import edition

if TYPE_CHECKING:
    import pytest


def test_a_threshold_changes_the_edition(monkeypatch: pytest.MonkeyPatch) -> None:
    before = edition()
    monkeypatch.setattr("offramp.feeds.mobility.legs.thresholds.RIDE_SPEED", 6.0)
    assert edition() != before
