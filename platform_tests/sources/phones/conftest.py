"""Phones that suites share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from offramp.sources.phones.source import PhonesSource
from platform_tests.sources.phones.landing import DAY, START

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def phones_of(tmp_path: Path) -> Callable[..., PhonesSource]:
    """Phones of the smallest life; keyword arguments replace its settings."""

    def build(**settings: object) -> PhonesSource:
        base = {
            "name": "mobility",
            "folder": tmp_path / "phones",
            "seed": 7,
            "start_on": START.date(),
            "days": None,
            "scale": 0.1,
            "clock": lambda: START + 5 * DAY,
        }
        return PhonesSource(**(base | settings))  # type: ignore[arg-type]

    return build


@pytest.fixture(scope="session")
def lived_phones(tmp_path_factory: pytest.TempPathFactory) -> PhonesSource:
    """Phones of scale 1 with 21 days on disk; suites only read them."""
    source = PhonesSource(
        name="mobility",
        folder=tmp_path_factory.mktemp("phones"),
        seed=1,
        start_on=START.date(),
        days=None,
        scale=1.0,
        clock=lambda: START + 21 * DAY,
    )
    source.select_as_of("fixes", START + 21 * DAY)
    return source
