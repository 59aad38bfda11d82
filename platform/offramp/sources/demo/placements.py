"""Where the demo's assets and categories are placed: on platforms, in further categories, and beside related assets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.draw import DAY, HOUR, Draw
from offramp.sources.demo.moments import Moments, Part
from offramp.sources.demo.picking import (
    drawn_within,
    made,
    numbered,
    published_assets,
    shared_moments,
    shown_categories,
    some_numbers,
    without,
)
from offramp.sources.demo.versions import State, version

if TYPE_CHECKING:
    from offramp.sources.demo.chapter import Beginning, First, Shift, Versions

PLATFORMS, CHANNELS, SHELVES, LINKS = "assets_platforms", "categories_platforms", "asset_categories", "assets_relations"
_LINK = ("from_asset_id", "to_asset_id", "relation_type")


def begin(beginning: Beginning) -> First:
    """Return the placements with which the demo begins."""
    draw, state, midnight = beginning.draw, beginning.state, beginning.midnight
    assets = published_assets(state)
    on_platforms = _on_platforms(draw, state, assets, midnight)
    channels = _channels(draw, state, midnight)
    shelved = numbered(_shelved(draw, state, assets, max(30, len(assets) // 3)), 1)
    singles, pairs = _links(draw, assets, trailers=len(assets) // 6, related=len(assets) // 3)
    return {
        PLATFORMS: made(PLATFORMS, on_platforms, beginning.before(len(on_platforms))),
        CHANNELS: made(CHANNELS, channels, beginning.before(len(channels))),
        SHELVES: made(SHELVES, shelved, beginning.before(len(shelved))),
        LINKS: _linked(singles, pairs, beginning.before(len(singles) + len(pairs)), 1),
    }


def live(shift: Shift) -> Versions:
    """Return the versions of one part of a day: windows open at night, people work by day, some in the evening."""
    turn = shift.number % 3
    match shift.part:
        case Part.NIGHT:
            return {PLATFORMS: [_opened_assets(shift)], CHANNELS: [_opened_channels(shift)] if turn == 0 else []}
        case Part.WORK:
            return {PLATFORMS: _live_platforms(shift), CHANNELS: _live_channels(shift) if turn == 1 else []}
        case Part.EVENING:
            is_even = shift.number % 2 == 0
            return {SHELVES: _live_shelves(shift)} if is_even else {LINKS: _live_links(shift)}


def _instant(microseconds: int) -> pl.Expr:
    return pl.lit(microseconds, pl.Int64).cast(pl.Datetime("us"))


def _later(draw: Draw, days: tuple[int, int], n: int) -> pl.Expr:
    """Return how much later something is, in whole hours."""
    return pl.lit(pl.Series(draw.whole(days[0] * 24, days[1] * 24, n) * HOUR).cast(pl.Duration("us")))


def _is_open(now: int) -> pl.Expr:
    """Say whether a publication's window holds an instant; a bound that is NULL is none."""
    starts, ends = pl.col("publish_start") <= _instant(now), pl.col("publish_end") > _instant(now)
    return starts.fill_null(value=True) & ends.fill_null(value=True)


def _some(draw: Draw, share: float, n: int) -> pl.Expr:
    return pl.lit(pl.Series(draw.chance(share, n)))


def _spread(draw: Draw, owners: pl.DataFrame, key: str, platforms: pl.DataFrame, share: float) -> pl.DataFrame:
    """Return each owner once for a platform that follows from its id, and for a share of the others."""
    rows = owners.join(platforms[["id"]].rename({"id": "platform_id"}), how="cross", maintain_order="left_right")
    is_first = pl.col(key) % len(platforms) + 1 == pl.col("platform_id")
    return rows.filter(is_first | _some(draw, share, len(rows)))


# Assets on platforms


