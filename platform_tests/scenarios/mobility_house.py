"""A configured house of the mobility feed: offramp.yaml, phones, and what recipients find in their folders."""

from __future__ import annotations

import gzip
import io
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import yaml

from offramp.domain.windows import DAY, midnight
from offramp.feeds.mobility.timeline.newest import newest
from offramp.lake.layers import BuildRecord, LayerName
from offramp.pipeline.deliver import DayReport, deliver_day
from offramp.pipeline.layers import build_day, landing_of_day, layer_relation
from offramp.settings.reading import load_settings
from offramp.sources.phones.schema import APP_IDS
from offramp.wiring import open_rooms
from platform_tests.scenarios.scene import MODELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from offramp.domain.exports import Export
    from offramp.domain.ports import Source
    from offramp.pipeline.plan import PlanOptions
    from offramp.pipeline.rooms import Rooms
    from offramp.settings.values import Settings

NORTH, SOUTH = APP_IDS
BEGINS = date(2026, 10, 5)
LAYERS = "mobility_layers"
DRIVING = ("driving_events_realtime", "mapped_waypoints_realtime", "scores_realtime", "transports_realtime")
LIFESTYLE = ("attributes_long", "attributes_wide", "moments", "segments", "stationaries", "transports")
DAILY = {"CRON_SCHEDULE_LIFESTYLE": "0 3 * * *"}
_TICKS = dict.fromkeys(DRIVING, "01_15_00_000") | dict.fromkeys(LIFESTYLE, "03_00_00_000")


def phones(folder: Path, *, scale: float = 0.2, start_on: date = BEGINS) -> dict[str, Any]:
    """The phones as offramp.yaml has them. Scenes share a folder, so that each day of the life is made once."""
    return {"kind": "phones", "seed": 7, "scale": scale, "start_on": start_on, "folder": str(folder)}


def subscription(
    name: str, app: str = NORTH, *, options: Mapping[str, str] | None = None, **others: object
) -> dict[str, object]:
    """A subscription to all mobility exports, the six lifestyle files daily."""
    return {
        "id": name,
        "feed": "mobility",
        "tenants": [app],
        "initial": "none",
        "destinations": ["outbox"],
        "options": {**DAILY, **(options or {})},
        **others,
    }


