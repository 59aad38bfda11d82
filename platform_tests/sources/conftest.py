"""A landing writer that only keeps files, and demos that suites share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from offramp.domain.landings import Increment, LandedFile, LandedTable, TableSpec
from offramp.sources.demo.schema import TABLES
from offramp.sources.demo.source import DemoSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class FolderWriter:
    """A LandingWriter over a folder: a file per table, nothing removed, nothing shared."""

    folder: Path
    since: datetime | None = None
    added: list[str] = field(default_factory=list)
    landing_id: str = "test"

    def path(self, table: TableSpec) -> Path:
        return self.folder / f"{table.name}.parquet"

    def read_from(self, table: TableSpec) -> datetime | None:
        assert table.increment is not None
        return self.since

    def add(self, table: TableSpec) -> LandedTable:
        path = self.path(table)
        columns = duckdb.sql(f"describe select * from '{path}'").fetchall()
        count = duckdb.sql(f"select count(*) from '{path}'").fetchall()[0][0]
        self.added.append(table.name)
        return LandedTable(
            table.name,
            (LandedFile(path.name, count, path.stat().st_size, self.landing_id),),
            tuple((name, kind) for name, kind, *_ in columns),
        )


def specs_of(source: str, names: Iterable[str] = tuple(TABLES)) -> list[TableSpec]:
    """The demo's tables as dbt_like_sql would declare them."""
    return [
        TableSpec(
            source,
            name,
            (TABLES[name].key,),
            None if name == "platforms" else "tenant",
            TABLES[name].change_column,
            Increment(TABLES[name].ingestion_column, timedelta(minutes=5), timedelta(days=7))
            if TABLES[name].is_log
            else None,
        )
        for name in names
    ]


@pytest.fixture
def specs() -> Callable[..., list[TableSpec]]:
    return specs_of


@pytest.fixture
def writer_of() -> type[FolderWriter]:
    return FolderWriter


@pytest.fixture
def demo_of(tmp_path: Path) -> Callable[..., DemoSource]:
    """A demo of a small scale; keyword arguments replace its settings."""

    def build(**settings: object) -> DemoSource:
        base = {
            "name": "demo",
            "folder": tmp_path / "demo",
            "seed": 7,
            "start_on": date(2026, 1, 1),
            "days": None,
            "scale": 0.1,
            "clock": lambda: START + timedelta(days=5),
        }
        return DemoSource(**(base | settings))  # type: ignore[arg-type]

    return build


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> DemoSource:
    """A demo of scale 1 with 12 days on disk; suites only read it."""
    demo = DemoSource(
        name="demo",
        folder=tmp_path_factory.mktemp("lived"),
        seed=1,
        start_on=date(2026, 1, 1),
        days=None,
        scale=1.0,
        clock=lambda: START + timedelta(days=12),
    )
    demo.select_as_of("users", START + timedelta(days=12))
    return demo


@pytest.fixture
def start() -> datetime:
    return START
