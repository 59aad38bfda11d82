"""Two deliveries that are staged once and published many times: a few clicks, and one large file of items.

Each has its checksum beside it, a manifest and that one's checksum. The rooms are those of the pipeline's own tests.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import duckdb

from offramp.destinations.local import LocalDestination
from offramp.domain.windows import DAY, midnight
from offramp.pipeline.deliver import deliver_day
from offramp.pipeline.rooms import Patience
from platform_tests.pipeline.house import Clock, House, subscription

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from offramp.domain.landings import TableSpec
    from offramp.domain.ports import LandingWriter
    from offramp.pipeline.deliver import DayReport
    from offramp.pipeline.plan import PlanOptions
    from offramp.pipeline.rooms import PublishFailure

DATA_DAY = date(2026, 3, 1)
CLICKS, ITEMS = "shop/delta/clicks", "shop/snapshot/items"
LARGE = "items_snapshot/items_snapshot_2026_03_02.csv"
LARGE_MANIFEST = "_manifests/snapshot/items/2026_03_02.r1.json"
ATTEMPTS = 3
SHORT = timedelta(milliseconds=10)
PATIENCE = Patience(attempts=ATTEMPTS, first_pause=SHORT, longest_pause=5 * SHORT, down_for=timedelta(0))
_BYTES_PER_ROW = 60
_MOMENT = "timestamp '2026-03-01' + to_seconds(range % 86000)"
_SELECTS = {
    "items": f"range as id, substr(md5(range::varchar), 1, 20) as title, range * 7 as amount, {_MOMENT} as"
    " last_updated",
    "clicks": f"range as id, range as item_id, {_MOMENT} as registered, {_MOMENT} as ingested_at",
}


@dataclass
class RangeSource:
    """As many items as it takes for a file of so many bytes, and fifty clicks."""

    clock: Callable[[], datetime]
    large_bytes: int
    name: str = "shop"
    can_read_as_of: bool = True

    def read_point(self) -> datetime:
        return self.clock()

    def land(
        self,
        tables: Sequence[TableSpec],
        begin: Callable[[datetime], LandingWriter],
        *,
        as_of: datetime | None,
    ) -> datetime:
        moment = as_of or self.clock()
        writer = begin(moment)
        for spec in tables:
            rows = self.large_bytes // _BYTES_PER_ROW if spec.name == "items" else 50
            query = f"select {_SELECTS[spec.name]}, 'a' as tenant from range({rows}) order by id"
            with duckdb.connect() as connection:
                connection.execute(f"copy ({query}) to '{writer.path(spec)}' (format parquet)")
            writer.add(spec)
        return moment


@dataclass(frozen=True)
class Run:
    """What a run said."""

    reports: tuple[DayReport, ...]
    retries: tuple[str, ...]

    @property
    def failures(self) -> tuple[PublishFailure, ...]:
        return tuple(failure for report in self.reports for failure in report.failures)

    @property
    def made(self) -> int:
        return sum(len(report.outcomes) for report in self.reports)


@dataclass(frozen=True)
class Template:
    """A house in which both deliveries are staged and stand nowhere yet. Cases copy it."""

    folder: Path
    large_bytes: int

    def open(self, folder: Path) -> House:
        shutil.copytree(self.folder, folder)
        return open_house(folder, self.large_bytes)


def open_house(folder: Path, large_bytes: int, *, is_corrected: bool = False) -> House:
    """Open a house; a correction has another separator and no checksums beside the files."""
    clock = Clock(midnight(DATA_DAY + DAY) + timedelta(minutes=40))
    options = {"CSV_FIELD_SEPARATOR": ";"} if is_corrected else {"CSV_MD5": "1"}
    house = House(folder, RangeSource(clock, large_bytes), clock, [subscription(options=options)])  # type: ignore[arg-type]
    house.rooms = replace(house.rooms, patience=PATIENCE)
    return house


def make_template(folder: Path, large_bytes: int) -> Template:
    """Stage both deliveries while their destination refuses everything, and forget the manifests that it was told."""
    folder.mkdir()
    house = open_house(folder, large_bytes)
    wall = folder / "wall"
    wall.touch()
    house.rooms = replace(house.rooms, destination=lambda name, _one: LocalDestination(name, wall / "outbox"))
    run = run_all(house)
    assert {failure.delivery.export.name for failure in run.failures} == {CLICKS, ITEMS}
    wall.unlink()
    shutil.rmtree(folder / "lake" / "manifests")
    shutil.rmtree(folder / "scratch", ignore_errors=True)
    return Template(folder, large_bytes)


def run_all(house: House, options: PlanOptions | None = None, exports: Sequence[str] = (CLICKS, ITEMS)) -> Run:
    """Deliver the day of some exports."""
    retries: list[str] = []

    def tell(step: str, subject: str, **_counts: Any) -> None:
        if step == "retry":
            retries.append(subject)

    rooms = house.rooms
    reports = [deliver_day(rooms, rooms.exports[name], DATA_DAY, options, tell) for name in exports]
    for report in reports:
        report.raise_if_incomplete()
    return Run(tuple(reports), tuple(retries))
