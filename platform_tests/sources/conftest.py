"""Demos that suites share, and a connection to an empty database."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from offramp.sources.demo.source import DemoSource
from platform_tests.sources.landing_folder import START

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def connection(postgres_dsn: str) -> Iterator[psycopg.Connection]:
    """A connection of its own to the test's database, each statement a transaction."""
    with psycopg.connect(postgres_dsn, autocommit=True) as opened:
        yield opened


@pytest.fixture
def demo_of(tmp_path: Path) -> Callable[..., DemoSource]:
    """A demo of a small scale; keyword arguments replace its settings."""

    def build(**settings: object) -> DemoSource:
        base = {
            "name": "demo",
            "folder": tmp_path / "demo",
            "seed": 7,
            "start_on": date(2026, 1, 1),
            "days": None,
            "scale": 0.1,
            "clock": lambda: START + timedelta(days=5),
        }
        return DemoSource(**(base | settings))  # type: ignore[arg-type]

    return build


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> DemoSource:
    """A demo of scale 1 with 12 days on disk; suites only read it."""
    demo = DemoSource(
        name="demo",
        folder=tmp_path_factory.mktemp("lived"),
        seed=1,
        start_on=date(2026, 1, 1),
        days=None,
        scale=1.0,
        clock=lambda: START + timedelta(days=12),
    )
    demo.select_as_of("users", START + timedelta(days=12))
    return demo
