"""The demo's views: facts that are only added, most within seconds, some days after they happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.draw import DAY, HOUR, MINUTE, SECOND, Draw, addresses, instants, spoil
from offramp.sources.demo.schema import TENANTS
from offramp.sources.demo.versions import COMMITTED, REMOVED, VERSION, State
from offramp.sources.demo.words import COUNTRIES, DEVICES, ISPS, USER_AGENTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Views started in each hour of the day, in parts of their sum.
HOURS = np.array([3, 2, 1, 1, 1, 1, 2, 3, 4, 4, 4, 5, 6, 5, 5, 5, 6, 8, 10, 13, 15, 14, 10, 6], dtype=float)
# A tenant's share of all views.
SHARES = {TENANTS[0]: 0.65, TENANTS[1]: 0.35}


def day_of_views(
    draw: Draw, state: State, midnight: int, *, first_id: int, mean: float, is_quiet: bool
) -> pl.DataFrame:
    """Return a day's views of what existed when the day began; on a quiet day the last tenant has none."""
    names = TENANTS[:1] if is_quiet else TENANTS
    parts = [_views_of(draw, state, tenant, draw.count(mean * SHARES[tenant])) for tenant in names]
    rows = pl.concat(parts)
    n = len(rows)
    hour = draw.rng.choice(24, n, p=HOURS / HOURS.sum())
    committed = midnight + hour * HOUR + draw.whole(0, HOUR, n)
    # Rows of a longer transaction carry a time of ingestion well before they can be seen.
    open_for = np.where(draw.chance(0.05, n), draw.whole(5 * SECOND, 90 * SECOND, n), draw.whole(0, SECOND, n))
    # Never before the day: ids rise with ingestion, and those of a day follow those of the day before.
    ingested = np.maximum(committed - open_for, midnight)
    fate = draw.rng.random(n)
    delay = draw.whole(0, 3 * MINUTE, n)
    delay = np.where(fate < 0.02, draw.whole(HOUR, 6 * DAY, n), delay)
    delay = np.where(fate < 0.001, draw.whole(8 * DAY, 20 * DAY, n), delay)
    since = rows.get_column("_since").cast(pl.Int64).to_numpy()
    registered = np.minimum(np.maximum(ingested - delay, since), ingested) // SECOND * SECOND
    rows = rows.with_columns(
        registered=instants(registered), ingested_at=instants(ingested), **{COMMITTED: instants(committed)}
    )
    rows = rows.sort("ingested_at", "viewing_session", maintain_order=True).drop("_since")
    return rows.select(
        pl.int_range(first_id, first_id + n, dtype=pl.Int64).alias("id"),
        pl.exclude(COMMITTED, "tenant", "ingested_at"),
        "tenant",
        "ingested_at",
        COMMITTED,
        pl.lit(1, pl.Int64).alias(VERSION),
        pl.lit(value=False).alias(REMOVED),
    )


def _views_of(draw: Draw, state: State, tenant: str, n: int) -> pl.DataFrame:
    mine = pl.col("tenant") == tenant
    shows = state.rows("categories").select("asset_type_id", pl.col("id").alias("category_id"))
    assets = (
        state.rows("assets")
        .filter(mine & ~pl.col("deleted") & pl.col("published_date").is_not_null())
        .join(shows, on="asset_type_id", how="inner", maintain_order="left")
    )
    users = state.rows("users").filter(mine & ~pl.col("deleted"))
    platforms = state.rows("platforms").filter("enabled").get_column("name")
    if not len(assets) or not len(users):
        n = 0
    asset = assets[draw.skewed(len(assets), n)]
    viewer = draw.whole(0, max(len(users), 1), n)
    user = users[viewer]
    is_anonymous = draw.chance(0.25, n)
    profiles = state.rows("users_profiles").filter(mine & ~pl.col("deleted"))
    profile = _profile(draw, users, profiles, viewer)
    profile = profile.set(pl.Series(is_anonymous | draw.chance(0.25, n)), None)
    length = asset.get_column("duration").fill_null(0).to_numpy()
    since = pl.max_horizontal(
        asset.get_column("create_time"),
        user.get_column("registration_date"),
        profiles.get_column("registered").gather(profile),
    )
    return pl.DataFrame(
        {
            "asset_id": asset.get_column("id"),
            "category_id": asset.get_column("category_id"),
            "user_id": user.get_column("id").set(pl.Series(is_anonymous), -1),
            "subprofileid": profiles.get_column("subprofileid").gather(profile),
            "platform": draw.pick(platforms, n),
            "ip": spoil(addresses(draw, n), draw.chance(0.02, n)),
            "geo_country": spoil(draw.pick(COUNTRIES[tenant], n), draw.chance(0.02, n)),
            "geo_isp": draw.text(ISPS, n, odd=0.01, null=0.05, empty=0.01),
            "live": asset.get_column("live"),
            "viewing_session": draw.hex(32, n),
            "device_id": spoil(draw.hex(16, n), draw.chance(0.05, n)),
            "device_type": draw.pick(DEVICES, n),
            "user_agent": draw.text(USER_AGENTS, n, odd=0.02, null=0.03, empty=0.01),
            "duration": asset.get_column("accurate_duration"),
            "watched_seconds": pl.Series((length * draw.rng.random(n)).astype(np.int64)).set(
                pl.Series(draw.chance(0.03, n)), None
            ),
            "tenant": pl.select(pl.repeat(tenant, n, dtype=pl.String)).to_series(),
            "_since": pl.select(since).to_series(),
        }
    )


def _profile(draw: Draw, users: pl.DataFrame, profiles: pl.DataFrame, viewer: NDArray[np.int64]) -> pl.Series:
    """Return the place of one of the viewer's profiles, NULL where there is none. Both tables are in order of user."""
    owners, ids = profiles.get_column("user_id").to_numpy(), users.get_column("id").to_numpy()
    first, last = np.searchsorted(owners, ids, "left"), np.searchsorted(owners, ids, "right")
    count = (last - first)[viewer]
    place = first[viewer] + (count * draw.rng.random(len(viewer))).astype(np.int64)
    return pl.Series(place).set(pl.Series(count == 0), None)
