"""The demo's video files: they are encoded, placed on servers, offered for playback, and taken off again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.chapter import logged
from offramp.sources.demo.draw import Draw, spoil
from offramp.sources.demo.moments import Part
from offramp.sources.demo.picking import made, numbered, published_assets, some_numbers, without
from offramp.sources.demo.schema import TABLES
from offramp.sources.demo.versions import REMOVED, State, changed_at, version
from offramp.sources.demo.words import NOUNS, REMOVAL_REASONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from offramp.sources.demo.chapter import Beginning, First, Shift, Versions

FILES, PLACED, TAKEN, ITEMS = "video_files", "video_files_published", "video_files_deleted", "assets_items"

# What is made of every asset: format, kbit/s, pixels, codec. Previews are pictures in a text track.
_RENDITIONS = (
    ("mp4", 900, 640, 360, "h264"), ("mp4", 2500, 1280, 720, "h264"), ("mp4", 5200, 1920, 1080, "hevc"),
    ("ism", 4300, 1920, 1080, "h264"), ("webvtts", None, None, None, None),
)  # fmt: skip
_REMADE = (("mp4", 3100, 1920, 1080, "av1"),)
_FIRST_FILES = {"READY": 0.94, "FAILED": 0.03, "ENCODING": 0.015, "QUEUED": 0.015}
_SERVERS = (1, 2, 3, 11)
_FIRST_PLACES = {"DISTRIBUTED": 0.96, "FAILED": 0.02, "PENDING": 0.02}
_NOT_YET = pl.lit(None, pl.Datetime("us")).alias("published_at")
_OF_A_FILE = {
    "media_format": pl.String, "bitrate": pl.Int64, "width": pl.Int64, "height": pl.Int64, "codec": pl.String
}  # fmt: skip


def begin(beginning: Beginning) -> First:
    """Return the files with which the demo begins: most are ready, lie on servers and are offered."""
    draw, assets = beginning.draw, published_assets(beginning.state)
    files = _queued(draw, assets, 1, _RENDITIONS)
    files = _encoded(draw, files, beginning.state, _by_share(draw, _FIRST_FILES, len(files)))
    files = made(FILES, files, beginning.before(len(files)))
    state = State({**beginning.state.tables, FILES: files})
    placed = _placed(draw, _ready(state))
    items = numbered(_offered(draw, _ready(state), assets), 1)
    placed = made(PLACED, placed, beginning.before(len(placed)))
    placed = placed.with_columns(status=_by_share(draw, _FIRST_PLACES, len(placed)))
    placed = placed.with_columns(published_at=pl.when(pl.col("status") == "DISTRIBUTED").then("last_updated"))
    return {FILES: files, PLACED: placed, ITEMS: made(ITEMS, items, beginning.before(len(items)))}


def live(shift: Shift) -> Versions:
    """Return the versions of one part of a day. A file that is new in one part is encoded, placed and offered later."""
    match shift.part:
        case Part.NIGHT:
            removed, log = _removed(shift)
            return {FILES: [_encoding(shift)], PLACED: [removed, _placed_again(shift)], TAKEN: [log]}
        case Part.WORK:
            return {FILES: [_new_files(shift), *_retried(shift)], PLACED: [_new_places(shift), _distributed(shift)]}
        case Part.EVENING:
            return {FILES: [_encoding(shift)], ITEMS: _live_items(shift)}


# Files


def _by_share(draw: Draw, shares: Mapping[str, float], n: int) -> pl.Series:
    """Return texts, each as often as its share says; the shares add up to 1."""
    place = np.searchsorted(np.cumsum(list(shares.values())[:-1]), draw.rng.random(n), side="right")
    return pl.Series(list(shares)).gather(place)


def _queued(
    draw: Draw,
    assets: pl.DataFrame,
    first_id: int,
    renditions: tuple[tuple[str, int | None, int | None, int | None, str | None], ...],
) -> pl.DataFrame:
    """Return files that wait for their encoding, one for each asset and rendition."""
    kinds = pl.DataFrame(renditions, schema=_OF_A_FILE, orient="row")
    rows = numbered(assets.join(kinds, how="cross", maintain_order="left_right"), first_id, "file_id")
    n = len(rows)
    title = draw.text(NOUNS, n, odd=0.06)
    name = title + "_" + rows.get_column("file_id").cast(pl.String) + "." + rows.get_column("media_format")
    return rows.with_columns(
        pl.lit(None, pl.Int64).alias("file_size"),
        pl.lit(None, pl.Decimal(12, 3)).alias("duration"),
        pl.lit(None, pl.String).alias("checksum_md5"),
        file_name=spoil(name, draw.chance(0.03, n)),
        status=pl.lit("QUEUED"),
    )


def _encoded(draw: Draw, rows: pl.DataFrame, state: State, status: pl.Series) -> pl.DataFrame:
    """Return files with a status; those that are ready have a size, a length and a checksum."""
    n = len(rows)
    assets = state.rows("assets").select(
        pl.col("id").alias("asset_id"),
        pl.col("duration").alias("_seconds"),
        pl.col("accurate_duration").alias("_length"),
    )
    # kbit/s times 125 are bytes a second; an unknown length counts as ten minutes.
    size = pl.col("bitrate").fill_null(0) * 125 * pl.col("_seconds").fill_null(600)
    is_ready = pl.col("status") == "READY"
    return (
        rows.with_columns(status=status)
        .join(assets, on="asset_id", how="left", maintain_order="left")
        .with_columns(
            file_size=pl.when(is_ready).then(size + pl.lit(pl.Series(draw.whole(1_000, 90_000, n)))),
            duration=pl.when(is_ready).then("_length"),
            checksum_md5=pl.when(is_ready).then(pl.lit(draw.hex(32, n))),
        )
        .select(rows.columns)
    )


def _encoding(shift: Shift) -> pl.DataFrame:
    """Return files one step further: from the queue to the encoder, and out of it."""
    rows = shift.state.rows(FILES).filter(pl.col("status").is_in(("QUEUED", "ENCODING")))
    outcome = _by_share(shift.draw, {"READY": 0.93, "FAILED": 0.07}, len(rows))
    outcome = pl.Series(["ENCODING"]).new_from_index(0, len(rows)).zip_with(rows["status"] == "QUEUED", outcome)
    return shift.change(FILES, _encoded(shift.draw, rows, shift.state, outcome))


def _new_files(shift: Shift) -> pl.DataFrame:
    """Return the files of assets that have none, and a few made anew for old assets."""
    draw, state = shift.draw, shift.state
    assets = published_assets(state)
    fresh = without(assets, state, FILES)
    old = shift.choose(state.rows(FILES), draw.count(max(0.7, shift.scale))).select("asset_id")
    old = assets.join(old, on="asset_id", how="semi", maintain_order="left")
    # Ids have risen without a gap from 1 on, and the state holds removed ones too.
    first_id = len(state.tables[FILES]) + 1
    new = _queued(draw, fresh, first_id, _RENDITIONS)
    new = pl.concat([new, _queued(draw, old, first_id + len(new), _REMADE)])
    return made(FILES, new, shift.moments(len(new)))


def _retried(shift: Shift) -> list[pl.DataFrame]:
    """Return failed files that are queued again, and some that are removed for good: they never lay on a server."""
    failed = shift.state.rows(FILES).filter(pl.col("status") == "FAILED")
    chosen = failed.filter(pl.lit(pl.Series(shift.draw.chance(0.25, len(failed)))))
    half = len(chosen) // 2
    return [shift.change(FILES, chosen.slice(half), status=pl.lit("QUEUED")), shift.remove(chosen.head(half))]


def _ready(state: State) -> pl.DataFrame:
    """Return the ready files of assets that are not retired; ``since`` is when each was made."""
    rows = state.rows(FILES).filter(pl.col("status") == "READY")
    rows = rows.join(published_assets(state), on="asset_id", how="semi", maintain_order="left")
    return rows.with_columns(since="registered")


# Files on servers


def _placed(draw: Draw, files: pl.DataFrame) -> pl.DataFrame:
    """Return files on their way to two of four servers on average, one at the least."""
    servers = pl.DataFrame({"server_id": _SERVERS})
    rows = files.join(servers, how="cross", maintain_order="left_right")
    is_first = pl.col("server_id") == 1 + pl.col("file_id") % 3
    rows = rows.filter(is_first | pl.lit(pl.Series(draw.chance(0.33, len(rows)))))
    return rows.with_columns(_NOT_YET, path=_paths(draw, rows), status=pl.lit("PENDING"))


def _paths(draw: Draw, rows: pl.DataFrame) -> pl.Series:
    n = len(rows)
    folder = rows.select(pl.format("/vod/s{}/{}/", "server_id", "file_id")).to_series()
    return spoil(folder + draw.hex(8, n) + draw.text((".mp4", ".ismv", "/index"), n, odd=0.03), draw.chance(0.05, n))


def _new_places(shift: Shift) -> pl.DataFrame:
    rows = _placed(shift.draw, without(_ready(shift.state), shift.state, PLACED, "file_id"))
    return made(PLACED, rows, shift.moments(len(rows)))


def _distributed(shift: Shift) -> pl.DataFrame:
    """Return what was on its way and has now arrived, or has not."""
    rows = shift.state.rows(PLACED).filter(pl.col("status") == "PENDING")
    status = _by_share(shift.draw, {"DISTRIBUTED": 0.95, "FAILED": 0.05}, len(rows))
    arrived = pl.when(pl.lit(status == "DISTRIBUTED")).then("last_updated")
    return shift.change(PLACED, rows, status=status, published_at=arrived)


def _retired_files(state: State) -> pl.DataFrame:
    retired = state.rows("assets").filter("deleted").select(pl.col("id").alias("asset_id"))
    return state.rows(FILES).join(retired, on="asset_id", how="semi", maintain_order="left").select("file_id")


def _removed(shift: Shift) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return places that are given up and the log of it, visible together: all of retired assets, few of the others."""
    draw = shift.draw
    retired = _retired_files(shift.state).with_columns(_is_retired=pl.lit(value=True))
    rows = shift.state.rows(PLACED).filter(pl.col("status") != "PENDING")
    columns = rows.columns
    rows = rows.join(retired, on="file_id", how="left", maintain_order="left")
    share = pl.when(pl.col("status") == "FAILED").then(0.4).otherwise(0.004)
    is_due = pl.lit(pl.Series(draw.rng.random(len(rows)))) < share
    rows = rows.filter(pl.col("_is_retired").is_not_null() | is_due)
    n = len(rows)
    why = spoil(draw.pick(REMOVAL_REASONS, n), draw.chance(0.1, n))
    when = shift.moments(n)
    rows = changed_at(TABLES[PLACED], rows, when).with_columns(
        reason=pl.when(pl.col("_is_retired").is_not_null()).then(pl.lit("UNPUBLISHED")).otherwise(pl.lit(why))
    )
    log = rows.select(
        "file_id", "server_id", "published_at", pl.col("last_updated").alias("deleted_at"), "reason", "tenant"
    )
    return version(rows.select(columns), when, is_removed=True), logged(log, when)


