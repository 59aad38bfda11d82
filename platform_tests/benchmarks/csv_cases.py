"""CSV of mixed rows: ours through stage and publish, and the peers' bare writing of the same SELECT."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from offramp.domain.landings import TableSpec
    from offramp.domain.ports import LandingWriter
    from offramp.pipeline.rooms import Rooms

DAY = date(2026, 3, 1)
READ_POINT = datetime(2026, 3, 2, 0, 5, tzinfo=UTC)
MEMORY = 256 * 1024 * 1024
COLUMNS = "id, asset_id, name, url, price, live, registered, born_on, country, user_agent, seconds"
GENERATE = """
copy (
    select
        i::bigint as id, (i * 7919) % 100003 as asset_id,
        case when i % 3 = 0 then null else 'user ' || i || case when i % 11 = 0 then ', "x"' else '' end end as name,
        'https://example.com/a/' || md5(i::varchar) as url,
        ((i % 100000) * 1.237)::decimal(12, 3) as price, i % 2 = 0 as live,
        timestamp '2026-01-01' + to_seconds(i % 5000000) as registered,
        date '1970-01-01' + (i % 20000)::int as born_on,
        ['NO', 'SE', 'DK', 'DE'][1 + i % 4] as country,
        case when i % 5 = 0 then '' else 'Mozilla/5.0 (X11; Linux x86_64) ' || i % 300 end as user_agent,
        i % 7200 as seconds, 'aurora' as tenant
    from (select (n * 2654435761) % {rows} as i from range({rows}) as t(n))
) to '{path}' (format parquet, compression zstd)
"""


def rows_file(folder: Path) -> Path:
    return folder / "rows.parquet"


def prepare(folder: Path, rows: int) -> None:
    """Generate the rows in no useful order and land them, so that only stage and publish are measured."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with duckdb.connect(config={"memory_limit": "2GB", "preserve_insertion_order": False}) as connection:
        connection.execute(GENERATE.format(rows=rows, path=rows_file(folder)))
    house = _rooms(folder)
    from offramp.pipeline.land import land_source
    from offramp.pipeline.rooms import no_report

    land_source(house, house.sources["bench"], as_of=READ_POINT, report=no_report)


def offramp(folder: Path) -> None:
    """Stage and publish one snapshot: checksums, contract, order, uniqueness and read-back included."""
    from offramp.pipeline.deliver import deliver_day

    for name in ("ledger.db", "outbox", "lake/parts", "lake/staged", "lake/manifests"):
        _remove(folder / name)
    rooms = _rooms(folder)
    report = deliver_day(rooms, rooms.exports["bench/snapshot/rows"], DAY)
    assert not report.failures
    assert report.rows > 0


def duckdb_copy(folder: Path) -> None:
    with duckdb.connect(config={"threads": 2, "temp_directory": str(folder / "spill")}) as connection:
        query = f"select {COLUMNS} from '{rows_file(folder)}' order by id"
        connection.execute(f"copy ({query}) to '{folder / 'duckdb.csv'}' (format csv, header)")


def polars_sink(folder: Path) -> None:
    import polars as pl

    names = [name.strip() for name in COLUMNS.split(",")]
    pl.scan_parquet(rows_file(folder)).select(names).sort("id").sink_csv(folder / "polars.csv")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


class _FileSource:
    """The generated rows as a source."""

    name = "bench"
    can_read_as_of = True

    def __init__(self, path: Path) -> None:
        self._path = path

    def read_point(self) -> datetime:
        return READ_POINT

    def land(
        self, tables: Sequence[TableSpec], begin: Callable[[datetime], LandingWriter], *, as_of: datetime | None
    ) -> datetime:
        writer = begin(as_of or READ_POINT)
        for spec in tables:
            shutil.copyfile(self._path, writer.path(spec))
            writer.add(spec)
        return as_of or READ_POINT


def _rooms(folder: Path) -> Rooms:
    from offramp.destinations.local import LocalDestination
    from offramp.domain.subscriptions import Subscription
    from offramp.engine.duckdb_engine import DuckDBEngine
    from offramp.feeds.media.feed import MediaFeed
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

    class BenchFeed(MediaFeed):
        @property
        def name(self) -> str:
            return "bench"

    project = load_project(Path(__file__).parent / "views")
    lake = folder / "lake"
    parts = PartStore(lake)
    exports = BenchFeed().exports([loaded.model for loaded in project.models.values()])
    return Rooms(
        project=project,
        feeds={"bench": BenchFeed()},
        exports={export.name: export for export in exports},
        subscriptions=[
            Subscription("bench", "bench", "bench", ("aurora",), DAY - timedelta(days=1), ("outbox",)),
        ],
        sources={"bench": _FileSource(rows_file(folder))},
        lake=Lake(
            landings=FolderLandingStore(lake, memory_bytes=MEMORY, threads=2),
            models=ModelStore(lake),
            layers=LayerStore(lake),
            parts=parts,
            staged=StagedStore(lake, parts),
            rejects=RejectStore(lake),
            manifests=ManifestStore(lake),
        ),
        engine=DuckDBEngine(folder / "scratch", memory_bytes=MEMORY, threads=2),
        formats=FORMATS,
        destination=lambda name, _subscription: LocalDestination(name, folder / "outbox"),
        ledger=SqlLedger(f"sqlite:///{folder / 'ledger.db'}"),
        clock=lambda: READ_POINT + timedelta(hours=1),
        owner="bench",
        has_ended=lambda _owner: False,
        safety_lag=timedelta(minutes=5),
        claim_ttl=timedelta(minutes=15),
        publish_parallel=2,
        versions={"version": "bench"},
    )


CASES: dict[str, Callable[[Path], None]] = {
    "offramp": offramp,
    "duckdb copy": duckdb_copy,
    "polars sink_csv": polars_sink,
}

if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        CASES[sys.argv[1]](Path(sys.argv[2]))
