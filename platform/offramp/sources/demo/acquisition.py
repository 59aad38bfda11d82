"""The demo's acquisition manager: titles, the contracts they are bought by, licences, and what those permit.

Every table changes by a few rows on some days, in working hours: titles every third day, contracts and licences every
second day. Permissions are the only rows that go for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.acquired import (
    CONTRACTS,
    EPISODES,
    LICENSES,
    MOVIES,
    PERMISSIONS,
    PREFIX,
    PROVIDERS,
    SEASONS,
    SHOWS,
    contract_values,
    following_ids,
    new_contracts,
    new_episodes,
    new_licenses,
    new_movies,
    new_permissions,
    new_providers,
    new_seasons,
    new_shows,
)
from offramp.sources.demo.moments import Moments, Part
from offramp.sources.demo.people import tenants
from offramp.sources.demo.picking import shared_moments, some_numbers
from offramp.sources.demo.schema import TABLES
from offramp.sources.demo.versions import State, changed_at, version
from offramp.sources.demo.words import (
    OWNERS,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.demo.chapter import Beginning, First, Shift, Versions
    from offramp.sources.demo.draw import Draw

CONTENT = {"MOVIE": MOVIES, "SHOW": SHOWS, "SEASON": SEASONS, "EPISODE": EPISODES}
# In this turn, so that few contracts already have every status.
FIRST_STATES = ("ACTIVE", "EXPIRED", "ACTIVE", "DRAFT", "TERMINATED", "ACTIVE", "PENDING")


def _one_each(draw: Draw, rows: pl.DataFrame, tenant: pl.Series, *, share: float) -> pl.Series:
    """Return ids of rows for a share of a column of tenants, no row twice; NULL for the others, and after the last."""
    n = len(tenant)
    place = pl.int_range(pl.len()).over("tenant").alias("_place")
    shuffled = rows[draw.rng.permutation(len(rows)).astype(np.uint32)].select("tenant", place, _id="id")
    wanted = pl.DataFrame({"tenant": tenant}).with_columns(place)
    found = wanted.join(shuffled, on=("tenant", "_place"), how="left", maintain_order="left").get_column("_id")
    return found.set(pl.Series(~draw.chance(share, n)), None)


def titles(state: State) -> pl.DataFrame:
    """Return everything that can be licensed: ``content_type``, ``content_id``, ``tenant``."""
    return pl.concat(
        state.rows(table).select(pl.lit(kind).alias("content_type"), pl.col("id").alias("content_id"), "tenant")
        for kind, table in CONTENT.items()
    )


def begin(beginning: Beginning) -> First:
    """Return what is there when the demo begins: about half of all titles are licensed."""
    draw, before = beginning.draw, beginning.before
    state = State(dict(beginning.state.tables))
    tables = state.tables
    tables[PROVIDERS] = new_providers(draw, 1, before(12))
    n = beginning.count(36, 14)
    states = pl.Series(FIRST_STATES).gather(np.arange(n) % len(FIRST_STATES))
    owners = tables[PROVIDERS][np.arange(n) % len(tables[PROVIDERS])]
    tables[CONTRACTS] = new_contracts(draw, owners, states, before(n), first_id=1)
    n = beginning.count(30, 10)
    tenant = tenants(following_ids(1, n))
    categories = _one_each(draw, _free_categories(state), tenant, share=0.7)
    tables[SHOWS] = new_shows(draw, tenant, categories, before(n), first_id=1)
    places, numbers = _counted(draw.whole(1, 5, len(tables[SHOWS])))
    tables[SEASONS] = new_seasons(draw, tables[SHOWS][places], numbers, before(len(places)), first_id=1)
    places, numbers = _counted(draw.whole(3, 11, len(tables[SEASONS])))
    episodes = new_episodes(draw, tables[SEASONS][places], numbers, before(len(places)), first_id=1)
    movies = new_movies(draw, 1, before(beginning.count(60, 12)))
    assets = _free_assets(state)
    tenant = pl.concat([movies.get_column("tenant"), episodes.get_column("tenant")])
    delivered = _one_each(draw, assets, tenant, share=0.6)
    tables[MOVIES] = movies.with_columns(asset_id=delivered.head(len(movies)))
    tables[EPISODES] = episodes.with_columns(asset_id=delivered.slice(len(movies)))
    content = titles(state)
    content = content.filter(pl.Series(draw.chance(0.5, len(content))))
    signed = state.rows(CONTRACTS).filter(pl.col("signed_date").is_not_null())
    tables[LICENSES] = new_licenses(draw, content, signed, before(len(content)), first_id=1)
    places, _ = _counted(draw.whole(1, 5, len(content)))
    platforms = state.rows("platforms").get_column("id")
    permitting = tables[LICENSES][places]
    tables[PERMISSIONS] = new_permissions(draw, platforms, permitting, before(len(places)), first_id=1)
    return {name: rows for name, rows in tables.items() if name.startswith(PREFIX)}


def live(shift: Shift) -> Versions:
    """Return the versions of one part of a day."""
    if shift.part is not Part.WORK:
        return {}
    versions: dict[str, list[pl.DataFrame]] = {}
    if shift.number % 2 == 1:
        versions = _live_rights(shift)
        versions[PERMISSIONS] = _live_permissions(shift)
    if shift.number % 3 == 1:
        versions |= _live_shows(shift)
    if shift.number % 3 == 2:
        versions |= _live_deliveries(shift)
    if shift.number % 7 == 3:
        versions[PROVIDERS] = _live_providers(shift)
    return versions


def _counted(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return places of rows of which each comes so many times, and the numbers from 1 within each."""
    places = np.repeat(np.arange(len(counts)), counts)
    return places, np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts) + 1