def _placed_again(shift: Shift) -> pl.DataFrame:
    """Return files that go back to a server after days, at least a second after they were taken off it."""
    rows = shift.state.tables[PLACED].filter(REMOVED)
    rows = rows.join(_retired_files(shift.state), on="file_id", how="anti", maintain_order="left")
    rows = rows.filter(pl.lit(pl.Series(shift.draw.chance(0.08, len(rows)))))
    rows = rows.with_columns(pl.col("last_updated").dt.offset_by("1s"), _NOT_YET, path=_paths(shift.draw, rows))
    return shift.change(PLACED, rows, status=pl.lit("PENDING"), registered=pl.col("last_updated"))


# Items


def _offered(draw: Draw, files: pl.DataFrame, assets: pl.DataFrame) -> pl.DataFrame:
    """Return items of files, and one more without a file for each asset that is broadcast live."""
    is_broadcast = assets.filter("live").select(
        "asset_id", pl.lit(None, pl.Int64).alias("file_id"), pl.lit("LIVE").alias("item_type"),
        pl.lit(None, pl.String).alias("media_format"), pl.lit(None, pl.Int64).alias("bitrate"), "since", "tenant",
    )  # fmt: skip
    drawn = pl.lit(_by_share(draw, {"MAIN": 0.94, "TRAILER": 0.06}, len(files)))
    kind = pl.when(pl.col("media_format") == "webvtts").then(pl.lit("PREVIEW")).otherwise(drawn)
    rows = files.select("asset_id", "file_id", kind.alias("item_type"), "media_format", "bitrate", "since", "tenant")
    rows = pl.concat([rows, is_broadcast])
    rows = rows.join(assets.select("asset_id", "drm_protected"), on="asset_id", how="left", maintain_order="left")
    return rows.with_columns(
        drm_protected=pl.col("drm_protected") & (pl.col("item_type") != "PREVIEW"),
        protocol=pl.when(pl.col("media_format") == "mp4").then(draw.pick(("HTTP", "HLS"), len(rows)))
        .when(pl.col("media_format") == "ism").then(pl.lit("DASH"))
        .when(pl.col("item_type") == "LIVE").then(pl.lit("HLS")),
        sort_index=some_numbers(draw, 0, 10, len(rows)),
    )  # fmt: skip


def _live_items(shift: Shift) -> list[pl.DataFrame]:
    """Return items of files and broadcasts that have none, others in another order, and some that are withdrawn."""
    draw, state = shift.draw, shift.state
    assets = published_assets(state)
    broadcast = state.tables[ITEMS].filter(pl.col("item_type") == "LIVE")
    unseen = assets.with_columns(pl.col("live") & ~pl.col("asset_id").is_in(broadcast["asset_id"].implode()))
    new = numbered(_offered(draw, without(_ready(state), state, ITEMS, "file_id"), unseen), state.next_id(ITEMS))
    moved, removed = (draw.count(max(least, mean * shift.scale)) for least, mean in ((2.0, 4.0), (0.5, 1.0)))
    chosen = shift.choose(state.rows(ITEMS), moved + removed)
    order = some_numbers(draw, 0, 10, len(chosen.head(moved)))
    return [
        made(ITEMS, new, shift.moments(len(new))),
        shift.change(ITEMS, chosen.head(moved), sort_index=order),
        shift.remove(chosen.slice(moved)),
    ]
