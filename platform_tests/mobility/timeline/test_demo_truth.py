"""Stays that the rule finds in the phones' demo, against where its people really were."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from offramp.feeds.mobility.timeline.fold import fold
from offramp.feeds.mobility.timeline.rule import PRODUCT
from offramp.sources.phones.ground import distance_metres
from offramp.sources.phones.source import PhonesSource
from platform_tests.sources.phones.landing import DAY, START

if TYPE_CHECKING:
    from pathlib import Path

LAST = START + 6 * DAY
FIVE_MINUTES = timedelta(minutes=5)


@pytest.fixture(scope="module")
def phones(tmp_path_factory: pytest.TempPathFactory) -> PhonesSource:
    folder: Path = tmp_path_factory.mktemp("phones")
    return PhonesSource("mobility", folder, 1, START.date(), None, 1.0, lambda: LAST + 2 * DAY)


def seen_stays(phones: PhonesSource) -> pl.DataFrame:
    """True stays of more than ten minutes that began and ended while the phone was on."""
    told = phones.truth(START.date(), LAST.date())
    on = told.people.select("user_id", "joined_at", "left_at", "silent_from", "silent_until")
    stays = told.stays.drop_nulls(["started_at", "ended_at"]).join(on, on="user_id").with_row_index("number")
    is_on = pl.col("silent_from").is_null() | (pl.col("ended_at") < pl.col("silent_from"))
    return stays.filter(
        pl.col("ended_at") - pl.col("started_at") > timedelta(minutes=10),
        pl.col("started_at") >= pl.col("joined_at"),
        pl.col("left_at").is_null() | (pl.col("ended_at") < pl.col("left_at")),
        is_on | (pl.col("started_at") > pl.col("silent_until")),
    )


def test_19_of_20_true_stays_are_found_within_50_metres_and_5_minutes_at_both_ends(phones: PhonesSource) -> None:
    with phones.connect() as connection:
        fixes = connection.execute(phones.select_as_of("fixes", LAST + 2 * DAY)).pl()
    true = seen_stays(phones)

    found = fold(fixes, PRODUCT).stays.select("user_id", "started_at", "ended_at", "latitude", "longitude")
    pairs = true.join(found, on="user_id", suffix="_found").filter(
        (pl.col("started_at_found") - pl.col("started_at")).abs() <= FIVE_MINUTES,
        (pl.col("ended_at_found") - pl.col("ended_at")).abs() <= FIVE_MINUTES,
    )
    columns = ("latitude", "longitude", "latitude_found", "longitude_found")
    metres = distance_metres(*(pairs[name].to_numpy() for name in columns))
    share = pairs.filter(pl.Series(metres) <= 50)["number"].n_unique() / true.height

    assert true.height > 1_500
    assert share >= 0.95
