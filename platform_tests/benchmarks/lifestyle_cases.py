"""The whole lifestyle offload of a population: landings and layers day by day, then the six exports of the last day.

Usage: python -m platform_tests.benchmarks.lifestyle_cases prepare FOLDER [USERS] [DAYS]
       python -m platform_tests.benchmarks.lifestyle_cases offramp FOLDER [MEMORY_MIB]
What is printed is kept in FOLDER/lifestyle.txt too. 10,000 users over 63 days take some 9.6 GB of disk: 2.2 prepared,
5.6 of landings and layers, 0.9 of parts and as much delivered. An export that fails stops no other.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from platform_tests.benchmarks.measure import Cost, total
from platform_tests.benchmarks.mobility_cases import prepare_lifestyle
from platform_tests.benchmarks.mobility_data import APP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from offramp.domain.landings import TableSpec
    from offramp.domain.ports import LandingWriter
    from offramp.pipeline.rooms import Rooms

USERS, DAYS = 10_000, 63
MEMORY_MIB = 256
ONE_DAY = timedelta(days=1)
LAG = timedelta(minutes=5)
LAYERS = "mobility_layers"
ENTITIES = ("stationaries", "transports", "moments", "segments", "attributes_long", "attributes_wide")
STATE = ("lake", "outbox", "scratch", "ledger.db")


@dataclass
class Meter:
    """Costs of steps by name, of this process. A step that comes daily counts once, with the highest of its peaks."""

    lines: Path
    costs: dict[str, list[Cost]] = field(default_factory=lambda: defaultdict(list))

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure a step, its peak memory apart from that of others."""
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew with what is resident now
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        cost = Cost(time.perf_counter() - wall, time.process_time() - cpu, _peak_mb())
        self.costs[name].append(cost)

    def show(self, name: str, rest: str = "") -> None:
        """Print what a step cost in all, and what all steps cost so far."""
        cost, so_far = total(self.costs[name]), self.total()
        peaks = f"{cost.peak_mb:6.0f} MB, so far {so_far.peak_mb:6.0f} MB"
        self.say(f"  {name:32s} {cost.wall_seconds:9.2f} s {cost.cpu_seconds:9.2f} CPU s {peaks}{rest}")

    def total(self) -> Cost:
        """Return what all steps cost together."""
        return total([cost for costs in self.costs.values() for cost in costs])

    def say(self, line: str) -> None:
        """Print a line, and keep it."""
        print(line, flush=True)
        with self.lines.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def _peak_mb() -> float:
    """Return the highest resident memory since it was reset: ``ru_maxrss`` begins with that of the parent."""
    (line,) = (one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


class PreparedSource:
    """The prepared days as a source: a file for each day, all of which has arrived when the day ends."""

    name = "mobility"
    can_read_as_of = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def days(self) -> list[date]:
        """Return the days that were prepared."""
        return sorted(date.fromisoformat(path.stem) for path in (self._folder / "fixes").iterdir())

    def read_point(self) -> datetime:
        """Return when everything had arrived."""
        return _midnight(self.days()[-1] + ONE_DAY) + LAG

    def land(
        self, tables: Sequence[TableSpec], begin: Callable[[datetime], LandingWriter], *, as_of: datetime | None
    ) -> datetime:
        """Land what arrived since the landing before: usually one day, whose file is copied as it is."""
        instant = as_of or self.read_point()
        writer = begin(instant)
        for spec in tables:
            files = self._files(spec, writer, instant)
            if not files and writer.landed_at(spec) is not None:
                writer.keep(spec)
                continue
            if len(files) == 1:
                shutil.copyfile(files[0], writer.path(spec))
            else:
                _join(files, writer.path(spec), spec)
            writer.add(spec)
        return instant

    def _files(self, spec: TableSpec, writer: LandingWriter, instant: datetime) -> list[Path]:
        whole = self._folder / f"{spec.name}.parquet"
        if whole.exists():
            return [] if writer.landed_at(spec) is not None else [whole]
        read_from = writer.read_from(spec)
        known = read_from + spec.increment.overlap if read_from is not None and spec.increment else None
        return [
            path
            for path in sorted((self._folder / spec.name).glob("*.parquet"))
            if (end := _midnight(date.fromisoformat(path.stem) + ONE_DAY)) <= instant and (known is None or end > known)
        ]


def _join(files: Sequence[Path], target: Path, spec: TableSpec) -> None:
    """Write several files as one, in the order of its key; none as one without rows."""
    from offramp.sources.phones.schema import TABLES

    columns = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in TABLES[spec.name].columns)
    paths = ", ".join(f"'{path}'" for path in files)
    rows = f"select * from read_parquet([{paths}])" if files else f"select {columns} where false"
    key = ", ".join(dict.fromkeys((*([spec.tenant_column] if spec.tenant_column else []), *spec.key)))
    with duckdb.connect(config={"memory_limit": "256MB", "temp_directory": str(target.parent / "join")}) as connection:
        connection.execute(f"copy ({rows} order by {key}) to '{target}' (format parquet, compression zstd)")


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _rooms(folder: Path, memory_bytes: int) -> Rooms:
    from offramp.destinations.local import LocalDestination
    from offramp.domain.subscriptions import Initial, Subscription
    from offramp.engine.duckdb_engine import DuckDBEngine
    from offramp.feeds.mobility.feed import MobilityFeed
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
    from offramp.pipeline.rooms import Lake, Rooms
    from offramp.sql.project import load_project

    project = load_project(Path(__file__).parents[2] / "dbt_like_sql")
    feed = MobilityFeed()
    source = PreparedSource(folder / "lifestyle")
    lake = folder / "lake"
    parts = PartStore(lake)
    last = source.days()[-1]
    daily = {"CRON_SCHEDULE_LIFESTYLE": "0 3 * * *"}
    return Rooms(
        project=project,
        feeds={feed.name: feed},
        exports={one.name: one for one in feed.exports([loaded.model for loaded in project.models.values()])},
        subscriptions=[
            Subscription("bench", "bench", feed.name, (APP,), last, ("outbox",), initial=Initial.NONE, options=daily)
        ],
        sources={source.name: source},
        lake=Lake(
            landings=FolderLandingStore(lake, memory_bytes=memory_bytes, threads=2),
            models=ModelStore(lake),
            layers=LayerStore(lake),
            parts=parts,
            staged=StagedStore(lake, parts),
            rejects=RejectStore(lake),
            manifests=ManifestStore(lake),
        ),
        engine=DuckDBEngine(folder / "scratch", memory_bytes=memory_bytes, threads=2),
        formats=FORMATS,
        destination=lambda name, _subscription: LocalDestination(name, folder / "outbox"),
        ledger=SqlLedger(f"sqlite:///{folder / 'ledger.db'}"),
        clock=lambda: _midnight(last + ONE_DAY) + timedelta(hours=4),
        owner="bench",
        has_ended=lambda _owner: False,
        safety_lag=LAG,
        claim_ttl=timedelta(minutes=15),
        publish_parallel=2,
        versions={"version": "bench"},
        memory_bytes=memory_bytes,
        layers=layers_of({feed.name: feed}),
    )


