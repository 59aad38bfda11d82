"""A UI over a house of its own, once for all tests of the browser."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest

from platform_tests.browser.ui import browser_page, running_ui
from platform_tests.orchestration.house import House

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page


class Shown(NamedTuple):
    """A running UI: where it is, what it shows, and a data day whose tick has passed."""

    address: str
    house: House
    day: date
    screenshots: Path


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """The UI. A data test of users fails in its project; platforms are sound."""
    # The UI lives in the present: it offers the partitions up to yesterday.
    day = datetime.now(UTC).date() - timedelta(days=2)
    root = tmp_path_factory.mktemp("browser")
    house = House.build(root / "house", first_day=day - timedelta(days=3))
    house.break_users()
    with running_ui(house.settings, root / "ui.log") as address:
        yield Shown(address, house, day, root)


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of the browser."""
    with browser_page() as opened:
        yield opened