def _free_categories(state: State) -> pl.DataFrame:
    shows = state.rows("categories").filter((pl.col("level_type") == "SHOW") & ~pl.col("deleted"))
    if SHOWS not in state.tables:
        return shows
    return shows.join(state.rows(SHOWS), left_on="id", right_on="category_id", how="anti", maintain_order="left")


def _free_assets(state: State) -> pl.DataFrame:
    """Return assets that were published, and so stay for good, and that no film or episode has."""
    assets = state.rows("assets").filter(pl.col("published_date").is_not_null() & ~pl.col("deleted"))
    assets = assets.select("id", "tenant")
    for table in (MOVIES, EPISODES):
        if table in state.tables:
            taken = state.rows(table).select("asset_id")
            assets = assets.join(taken, left_on="id", right_on="asset_id", how="anti", maintain_order="left")
    return assets


def _next(table: str, rows: pl.DataFrame, when: Moments, /, **columns: pl.Expr | pl.Series) -> pl.DataFrame:
    return version(changed_at(TABLES[table], rows, when).with_columns(**columns), when)


def _many(shift: Shift, mean: float) -> int:
    """Return how often something happens on a day on which it can, more often where there is more."""
    return shift.draw.count(mean * max(1.0, shift.scale))


def _live_rights(shift: Shift) -> dict[str, list[pl.DataFrame]]:
    """Move contracts on, end the licences of those that are terminated, and add some of both."""
    state, licenses = shift.state, shift.state.rows(LICENSES)
    moved, when = _moved_contracts(shift)
    stopped = moved.filter(pl.col("status") == "TERMINATED")
    stopped = stopped.select("_place", contract_id="id", _end=pl.col("end_date").cast(pl.Datetime("us")))
    end = pl.col("_end")
    ended = licenses.join(stopped, on="contract_id", how="inner", maintain_order="left").filter(
        (pl.col("license_start") < end) & (end < pl.col("license_end")).fill_null(value=True)
    )
    ended = _next(LICENSES, ended, shared_moments(when, ended.get_column("_place").to_numpy()), license_end=end)
    others = licenses.join(ended, on="id", how="anti", maintain_order="left")
    others = shift.choose(others, _many(shift, 2))
    runs = some_numbers(shift.draw, 1, 50, len(others), null=0.5)
    return {
        CONTRACTS: [moved.select(state.tables[CONTRACTS].columns), _added_contracts(shift)],
        LICENSES: [
            ended.select(licenses.columns),
            shift.change(LICENSES, others, max_runs=runs, exclusive=~pl.col("exclusive")),
            _added_licenses(shift, moved),
        ],
    }


