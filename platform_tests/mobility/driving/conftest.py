"""Houses of drives, with one engine for all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from offramp.engine.duckdb_engine import DuckDBEngine
from platform_tests.mobility.driving.drive_house import DriveHouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBEngine]:
    made = DuckDBEngine(tmp_path_factory.mktemp("scratch"), 256 * 1024 * 1024, 2)
    yield made
    made.close()


@pytest.fixture
def house(tmp_path: Path, engine: DuckDBEngine) -> DriveHouse:
    return DriveHouse(tmp_path, engine)
