"""A house per test; the demo's data is generated once and copied."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from platform_tests.orchestration.house import House

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house whose demo exists and whose first day was delivered. Tests only read it."""
    house = House.build(tmp_path_factory.mktemp("generated") / "house")
    assert house.run(["media/delta/users", "media/snapshot/platforms", "media/snapshot/users"]).failed == ()
    assert house.files()
    return house


@pytest.fixture
def house(generated: House, tmp_path: Path) -> House:
    """A house in which nothing has run yet."""
    fresh = House.build(tmp_path / "house")
    shutil.copytree(generated.root / "demo", fresh.root / "demo")
    return fresh
