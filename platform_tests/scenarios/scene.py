"""A configured house in a folder: offramp.yaml, the demo or a database, and rooms opened from the file alone."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from offramp.domain.windows import DAY, midnight
from offramp.pipeline.deliver import DayReport, deliver_day
from offramp.settings.reading import load_settings
from offramp.sources.demo.source import DemoSource
from offramp.wiring import open_rooms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from offramp.pipeline.plan import PlanOptions
    from offramp.pipeline.rooms import Rooms

MODELS = Path(__file__).parents[2] / "dbt_like_sql"
SEED = 11
LAG = timedelta(minutes=5)
# One entity of each kind, of both sources of the video service, with its tenants and without.
ENTITIES = ("asset_types", "assets", "assets_views", "platforms", "users", "vvs_pools")
OUTBOX = {"kind": "local", "path": "outbox/{subscription}"}


def demo_source(folder: Path, start_on: date, *, scale: float = 0.05) -> dict[str, Any]:
    """The demo as offramp.yaml has it. Scenes share a folder, so that each day of the life is made once."""
    return {"kind": "demo", "seed": SEED, "start_on": start_on, "scale": scale, "folder": str(folder)}


def demo_of(settings: Mapping[str, Any]) -> DemoSource:
    """The same demo, to ask for the truth."""
    return DemoSource(
        name="media",
        folder=Path(settings["folder"]),
        seed=settings["seed"],
        start_on=settings["start_on"],
        days=None,
        scale=settings["scale"],
        clock=lambda: datetime.now(UTC),
    )


def subscription(
    name: str,
    tenants: Iterable[str] = ("aurora",),
    *,
    options: Mapping[str, str] | None = None,
    destinations: Iterable[str] = ("outbox",),
    **others: object,
) -> dict[str, object]:
    return {
        "id": name,
        "feed": "media",
        "tenants": list(tenants),
        "destinations": list(destinations),
        "options": dict(options or {}),
        **others,
    }


@dataclass
class Scene:
    """A folder with offramp.yaml, a clock, and the steps that runs took since they were last forgotten."""

    folder: Path
    source: Mapping[str, Any]
    subscriptions: list[dict[str, object]]
    first_day: date
    models: Path = MODELS
    destinations: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: {"outbox": OUTBOX})
    limits: Mapping[str, object] = field(default_factory=dict)
    lake: Path | None = None
    steps: list[str] = field(default_factory=list)
    now: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.write()
        self.rooms = self.open()

    @property
    def file(self) -> Path:
        return self.folder / "offramp.yaml"

    def write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        text = {
            "models": str(self.models),
            "lake": str(self.lake or "lake"),
            "ledger": "sqlite:///ledger.db",
            "scratch": "scratch",
            "first_day": self.first_day,
            "limits": dict(self.limits),
            "sources": {"media": dict(self.source)},
            "destinations": {name: dict(one) for name, one in self.destinations.items()},
            "recipients": {str(one["id"]): {"subscriptions": [one]} for one in self.subscriptions},
        }
        self.file.write_text(yaml.safe_dump(text, sort_keys=False))

    def open(self) -> Rooms:
        """Open the rooms afresh, as a new process would."""
        return open_rooms(load_settings(self.file, environment={}), clock=lambda: self.now, at_step=self.steps.append)

    def reopen(self) -> None:
        self.write()
        self.rooms = self.open()

    def deliver(
        self,
        day: date,
        exports: Iterable[str] | None = None,
        options: PlanOptions | None = None,
        *,
        at: datetime | None = None,
    ) -> list[DayReport]:
        """Deliver exports of a data day, those of ENTITIES by default, an hour after midnight or later."""
        self.now = at or max(self.now, midnight(day + DAY) + timedelta(hours=1))
        known = sorted(name for name, one in self.rooms.exports.items() if one.entity in ENTITIES)
        names = known if exports is None else exports
        reports = [deliver_day(self.rooms, self.rooms.exports[name], day, options) for name in names]
        for report in reports:
            report.raise_if_incomplete()
        return reports

    def outbox(self, subscription_id: str, destination: str = "outbox") -> Path:
        return self.folder / destination / subscription_id


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, temporary ones too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def manifests(folder: Path, pattern: str = "**/*.json") -> dict[str, dict[str, Any]]:
    """The manifests of an outbox by their names."""
    root = folder / "_manifests"
    return {str(path.relative_to(root)): json.loads(path.read_bytes()) for path in sorted(root.glob(pattern))}