def offramp(folder: Path, memory_mib: int = MEMORY_MIB) -> None:
    """Land and build each day, then compute and deliver the six exports of the last day."""
    for name in STATE:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    lines = folder / "lifestyle.txt"
    lines.unlink(missing_ok=True)
    meter = Meter(lines)
    with meter.step("loading"):
        rooms = _rooms(folder, memory_mib * 1024 * 1024)
    days = PreparedSource(folder / "lifestyle").days()
    fixes = _build_days(rooms, days, meter)
    _build_visits(rooms, days[-1], meter)
    _compute_models(rooms, days[-1], meter)
    failed = _deliver(rooms, days[-1], meter)
    cost = meter.total()
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9
    meter.say(
        f"  {fixes:,} fixes of {len(days)} days with {memory_mib} MiB: {cost.wall_seconds:.1f} s,"
        f" {cost.cpu_seconds:.1f} CPU s, {fixes / cost.wall_seconds:,.0f} fixes per second,"
        f" peak {cost.peak_mb:.0f} MB, {size:.2f} GB on disk"
    )
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def _build_days(rooms: Rooms, days: Sequence[date], meter: Meter) -> int:
    from offramp.pipeline.layers import build_day, landing_of_day

    fixes = 0
    for number, day in enumerate(days, 1):
        with meter.step("landing"):
            fixes = landing_of_day(rooms, "mobility", day).table("fixes").rows
        for layer in ("timeline", "driving"):
            with meter.step(layer):
                build_day(rooms, LAYERS, layer, day)
        spent = ", ".join(
            f"{name} {meter.costs[name][-1].cpu_seconds:.2f}" for name in ("landing", "timeline", "driving")
        )
        so_far = meter.total()
        pace = f"{fixes / so_far.wall_seconds:,.0f} fixes/s, peak {so_far.peak_mb:.0f} MB"
        meter.say(f"  day {number} of {len(days)}, {day}: CPU s {spent}; so far {pace}")
    for name in ("landing", "timeline", "driving"):
        wall = total(meter.costs[name]).wall_seconds
        meter.show(name, f", {fixes / wall:,.0f} fixes/s")
    return fixes


