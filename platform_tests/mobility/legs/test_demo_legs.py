"""Legs of the phones' demo, cut into parts, against how its people really moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pytest

from offramp.feeds.mobility.legs.cutting import cut_legs
from offramp.feeds.mobility.legs.describe import describe_legs
from offramp.feeds.mobility.timeline.fold import fold
from offramp.feeds.mobility.timeline.rule import PRODUCT
from offramp.feeds.mobility.timeline.statements import STOPS
from offramp.sources.phones.source import PhonesSource
from platform_tests.mobility.legs.confusion import right_share, text
from platform_tests.mobility.legs.truth_shares import by_legs, overlaps, share_in_mode
from platform_tests.sources.phones.landing import DAY, START

if TYPE_CHECKING:
    from pathlib import Path

LAST = START + 4 * DAY

# The least share of the time of legs of a mode that is truly spent in it. What lacks is waiting: at the stop, which
# belongs to the walk, at the end of a drive until the phone is found to lie, and while a phone is off. Of the time in
# which people truly moved nearly all is in the mode.
LEAST_SHARE = {"bus": 0.85, "tram": 0.9, "train": 0.9, "car": 0.85, "walking": 0.85, "biking": 0.9}
LEAST_SHARE_OF_MOVING = 0.93
LEAST_RIGHT_LEGS = 0.97
MOST_UNKNOWN_LEGS = 0.03


class Seen(NamedTuple):
    """Legs with modes over the true ones: as the fold leaves them, and cut."""

    whole: pl.DataFrame
    cut: pl.DataFrame


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder: Path = tmp_path_factory.mktemp("phones")
    phones = PhonesSource("mobility", folder, 5, START.date(), None, 0.5, lambda: LAST + 2 * DAY)
    with phones.connect() as connection:
        fixes, events, venues = (
            connection.execute(phones.select_as_of(name, LAST + 2 * DAY)).pl()
            for name in ("fixes", "sdk_events", "venues")
        )
        connection.register("mobility.venues", venues)
        stops = connection.execute(STOPS).pl()
    legs = fold(fixes, PRODUCT).legs.filter(pl.col("ended_at") < LAST.replace(tzinfo=None) + DAY)
    true = phones.truth(START.date(), LAST.date()).legs
    return Seen(*(overlaps(_with_mode(some, events, stops), true) for some in (legs, cut_legs(legs))))


def _with_mode(legs: pl.DataFrame, events: pl.DataFrame, stops: pl.DataFrame) -> pl.DataFrame:
    named = legs.with_columns(event_id=pl.format("{}{}", "user_id", "started_at"))
    return named.with_columns(describe_legs(named, events, stops)["mode"])


def test_legs_are_in_their_mode_nearly_all_the_time(seen: Seen) -> None:
    before, after = (share_in_mode(legs) for legs in seen)
    table = before.join(after, on="mode", how="full", suffix="_cut", coalesce=True).sort("mode")
    print(table)  # noqa: T201 - shown when it fails, and with -s

    shares = dict(after.select("mode", "share").rows())
    assert {mode: shares[mode] for mode, least in LEAST_SHARE.items() if shares[mode] < least} == {}
    assert int(after.filter(mode="insufficient_data")["legs"].sum()) <= MOST_UNKNOWN_LEGS * int(after["legs"].sum())
    assert (after.filter(pl.col("mode").is_in(list(LEAST_SHARE)))["moving"] >= LEAST_SHARE_OF_MOVING).all()
    assert after["tiny"].sum() == before["tiny"].sum(), "a part is tiny"


def test_nearly_all_parts_get_their_true_mode(seen: Seen) -> None:
    table = by_legs(seen.cut)
    print(text(table))  # noqa: T201

    assert right_share(table) >= LEAST_RIGHT_LEGS
    assert all(row[true] / row.total() >= 0.9 for true, row in table.items())
