"""A source for tests whose whole history is a list: every version of every row with its commit time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import duckdb
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from offramp.domain.landings import TableSpec
    from offramp.domain.ports import LandingWriter

ITEMS = {
    "id": pl.Int64,
    "title": pl.String,
    "amount": pl.Int64,
    "last_updated": pl.Datetime("us"),
    "tenant": pl.String,
}
EVENTS = {
    "id": pl.Int64,
    "item_id": pl.Int64,
    "registered": pl.Datetime("us"),
    "ingested_at": pl.Datetime("us"),
    "tenant": pl.String,
}


@dataclass
class HistorySource:
    """Tables ``items`` (mutable) and ``clicks`` (events). A version is (committed_at, is_deleted, row)."""

    clock: Callable[[], datetime]
    items: list[tuple[datetime, bool, dict[str, object]]] = field(default_factory=list)
    clicks: list[dict[str, object]] = field(default_factory=list)
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
            since = writer.read_from(spec) if spec.increment else None
            frame = self.items_as_of(moment) if spec.name == "items" else self.clicks_as_of(moment, since)
            with duckdb.connect() as connection:
                connection.register("frame", frame.to_arrow())
                connection.execute(f"copy (select * from frame order by id) to '{writer.path(spec)}' (format parquet)")
            writer.add(spec)
        return moment

    def items_as_of(self, moment: datetime) -> pl.DataFrame:
        rows: dict[tuple[object, object], dict[str, object]] = {}
        for committed_at, is_deleted, row in sorted(self.items, key=lambda one: one[0]):
            key = (row["tenant"], row["id"])
            if committed_at > moment:
                continue
            if is_deleted:
                rows.pop(key, None)
            else:
                rows[key] = row
        return pl.DataFrame(list(rows.values()), schema=ITEMS)

    def clicks_as_of(self, moment: datetime, since: datetime | None) -> pl.DataFrame:
        naive, start = moment.replace(tzinfo=None), since.replace(tzinfo=None) if since else datetime.min  # noqa: DTZ901
        rows = [row for row in self.clicks if start < row["ingested_at"] <= naive]  # type: ignore[operator]
        return pl.DataFrame(rows, schema=EVENTS)
