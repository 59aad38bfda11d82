"""Five weeks of the phones' demo through the whole pipeline: layers day by day, and the offloads of three days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import yaml

from offramp.domain.windows import DAY
from offramp.pipeline.deliver import deliver_day
from offramp.pipeline.layers import build_day, landing_of_day, layer_relation
from offramp.settings.reading import load_settings
from offramp.sources.phones.schema import APP_IDS
from offramp.sources.phones.source import PhonesSource
from offramp.wiring import open_rooms
from platform_tests.orchestration.house import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from offramp.pipeline.rooms import Rooms

BEGINS = date(2026, 10, 5)
DAYS = 35
LAST = BEGINS + (DAYS - 1) * DAY
# Who is silent is so from the fifth day on, for ten days or more: seven days after it they are gone, then back.
DAY_BEFORE, DAY_WITHOUT = BEGINS + 10 * DAY, BEGINS + 13 * DAY
LIFESTYLE = ("stationaries", "transports", "moments", "attributes.wide", "attributes.long", "segments")
USERS_PER_PART = 5
# What a phone held back arrives within 76 hours: until then stays and legs of the last days may be missing.
SETTLED = datetime(LAST.year, LAST.month, LAST.day) - timedelta(days=3)  # noqa: DTZ001 - as the layers have it


@dataclass(frozen=True, slots=True)
class PlantedHouse:
    """A folder in which everything ran once."""

    root: Path
    rooms: Rooms

    @property
    def source(self) -> PhonesSource:
        source = self.rooms.sources["mobility"]
        assert isinstance(source, PhonesSource)
        return source

    def layer(self, table: str) -> pl.DataFrame:
        """A computed table as of the last day."""
        landing = landing_of_day(self.rooms, "mobility", LAST)
        return pl.read_parquet(list(layer_relation(self.rooms, "mobility_layers", table, landing, table).uris))

    def folder(self, number: int, stem: str, day: date) -> Path:
        """Where the file of an app id for a data day was delivered."""
        app = APP_IDS[number]
        return self.root / f"outbox/app{number}/{day + DAY:%Y_%m_%d}_03_00_00_000/{app}/{stem}.{app}.csv"

    def parts(self, number: int, stem: str, day: date = LAST) -> list[pl.DataFrame]:
        """The parts of a file, each with all values as text."""
        return [
            pl.read_csv(path, infer_schema=False).fill_null("")
            for path in sorted(self.folder(number, stem, day).glob("part-*.csv.gz"))
        ]

    def delivered(self, stem: str, day: date = LAST) -> pl.DataFrame:
        """A file of both app ids as one table."""
        return pl.concat([part for number in range(len(APP_IDS)) for part in self.parts(number, stem, day)])


def _settings() -> dict[str, object]:
    options = {"CRON_SCHEDULE_LIFESTYLE": "0 3 * * *", "OFFLOAD_USERS_PER_PART": str(USERS_PER_PART)}
    return {
        "models": str(REPOSITORY / "dbt_like_sql"),
        "lake": "lake",
        "ledger": "sqlite:///ledger.db",
        "scratch": "scratch",
        "first_day": BEGINS,
        "sources": {"mobility": {"kind": "phones", "seed": 7, "scale": 1, "start_on": BEGINS, "folder": "phones"}},
        "destinations": {"outbox": {"kind": "local", "path": "outbox/{subscription}"}},
        "recipients": {
            f"app{number}": {
                "subscriptions": [
                    {
                        "id": f"app{number}",
                        "feed": "mobility",
                        "tenants": [app],
                        "destinations": ["outbox"],
                        "initial": "none",
                        "options": options,
                    }
                ]
            }
            for number, app in enumerate(APP_IDS)
        },
    }


def live_through(root: Path) -> PlantedHouse:
    """Build the layers of all days in their order, and deliver the lifestyle offload of three."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "offramp.yaml").write_text(yaml.safe_dump(_settings(), sort_keys=False))
    later = datetime.combine(LAST + 2 * DAY, datetime.min.time(), UTC)
    rooms = open_rooms(load_settings(root / "offramp.yaml", environment={}), clock=lambda: later)
    lifestyle = [one for name, one in rooms.exports.items() if name.startswith("mobility/offload/")]
    for number in range(DAYS):
        day = BEGINS + number * DAY
        for layer in ("timeline", "driving"):
            build_day(rooms, "mobility_layers", layer, day)
        if day in {DAY_BEFORE, DAY_WITHOUT, LAST}:
            build_day(rooms, "mobility_layers", "visits", day)
            for export in lifestyle:
                deliver_day(rooms, export, day).raise_if_incomplete()
    return PlantedHouse(root, rooms)
