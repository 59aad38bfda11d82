"""The venue of a place: the best one within 50 m by distance, opening hours and how long the stays were.

A venue's score is the product of

- nearness: 1 at no distance, 1/2 at 50 m,
- the share of the stays' time in which it was open; 0.7 where its hours are unknown or not understood,
- the share of stays that were as long as visits to its type are (venue_types.py).

The highest score is taken, of equal ones the nearest, then the smallest id; less than 0.15 is no match: a bar that was
closed, a bus stop where somebody spent the night.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numba import njit

from offramp.feeds.mobility.visits.grid import Grid, pairs_within
from offramp.feeds.mobility.visits.opening_hours import hours_of, open_seconds
from offramp.feeds.mobility.visits.parameters import VENUES
from offramp.feeds.mobility.visits.venue_types import with_plausible_seconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.domain.ports import Session
    from offramp.feeds.mobility.visits.opening_hours import Hours

UNKNOWN_HOURS_SHARE = VENUES.unknown_hours_share

_GRID = Grid(VENUES.match_metres)

# The list of types is JSON text; what is not a list of texts is no types, not an error of the build.
_VENUES = """
-- One row per venue that has a place on the globe.
select
    venue_id,
    name as venue_name,
    brand as venue_brand,
    latitude as target_latitude,
    longitude as target_longitude,
    list_filter(coalesce(try_cast(try_cast(types as json) as varchar[]), []), lambda one: one is not null)
        as venue_types,
    opening_hours
from "mobility.venues"
where abs(latitude) <= 90 and abs(longitude) <= 180
order by venue_id
"""

_FACTS: dict[str, pl.DataType] = {
    "venue_id": pl.String(),
    "venue_name": pl.String(),
    "venue_brand": pl.String(),
    "venue_types": pl.List(pl.String()),
}
_ROW: dict[str, pl.DataType] = {
    **_FACTS,
    "target_latitude": pl.Float64(),
    "target_longitude": pl.Float64(),
    "opening_hours": pl.String(),
}


@dataclass(frozen=True, slots=True)
class Venues:
    """All venues: ``facts`` in their order, ``near`` to be joined with points, and their opening hours."""

    facts: pl.DataFrame
    near: pl.DataFrame
    hours: Hours


def read_venues(session: Session) -> Venues:
    """Read the venues of the landing."""
    batches = [frame for batch in session.stream(_VENUES) if isinstance(frame := pl.from_arrow(batch), pl.DataFrame)]
    venues = with_plausible_seconds(
        pl.concat([pl.DataFrame(schema=_ROW), *(batch.select(*_ROW) for batch in batches)]).with_row_index("venue")
    )
    texts = venues.get_column("opening_hours").unique().drop_nulls().sort()
    hours, numbers = hours_of(texts.to_list())
    numbered = pl.DataFrame({"opening_hours": texts, "hours": pl.Series(numbers, dtype=pl.Int64)})
    near = venues.join(numbered, on="opening_hours", how="left", maintain_order="left").select(
        "venue",
        "target_latitude",
        "target_longitude",
        "least_seconds",
        "most_seconds",
        pl.col("hours").fill_null(-1),
        _GRID.cell("target_latitude", "target_longitude").alias("cell"),
    )
    return Venues(venues.select(*_FACTS), near, hours)


def venues_of(places: pl.DataFrame, stays: pl.DataFrame, venues: Venues) -> pl.DataFrame:
    """Return venue_id, venue_name, venue_brand and venue_types of each place, null and empty without a match.

    ``places`` have latitude and longitude; ``stays`` have the ``place`` that they were at as its row, wall_start and
    wall_end in seconds of wall time since 1970.
    """
    points = places.select("latitude", "longitude").with_row_index("place")
    pairs = pairs_within(points, venues.near, _GRID).sort("place", "metres", "venue")
    sorted_stays = stays.select("place", "wall_start", "wall_end").sort("place", "wall_start", "wall_end")
    firsts = np.searchsorted(sorted_stays.get_column("place").to_numpy(), np.arange(places.height + 1))
    shares = _shares(
        pairs.select("place", "least_seconds", "most_seconds", "hours").cast(pl.Int64).to_numpy(),
        firsts.astype(np.int64),
        sorted_stays.select("wall_start", "wall_end").to_numpy(),
        (venues.hours.offsets, venues.hours.starts, venues.hours.ends),
    )
    scored = pairs.select(
        "place", "venue", "metres", score=(1 - pl.col("metres") / (2 * VENUES.match_metres)) * pl.Series(shares)
    )
    best = (
        scored.filter(pl.col("score") >= VENUES.least_score)
        .sort("place", -pl.col("score"), "metres", "venue")
        .unique("place", keep="first", maintain_order=True)
    )
    facts = best.select("place").hstack(venues.facts[best.get_column("venue")])
    return (
        points.select("place")
        .join(facts, on="place", how="left", maintain_order="left")
        .select("venue_id", "venue_name", "venue_brand", pl.col("venue_types").fill_null([]))
    )


@njit(cache=True)
def _shares(
    pairs: NDArray[np.int64],
    firsts: NDArray[np.int64],
    stays: NDArray[np.int64],
    known: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
) -> NDArray[np.float64]:
    """Return for each pair of place and venue how much of the stays fits: open share times plausible share."""
    offsets, starts, ends = known
    shares = np.zeros(pairs.shape[0])
    for pair in range(pairs.shape[0]):
        place, least, most, hours = pairs[pair]
        total, opened, plausible = 0, 0, 0
        for stay in range(firsts[place], firsts[place + 1]):
            start, end = stays[stay, 0], stays[stay, 1]
            seconds = max(end - start, 1)
            total += seconds
            plausible += least <= seconds <= most
            if hours >= 0:
                spans = slice(offsets[hours], offsets[hours + 1])
                opened += open_seconds(start, start + seconds, starts[spans], ends[spans])
        count = firsts[place + 1] - firsts[place]
        if count > 0:
            share = opened / total if hours >= 0 else UNKNOWN_HOURS_SHARE
            shares[pair] = share * plausible / count
    return shares