def _build_visits(rooms: Rooms, day: date, meter: Meter) -> None:
    from offramp.pipeline.layers import build_day

    with meter.step("visits"):
        rows = build_day(rooms, LAYERS, "visits", day).rows
    meter.show("visits", f", rows: {', '.join(f'{name} {count:,}' for name, count in rows.items())}")


def _compute_models(rooms: Rooms, day: date, meter: Meter) -> None:
    """Compute the stored models that the six exports read, each before those that read it."""
    from offramp.pipeline.stored import store_day
    from offramp.sql.compiled import MODELS

    def uses(entity: str) -> Iterator[str]:
        for use in rooms.project.compile(entity).relations:
            if use.source == MODELS:
                yield from uses(use.table)
                yield use.table

    for name in dict.fromkeys(one for entity in ENTITIES for one in uses(f"mobility.{entity}")):
        step = f"model {name.partition('.')[2]}"
        with meter.step(step):
            rows = store_day(rooms, rooms.project.model(name).model, day, lambda *_args, **_counts: None)
        meter.show(step, f", {rows:,} rows")


def _deliver(rooms: Rooms, day: date, meter: Meter) -> list[str]:
    """Deliver the six exports, and return those that failed."""
    from offramp.domain.errors import OfframpError
    from offramp.pipeline.deliver import deliver_day

    exports = {one.entity: one for one in rooms.exports.values()}
    failed = []
    for entity in ENTITIES:
        step = f"export {entity}"
        try:
            with meter.step(step):
                report = deliver_day(rooms, exports[entity], day)
                report.raise_if_incomplete()
                assert report.rows > 0, entity
                assert not report.failures, entity
        except OfframpError as error:
            meter.say(f"  {step} FAILED: {error}")
            failed.append(entity)
            continue
        meter.show(step, f", {report.rows:,} rows, {report.bytes:,} bytes")
    return failed


def prepare(folder: Path, users: int = USERS, days: int = DAYS) -> None:
    """Write the sparse days of a population."""
    prepare_lifestyle(folder, users, days)


CASES: dict[str, Callable[..., None]] = {"prepare": prepare, "offramp": offramp}

if __name__ == "__main__":
    CASES[sys.argv[1]](Path(sys.argv[2]), *map(int, sys.argv[3:]))
