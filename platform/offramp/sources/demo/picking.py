"""Rows, columns and moments that fit others: which rows take children, rows of the same tenant, one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.demo.draw import instants
from offramp.sources.demo.moments import Moments
from offramp.sources.demo.schema import TABLES, TENANTS
from offramp.sources.demo.versions import REMOVED, version

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.demo.draw import Draw
    from offramp.sources.demo.versions import State


def picked_alike(draw: Draw, rows: pl.DataFrame, tenant: pl.Series, *, skew: float = 1.0) -> pl.DataFrame:
    """Return a row for each tenant of a column, out of that tenant's rows; a higher skew prefers early ones.

    A tenant that has no rows gets another tenant's: compare the column ``tenant`` where that can be.
    """
    ordered = rows.sort("tenant", maintain_order=True)
    names = ordered.get_column("tenant")
    starts = np.array([int((names < name).sum()) for name in TENANTS])
    sizes = np.array([int((names == name).sum()) for name in TENANTS])
    place = (tenant == TENANTS[1]).cast(pl.Int64).to_numpy()
    within: NDArray[np.float64] = sizes[place] * draw.rng.random(len(tenant)) ** skew
    chosen: NDArray[np.int64] = starts[place] + within.astype(np.int64)
    return ordered[np.minimum(chosen, len(ordered) - 1)]


def shared_moments(when: Moments, places: NDArray[np.int64]) -> Moments:
    """Return moments again for rows that are written in the same transactions."""
    return Moments(when.changed[places], when.committed[places])


def cents(amounts: pl.Series) -> pl.Series:
    """Return decimals of two digits as whole hundredths."""
    return amounts.to_physical().cast(pl.Int64)


def where(mask: pl.Series | NDArray[np.bool_], column: pl.Series) -> pl.Series:
    """Return a column that is NULL where a mask does not hold. Series.set does not take decimals."""
    return pl.select(pl.when(pl.Series(mask)).then(column)).to_series()


def published_assets(state: State) -> pl.DataFrame:
    """Return the assets that children may point to: once published, not retired. ``since`` is when each was made."""
    rows = state.tables["assets"].filter(~pl.col(REMOVED), ~pl.col("deleted"), pl.col("published_date").is_not_null())
    rows = rows[["id", "create_time", "asset_type_id", "live", "live_broadcast_time", "drm_protected", "tenant"]]
    return rows.rename({"id": "asset_id", "create_time": "since"})


def shown_categories(state: State) -> pl.DataFrame:
    """Return the channels and shows; ``since`` is when each was made."""
    rows = state.rows("categories").filter(pl.col("level_type").is_in(("SHOW", "CHANNEL")), ~pl.col("deleted"))
    return rows[["id", "registered", "tenant"]].rename({"id": "category_id", "registered": "since"})


def without(rows: pl.DataFrame, state: State, name: str, on: str = "asset_id") -> pl.DataFrame:
    """Return the rows that a table has never had a child for."""
    return rows.join(state.tables[name][[on]], on=on, how="anti", maintain_order="left")


def drawn_within(draw: Draw, choices: pl.DataFrame, by: str, wanted: pl.Series) -> pl.DataFrame:
    """Return for each wanted value of the column ``by`` one of the choices that have it; there has to be one."""
    choices = choices.sort(by, maintain_order=True)
    first, end = (choices[by].search_sorted(wanted, side).to_numpy() for side in ("left", "right"))
    place = first + (draw.rng.random(len(wanted)) * (end - first)).astype(np.int64)
    drawn: pl.DataFrame = choices[place]
    return drawn


def numbered(rows: pl.DataFrame, first_id: int, column: str = "id") -> pl.DataFrame:
    """Return rows with ids that rise from the first one."""
    return rows.with_columns(pl.int_range(first_id, first_id + pl.len(), dtype=pl.Int64).alias(column))


def made(name: str, rows: pl.DataFrame, when: Moments) -> pl.DataFrame:
    """Return rows as a table's first versions, made at the given moments, but not before their ``since``."""
    at = pl.lit(instants(when.changed))
    at = pl.max_horizontal(at, "since") if "since" in rows.columns else at
    rows = rows.with_columns(at.alias("registered"), at.alias("last_updated"))
    return version(rows.select(column for column, _ in TABLES[name].columns), when)


def some_numbers(draw: Draw, low: int, high: int, n: int, *, null: float = 0.1) -> pl.Series:
    """Return whole numbers in [low, high), a share of them NULL."""
    return pl.Series(draw.whole(low, high, n)).set(pl.Series(draw.chance(null, n)), None)
