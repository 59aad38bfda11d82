"""What must not change stays and legs: the order of rows, repeats, runs, batches, time, and where on Earth it was."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offramp.feeds.mobility.timeline.fold import fold
from offramp.feeds.mobility.timeline.rule import EARTH_RADIUS_METRES, ORACLE, PRODUCT
from platform_tests.mobility.timeline.independent_comparison import EXACT, RULES, Rows, assert_near, assert_same, folded
from platform_tests.mobility.timeline.independent_walks import (
    ALL_KINDS,
    RADIUS_METRES,
    Track,
    frame_of,
    landed,
    seeded,
    track_of,
)

if TYPE_CHECKING:
    from offramp.feeds.mobility.timeline.rule import Rule

rules = pytest.mark.parametrize("rule", [pytest.param(rule, id=name) for name, rule in RULES.items()])
# Fixes of one instant are put in order by their places, which turning the sphere changes.
UNTIED = [kind for kind in ALL_KINDS if kind != "tie"]


def walks(seed: int, kinds: list[str], *, latitude: float = 52.5, longitude: float = 13.4) -> pl.DataFrame:
    frames = [
        frame_of(track_of(kinds[user:] + kinds[:user], seed + user), user, latitude=latitude, longitude=longitude)
        for user in range(3)
    ]
    return landed(pl.concat(frames))


seeds = st.integers(0, 2**32)
untied = st.lists(st.sampled_from(UNTIED), min_size=3, max_size=14)


@settings(max_examples=30)
@given(seed=seeds, kinds=untied)
@rules
def test_shuffled_rows_give_the_same(rule: Rule, seed: int, kinds: list[str]) -> None:
    fixes = walks(seed, kinds)
    assert_same(folded(fixes.sample(fraction=1, shuffle=True, seed=seed), rule), folded(fixes, rule))


@settings(max_examples=30)
@given(seed=seeds)
def test_shuffled_rows_of_one_instant_give_the_same_under_the_product_rule(seed: int) -> None:
    fixes = walks(seed, ["pause", "tie", "move", "tie", "pause", "move", "poor", "tie"])
    assert_same(folded(fixes.sample(fraction=1, shuffle=True, seed=seed), PRODUCT), folded(fixes, PRODUCT))


@settings(max_examples=30)
@given(seed=seeds, kinds=st.lists(st.sampled_from(list(ALL_KINDS)), min_size=3, max_size=14))
@rules
def test_repeated_rows_change_nothing(rule: Rule, seed: int, kinds: list[str]) -> None:
    fixes = walks(seed, kinds)
    repeated = pl.concat([fixes, fixes.sample(fraction=0.3, seed=seed)]).sort(*fixes.columns[:5], maintain_order=True)
    assert_same(folded(repeated, rule), folded(fixes, rule))


@rules
def test_users_over_several_runs_give_what_one_run_gives(rule: Rule) -> None:
    fixes = seeded(7, users=9, episodes=30)
    users = fixes["user_id"].unique(maintain_order=True)
    parts = [folded(fixes.filter(pl.col("user_id").is_in(users[first::3].implode())), rule) for first in range(3)]
    together = Rows(*(pl.concat(rows).sort(EXACT) for rows in zip(*parts, strict=True)))
    assert_same(together, folded(fixes, rule))


@settings(max_examples=30)
@given(seed=seeds, cuts=st.lists(st.floats(0, 1), max_size=12))
@rules
def test_batches_that_end_anywhere_give_what_one_frame_gives(rule: Rule, seed: int, cuts: list[float]) -> None:
    fixes = walks(seed, ["pause", "tie", "move", "silence", "pause", "flight", "twin", "wander", "move", "pause"])
    ends = sorted({0, len(fixes), *(round(cut * len(fixes)) for cut in cuts)})
    batches = [fixes[first:end] for first, end in pairwise(ends)]
    found = fold(iter(batches), rule)
    wanted = fold(fixes, rule)
    order = ["user_id", "started_at", "ended_at"]
    assert found.stays.sort(order).equals(wanted.stays.sort(order))
    assert found.legs.sort(order).equals(wanted.legs.sort(order))


@settings(max_examples=30)
@given(seed=seeds, kinds=untied, shift=st.timedeltas(timedelta(days=-9000), timedelta(days=9000)))
@rules
def test_shifted_times_give_shifted_rows(rule: Rule, seed: int, kinds: list[str], shift: timedelta) -> None:
    fixes = walks(seed, kinds)
    found = folded(fixes.with_columns(pl.col("tracked_at", "received_at") + shift), rule)
    wanted = folded(fixes, rule)
    there = pl.col("started_at", "ended_at") + shift
    assert found.stays.equals(wanted.stays.with_columns(there))
    assert found.legs.select(EXACT).equals(wanted.legs.select(EXACT).with_columns(there))


@settings(max_examples=30)
@given(seed=seeds, kinds=untied, shift=st.floats(-360, 360))
@rules
def test_shifted_longitudes_give_the_same_rows_also_over_the_date_line(
    rule: Rule, seed: int, kinds: list[str], shift: float
) -> None:
    fixes = walks(seed, kinds)
    moved = (pl.col("longitude") + shift + 540) % 360 - 180
    found = folded(fixes.with_columns(moved), rule)
    wanted = folded(fixes, rule)
    assert found.legs.drop("points").equals(wanted.legs.drop("points"))
    assert found.stays.select(EXACT).equals(wanted.stays.select(EXACT))
    back = (pl.col("longitude") - shift + 540) % 360 - 180
    assert_near(found.stays.with_columns(back), wanted.stays, degrees=1e-7 + 1e-9)


@settings(max_examples=30)
@given(seed=seeds, kinds=untied, longitude=st.sampled_from([0.0, 13.4, 179.9999, -180.0]))
@rules
def test_a_walk_has_the_same_stays_and_legs_at_every_latitude(
    rule: Rule, seed: int, kinds: list[str], longitude: float
) -> None:
    at_equator = folded(walks(seed, kinds, latitude=0.0), rule)
    for latitude in (60.0, 85.0, -85.0):
        found = folded(walks(seed, kinds, latitude=latitude, longitude=longitude), rule)
        assert found.stays.select(EXACT).equals(at_equator.stays.select(EXACT))
        assert found.legs.drop("points").equals(at_equator.legs.drop("points"))


@pytest.mark.parametrize("latitude", [0.0, 60.0, 85.0])
@pytest.mark.parametrize("direction", ["east", "north"])
@rules
def test_a_hundred_metres_are_true_metres(rule: Rule, latitude: float, direction: str) -> None:
    # Near for a while, then far away. The oracle counts the way to the first fix outside, the product the last inside.
    seconds = [0, 240, 420] if rule is ORACLE else [0, 360, 420]
    for metres, stays in ((99.99, 1), (100.01, 0)):
        offsets = {"east": [0.0, 0.0, 0.0], "north": [0.0, 0.0, 5_000.0]} | {direction: [0.0, metres, 5_000.0]}
        track = walk_of(seconds, offsets["east"], offsets["north"])
        assert len(folded(frame_of(track, 0, latitude=latitude, longitude=180.0), rule)[0]) == stays


def walk_of(seconds: list[int], east: list[float], north: list[float]) -> Track:
    return Track(np.array(seconds) * 1_000_000, np.array(east), np.array(north), np.full(len(seconds), 5.0))


@settings(max_examples=30)
@given(seed=seeds, kinds=st.lists(st.sampled_from(list(ALL_KINDS)), min_size=3, max_size=20))
@rules
def test_stays_and_legs_never_overlap_and_last_no_longer_than_the_data(rule: Rule, seed: int, kinds: list[str]) -> None:
    fixes = walks(seed, kinds)
    rows = pl.concat([one.select(EXACT[:4]) for one in folded(fixes, rule)]).sort(EXACT[1:4])
    after = pl.col("started_at").shift(-1).over("user_id")
    assert rows.filter(pl.col("ended_at") > after).is_empty()
    spans = fixes.group_by("user_id").agg((pl.col("tracked_at").max() - pl.col("tracked_at").min()).alias("span"))
    lasted = rows.group_by("user_id").agg((pl.col("ended_at") - pl.col("started_at")).sum().alias("lasted"))
    assert lasted.join(spans, on="user_id").filter(pl.col("lasted") > pl.col("span")).is_empty()


def test_metres_of_the_walks_are_those_of_the_rule() -> None:
    assert RADIUS_METRES == EARTH_RADIUS_METRES
