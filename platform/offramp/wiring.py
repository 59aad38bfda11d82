"""The one place where settings become sources, engines, encoders, destinations and a ledger."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, assert_never

from offramp.destinations.local import LocalDestination
from offramp.domain.errors import WrongUse, nearest
from offramp.domain.steps import no_step
from offramp.engine.duckdb_engine import DuckDBEngine
from offramp.feeds.registry import FEEDS, exports_of
from offramp.formats.registry import FORMATS
from offramp.lake.landings import FolderLandingStore
from offramp.lake.manifests import ManifestStore
from offramp.lake.models import ModelStore
from offramp.lake.parts import PartStore
from offramp.lake.rejects import RejectStore
from offramp.lake.staged import StagedStore
from offramp.ledger.owners import has_ended, this_process
from offramp.ledger.sql_ledger import SqlLedger
from offramp.pipeline.rooms import Lake, Rooms
from offramp.settings.shapes import DemoSource as DemoSettings
from offramp.settings.shapes import PostgresSource as PostgresSettings
from offramp.settings.values import utc_now
from offramp.sources.demo.beginning import begins_on
from offramp.sources.demo.source import DemoSource
from offramp.sources.postgres.source import PostgresSource
from offramp.sql.project import load_project

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from offramp.domain.ports import Destination, Source
    from offramp.domain.subscriptions import Subscription
    from offramp.settings.values import Settings
    from offramp.sql.project import Project

_VERSIONED = ("offramp", "duckdb", "polars", "pyarrow")


@cache
def versions() -> Mapping[str, str]:
    """Return the versions that the bytes of a delivery depend on."""
    return {"version" if name == "offramp" else name: version(name) for name in _VERSIONED}


@dataclass(frozen=True, slots=True)
class _Opening:
    """What every part that is opened needs."""

    settings: Settings
    clock: Callable[[], datetime]

    def source(self, name: str) -> Source:
        settings = self.settings.sources[name]
        match settings:
            case DemoSettings():
                return DemoSource(
                    name=name,
                    folder=settings.folder,
                    seed=settings.seed,
                    start_on=begins_on(settings.folder, settings.start_on, self.clock().date()),
                    days=settings.days,
                    scale=settings.scale,
                    clock=self.clock,
                    threads=self.settings.limits.threads,
                    memory_bytes=self.settings.limits.memory_bytes,
                )
            case PostgresSettings():
                return PostgresSource(
                    name=name,
                    dsn=settings.url.get_secret_value(),
                    schema=settings.schema_name,
                    readers=settings.readers,
                    read_point_sql=settings.read_point_sql,
                    memory_bytes=self.settings.limits.memory_bytes,
                )
            case _:
                assert_never(settings)

    def destination(self, name: str, subscription: Subscription) -> Destination:
        settings = self.settings.destinations.get(name)
        if settings is None:
            raise WrongUse(f"'{name}' is not a destination", todo=nearest(name, self.settings.destinations))
        return LocalDestination(name, settings.folder(subscription))


def open_rooms(
    settings: Settings,
    *,
    project: Project | None = None,
    clock: Callable[[], datetime] = utc_now,
    at_step: Callable[[str], None] = no_step,
) -> Rooms:
    """Open everything that a run needs. Nothing is read from a source or written to a destination yet.

    ``project`` is the settings' own if it was loaded before. ``at_step`` is told each named step before it happens.
    """
    project = project or load_project(settings.models)
    limits = settings.limits
    root = settings.lake
    parts = PartStore(root)
    opening = _Opening(settings, clock)
    return Rooms(
        project=project,
        feeds=FEEDS,
        exports=exports_of(loaded.model for loaded in project.models.values()),
        subscriptions=settings.subscriptions,
        sources={name: opening.source(name) for name in settings.sources},
        lake=Lake(
            landings=FolderLandingStore(root, memory_bytes=limits.memory_bytes, threads=limits.threads),
            models=ModelStore(root),
            parts=parts,
            staged=StagedStore(root, parts),
            rejects=RejectStore(root),
            manifests=ManifestStore(root),
        ),
        engine=DuckDBEngine(settings.scratch, memory_bytes=limits.memory_bytes, threads=limits.threads),
        formats=FORMATS,
        destination=opening.destination,
        ledger=SqlLedger(settings.ledger.get_secret_value(), redact=settings.redact),
        clock=clock,
        owner=this_process(),
        has_ended=has_ended,
        safety_lag=settings.safety_lag,
        claim_ttl=settings.claim_ttl,
        publish_parallel=limits.publish_parallel,
        versions=versions(),
        at_step=at_step,
    )