def _flagged(rows: pl.DataFrame, state: State, now: int) -> pl.DataFrame:
    """Set what the windows say. For thirty days after a broadcast there is its live stream."""
    assets = state.rows("assets").select(
        pl.col("id").alias("asset_id"),
        pl.col("live_broadcast_time").dt.offset_by("30d").alias("_streams_until"),
        pl.col("deleted").alias("_is_retired"),
    )
    platforms = state.rows("platforms").select(pl.col("id").alias("platform_id"), pl.col("enabled").alias("_is_in_use"))
    is_live = pl.col("_streams_until").fill_null(_instant(now)) > _instant(now)
    is_shown = _is_open(now) & ~pl.col("_is_retired") & pl.col("_is_in_use")
    joined = rows.join(assets, on="asset_id", how="left", maintain_order="left")
    joined = joined.join(platforms, on="platform_id", how="left", maintain_order="left")
    joined = joined.with_columns(published=is_shown & ~is_live, live_published=is_shown & is_live)
    return joined.drop("_streams_until", "_is_retired", "_is_in_use")


def _on_platforms(draw: Draw, state: State, assets: pl.DataFrame, now: int) -> pl.DataFrame:
    """Return each asset on three of seven platforms on average, one at the least, within a licence of some months."""
    rows = _spread(draw, assets, "asset_id", state.rows("platforms"), 0.33)
    n = len(rows)
    licence = pl.col("since").dt.truncate("1h") - _later(draw, (0, 20), n)
    start = licence + _later(draw, (0, 35), n)
    end = licence + _later(draw, (150, 900), n)
    rows = rows.with_columns(
        license_start=licence,
        license_end=end,
        publish_start=start,
        publish_end=pl.min_horizontal(start + _later(draw, (30, 600), n), end),
        downloadable=pl.when(~_some(draw, 0.15, n)).then(_some(draw, 0.4, n)),
    )
    # A window without a bound lies in a licence only where the licence has none either.
    for bound, share in (("start", 0.15), ("end", 0.2)):
        is_open, has_none = draw.chance(share, n), draw.chance(0.6, n)
        rows = rows.with_columns(
            pl.when(~pl.lit(pl.Series(is_open))).then(f"license_{bound}").alias(f"license_{bound}"),
            pl.when(~pl.lit(pl.Series(is_open & has_none))).then(f"publish_{bound}").alias(f"publish_{bound}"),
        )
    return _flagged(rows, state, now)


def _opened_assets(shift: Shift) -> pl.DataFrame:
    """Return what is published or taken down because its window opened or closed, or its asset was retired."""
    rows = shift.state.rows(PLATFORMS)
    flagged = _flagged(rows, shift.state, shift.midnight)
    differs = (flagged["published"] != rows["published"]) | (flagged["live_published"] != rows["live_published"])
    return shift.change(PLATFORMS, flagged.filter(differs))


