"""The UI as people use it: Dagster's web server and daemon, a run in a process of its own, a browser."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from platform_tests.browser.driving import check_page, materialize, partition_page, see

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from platform_tests.browser.conftest import Shown

PLATFORMS = "media/snapshot/platforms"
USERS = "media/delta/users"
EMAIL_CHECK = "contract"

pytestmark = pytest.mark.timeout(600)


def test_a_day_that_is_materialized_in_the_ui_is_delivered_and_its_file_is_shown(page: Page, shown: Shown) -> None:
    day = shown.day.isoformat()
    name = f"platforms/platforms_{shown.day + timedelta(days=1):%Y_%m_%d}.csv"

    materialize(page, shown.address, PLATFORMS, day)

    see(page, f"{shown.address}/{partition_page(PLATFORMS, day)}", "Materialized", name, "north", "south")
    page.screenshot(path=shown.screenshots / "delivered.png")
    assert {f"north/{name}", f"south/{name}"} <= shown.house.files()
    assert f"south/{name}" in shown.house.files("mirror")


def test_a_data_test_that_fails_is_a_failed_check_and_nothing_is_delivered(page: Page, shown: Shown) -> None:
    day = shown.day.isoformat()

    materialize(page, shown.address, USERS, day)

    see(page, f"{shown.address}/{check_page(USERS, EMAIL_CHECK)}", "Evaluation result", "Failed", "failing_rows", day)
    page.screenshot(path=shown.screenshots / "failed_check.png")
    assert not any("users" in name for name in shown.house.files())


def test_the_page_asks_no_other_host_for_anything(page: Page, shown: Shown) -> None:
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url.split("/")[2].split(":")[0]))

    see(page, f"{shown.address}/asset-groups", "Global asset lineage", "recipients")

    page.screenshot(path=shown.screenshots / "lineage.png")
    assert asked == {"127.0.0.1"}
