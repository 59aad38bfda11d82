"""What a person does in the UI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import TimeoutError as StillWaiting

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

_TRIES = 24
_LOOK_MS = 5_000


def materialize(page: Page, address: str, asset: str, partition: str) -> None:
    """Open an asset's page and launch a run of one partition."""
    page.goto(f"{address}/assets/{asset}")
    page.get_by_role("button", name="Materialize").first.click()
    dialog = page.locator("[role=dialog]").last
    chosen = dialog.locator("input[type=text]").first
    # Asked first where nothing upstream was ever materialized.
    confirm = page.get_by_role("button", name="Confirm")
    confirm.or_(chosen).first.wait_for()
    if confirm.count():
        confirm.click()
    chosen.wait_for()
    chosen.fill(partition)
    chosen.press("Enter")
    dialog.get_by_role("button", name="Launch 1 run").click()
    dialog.wait_for(state="hidden")


def partition_page(asset: str, partition: str) -> str:
    """Return the path of a partition of an asset."""
    return f"assets/{asset}?view=partitions&partition={partition}"


def check_page(asset: str, check: str) -> str:
    """Return the path of a check of an asset."""
    return f"assets/{asset}?view=checks&checkDetail={check}"


def see(page: Page, url: str, *texts: str) -> None:
    """Open a page, again and again for two minutes, until it shows all texts."""
    for _ in range(_TRIES):
        page.goto(url)
        try:
            for text in texts:
                _shown(page, text).wait_for(timeout=_LOOK_MS)
        except StillWaiting:
            continue
        return
    message = f"{url} does not show {texts}; it shows:\n{page.locator('body').inner_text()}"
    raise AssertionError(message)


def _shown(page: Page, text: str) -> Locator:
    return page.get_by_text(text, exact=True).locator("visible=true").first