def _moved_contracts(shift: Shift) -> tuple[pl.DataFrame, Moments]:
    """Return contracts with what comes next for them, each with its place among the moments."""
    draw, rows = shift.draw, shift.state.rows(CONTRACTS)
    today = pl.lit(shift.midnight).cast(pl.Datetime("us")).cast(pl.Date)
    status = pl.col("status")
    is_over = (status == "ACTIVE") & (pl.col("end_date") < today).fill_null(value=False)
    may_move = status.is_in(["DRAFT", "PENDING", "ACTIVE"]) & ~is_over
    moved = pl.concat([rows.filter(is_over), shift.choose(rows.filter(may_move), 1 + _many(shift, 1.5))])
    n = len(moved)
    stops = pl.lit(pl.Series(draw.chance(0.3, n)))
    after = pl.when(is_over).then(pl.lit("EXPIRED")).when(status == "DRAFT").then(pl.lit("PENDING"))
    after = after.when(status == "PENDING").then(pl.lit("ACTIVE")).when(stops).then(pl.lit("TERMINATED"))
    moved = moved.with_columns(after.otherwise(status).alias("status"), _value=contract_values(draw, n)).with_columns(
        pl.when(status != "PENDING").then(pl.coalesce("signed_date", today)).alias("signed_date"),
        pl.when(status == "TERMINATED")
        .then(pl.max_horizontal("start_date", today))
        .otherwise("end_date")
        .alias("end_date"),
        pl.when(pl.col("currency").is_not_null()).then("_value").alias("total_value"),
    )
    when = shift.moments(n)
    return _next(CONTRACTS, moved.with_columns(_place=pl.int_range(pl.len())), when), when


def _added_contracts(shift: Shift) -> pl.DataFrame:
    draw, state = shift.draw, shift.state
    when = shift.moments(_many(shift, 0.8))
    n = len(when.changed)
    owners = state.rows(PROVIDERS).filter("enabled")
    owners = owners[draw.whole(0, len(owners), n)]
    states = draw.pick(("DRAFT", "PENDING", "ACTIVE"), n)
    return new_contracts(draw, owners, states, when, first_id=state.next_id(CONTRACTS))


def _added_licenses(shift: Shift, moved: pl.DataFrame) -> pl.DataFrame:
    """License titles that nobody licensed yet, by active contracts that do not change in this part."""
    state = shift.state
    contracts = state.rows(CONTRACTS).filter(pl.col("status") == "ACTIVE")
    contracts = contracts.join(moved, on="id", how="anti", maintain_order="left")
    licensed = state.rows(LICENSES).select("content_type", "content_id")
    content = titles(state).join(licensed, on=licensed.columns, how="anti", maintain_order="left")
    content = content.join(contracts, on="tenant", how="semi", maintain_order="left")
    content = shift.choose(content, _many(shift, 2.5))
    when = shift.moments(len(content))
    return new_licenses(shift.draw, content, contracts, when, first_id=state.next_id(LICENSES))


