"""What the layers say that their columns are made of, tried out on a few days of phones."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from offramp.domain.landings import Relation
from offramp.engine.duckdb_engine import DuckDBEngine
from offramp.feeds.registry import FEEDS, layers_of
from offramp.sources.phones.schema import TABLES
from offramp.sources.phones.source import PhonesSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from offramp.domain.layers import Layer, LayerTable
    from offramp.domain.ports import Session

    Frames = Mapping[str, pl.DataFrame]

LAYERS = layers_of(FEEDS)["mobility_layers"]
WRITTEN = {table.name: table for layer in LAYERS.values() for table in layer.tables.values()}
FIRST = date(2024, 3, 4)
DAYS = [FIRST + timedelta(days=number) for number in range(3)]


@dataclass
class House:
    """Layers over frames: ``landed`` tables, and by layer table what each day wrote."""

    folder: Path
    landed: Frames
    builds: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    files: int = 0

    def build(self, name: str) -> Frames:
        """Build a layer for all days, or for the last where it writes snapshots; return what each build wrote."""
        layer = LAYERS[name]
        engine = DuckDBEngine(self.folder / "scratch", memory_bytes=400_000_000, threads=2)
        for number, day in enumerate(DAYS):
            if layer.is_carried or day == DAYS[-1]:
                layer.build(Work(self, engine, layer, day, number))
        engine.close()
        written = {table: [one for one in self.builds.get(table, []) if one.width] for table in layer.tables}
        return {
            table: pl.concat(one.with_columns(pl.lit(number).alias("build")) for number, one in enumerate(frames))
            for table, frames in written.items()
            if frames
        }

    def broken(self, name: str, origin: str, how: Callable[[pl.DataFrame, str], pl.DataFrame]) -> Frames:
        """Build a layer anew from an input of which one column was broken."""
        relation, _, column = origin.rpartition(".")
        place, _, table = relation.rpartition(".")
        landed = self.landed if place else {**self.landed, table: how(self.landed[table], column)}
        builds = {one: list(frames) for one, frames in self.builds.items() if one not in LAYERS[name].tables}
        if place:
            builds[table] = [how(one, column) if one.height else one for one in builds[table]]
        return House(self.folder, landed, builds).build(name)

    def store(self, frame: pl.DataFrame) -> str:
        path = self.folder / f"{self.files}.parquet"
        self.files += 1
        frame.write_parquet(path)
        return str(path)


@dataclass
class Work:
    """One build; see LayerWork."""

    house: House
    engine: DuckDBEngine
    layer: Layer
    day: date
    number: int
    memory_bytes: int = 200_000_000

    @property
    def until(self) -> datetime:
        return datetime.combine(self.day + timedelta(days=1), time(), UTC)

    @property
    def is_first(self) -> bool:
        return self.number == 0

    @property
    def scratch(self) -> Path:
        return self.house.folder

    @contextmanager
    def open(self) -> Iterator[Session]:
        relations = [
            Relation(f"mobility.{name}", (self.house.store(self.house.landed[name]),), TABLES[name].columns)
            for name in self.layer.reads
        ]
        for name in self.layer.after:
            relations += [self._relation("layers", table, self.number + 1) for table in LAYERS[name].tables.values()]
        relations += [self._relation("before", table, self.number) for table in self.layer.tables.values()]
        with self.engine.open(relations) as session:
            yield session

    def store(self, table: str, session: Session, sql: str) -> None:
        raise NotImplementedError

    def write(self, table: str, frames: Iterable[pl.DataFrame]) -> None:
        names = [name for name, _ in self.layer.tables[table].columns]
        found = [frame.select(names) for frame in frames]
        self.house.builds.setdefault(table, []).append(pl.concat(found) if found else pl.DataFrame())

    def report(self, rows: int) -> None:
        pass

    def _relation(self, place: str, table: LayerTable, builds: int) -> Relation:
        found = [one for one in self.house.builds.get(table.name, [])[:builds] if one.height][-table.days :]
        return Relation(f"{place}.{table.name}", tuple(map(self.house.store, found)), table.columns)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lineage")


@pytest.fixture(scope="module")
def landed(folder: Path) -> Frames:
    until = datetime.combine(DAYS[-1] + timedelta(days=1), time(), UTC)
    source = PhonesSource("mobility", folder / "phones", 7, FIRST, None, 0.1, lambda: until)
    with source.connect() as connection:
        return {name: connection.sql(source.select_as_of(name, until)).pl() for name in TABLES}


@pytest.fixture(scope="module")
def house(folder: Path, landed: Frames) -> House:
    return House(folder, landed)


@pytest.fixture(scope="module")
def whole(house: House) -> Mapping[str, Frames]:
    """What each layer writes when nothing is broken."""
    return {name: house.build(name) for name in ("timeline", "driving", "visits")}


def nulled(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    return frame.with_columns(pl.lit(None, frame.schema[column]).alias(column))


def shifted(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return a table with a column that is a little off."""
    kind, old = frame.schema[column], pl.col(column)
    if kind == pl.Datetime:
        new = old + timedelta(seconds=7)
    elif kind == pl.String:
        new = old + "x"
    elif kind == pl.List:
        new = old.list.head(old.list.len() - 1)
    else:
        new = old * 1.01 + 0.001 if kind.is_float() else old + 1
    return frame.with_columns(new.cast(kind).alias(column))


