"""How long visits to venues of a type last: what is much shorter or longer was something else beside it.

Types go from general to special (mobility_offloads.md, section 3); the most special one in the table counts.
"""

from __future__ import annotations

import polars as pl

from offramp.feeds.mobility.visits.parameters import VENUES


def with_plausible_seconds(venues: pl.DataFrame) -> pl.DataFrame:
    """Add ``least_seconds`` and ``most_seconds`` of a visit by ``venue_types``. Rows are numbered ``venue``."""
    table = pl.DataFrame(
        [(name, 60 * least, 60 * most) for name, (least, most) in VENUES.plausible_minutes.items()],
        schema={"type": pl.String, "least_seconds": pl.Int64, "most_seconds": pl.Int64},
        orient="row",
    )
    special = (
        venues.select("venue", pl.col("venue_types").alias("type"))
        .explode("type")
        .join(table, on="type", how="inner", maintain_order="left")
        .unique("venue", keep="last", maintain_order=True)
        .drop("type")
    )
    least, most = (60 * minutes for minutes in VENUES.otherwise_minutes)
    return venues.join(special, on="venue", how="left", maintain_order="left").with_columns(
        pl.col("least_seconds").fill_null(least), pl.col("most_seconds").fill_null(most)
    )
