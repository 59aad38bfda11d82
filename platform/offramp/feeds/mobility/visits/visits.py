"""Visits: stays with what is known of their places."""

from __future__ import annotations

import polars as pl

from offramp.feeds.mobility.local_time import offset_text
from offramp.feeds.mobility.visits.tables import VISITS, names


def visits_of(stays: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """Return the visits of stays and places, as ``places_of`` gives them, as the table has them."""
    of_place = places.drop("latitude", "longitude", "seconds")
    visits = stays.hstack(of_place[stays.get_column("place")])
    for instant, side in (("started_at", "start"), ("until_at", "end")):
        local = pl.col(instant) + pl.duration(seconds=f"{side}_offset")
        visits = visits.with_columns(local.alias(f"local_{side}"))
    is_open = pl.col("ended_at").is_null()
    end_text = offset_text("local_end", "end_offset", has_milliseconds=False)
    return visits.with_columns(
        offset_text("local_start", "start_offset", has_milliseconds=False).alias("start_text"),
        pl.when(is_open).then(None).otherwise(end_text).alias("end_text"),
    ).select(names(VISITS))
