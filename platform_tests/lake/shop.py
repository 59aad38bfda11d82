"""Small landings for the tests of the lake."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from offramp.domain.landings import Increment, TableSpec
from offramp.lake.landings import FolderLandingStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from offramp.domain.landings import Landing, Relation
    from offramp.lake.writer import FolderLandingWriter

USERS = TableSpec("shop", "users", ("user_id",), "tenant", "updated_at")
PLAYS = TableSpec(
    "shop",
    "plays",
    ("play_id",),
    "tenant",
    increment=Increment("ingested_at", overlap=timedelta(hours=2), lookback=timedelta(days=7)),
)
MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)


def store_at(root: Path, at_step: Callable[[str], None] = lambda _: None) -> FolderLandingStore:
    return FolderLandingStore(root, memory_bytes=100_000_000, threads=1, at_step=at_step)


def hour(number: float) -> datetime:
    return MIDNIGHT + timedelta(hours=number)


def users(*rows: tuple[int, str]) -> pa.Table:
    return pa.table(
        {
            "tenant": ["t"] * len(rows),
            "user_id": pa.array([row[0] for row in rows], pa.int64()),
            "name": pa.array([row[1] for row in rows], pa.string()),
        }
    )


def plays(*rows: tuple[int, float]) -> pa.Table:
    return pa.table(
        {
            "tenant": pa.array(["t"] * len(rows), pa.string()),
            "play_id": pa.array([row[0] for row in rows], pa.int64()),
            "ingested_at": pa.array([hour(row[1]) for row in rows], pa.timestamp("us", "UTC")),
        }
    )


def fill(writer: FolderLandingWriter, *tables: tuple[TableSpec, pa.Table]) -> None:
    for spec, table in tables:
        pq.write_table(table, writer.path(spec))
        writer.add(spec)


def land(store: FolderLandingStore, at: datetime, *tables: tuple[TableSpec, pa.Table]) -> Landing:
    writer = store.begin("shop", at)
    fill(writer, *tables)
    return store.commit(writer)


def ids(relation: Relation, column: str = "play_id") -> list[int]:
    found: list[int] = []
    for uri in relation.uris:
        found.extend(pq.read_table(uri, columns=[column])[column].to_pylist())
    return sorted(found)


def names(files: Sequence[Path]) -> list[str]:
    return sorted(file.name for file in files)
