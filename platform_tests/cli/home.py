"""A configuration in a folder of its own, and the command line run on it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

MODELS = Path(__file__).parents[2] / "dbt_like_sql"
TODAY = datetime.now(UTC).date()
YAML = """\
models: {models}
first_day: {first_day}
sources:
  media:
    kind: demo
    start_on: {first_day}
    scale: 0.02
destinations:
  outbox:
    kind: local
    path: ./outbox/{{recipient}}/{{feed}}
recipients:
  north:
    subscriptions:
      - id: north-media
        feed: media
        tenants: [aurora]
        initial: full
        destinations: [outbox]
        entities: [users, platforms]
  fjord:
    subscriptions:
      - id: fjord-media
        feed: media
        tenants: [borealis]
        initial: none
        deletes: true
        destinations: [outbox]
        entities: [users]
        options:
          CSV_FIELD_SEPARATOR: ";"
          CSV_MD5: 1
          CSV_SNAPSHOT: vvs_pools_snapshot
          CRON_SCHEDULE_USERS: "20 0 * * *"
"""


@dataclass(frozen=True)
class Done:
    """What a command left: exit code and both outputs."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Home:
    """A folder with offramp.yaml."""

    folder: Path

    @classmethod
    def create(cls, folder: Path, *, first_day: date | None = None, text: str = YAML) -> Home:
        folder.mkdir(parents=True, exist_ok=True)
        begins = first_day or TODAY - timedelta(days=4)
        (folder / "offramp.yaml").write_text(text.format(models=MODELS, first_day=begins))
        return cls(folder)

    @property
    def file(self) -> Path:
        return self.folder / "offramp.yaml"

    @property
    def outbox(self) -> Path:
        return self.folder / "outbox"

    def rewrite(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def become_postgres(self, url: str) -> None:
        """Read a database instead of the demo."""
        demo, rest = self.file.read_text().split("    kind: demo\n")
        self.file.write_text(f"{demo}    kind: postgres\n    url: {url}\n{rest[rest.index('destinations:') :]}")

    def run(self, *arguments: str) -> Done:
        """Run a command in a process of its own, in this folder."""
        command = [sys.executable, "-c", "from offramp.cli.main import run; run()", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=240)
        return Done(done.returncode, done.stdout, done.stderr)


def last_full_day(now: datetime | None = None) -> date:
    """Return the last data day whose schedules (00:20 at the latest) have fired."""
    moment = now or datetime.now(UTC)
    return moment.date() - timedelta(days=1 if (moment.hour, moment.minute) >= (0, 20) else 2)