def _live_platforms(shift: Shift) -> list[pl.DataFrame]:
    """Return new assets on their platforms, and rows that are edited, withdrawn, or given another window."""
    draw, midnight = shift.draw, shift.midnight
    new = _on_platforms(draw, shift.state, without(published_assets(shift.state), shift.state, PLATFORMS), midnight)
    rows = shift.state.rows(PLATFORMS)
    some = max(1, len(rows) // 300)
    touched = shift.choose(rows, 6 * some)
    edited, shown, closed = touched.head(2 * some), touched.slice(2 * some, some), touched.slice(3 * some)
    has_room = (pl.col("license_end") > _instant(midnight + DAY)).fill_null(value=True)
    shown = shown.filter(_is_open(midnight) & has_room)
    closed = closed.filter(pl.col("publish_end") <= _instant(midnight))
    return [
        made(PLATFORMS, new, shift.moments(len(new))),
        shift.change(PLATFORMS, edited, downloadable=~pl.col("downloadable").fill_null(value=False)),
        shift.change(
            PLATFORMS, shown,
            published=pl.lit(value=False), live_published=pl.lit(value=False), publish_end=pl.col("last_updated"),
        ),
        _renewed(shift, closed),
    ]  # fmt: skip


def _renewed(shift: Shift, closed: pl.DataFrame) -> pl.DataFrame:
    """Return rows whose window opens again in a few days; the licence is prolonged where the window needs it."""
    n = len(closed)
    start = _instant(shift.midnight) + _later(shift.draw, (1, 5), n)
    end = start + _later(shift.draw, (10, 120), n)
    longer = pl.when(pl.col("license_end").is_not_null()).then(pl.max_horizontal("license_end", end))
    return shift.change(PLATFORMS, closed, publish_start=start, publish_end=end, license_end=longer)


# Channels and shows on platforms


def _channels(draw: Draw, state: State, now: int) -> pl.DataFrame:
    """Return the channels and shows that are on no platform yet on about half of them."""
    owners = shown_categories(state)
    owners = without(owners, state, CHANNELS, "category_id") if CHANNELS in state.tables else owners
    rows = _spread(draw, owners, "category_id", state.rows("platforms").filter("enabled"), 0.4)
    n = len(rows)
    start = pl.col("since").dt.truncate("1h") + _later(draw, (0, 6), n)
    rows = rows.with_columns(
        publish_start=pl.when(_some(draw, 0.5, n)).then(start),
        publish_end=pl.when(_some(draw, 0.2, n)).then(start + _later(draw, (60, 500), n)),
    )
    return rows.with_columns(published=_is_open(now))


def _opened_channels(shift: Shift) -> pl.DataFrame:
    rows = shift.state.rows(CHANNELS)
    differs = rows.filter(_is_open(shift.midnight) != pl.col("published"))
    return shift.change(CHANNELS, differs, published=~pl.col("published"))


def _live_channels(shift: Shift) -> list[pl.DataFrame]:
    """Return new shows on their platforms, windows that are closed or opened again by hand, and at times a row less."""
    new = _channels(shift.draw, shift.state, shift.midnight)
    chosen = shift.choose(shift.state.rows(CHANNELS), 4)
    is_shown, at = pl.col("published"), pl.col("last_updated")
    is_leaving = shift.number % 2 == 1
    return [
        made(CHANNELS, new, shift.moments(len(new))),
        shift.change(
            CHANNELS,
            chosen.head(3),
            publish_start=pl.when(is_shown).then("publish_start").otherwise(at),
            publish_end=pl.when(is_shown).then(at),
            published=~is_shown,
        ),
        shift.remove(chosen.slice(3, 1 if is_leaving else 0)),
    ]


# Assets in further categories


def _shelved(draw: Draw, state: State, assets: pl.DataFrame, n: int) -> pl.DataFrame:
    """Return up to n new places of assets in categories of their tenant, never in their home category."""
    assets = assets[draw.whole(0, len(assets), n)]
    categories = state.rows("categories").filter(~pl.col("deleted"))
    categories = categories.select(pl.col("id").alias("category_id"), pl.col("asset_type_id").alias("_home"), "tenant")
    chosen = drawn_within(draw, categories, "tenant", assets.get_column("tenant")).drop("tenant")
    rows = assets.hstack(chosen).filter((pl.col("_home") != pl.col("asset_type_id")).fill_null(value=True))
    rows = rows.unique(("asset_id", "category_id"), keep="first", maintain_order=True)
    if SHELVES in state.tables:
        rows = rows.join(state.rows(SHELVES), on=("asset_id", "category_id"), how="anti", maintain_order="left")
    return rows.with_columns(sort_index=some_numbers(draw, 0, 50, len(rows)))


def _live_shelves(shift: Shift) -> list[pl.DataFrame]:
    draw, state = shift.draw, shift.state
    added, edited, removed = (draw.count(max(least, mean * shift.scale)) for least, mean in ((3, 6), (3, 4), (1, 2)))
    new = numbered(_shelved(draw, state, published_assets(state), added), state.next_id(SHELVES))
    chosen = shift.choose(state.rows(SHELVES), edited + removed)
    return [
        made(SHELVES, new, shift.moments(len(new))),
        shift.change(SHELVES, chosen.head(edited), sort_index=some_numbers(draw, 0, 50, len(chosen.head(edited)))),
        shift.remove(chosen.slice(edited)),
    ]


# Relations


def _links(
    draw: Draw, assets: pl.DataFrame, *, trailers: int, related: int, taken: pl.DataFrame | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return relations of one way, next episodes first, and those that are to be linked both ways."""
    following = pl.col("asset_id", "since").shift(-1).over("asset_type_id").name.suffix("_next")
    episodes = assets.filter(pl.col("asset_type_id").is_not_null()).select("asset_id", "since", "tenant", following)
    episodes = episodes.filter(pl.col("asset_id_next").is_not_null()).select(
        pl.col("asset_id").alias("from_asset_id"),
        pl.col("asset_id_next").alias("to_asset_id"),
        pl.max_horizontal("since", "since_next").alias("since"),
        "tenant",
        pl.lit("NEXT_EPISODE").alias("relation_type"),
    )
    singles, pairs = _met(draw, assets, trailers, "TRAILER"), _met(draw, assets, related, "RELATED")
    pairs = pairs.filter(pl.col("from_asset_id") < pl.col("to_asset_id"))
    if taken is not None:
        chained = taken.filter(pl.col("relation_type") == "NEXT_EPISODE")
        for end in _LINK[:2]:
            episodes = episodes.join(chained, on=end, how="anti", maintain_order="left")
        singles, pairs = (rows.join(taken, on=_LINK, how="anti", maintain_order="left") for rows in (singles, pairs))
    return pl.concat([episodes, singles]), pairs


def _met(draw: Draw, assets: pl.DataFrame, n: int, relation: str) -> pl.DataFrame:
    """Return up to n different pairs of assets of one tenant."""
    one = assets[draw.whole(0, len(assets), n)]
    other = drawn_within(draw, assets, "tenant", one.get_column("tenant"))
    rows = pl.DataFrame(
        {
            "from_asset_id": one.get_column("asset_id"),
            "to_asset_id": other.get_column("asset_id"),
            "since": pl.select(pl.max_horizontal(one.get_column("since"), other.get_column("since"))).to_series(),
            "tenant": one.get_column("tenant"),
        }
    ).with_columns(relation_type=pl.lit(relation))
    rows = rows.filter(pl.col("from_asset_id") != pl.col("to_asset_id"))
    return rows.unique(_LINK, keep="first", maintain_order=True)


def _linked(singles: pl.DataFrame, pairs: pl.DataFrame, when: Moments, first_id: int) -> pl.DataFrame:
    """Return relations as first versions; the two ways of a link are written at one moment."""
    back = pairs.with_columns(from_asset_id="to_asset_id", to_asset_id="from_asset_id")
    rows = numbered(pl.concat([singles, pairs, back]), first_id)
    rows = rows.with_columns(sort_index=(pl.col("id") % 12).replace(0, None))
    return made(LINKS, rows, _twice(when, len(singles)))


def _twice(when: Moments, first: int = 0) -> Moments:
    """Return moments followed once more by all but the first ones."""
    n = len(when.changed)
    return shared_moments(when, np.concatenate([np.arange(n), np.arange(first, n)]))


def _live_links(shift: Shift) -> list[pl.DataFrame]:
    """Return new relations, others in another order, and links that are cut, both ways at once."""
    draw, state = shift.draw, shift.state
    trailers, related = (draw.count(max(2, mean * shift.scale)) for mean in (2, 4))
    rows = state.rows(LINKS)
    singles, pairs = _links(draw, published_assets(state), trailers=trailers, related=related, taken=rows)
    is_related = pl.col("relation_type") == "RELATED"
    moved = shift.choose(rows.filter(~is_related), draw.count(max(3, 6 * shift.scale)))
    links = rows.filter(is_related & (pl.col("from_asset_id") < pl.col("to_asset_id")))
    cut = shift.choose(links, draw.count(max(1, 2 * shift.scale)))
    back = cut.select(pl.col("to_asset_id").alias("from_asset_id"), pl.col("from_asset_id").alias("to_asset_id"))
    back = back.join(rows.filter(is_related), on=_LINK[:2], how="left", maintain_order="left").select(rows.columns)
    return [
        _linked(singles, pairs, shift.moments(len(singles) + len(pairs)), state.next_id(LINKS)),
        shift.change(LINKS, moved, sort_index=some_numbers(draw, 1, 12, len(moved))),
        version(pl.concat([cut, back]), _twice(shift.moments(len(cut))), is_removed=True),
    ]
