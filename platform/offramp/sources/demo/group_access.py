"""Which content the demo's product groups open: categories, and single assets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.draw import DAY, Draw, instants
from offramp.sources.demo.picking import picked_alike
from offramp.sources.demo.versions import State, version

if TYPE_CHECKING:
    from offramp.sources.demo.chapter import Beginning, Shift
    from offramp.sources.demo.moments import Moments

# How many openings each product group has when the demo begins.
_EACH = 8


def first_openings(beginning: Beginning, groups: pl.DataFrame) -> pl.DataFrame:
    """Return what each product group opens when the demo begins."""
    n = _EACH * len(groups)
    chosen = groups[np.arange(n) % len(groups)]
    return _openings(beginning.draw, beginning.state, chosen, beginning.before(n), first_id=1)


def live_openings(shift: Shift) -> list[pl.DataFrame]:
    """Return openings that are added, prolonged and taken away for good. Nothing points to them."""
    draw, state = shift.draw, shift.state
    groups = shift.choose(state.rows("product_groups"), 3)
    added = _openings(draw, state, groups, shift.moments(3), first_id=state.next_id("product_group_access"))
    chosen = shift.choose(state.rows("product_group_access"), 5)
    prolonged, removed = chosen.slice(0, 3), chosen.slice(3)
    until = instants(shift.midnight + draw.whole(1, 400, len(prolonged)) * DAY)
    return [added, shift.change("product_group_access", prolonged, access_end=until), shift.remove(removed)]


def _openings(draw: Draw, state: State, groups: pl.DataFrame, when: Moments, *, first_id: int) -> pl.DataFrame:
    n = len(groups)
    tenant = groups.get_column("tenant")
    categories = picked_alike(draw, state.rows("categories"), tenant)
    # Only drafts are ever removed for good.
    published = state.rows("assets").filter(pl.col("published_date").is_not_null())
    assets = picked_alike(draw, published, tenant)
    opens_asset = pl.Series(draw.chance(0.5, n)) & (assets.get_column("tenant") == tenant)
    opened = instants(when.changed)
    platforms = state.rows("platforms").get_column("id")
    rows = {
        "id": pl.int_range(first_id, first_id + n, dtype=pl.Int64, eager=True),
        "product_group_id": groups.get_column("id"),
        "category_id": categories.get_column("id").set(opens_asset, None),
        "asset_id": assets.get_column("id").set(~opens_asset, None),
        "platform_id": draw.pick(platforms, n).set(pl.Series(draw.chance(0.7, n)), None),
        "access_start": opened.set(pl.Series(draw.chance(0.4, n)), None),
        "access_end": opened.dt.offset_by("400d").set(pl.Series(draw.chance(0.6, n)), None),
        "registered": opened,
        "last_updated": opened,
        "tenant": tenant,
    }
    return version(pl.DataFrame(rows), when)