@dataclass
class MobilityHouse:
    """Rooms over the phones of a folder, or over ``history`` in their place, and the steps that runs took."""

    folder: Path
    source: Mapping[str, Any]
    subscriptions: list[dict[str, object]] = field(default_factory=lambda: [subscription("north")])
    history: Source | None = None
    first_day: date = BEGINS
    at_step: Callable[[str], None] | None = None
    steps: list[str] = field(default_factory=list)
    now: datetime = datetime(2026, 12, 20, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.write()
        self.rooms = self.open()

    def write(self) -> None:
        """Write offramp.yaml."""
        self.folder.mkdir(parents=True, exist_ok=True)
        text = {
            "models": str(MODELS),
            "lake": "lake",
            "ledger": "sqlite:///ledger.db",
            "scratch": "scratch",
            "dagster_home": "dagster",
            "first_day": self.first_day,
            "sources": {"mobility": dict(self.source)},
            "destinations": {"outbox": {"kind": "local", "path": "outbox/{subscription}"}},
            "recipients": {str(one["id"]): {"subscriptions": [one]} for one in self.subscriptions},
        }
        (self.folder / "offramp.yaml").write_text(yaml.safe_dump(text, sort_keys=False))

    @property
    def settings(self) -> Settings:
        return load_settings(self.folder / "offramp.yaml", environment={})

    def open(self) -> Rooms:
        """Open the rooms afresh, as a new process would."""
        rooms = open_rooms(self.settings, clock=lambda: self.now, at_step=self._stepped)
        return replace(rooms, sources={"mobility": self.history}) if self.history is not None else rooms

    def _stepped(self, name: str) -> None:
        self.steps.append(name)
        if self.at_step is not None:
            self.at_step(name)

    def build(self, *days: date) -> None:
        """Build what goes on from day to day, for one day after another."""
        for day in days:
            for layer in ("timeline", "driving"):
                build_day(self.rooms, LAYERS, layer, day)

    def export(self, entity: str) -> Export:
        return next(one for one in self.rooms.exports.values() if one.entity == entity and one.feed == "mobility")

    def deliver(
        self, day: date, entities: Iterable[str] = DRIVING, options: PlanOptions | None = None
    ) -> list[DayReport]:
        """Deliver exports of a data day, and prove that none is incomplete."""
        reports = [deliver_day(self.rooms, self.export(entity), day, options) for entity in entities]
        for report in reports:
            report.raise_if_incomplete()
        return reports

    def outbox(self, name: str = "north") -> Path:
        return self.folder / "outbox" / name

    def file_folder(self, entity: str, day: date, name: str = "north") -> Path:
        """The folder of an export's parts of a data day."""
        run = self.outbox(name) / f"{day + DAY:%Y_%m_%d}_{_TICKS.get(entity, '01_15_00_000')}"
        (found,) = run.glob(f"*/{entity.replace('attributes_', 'attributes.')}.*")
        return found

    def rows(self, entity: str, day: date, name: str = "north") -> pl.DataFrame:
        """What a recipient reads of a day: all parts, every value as text."""
        frames = [part_rows(path) for path in sorted(self.file_folder(entity, day, name).glob("part-*"))]
        return pl.concat(frames) if frames else pl.DataFrame()

    def ids(self, day: date, name: str = "north") -> list[str]:
        """The event ids of the car transports that were delivered for a day."""
        rows = self.rows("transports_realtime", day, name)
        return rows["event_id"].to_list() if rows.height else []

    def layer(self, table: str, day: date) -> pl.DataFrame:
        """A table of a layer as of a day."""
        relation = layer_relation(self.rooms, LAYERS, table, landing_of_day(self.rooms, "mobility", day), "rows")
        return self._query("select * from rows", (relation,))

    def newest(self, table: str, day: date) -> pl.DataFrame:
        """Stays or legs as of a day without what was superseded, by their key."""
        landing = landing_of_day(self.rooms, "mobility", day)
        relations = tuple(
            layer_relation(self.rooms, LAYERS, one, landing, f"layers.{one}") for one in (table, "rebuilds")
        )
        return self._query(f"{newest(table)} order by app_id, user_id, started_at", relations)  # type: ignore[arg-type]

    def _query(self, sql: str, relations: tuple[Any, ...]) -> pl.DataFrame:
        with self.rooms.engine.open(relations) as session:
            frames = [pl.from_arrow(batch) for batch in session.stream(sql)]
            empty = pl.from_arrow(session.schema(sql).empty_table())
        return pl.concat([empty, *frames])  # type: ignore[type-var, return-value]

    def record(self, layer: str, day: date) -> BuildRecord | None:
        """The build of a layer for a day."""
        made = self.rooms.layers[LAYERS][layer]
        return self.rooms.lake.layers.current(LayerName(LAYERS, layer, made.version), day)


def part_rows(path: Path) -> pl.DataFrame:
    """The rows of a part, every value as text."""
    content = gzip.decompress(path.read_bytes())
    if path.name.endswith(".json.gz"):
        if not content:
            return pl.DataFrame()
        return pl.read_ndjson(io.BytesIO(content), infer_schema_length=None)
    return pl.read_csv(io.BytesIO(content), infer_schema=False)


def days(count: int, first: date = BEGINS) -> list[date]:
    """So many days in order."""
    return [first + timedelta(days=number) for number in range(count)]


def end_of(day: date) -> datetime:
    """The end of a data day, without a zone as tables have it."""
    return midnight(day + DAY).replace(tzinfo=None)
