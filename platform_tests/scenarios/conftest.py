"""What the scenarios share: one life of the demo, each day of it made once."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from platform_tests.scenarios.scene import demo_source

if TYPE_CHECKING:
    from pathlib import Path

BEGINS = date(2026, 10, 20)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The settings of a demo that begins on 2026-10-20."""
    folder: Path = tmp_path_factory.mktemp("demo")
    return demo_source(folder, BEGINS)
