"""A whole house in a folder, over a history that a test wrote: every room is the real one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from offramp.destinations.local import LocalDestination
from offramp.domain.deliveries import DELIVERED
from offramp.domain.steps import no_step
from offramp.domain.subscriptions import Initial, Subscription
from offramp.domain.windows import DAY, midnight
from offramp.engine.duckdb_engine import DuckDBEngine
from offramp.feeds.media.feed import MediaFeed
from offramp.feeds.registry import layers_of
from offramp.formats.registry import FORMATS
from offramp.lake.landings import FolderLandingStore
from offramp.lake.layers import LayerStore
from offramp.lake.manifests import ManifestStore
from offramp.lake.models import ModelStore
from offramp.lake.parts import PartStore
from offramp.lake.rejects import RejectStore
from offramp.lake.staged import StagedStore
from offramp.ledger.sql_ledger import SqlLedger
from offramp.pipeline.deliver import DayReport, deliver_day
from offramp.pipeline.rooms import Lake, Rooms
from offramp.sql.project import load_project

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from offramp.domain.ports import Feed
    from offramp.pipeline.plan import PlanOptions
    from platform_tests.pipeline.history_source import HistorySource

SHOP = Path(__file__).parent / "shop"
MEMORY = 128 * 1024 * 1024


@dataclass
class Clock:
    """A clock that a test sets."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


class ShopFeed(MediaFeed):
    """The rules of the media feed for the entities of the shop."""

    @property
    def name(self) -> str:
        return "shop"


def subscription(
    name: str = "north",
    *,
    tenants: Sequence[str] = ("a",),
    starts_on: date = date(2026, 1, 1),
    initial: Initial = Initial.FULL,
    deletes: bool = True,
    options: dict[str, str] | None = None,
    destinations: Sequence[str] = ("outbox",),
) -> Subscription:
    return Subscription(
        id=name,
        recipient=name,
        feed="shop",
        tenants=tuple(tenants),
        starts_on=starts_on,
        destinations=tuple(destinations),
        initial=initial,
        sends_deletes=deletes,
        options=options or {},
    )


@dataclass
class House:
    """Rooms over a history, with the outbox of each destination at hand."""

    folder: Path
    source: HistorySource
    clock: Clock
    subscriptions: Sequence[Subscription] = field(default_factory=lambda: [subscription()])
    at_step: Callable[[str], None] = no_step
    models: Path = SHOP
    feed: Feed = field(default_factory=ShopFeed)

    def __post_init__(self) -> None:
        project = load_project(self.models)
        feed = self.feed
        exports = feed.exports([loaded.model for loaded in project.models.values()])
        lake = self.folder / "lake"
        parts = PartStore(lake)
        self.rooms = Rooms(
            project=project,
            feeds={"shop": feed},
            exports={export.name: export for export in exports},
            subscriptions=self.subscriptions,
            sources={"shop": self.source},
            lake=Lake(
                landings=FolderLandingStore(lake, memory_bytes=MEMORY, threads=2),
                models=ModelStore(lake),
                layers=LayerStore(lake),
                parts=parts,
                staged=StagedStore(lake, parts),
                rejects=RejectStore(lake),
                manifests=ManifestStore(lake),
            ),
            engine=DuckDBEngine(self.folder / "scratch", memory_bytes=MEMORY, threads=2),
            formats=FORMATS,
            destination=lambda name, one: LocalDestination(name, self.outbox(name, one.recipient)),
            ledger=SqlLedger(f"sqlite:///{self.folder / 'ledger.db'}"),
            clock=self.clock,
            owner="test",
            has_ended=lambda _owner: False,
            safety_lag=timedelta(minutes=5),
            claim_ttl=timedelta(minutes=15),
            publish_parallel=2,
            versions={"version": "test"},
            layers=layers_of({"shop": feed}),
            at_step=self.at_step,
        )

    def outbox(self, destination: str = "outbox", recipient: str = "north") -> Path:
        return self.folder / destination / recipient

    def deliver(self, name: str, day: date, options: PlanOptions | None = None) -> DayReport:
        """Deliver an export's day, some minutes after its tick."""
        self.clock.now = max(self.clock.now, midnight(day + DAY) + timedelta(minutes=40))
        report = deliver_day(self.rooms, self.rooms.exports[name], day, options)
        report.raise_if_incomplete()
        return report

    def files(self, pattern: str, recipient: str = "north") -> list[Path]:
        return sorted(self.outbox(recipient=recipient).glob(pattern))

    def delivered(self) -> int:
        return sum(record.state in DELIVERED for record in self.rooms.ledger.find())