def changed(layer: str, before: Frames, after: Frames) -> set[str]:
    """Return the columns that differ in rows of the same build and key."""
    found = set()
    for name, table in LAYERS[layer].tables.items():
        if name in before and name in after:
            key = [*table.key, "build"]
            both = before[name].join(after[name], on=key, how="inner", suffix=" now")
            columns = [column for column, _ in table.columns if column not in key]
            found |= {f"{name}.{one}" for one in columns if not both[one].equals(both[f"{one} now"])}
    return found


def declared(layer: str, origin: str) -> set[str]:
    """Return the columns that say that they are made of another one."""
    tables = LAYERS[layer].tables.values()
    return {f"{one.name}.{column}" for one in tables for column, made_of in one.lineage.items() if origin in made_of}


@pytest.mark.parametrize("name", WRITTEN)
def test_every_column_says_what_it_is_made_of(name: str) -> None:
    assert set(WRITTEN[name].lineage) == {column for column, _ in WRITTEN[name].columns}


@pytest.mark.parametrize("name", LAYERS)
def test_origins_are_columns_of_what_the_layer_reads(name: str) -> None:
    layer = LAYERS[name]
    known = {f"{table}.{column}" for table in layer.reads for column, _ in TABLES[table].columns}
    places = [("layers", LAYERS[one]) for one in layer.after] + [("before", layer)] * layer.is_carried
    for place, read in places:
        known |= {f"{place}.{one.name}.{column}" for one in read.tables.values() for column, _ in one.columns}
    used = {one for table in layer.tables.values() for made_of in table.lineage.values() for one in made_of}
    assert used <= known


def test_every_segment_leads_to_fixes() -> None:
    todo = ["layers.trips.mode", "layers.visits.venue_types", "layers.drives.smooth_v2"]
    seen: set[str] = set()
    while todo:
        _, table, column = todo.pop().split(".")
        new = set(WRITTEN[table].lineage[column]) - seen
        seen |= new
        todo += [one for one in new if one.count(".") == 2]
    assert {"fixes.tracked_at", "fixes.latitude", "fixes.longitude", "sensor_events.magnitude", "venues.types"} <= seen


@pytest.mark.parametrize(
    ("layer", "origin", "how"),
    [
        ("timeline", "sdk_events.activity", nulled),
        ("timeline", "fixes.speed", nulled),
        ("timeline", "venues.types", nulled),
        ("driving", "sensor_events.angle", shifted),
        ("driving", "sensor_events.magnitude", nulled),
        ("driving", "waypoints.road", shifted),
        ("driving", "waypoints.speed_limit", nulled),
        ("driving", "layers.legs.processed_at", shifted),
        ("visits", "venues.name", shifted),
        ("visits", "venues.brand", shifted),
        ("visits", "layers.legs.distance", shifted),
    ],
)
def test_to_break_a_column_changes_those_that_are_made_of_it_and_no_others(
    house: House, whole: Mapping[str, Frames], layer: str, origin: str, how: Callable[[pl.DataFrame, str], pl.DataFrame]
) -> None:
    assert changed(layer, whole[layer], house.broken(layer, origin, how)) == declared(layer, origin) != set()


# What only decides whether a row counts, or whose it is.
_DECIDES = {"app_id", "user_id", "received_at", "built_on", "from_on", "day", "is_new", "is_stay"}


@pytest.mark.deep
@pytest.mark.parametrize("layer", LAYERS)
def test_no_column_changes_that_is_not_made_of_what_was_broken(
    house: House, whole: Mapping[str, Frames], layer: str
) -> None:
    tables = [table for one in LAYERS[layer].after for table in LAYERS[one].tables.values()]
    inputs = [f"{table}.{column}" for table in LAYERS[layer].reads for column, _ in TABLES[table].columns]
    inputs += [f"layers.{table.name}.{column}" for table in tables for column, _ in table.columns]
    found: dict[str, set[str]] = {}
    for origin in inputs:
        if origin.rpartition(".")[2] not in _DECIDES:
            others = changed(layer, whole[layer], house.broken(layer, origin, shifted)) - declared(layer, origin)
            found |= {origin: others} if others else {}
    assert found == {}
