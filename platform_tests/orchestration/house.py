"""A small configuration of its own: the demo source, two recipients, a Dagster instance."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from offramp.orchestration.run import RunResult, materialize_days, open_instance
from offramp.settings.reading import load_settings
from offramp.wiring import open_rooms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from offramp.pipeline.rooms import Rooms
    from offramp.settings.values import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
DAY = date(2024, 3, 5)
DAYS = tuple(DAY + timedelta(days=number) for number in range(3))

_YAML = """\
models: ./models
lake: ./lake
ledger: sqlite:///ledger.db
scratch: ./scratch
dagster_home: ./dagster
limits: {memory_bytes: 128 MiB, threads: 1}
first_day: {first_day}
sources:
  media: {kind: demo, seed: 7, start_on: {start_on}, days: 8, scale: 0.05, folder: ./demo}
destinations:
  outbox: {kind: local, path: "./outbox/{recipient}"}
  mirror: {kind: local, path: "./mirror/{recipient}"}
recipients:
  north:
    subscriptions:
      - {id: north-media, feed: media, tenants: [aurora], initial: none, entities: [users, platforms],
         destinations: [outbox]}
  south:
    subscriptions:
      - {id: south-media, feed: media, tenants: [borealis], initial: none, entities: [users, platforms],
         destinations: [outbox, mirror]}
"""


@dataclass(frozen=True)
class House:
    """A folder with offramp.yaml, and what runs in it."""

    root: Path

    @classmethod
    def build(cls, root: Path, *, first_day: date = DAY - timedelta(days=2)) -> House:
        """Write the configuration and a copy of the project. The demo begins the day before the first."""
        root.mkdir(parents=True, exist_ok=True)
        shutil.copytree(REPOSITORY / "dbt_like_sql", root / "models")
        (root / "offramp.yaml").write_text(
            _YAML.replace("{first_day}", str(first_day)).replace("{start_on}", str(first_day - timedelta(days=1)))
        )
        return cls(root)

    @property
    def settings(self) -> Settings:
        return load_settings(self.root / "offramp.yaml", environment={})

    def rooms(self) -> Rooms:
        return open_rooms(self.settings)

    def instance(self) -> AbstractContextManager[dg.DagsterInstance]:
        return open_instance(self.settings)

    def run(
        self, exports: Sequence[str], days: Sequence[date] = (DAY,), tags: Mapping[str, str] | None = None
    ) -> RunResult:
        rooms = self.rooms()
        return materialize_days(self.settings, rooms, [rooms.exports[name] for name in exports], days, tags)

    def break_users(self, *, since: str | None = None) -> None:
        """Make a data test of users fail, on all days or from an instant on."""
        file = self.root / "models/models/media/users.yml"
        text = file.read_text()
        old = "values: [UNVERIFIED, VERIFIED, BOUNCED]\n"
        assert text.count(old) == 1
        where = f"              config:\n                where: \"last_updated >= '{since}'\"\n" if since else ""
        file.write_text(text.replace(old, f"values: [NOBODY_HAS_THIS]\n{where}"))

    def files(self, place: str = "outbox") -> set[str]:
        """Return the files of rows at a destination."""
        root = self.root / place
        return {path.relative_to(root).as_posix() for path in root.rglob("*.csv")}


def materializations(instance: dg.DagsterInstance, key: str, day: date | None = None) -> list[dg.AssetMaterialization]:
    """Return what an asset's materializations say, newest first."""
    wanted = dg.AssetRecordsFilter(
        asset_key=dg.AssetKey(key.split("/")), asset_partitions=[day.isoformat()] if day else None
    )
    records = instance.fetch_materializations(wanted, limit=100).records
    return [record.asset_materialization for record in records if record.asset_materialization]


def evaluations(instance: dg.DagsterInstance, key: str, check: str) -> dict[str | None, dg.AssetCheckEvaluation]:
    """Return the newest evaluation of a check by partition."""
    asset = dg.AssetKey(key.split("/"))
    history = instance.event_log_storage.get_asset_check_execution_history(dg.AssetCheckKey(asset, check), limit=100)
    found: dict[str | None, dg.AssetCheckEvaluation] = {}
    for record in history:
        if record.status.value in {"SUCCEEDED", "FAILED"} and record.event and record.event.dagster_event:
            evaluation = record.event.dagster_event.asset_check_evaluation_data
            found.setdefault(evaluation.partition, evaluation)
    return found
