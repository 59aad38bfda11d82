"""The demo's catalogue: platforms, asset types, the category tree, and assets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.draw import DAY, SECOND, Draw, instants, spoil, thousandths
from offramp.sources.demo.moments import Moments, Part, moments
from offramp.sources.demo.people import tenants
from offramp.sources.demo.picking import where
from offramp.sources.demo.schema import TABLES, TENANTS
from offramp.sources.demo.versions import State, changed_at, version
from offramp.sources.demo.words import CHANNELS, GENRES, KEYWORDS, PLATFORMS, REGIONS, SENTENCES, TITLES

if TYPE_CHECKING:
    from offramp.sources.demo.chapter import Beginning, First, Shift, Versions

# The ids of the first shows; genres and channels lie below.
FIRST_SHOW = 101


def at_the_start(draw: Draw, midnight: int, n: int) -> Moments:
    """Return moments of rows that are there from the first day on: changed in the year before, visible at once."""
    changed = np.sort(midnight - draw.whole(DAY, 365 * DAY, n)) // SECOND * SECOND
    return Moments(changed, np.full(n, midnight, dtype=np.int64))


def first_platforms(draw: Draw, midnight: int) -> pl.DataFrame:
    """Return the platforms. They are shared by all tenants and never renamed: views hold their names."""
    n = len(PLATFORMS)
    when = at_the_start(draw, midnight, n)
    return version(
        pl.DataFrame(
            {
                "id": pl.int_range(1, n + 1, dtype=pl.Int64, eager=True),
                "name": pl.Series(PLATFORMS),
                "description": draw.text(SENTENCES, n, odd=0.3, null=0.2, empty=0.2),
                "region": spoil(draw.pick(REGIONS, n), draw.chance(0.3, n)),
                "enabled": pl.Series([name != "kiosk" for name in PLATFORMS]),
                "registered": instants(when.changed),
                "last_updated": instants(when.changed),
            }
        ),
        when,
    )


def live_platforms(draw: Draw, state: State, midnight: int, part: Part) -> list[pl.DataFrame]:
    """Return a new description of one platform."""
    if part is not Part.WORK:
        return []
    table = TABLES["platforms"]
    when = moments(draw, midnight, part, 1)
    row = changed_at(table, state.rows("platforms")[draw.whole(0, len(PLATFORMS), 1)], when)
    return [version(row.with_columns(description=draw.text(SENTENCES, 1, odd=0.5)), when)]


def begin(beginning: Beginning) -> First:
    """Return the platforms, asset types, categories and assets with which the demo begins."""
    draw, midnight = beginning.draw, beginning.midnight
    types = new_types(draw, 1, at_the_start(draw, midnight, beginning.count(30, 6)))
    created = at_the_start(draw, midnight, beginning.count(400, 20))
    return {
        "platforms": first_platforms(draw, midnight),
        "asset_types": types,
        "categories": first_categories(draw, types, midnight),
        "assets": new_assets(draw, types, 1, created, drafts=0.08),
    }


def live(shift: Shift) -> Versions:
    """Return the versions of one part of a day."""
    draw, state, midnight, part = shift.draw, shift.state, shift.midnight, shift.part
    types, shows = live_types(draw, state, midnight, part) if shift.number % 5 == 2 else ([], [])
    return {
        "platforms": live_platforms(draw, state, midnight, part) if shift.number % 9 == 4 else [],
        "asset_types": types,
        "categories": live_categories(draw, state, midnight, part) + shows,
        "assets": live_assets(draw, state, midnight, part, shift.scale),
    }


def new_types(draw: Draw, first_id: int, when: Moments) -> pl.DataFrame:
    """Return asset types: programme series and sports."""
    n = len(when.changed)
    ids = pl.int_range(first_id, first_id + n, dtype=pl.Int64, eager=True)
    return version(
        pl.DataFrame(
            {
                "id": ids,
                "name": draw.text(TITLES, n),
                "description": draw.text(SENTENCES, n, odd=0.15, null=0.2, empty=0.1),
                "external_id": spoil("000" + draw.hex(6, n), draw.chance(0.2, n)),
                "active": pl.Series(~draw.chance(0.05, n)),
                "registered": instants(when.changed),
                "last_updated": instants(when.changed),
                "tenant": tenants(ids),
            }
        ),
        when,
    )


def _categories(draw: Draw, ids: pl.Series, tenant: pl.Series, level: str, when: Moments) -> pl.DataFrame:
    n = len(ids)
    return pl.DataFrame(
        {
            "id": ids,
            "parent_id": pl.Series([None] * n, dtype=pl.Int64),
            "asset_type_id": pl.Series([None] * n, dtype=pl.Int64),
            "level_type": pl.Series([level] * n),
            "title": draw.text(TITLES, n),
            "description": draw.text(SENTENCES, n, odd=0.15, null=0.2, empty=0.1),
            "external_id": spoil(draw.text(("cat-", "0", " "), n, odd=0.05) + draw.hex(4, n), draw.chance(0.3, n)),
            "sort_index": pl.Series(draw.whole(0, 100, n)),
            "deleted": pl.Series(np.zeros(n, dtype=bool)),
            "registered": instants(when.changed),
            "last_updated": instants(when.changed),
            "tenant": tenant,
        }
    )


def new_shows(draw: Draw, types: pl.DataFrame, when: Moments) -> pl.DataFrame:
    """Return the show of each new asset type: one category per type, under a channel of its tenant."""
    ids = types.get_column("id") + FIRST_SHOW
    tenant = types.get_column("tenant")
    channel = pl.Series(draw.whole(0, len(CHANNELS), len(types)))
    place = (tenant == TENANTS[1]).cast(pl.Int64)
    rows = _categories(draw, ids, tenant, "SHOW", when).with_columns(
        title=types.get_column("name"),
        asset_type_id=types.get_column("id"),
        parent_id=_first_channel(place) + channel,
    )
    return version(rows, when)


def _first_channel(place: pl.Series) -> pl.Series:
    return len(TENANTS) * len(GENRES) + 1 + place * len(CHANNELS)


def first_categories(draw: Draw, types: pl.DataFrame, midnight: int) -> pl.DataFrame:
    """Return genres, channels under genres, and shows under channels."""
    genre_count, channel_count = len(TENANTS) * len(GENRES), len(TENANTS) * len(CHANNELS)
    genres, channels = (at_the_start(draw, midnight, n) for n in (genre_count, channel_count))
    genre_ids = pl.int_range(1, genre_count + 1, dtype=pl.Int64, eager=True)
    channel_ids = pl.int_range(genre_count + 1, genre_count + channel_count + 1, dtype=pl.Int64, eager=True)
    genre_tenants = pl.Series(np.repeat(TENANTS, len(GENRES)).tolist())
    channel_tenants = pl.Series(np.repeat(TENANTS, len(CHANNELS)).tolist())
    genre_rows = _categories(draw, genre_ids, genre_tenants, "GENRE", genres).with_columns(
        title=pl.Series(GENRES * len(TENANTS))
    )
    parents = np.repeat(np.arange(len(TENANTS)) * len(GENRES) + 1, len(CHANNELS))
    channel_rows = _categories(draw, channel_ids, channel_tenants, "CHANNEL", channels).with_columns(
        title=pl.Series(CHANNELS * len(TENANTS)),
        parent_id=pl.Series(parents + draw.whole(0, len(GENRES), channel_count)),
    )
    shows = new_shows(draw, types, at_the_start(draw, midnight, len(types)))
    return pl.concat([version(genre_rows, genres), version(channel_rows, channels), shows])


def live_types(draw: Draw, state: State, midnight: int, part: Part) -> tuple[list[pl.DataFrame], list[pl.DataFrame]]:
    """Return versions of asset types and categories: a new series with its show, and an edited one of each."""
    if part is not Part.WORK:
        return [], []
    both = moments(draw, midnight, part, 2)
    added, edited = both.cut(0, 1), both.cut(1, 2)
    types = new_types(draw, state.next_id("asset_types"), added)
    shows = new_shows(draw, types, added)
    rows = state.rows("asset_types")
    row = changed_at(TABLES["asset_types"], rows[draw.whole(0, len(rows), 1)], edited)
    row = version(row.with_columns(description=draw.text(SENTENCES, 1, odd=0.5)), edited)
    return [types, row], [shows]


def live_categories(draw: Draw, state: State, midnight: int, part: Part) -> list[pl.DataFrame]:
    """Return edited categories."""
    rows = state.rows("categories")
    n = min(draw.count(2 * part.value[2]), len(rows))
    when = moments(draw, midnight, part, n)
    chosen = rows[draw.rng.choice(len(rows), n, replace=False).astype(np.uint32)]
    chosen = changed_at(TABLES["categories"], chosen, when).with_columns(
        description=draw.text(SENTENCES, n, odd=0.3, null=0.1, empty=0.1),
        sort_index=pl.Series(draw.whole(0, 100, n)),
    )
    return [version(chosen, when)]


def new_assets(draw: Draw, types: pl.DataFrame, first_id: int, when: Moments, *, drafts: float) -> pl.DataFrame:
    """Return assets of existing types. A draft has no date of publication, and nobody views it."""
    n = len(when.changed)
    kind = types[draw.skewed(len(types), n)]
    created = instants(when.changed)
    milliseconds = draw.whole(60_000, 7_200_000, n)
    is_live = pl.Series(draw.chance(0.1, n))
    is_draft = draw.chance(drafts, n)
    no_length = pl.Series(draw.chance(0.03, n))
    return version(
        pl.DataFrame(
            {
                "id": pl.int_range(first_id, first_id + n, dtype=pl.Int64, eager=True),
                "asset_type_id": kind.get_column("id").set(pl.Series(draw.chance(0.03, n)), None),
                "title": draw.text(TITLES, n, odd=0.18),
                "description": draw.text(SENTENCES, n, odd=0.15, null=0.15, empty=0.1),
                "subtitle": draw.text(TITLES, n, odd=0.1, null=0.5, empty=0.1),
                "external_id": spoil(draw.pick(("00", "EXT-", " "), n) + draw.hex(6, n), draw.chance(0.2, n)),
                "duration": pl.Series(milliseconds // 1000).set(no_length, None),
                "accurate_duration": where(~no_length, thousandths(milliseconds)),
                "live": is_live,
                "live_broadcast_time": created.dt.offset_by("3d").set(~is_live, None),
                "drm_protected": pl.Series(draw.chance(0.6, n)),
                "archive": pl.Series(draw.chance(0.05, n)),
                "views": pl.Series(np.zeros(n, dtype=np.int64)),
                "vote_count": pl.Series(draw.whole(0, 500, n)),
                "keywords": draw.text(KEYWORDS, n, odd=0.1, null=0.2, empty=0.1),
                "deleted": pl.Series(np.zeros(n, dtype=bool)),
                "create_time": created,
                "published_date": created.set(pl.Series(is_draft), None),
                "update_time": created,
                "tenant": kind.get_column("tenant"),
            }
        ),
        when,
    )


def live_assets(draw: Draw, state: State, midnight: int, part: Part, scale: float) -> list[pl.DataFrame]:
    """Return versions of one part of a day: view counts, edits, publications, removals, and new assets."""
    table, share = TABLES["assets"], part.value[2]
    rows = state.rows("assets").filter(~pl.col("deleted"))
    n = min(draw.count(0.05 * len(rows) * share), len(rows))
    when = moments(draw, midnight, part, n)
    chosen = changed_at(table, rows[draw.rng.choice(len(rows), n, replace=False).astype(np.uint32)], when)
    added_views, edited = pl.Series(draw.whole(1, 90, n)), pl.Series(draw.chance(0.3, n))
    retired, is_draft = pl.Series(draw.chance(0.05, n)), chosen.get_column("published_date").is_null()
    changed = pl.col("update_time")
    chosen = chosen.with_columns(
        views=pl.col("views") + pl.when(is_draft).then(0).otherwise(added_views),
        description=pl.when(edited)
        .then(draw.text(SENTENCES, n, odd=0.3, null=0.1, empty=0.1))
        .otherwise("description"),
        published_date=pl.when(edited & is_draft).then(changed).otherwise("published_date"),
        deleted=retired & ~is_draft,
    )
    new = draw.count(max(3.0, 4 * scale) * share)
    versions = [
        version(chosen, when),
        new_assets(
            draw,
            state.rows("asset_types"),
            state.next_id("assets"),
            moments(draw, midnight, part, new),
            drafts=0.4,
        ),
    ]
    if part is Part.EVENING:
        versions.append(_removed_drafts(draw, rows, chosen, midnight))
    return versions


def _removed_drafts(draw: Draw, rows: pl.DataFrame, touched: pl.DataFrame, midnight: int) -> pl.DataFrame:
    """Remove up to two drafts for good. What was ever published stays: views point to it."""
    drafts = rows.filter(pl.col("published_date").is_null()).join(touched.select("id"), on="id", how="anti").head(2)
    return version(drafts, moments(draw, midnight, Part.EVENING, len(drafts)), is_removed=True)
