"""The build of the layer: users in ranges, so that memory is bounded however many they are."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from offramp.feeds.mobility.visits.merging import merged, read_short_legs, without_inner
from offramp.feeds.mobility.visits.outliers import counted, outliers_of
from offramp.feeds.mobility.visits.parameters import VISITS as RULE
from offramp.feeds.mobility.visits.places import located, places_of
from offramp.feeds.mobility.visits.reading import Span, ranges, read_legs, read_stays
from offramp.feeds.mobility.visits.spool import Spool
from offramp.feeds.mobility.visits.tables import DAY, OUTLIERS, PLACES, TRIPS, VISITS
from offramp.feeds.mobility.visits.trips import rests_of, trips_of
from offramp.feeds.mobility.visits.venues import read_venues
from offramp.feeds.mobility.visits.visits import visits_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offramp.domain.layers import LayerWork
    from offramp.domain.ports import Session
    from offramp.feeds.mobility.visits.reading import Users


def build(work: LayerWork, *, range_rows: int) -> None:
    """Write the tables of a data day.

    Each table is written from first row to last, so what places were made of is kept for the visits and trips: to
    read and cluster stays for each of them costs more CPU time than all that is computed from them.
    """
    until = work.until.replace(tzinfo=None)
    span = Span(work.day, until - timedelta(days=RULE.window_days), until)
    work.write(DAY.name, [pl.DataFrame({"day": [span.day], "until": [span.until], "window_start": [span.start]})])
    kept_bytes = work.memory_bytes // 8
    with work.open() as session, Spool(work.scratch, kept_bytes) as places, Spool(work.scratch, kept_bytes) as stays:
        chosen = ranges(session, span, rows=range_rows)
        left_out: list[pl.DataFrame] = []
        work.write(PLACES.name, _places(work, session, (span, chosen), (places, stays, left_out)))
        work.write(OUTLIERS.name, [counted(left_out)])
        work.write(VISITS.name, (visits_of(*kept) for kept in zip(stays.frames(), places.frames(), strict=True)))
        legs = (read_legs(session, span, users) for users in chosen)
        work.write(TRIPS.name, _trips(work, legs, (places, stays)))


def _places(
    work: LayerWork,
    session: Session,
    asked: tuple[Span, list[Users]],
    kept: tuple[Spool, Spool, list[pl.DataFrame]],
) -> Iterator[pl.DataFrame]:
    venues = read_venues(session)
    span, chosen = asked
    for users in chosen:
        found = located(merged(read_stays(session, span, users), read_short_legs(session, span, users)))
        is_outlier = outliers_of(found.stays)
        if is_outlier.any():
            kept[2].append(found.stays.filter(is_outlier).select("app_id"))
            found = located(found.stays.filter(~is_outlier))
        stays, places = places_of(found, venues, span)
        kept[0].keep(places)
        kept[1].keep(stays)
        yield places
        work.report(stays.height)


def _trips(
    work: LayerWork, legs: Iterator[Iterator[pl.DataFrame]], kept: tuple[Spool, Spool]
) -> Iterator[pl.DataFrame]:
    places_kept, stays_kept = kept
    for batches, places, stays in zip(legs, places_kept.frames(), stays_kept.frames(), strict=True):
        rests = rests_of(stays, places)
        for batch in batches:
            yield trips_of(without_inner(batch, stays, places), rests)
            work.report(batch.height)
