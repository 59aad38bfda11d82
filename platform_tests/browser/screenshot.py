"""Takes the picture of the UI that the README shows: ``python -m platform_tests.browser.screenshot docs/ui.png``."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from offramp.orchestration.run import materialize_days
from offramp.settings.reading import load_settings
from offramp.wiring import open_rooms
from platform_tests.browser.driving import partition_page, see
from platform_tests.browser.ui import REPOSITORY, browser_page, running_ui

EXPORTS = ("media/delta/users", "media/snapshot/users", "media/snapshot/platforms")
_ENTITIES = "        entities: [users, platforms]\n"


def take(picture: Path, root: Path) -> None:
    """Deliver three days of the repository's own configuration, and photograph the last one."""
    last = datetime.now(UTC).date() - timedelta(days=2)
    days = [last - timedelta(days=number) for number in (2, 1, 0)]
    text = (REPOSITORY / "offramp.yaml").read_text()
    text = re.sub(r"first_day: \S+", f"first_day: {days[0]}", text)
    text = re.sub(r"start_on: null", f"start_on: {days[0] - timedelta(days=20)}", text)
    text = re.sub(r"scale: 1\n", "scale: 0.5\n", text)
    text = text.replace("        destinations: [outbox]\n", f"{_ENTITIES}        destinations: [outbox]\n")
    shutil.copytree(REPOSITORY / "dbt_like_sql", root / "dbt_like_sql")
    (root / "offramp.yaml").write_text(text)
    settings = load_settings(root / "offramp.yaml", environment={})
    rooms = open_rooms(settings)
    result = materialize_days(settings, rooms, [rooms.exports[name] for name in EXPORTS], days)
    assert result.success, result.failed
    with running_ui(settings, root / "ui.log") as address, browser_page(width=1640, height=900) as page:
        see(page, f"{address}/{partition_page(EXPORTS[0], last.isoformat())}", "Materialized", "northwind", "fjord")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=picture)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        take(Path(sys.argv[1]).absolute(), Path(folder))
