"""The Dagster UI on a free port, and Debian's Chromium to look at it."""

from __future__ import annotations

import socket
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError

from playwright.sync_api import sync_playwright

from offramp.orchestration.ui import start_ui
from platform_tests.servers.programs import chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from offramp.settings.values import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
_ARGUMENTS = [
    "--headless",
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_START_SECONDS = 120


@contextmanager
def running_ui(settings: Settings, log: Path) -> Iterator[str]:
    """Give the address of a UI over a configuration. It and all its children end with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = start_ui(settings, workspace=REPOSITORY / "workspace.yaml", port=port, log=log)
    try:
        address = f"http://127.0.0.1:{port}"
        give_up_at = time.monotonic() + _START_SECONDS
        while not _answers(address):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < give_up_at, log.read_text()
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(60)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/server_info", timeout=5) as answer:  # noqa: S310 - an address of ours
            return bool(answer.status == 200)
    except (URLError, TimeoutError, ConnectionError):
        return False


@contextmanager
def browser_page(*, width: int = 1500, height: int = 1000) -> Iterator[Page]:
    """Give a page of Debian's Chromium."""
    browser_path = chromium()
    assert browser_path, "no chromium on the path: run platform_tests/servers/install"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=_ARGUMENTS)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(60_000)
        yield page
        browser.close()