def _live_permissions(shift: Shift) -> list[pl.DataFrame]:
    """Take some permissions away for good, turn some into prohibitions or back, and give some."""
    draw, state = shift.draw, shift.state
    rows = shift.choose(state.rows(PERMISSIONS), 1 + _many(shift, 4))
    removed, changed = rows.head(1 + len(rows) // 3), rows.slice(1 + len(rows) // 3)
    permitting = shift.choose(state.rows(LICENSES), _many(shift, 4))
    platforms = state.rows("platforms").get_column("id")
    when = shift.moments(len(permitting))
    return [
        shift.remove(removed),
        shift.change(PERMISSIONS, changed, allowed=~pl.col("allowed")),
        new_permissions(draw, platforms, permitting, when, first_id=state.next_id(PERMISSIONS)),
    ]


def _live_shows(shift: Shift) -> dict[str, list[pl.DataFrame]]:
    """Set up a show in the catalogue, and add shows, seasons and episodes that were bought."""
    draw, state = shift.draw, shift.state
    shows, seasons, episodes = (state.rows(table) for table in (SHOWS, SEASONS, EPISODES))
    edited = shift.choose(shows, 2)
    found = _one_each(draw, _free_categories(state), edited.get_column("tenant"), share=1.0)
    added = shift.moments(_many(shift, 0.7))
    first_id = state.next_id(SHOWS)
    tenant = tenants(following_ids(first_id, len(added.changed)))
    nowhere = pl.Series([None] * len(tenant), dtype=pl.Int64)
    last = seasons.group_by("show_id").agg(pl.max("season_number").alias("_last"))
    renewed = shift.choose(shows, _many(shift, 0.8))
    renewed = renewed.join(last, left_on="id", right_on="show_id", how="left", maintain_order="left")
    last = episodes.group_by("season_id").agg(pl.max("episode_number").alias("_last"))
    going_on = shift.choose(seasons, _many(shift, 3))
    going_on = going_on.join(last, left_on="id", right_on="season_id", how="left", maintain_order="left")
    recounted = shift.choose(seasons, 1)
    season_when, episode_when = shift.moments(len(renewed)), shift.moments(len(going_on))
    return {
        SHOWS: [
            shift.change(SHOWS, edited, category_id=pl.coalesce("category_id", found)),
            new_shows(draw, tenant, nowhere, added, first_id=first_id),
        ],
        SEASONS: [
            shift.change(SEASONS, recounted, episode_count=pl.Series(draw.whole(4, 25, len(recounted)))),
            new_seasons(draw, renewed, _following(renewed), season_when, first_id=state.next_id(SEASONS)),
        ],
        EPISODES: [new_episodes(draw, going_on, _following(going_on), episode_when, first_id=state.next_id(EPISODES))],
    }


def _following(rows: pl.DataFrame) -> NDArray[np.int64]:
    return rows.get_column("_last").fill_null(0).to_numpy() + 1


def _live_deliveries(shift: Shift) -> dict[str, list[pl.DataFrame]]:
    """Give films and episodes the assets that were delivered for them, with their real length, and add films."""
    draw, state = shift.draw, shift.state
    movies = shift.choose(state.rows(MOVIES), 1 + _many(shift, 1))
    episodes = shift.choose(state.rows(EPISODES), 1 + _many(shift, 3))
    tenant = pl.concat([movies.get_column("tenant"), episodes.get_column("tenant")])
    found = _one_each(draw, _free_assets(state), tenant, share=0.7)
    length = pl.Series(draw.whole(600, 9_000, len(tenant)))
    versions = {}
    for table, rows, first in ((MOVIES, movies, 0), (EPISODES, episodes, len(movies))):
        asset, seconds = (column.slice(first, len(rows)) for column in (found, length))
        versions[table] = [
            shift.change(
                table, rows, asset_id=pl.coalesce("asset_id", asset), duration=pl.coalesce("duration", seconds)
            )
        ]
    added = shift.moments(_many(shift, 0.8))
    versions[MOVIES].append(new_movies(draw, state.next_id(MOVIES), added))
    return versions


def _live_providers(shift: Shift) -> list[pl.DataFrame]:
    draw, state = shift.draw, shift.state
    rows = shift.choose(state.rows(PROVIDERS), 1).with_columns(name=draw.text(OWNERS, 1, odd=0.3))
    added = shift.moments(draw.count(0.5))
    return [
        shift.change(PROVIDERS, rows, enabled=~pl.col("enabled")),
        new_providers(draw, state.next_id(PROVIDERS), added),
    ]
