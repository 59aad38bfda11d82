"""The compiled pass against the second implementation in SQL."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offramp.feeds.mobility.timeline.rule import PRODUCT
from platform_tests.mobility.timeline.independent_comparison import RULES, assert_same, expected, folded
from platform_tests.mobility.timeline.independent_walks import ALL_KINDS, frame_of, landed, seeded, track_of, unruly

PLACES = [(0.0, 0.0), (52.5, 13.4), (60.0, -179.9999), (85.0, 180.0), (89.9995, 7.0), (-33.9, 151.2)]


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize(("latitude", "longitude"), PLACES)
def test_seeded_walks_give_the_same_stays_and_legs(name: str, latitude: float, longitude: float) -> None:
    fixes = seeded(int(abs(latitude)), users=12, episodes=40, latitude=latitude, longitude=longitude)
    assert_same(folded(fixes, RULES[name]), expected(fixes, RULES[name]))


@pytest.mark.deep
@pytest.mark.parametrize("name", RULES)
def test_many_seeded_walks_give_the_same_stays_and_legs(name: str) -> None:
    for seed in range(60):
        latitude, longitude = PLACES[seed % len(PLACES)]
        fixes = seeded(1000 + seed, users=30, episodes=60, latitude=latitude, longitude=longitude)
        assert_same(folded(fixes, RULES[name]), expected(fixes, RULES[name]))


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=30)
@given(
    walks=st.lists(
        st.tuples(st.lists(st.sampled_from(list(ALL_KINDS)), max_size=12), st.integers(0, 2**32)),
        min_size=1,
        max_size=4,
    ),
    place=st.sampled_from(PLACES),
)
def test_any_walks_give_the_same_stays_and_legs(
    name: str, walks: list[tuple[list[str], int]], place: tuple[float, float]
) -> None:
    frames = [
        frame_of(track_of(kinds, seed), user, latitude=place[0], longitude=place[1])
        for user, (kinds, seed) in enumerate(walks)
    ]
    fixes = landed(pl.concat(frames))
    assert_same(folded(fixes, RULES[name]), expected(fixes, RULES[name]))


@pytest.mark.parametrize("seed", range(6))
def test_rows_that_no_rule_may_count_change_nothing_in_either(seed: int) -> None:
    fixes = unruly(seeded(seed, users=4, episodes=30), seed)
    assert_same(folded(fixes, PRODUCT), expected(fixes, PRODUCT))


def test_no_fixes_give_no_rows() -> None:
    fixes = seeded(1, users=1, episodes=1).clear()
    for rule in RULES.values():
        stays, legs = folded(fixes, rule)
        assert stays.is_empty()
        assert legs.is_empty()
