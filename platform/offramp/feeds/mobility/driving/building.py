"""The build of one day's drives: some drives at a time, so that memory depends on neither users nor days."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from offramp.feeds.mobility.driving import thresholds as at
from offramp.feeds.mobility.driving.details import Chunk, details, sent_rows
from offramp.feeds.mobility.driving.new_drives import (
    built_drives,
    compared_days,
    earlier_scores,
    known_drives,
    unchanged_drives,
)
from offramp.feeds.mobility.driving.scores import aggregated, weighted, with_roles, with_scores
from offramp.feeds.mobility.local_time import with_local_time, zones_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from offramp.domain.layers import LayerWork
    from offramp.domain.ports import Session

# Rows that drives are described from. As text 100,000 waypoints are 13 MB; a query for fewer costs more CPU time for
# itself, 0.08 s, than for its rows. A constant, since the row groups of the files are the chunks.
CHUNK_ROWS = 100_000
_CHUNK_DRIVES = 5_000

# The lists of a drive that sensors or the map tell of are put together in order, each in 64 KB or more.
_ROWS_OF_LISTS = 600


def build(work: LayerWork) -> None:
    """Write drives and scores of a data day."""
    with work.open() as session:
        session.hold(known_drives(work.day), "known_drives")
        days = _rows(session, compared_days(work.day)).get_column("built_on").to_list()
        session.hold(unchanged_drives(work.day, days), "unchanged_drives")
        session.hold(built_drives(work.day), "built_drives")
        drives = _local(_rows(session, "select * from built_drives order by number"))
        pieces = chunks(drives, _rows_of(work, session, drives))
        sums: list[pl.DataFrame] = []
        work.write("drives", _written(work, session, pieces, sums))
        work.write("scores", _scores(work, session, drives, sums))


def _local(drives: pl.DataFrame) -> pl.DataFrame:
    """Add the local times of both ends, each at its place."""
    for end, place in (("start", "first"), ("end", "last")):
        zones = zones_of(drives.get_column(f"{place}_latitude"), drives.get_column(f"{place}_longitude"))
        drives = with_local_time(
            drives.with_columns(zones.alias(f"{end}_zone")),
            f"{end}ed_at",
            f"{end}_zone",
            local=f"{end}_local",
            offset=f"{end}_offset",
            text=f"{end}_text",
            has_milliseconds=True,
        )
    return drives


def _rows_of(work: LayerWork, session: Session, drives: pl.DataFrame) -> pl.Series:
    """Return what drives are described from: their points, and by the first of a user what the user sent.

    Sent is what sensors and the map say of the time from the first drive to the last, at least as much as is read.
    """
    if not drives.height:
        return pl.Series("rows", [], pl.Int64)
    user = ["app_id", "user_id"]
    sent = _rows(session, sent_rows(_bounds(drives), work.until))
    known = drives.select(*user, "points").join(sent, on=user, how="left", maintain_order="left")
    once = pl.when(pl.struct(user).is_first_distinct()).then("sent")
    lists = pl.when(pl.col("sent").is_not_null()).then(_ROWS_OF_LISTS)
    return known.select(rows=pl.col("points") + once.fill_null(0) + lists.fill_null(0)).to_series()


def _written(
    work: LayerWork, session: Session, pieces: Iterator[pl.DataFrame], sums: list[pl.DataFrame]
) -> Iterator[pl.DataFrame]:
    """Yield the rows of drives, and leave what the scores of users need of them in ``sums``."""
    for piece in pieces:
        found = _rows(session, details(_bounds(piece), work.day, work.until))
        whole = piece.join(found, on="number", how="left", maintain_order="left")
        scored = with_roles(with_scores(whole.with_columns(pl.col("distance").alias("metres"))))
        scored = scored.with_columns(pl.lit(work.day).alias("built_on"))
        counted = (pl.col("started_at") >= _window_start(work)) & (pl.col("occupant_role") != "passenger")
        sums.append(weighted(scored.filter(counted)))
        work.report(piece.height)
        yield scored


def _scores(
    work: LayerWork, session: Session, drives: pl.DataFrame, sums: list[pl.DataFrame]
) -> Iterator[pl.DataFrame]:
    new = drives.filter("is_new")
    if not new.height:
        return
    earlier = _rows(session, earlier_scores(_window_start(work)))
    processed = new.group_by("app_id", "user_id").agg(pl.col("processed_at").max())
    yield (
        aggregated(pl.concat([*sums, earlier]))
        .join(processed, on=["app_id", "user_id"], how="left")
        .with_columns(pl.lit(work.day).alias("built_on"))
        .sort("app_id", "user_id", "timestamp")
    )


def chunks(drives: pl.DataFrame, rows: pl.Series | None = None) -> Iterator[pl.DataFrame]:
    """Yield drives of whole users: as many as together have CHUNK_ROWS, or one user who has more.

    ``rows`` are those that each drive is described from; None where there are none.
    """
    counted = drives.with_columns(rows=pl.lit(0) if rows is None else rows)
    users = counted.group_by("app_id", "user_id", maintain_order=True).agg(pl.col("rows").sum(), pl.len())
    weight = pl.max_horizontal(pl.col("rows").cum_sum() // CHUNK_ROWS, pl.col("len").cum_sum() // _CHUNK_DRIVES)
    numbered = drives.join(
        users.select("app_id", "user_id", weight.alias("chunk")),
        on=["app_id", "user_id"],
        how="left",
        maintain_order="left",
    )
    for piece in numbered.partition_by("chunk", maintain_order=True):
        yield piece.drop("chunk")


def _bounds(drives: pl.DataFrame) -> Chunk:
    first, last = drives.row(0, named=True), drives.row(-1, named=True)
    begin, end = drives.select(pl.col("started_at").min(), pl.col("ended_at").max()).row(0)
    return Chunk(
        first=first["number"],
        offsets=drives.get_column("start_offset").to_list(),
        app_ids=(first["app_id"], last["app_id"]),
        user_ids=(first["user_id"], last["user_id"]),
        started_at=begin,
        ended_at=end,
    )


def _window_start(work: LayerWork) -> datetime:
    return work.until.replace(tzinfo=None) - timedelta(days=at.AGGREGATE_DAYS)


def _rows(session: Session, sql: str) -> pl.DataFrame:
    """Return a result as a frame; without rows it has its columns too."""
    found = pl.from_arrow(pa.Table.from_batches(list(session.stream(sql)), schema=session.schema(sql)))
    assert isinstance(found, pl.DataFrame)  # noqa: S101  a table becomes a frame
    return found
