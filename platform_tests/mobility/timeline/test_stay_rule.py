"""The rule in cases that a person can check, each a few fixes long."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from offramp.domain.errors import ContractBroken
from offramp.feeds.mobility.timeline.fold import fold, fold_batches
from offramp.feeds.mobility.timeline.rule import ORACLE, PRODUCT, Rule
from platform_tests.mobility.timeline.arrivals import NORTH, START, fixes, histories, north

if TYPE_CHECKING:
    from offramp.feeds.mobility.timeline.fold import Folded

KEY = ["app_id", "user_id", "tracked_at"]
AWAY = 5_000


def stays(found: Folded) -> list[tuple[float, float]]:
    return [(_minutes(start), _minutes(end)) for start, end in found.stays.select("started_at", "ended_at").rows()]


def legs(found: Folded) -> list[tuple[float, float, int]]:
    rows = found.legs.select("started_at", "ended_at", "fixes").rows()
    return [(_minutes(start), _minutes(end), count) for start, end, count in rows]


def _minutes(instant: object) -> float:
    return round((instant - START) / timedelta(minutes=1), 6)  # type: ignore[operator, no-any-return]


def test_a_stay_lasts_from_its_anchor_to_its_last_fix_inside() -> None:
    found = fold(north((0, 0), (4, 30), (8, -20), (10, AWAY)), PRODUCT)

    assert stays(found) == [(0, 8)]
    assert found.stays["fixes"].to_list() == [3]
    assert found.stays["latitude"].to_list() == [round(50 + 10 / 3 * NORTH, 7)]


def test_five_minutes_are_a_stay_and_a_second_less_is_none() -> None:
    assert stays(fold(north((0, 0), (5, 0), (6, AWAY)), PRODUCT)) == [(0, 5)]
    assert stays(fold(north((0, 0), (5 - 1 / 60, 0), (6, AWAY)), PRODUCT)) == []


def test_a_fix_at_the_radius_is_outside() -> None:
    fixes = north((0, 0), (3, 99.9), (6, 50), (7, AWAY))
    apart = fixes["latitude"][1] - fixes["latitude"][0]
    metres = 6_371_000 * apart * 3.141592653589793 / 180

    assert stays(fold(fixes, Rule("product", radius_metres=metres + 1e-4))) == [(0, 6)]
    assert stays(fold(fixes, Rule("product", radius_metres=metres - 1e-4))) == []


def test_what_is_open_at_the_end_is_not_told() -> None:
    assert stays(fold(north((0, 0), (600, 0)), PRODUCT)) == []


def test_silence_at_one_place_is_part_of_the_stay() -> None:
    assert stays(fold(north((0, 0), (480, 10), (485, AWAY)), PRODUCT)) == [(0, 480)]


def test_a_leg_goes_from_the_last_fix_of_a_stay_to_the_anchor_of_the_next() -> None:
    found = fold(north((0, 0), (6, 0), (8, 1_000), (10, 2_000), (12, 3_000), (18, 3_000)), PRODUCT)

    assert legs(found) == [(6, 12, 4)]
    points = found.legs["points"].to_list()[0]
    assert [round((point["latitude"] - 50) / NORTH) for point in points] == [0, 1_000, 2_000, 3_000]


def test_a_leg_is_closed_by_the_fix_that_makes_its_end_a_stay() -> None:
    walk = ((0, 0), (6, 0), (8, 1_000), (10, 2_000), (14, 2_000))

    assert legs(fold(north(*walk), PRODUCT)) == []
    closed = fold(north(*walk, (15, 2_000)), PRODUCT)
    assert legs(closed) == [(6, 10, 3)]
    assert _minutes(closed.legs["closed_at"][0]) == 15


def test_silence_that_says_nothing_splits_a_leg() -> None:
    walk = ((0, 0), (6, 0), (8, 1_000), (10, 2_000), (100, 2_500), (102, 4_000), (104, 5_000), (110, 5_000))

    assert legs(fold(north(*walk), PRODUCT)) == [(6, 10, 3), (100, 104, 3)]


def test_a_silent_ride_belongs_to_its_leg() -> None:
    walk = ((0, 0), (6, 0), (8, 1_000), (28, 20_000), (30, 21_000), (36, 21_000))

    assert legs(fold(north(*walk), PRODUCT)) == [(6, 30, 4)]


def test_a_silent_way_between_two_stays_is_a_leg_if_it_was_a_ride() -> None:
    assert legs(fold(north((0, 0), (6, 0), (36, 6_000), (42, 6_000)), PRODUCT)) == [(6, 36, 2)]
    assert legs(fold(north((0, 0), (6, 0), (600, 6_000), (606, 6_000)), PRODUCT)) == []


def test_a_walk_between_two_fixes_that_are_far_apart_is_a_leg() -> None:
    walk = ((0, 0), (6, 0), (6 + 1_000 / 60, 1_100), (30, 1_100))

    assert legs(fold(north(*walk), PRODUCT)) == [(6, round(6 + 1_000 / 60, 6), 2)]
    assert legs(fold(north(*walk[:2], (26, 900), (32, 900)), PRODUCT)) == []


def test_silence_of_more_than_three_hours_belongs_to_no_leg_however_far_it_went() -> None:
    assert legs(fold(north((0, 0), (6, 0), (186, 60_000), (192, 60_000)), PRODUCT)) == [(6, 186, 2)]
    assert legs(fold(north((0, 0), (6, 0), (187, 60_000), (193, 60_000)), PRODUCT)) == []


def test_a_phone_that_wakes_up_near_its_place_was_there_until_it_had_to_leave() -> None:
    found = fold(north((0, 0), (6, 20), (480, 160), (481, 800), (482, AWAY), (490, AWAY)), PRODUCT)

    left = round(480 - 100 / 60, 6)
    assert stays(found) == [(0, left)]
    assert found.stays["fixes"].to_list() == [2]
    assert legs(found) == [(left, 482, 4)]
    first = found.legs["points"].to_list()[0][0]
    assert (_minutes(first["tracked_at"]), round((first["latitude"] - 50) / NORTH)) == (left, 20)


def test_time_until_a_phone_wakes_up_counts_towards_the_least_stay() -> None:
    assert stays(fold(north((0, 0), (60, 140), (61, AWAY)), PRODUCT)) == [(0, round(60 - 100 / 60, 6))]
    assert stays(fold(north((0, 0), (6.5, 140), (7, AWAY)), PRODUCT)) == []


def test_a_leg_ends_where_a_phone_wakes_up_again() -> None:
    walk = ((0, 0), (6, 0), (8, 1_000), (10, 2_000), (60, 2_140), (61, AWAY))
    found = fold(north(*walk), PRODUCT)

    assert legs(found) == [(6, 10, 3)]
    assert stays(found) == [(0, 6), (10, round(60 - 100 / 60, 6))]
    assert _minutes(found.legs["closed_at"][0]) == 60


def test_a_phone_that_wakes_up_late_on_its_way_was_at_its_place_until_it_had_to_ride() -> None:
    found = fold(north((0, 0), (6, 20), (480, 3_020), (481, 4_000), (482, AWAY), (490, AWAY)), PRODUCT)

    assert stays(found) == [(0, 470)]
    assert legs(found) == [(470, 482, 4)]
    first = found.legs["points"].to_list()[0][0]
    assert (_minutes(first["tracked_at"]), round((first["latitude"] - 50) / NORTH)) == (470, 20)


@pytest.mark.parametrize("wake", [(65, 1_000), (480, 5_001), (70, 2_000), (6 + 48 * 60 + 1, 1_000)])
def test_a_fix_far_away_wakes_nothing_after_little_silence_too_far_or_too_fast(wake: tuple[float, float]) -> None:
    assert stays(fold(north((0, 0), (6, 0), wake, (9_000, 90_000)), PRODUCT))[0] == (0, 6)


def test_a_place_that_was_passed_is_no_stay_because_a_phone_woke_up_far_from_it() -> None:
    assert stays(fold(north((0, 0), (480, 3_000), (481, AWAY)), PRODUCT)) == []


def test_a_silence_of_two_days_is_part_of_a_stay_and_a_longer_one_ends_it() -> None:
    two_days = 48 * 60
    assert stays(fold(north((0, 0), (6, 0), (6 + two_days, 0), (9_000, AWAY)), PRODUCT)) == [(0, 6 + two_days)]

    ended = fold(north((0, 0), (6, 0), (7 + two_days, 0), (17 + two_days, 0), (9_000, AWAY)), PRODUCT)
    assert stays(ended) == [(0, 6), (7 + two_days, 17 + two_days)]
    assert legs(ended) == []


def test_an_unsure_fix_ends_no_silence() -> None:
    days = 1_440
    unsure = north((days, 150), (2 * days + 7, 150)).with_columns(accuracy=100.0)
    found = fold(pl.concat([north((0, 0), (6, 0), (2 * days + 8, 0), (5 * days, AWAY)), unsure]), PRODUCT)

    assert stays(found) == [(0, 6)]


@pytest.mark.parametrize("wake", [(11, 140), (50, 251)])
def test_a_fix_after_little_silence_or_too_far_away_wakes_nothing(wake: tuple[float, float]) -> None:
    assert stays(fold(north((0, 0), (6, 0), wake, (481, AWAY)), PRODUCT))[0] == (0, 6)


def test_a_fix_that_may_be_inside_ends_nothing() -> None:
    walk, unsure = north((0, 0), (6, 0), (200, 0), (201, AWAY)), north((100, 150))

    assert stays(fold(pl.concat([walk, unsure.with_columns(accuracy=76.0)]), PRODUCT)) == [(0, 200)]
    ended = stays(fold(pl.concat([walk, unsure.with_columns(accuracy=74.0)]), PRODUCT))
    assert ended[0] == (0, round(100 - 107 / 60, 6))


def test_a_fix_that_may_be_inside_is_in_no_centre_but_in_the_leg_that_goes_on() -> None:
    poor = north((3, 150), (7, 180), (9, 1_150)).with_columns(accuracy=100.0)
    found = fold(pl.concat([north((0, 0), (6, 0), (8, 1_000), (10, 2_000), (16, 2_000)), poor]), PRODUCT)

    assert legs(found) == [(6, 10, 4)]
    points = found.legs["points"].to_list()[0]
    assert [_minutes(point["tracked_at"]) for point in points] == [6, 8, 9, 10]
    later = fold(pl.concat([north((0, 0), (6, 0), (10, AWAY)), poor]), PRODUCT)
    assert later.stays.select("latitude", "fixes").rows() == [(50.0, 2)]


def test_a_flight_is_a_leg_of_its_own_with_its_two_ends() -> None:
    walk = ((0, 0), (6, 0), (8, 1_000), (10, 2_000), (700, 900_000), (702, 901_000), (704, 902_000), (710, 902_000))

    assert legs(fold(north(*walk), PRODUCT)) == [(6, 10, 3), (10, 700, 2), (700, 704, 3)]


def test_a_phone_that_wakes_up_at_one_place_makes_no_leg() -> None:
    assert legs(fold(north((0, 0), (6, 0), (200, 5_500), (201, 5_510), (400, 11_000), (401, 11_000)), PRODUCT)) == []


def test_a_leg_of_more_than_a_day_is_cut_at_a_fix_that_both_parts_hold() -> None:
    walk = [(float(minutes), minutes * 200.0) for minutes in range(0, 3_000, 10)]
    found = legs(fold(north(*walk), PRODUCT))

    assert found == [(0, 1_440, 145), (1_440, 2_880, 145)]


def test_of_several_fixes_of_one_instant_the_most_accurate_counts() -> None:
    poor, good = north((3, AWAY)), north((3, 0))
    walk = [north((0, 0), (6, 0), (7, AWAY)), poor.with_columns(accuracy=50.0), good.with_columns(accuracy=5.0)]

    found = fold(pl.concat(walk), PRODUCT)

    assert stays(found) == [(0, 6)]
    assert found.stays["fixes"].to_list() == [3]


def test_an_unknown_accuracy_counts_but_comes_last() -> None:
    unknown = north((3, AWAY)).with_columns(accuracy=pl.lit(None, pl.Float64))
    walk = [north((0, 0), (3, 10), (6, 0), (7, AWAY)), unknown]

    assert stays(fold(pl.concat(walk), PRODUCT)) == [(0, 6)]
    assert stays(fold(pl.concat(walk).with_columns(accuracy=float("nan")), PRODUCT)) == [(0, 6)]


@pytest.mark.parametrize(
    "bad",
    [
        {"latitude": 90.5},
        {"latitude": float("nan")},
        {"latitude": None},
        {"longitude": 181.0},
        {"longitude": float("inf")},
        {"accuracy": 200.1},
        {"accuracy": -1.0},
        {"received_at": START - timedelta(hours=1)},
        {"received_at": START + timedelta(days=64)},
    ],
)
def test_a_fix_that_cannot_be_is_as_if_it_were_not_there(bad: dict[str, object]) -> None:
    walk = north((0, 0), (6, 0), (7, AWAY))
    wrong = north((3, AWAY)).with_columns(**{name: pl.lit(value) for name, value in bad.items()}).cast(walk.schema)

    assert stays(fold(pl.concat([walk, wrong]), PRODUCT)) == [(0, 6)]
    assert stays(fold(wrong, PRODUCT)) == []


def test_a_stay_on_the_date_line_has_its_centre_there() -> None:
    found = fold(
        fixes([(0, 0, 179.9999), (3, 0, -179.9999), (6, 0, 179.9999), (9, 0, -179.9997), (10, AWAY, 0)]), PRODUCT
    )

    assert stays(found) == [(0, 9)]
    assert found.stays["longitude"].to_list() == [-179.99995]


def test_a_stay_around_the_pole_is_one_stay() -> None:
    around = fixes([(0, 0, 0), (3, 0, 90), (6, 0, 180), (9, 0, -90), (10, 0, 0)]).with_columns(latitude=89.9997)
    away = north((11, AWAY))

    assert stays(fold(pl.concat([around, away]), PRODUCT)) == [(0, 10)]


def test_a_gap_of_trackintels_rule_ends_a_group_that_is_no_stay_then() -> None:
    walk = ((0, 0), (10, 0), (30, 0), (36, 10), (38, AWAY), (39, AWAY + 500))
    found = fold(north(*walk), ORACLE)

    assert stays(found) == [(30, 38)]
    assert legs(found) == [(38, 39, 2)]
    assert found.stays["fixes"].to_list() == [2]


def test_trackintels_centre_counts_each_place_once_and_the_last_group_is_a_stay() -> None:
    found = fold(north((0, 0), (1, 0), (2, 0), (6, 40)), ORACLE)

    assert stays(found) == [(0, 6)]
    assert found.stays["latitude"].to_list() == [round(50 + 20 * NORTH, 7)]


@given(history=histories(), rows=st.integers(1, 30), rule=st.sampled_from([PRODUCT, ORACLE]))
@settings(max_examples=60)
def test_batches_cut_anywhere_give_what_the_whole_gives(history: pl.DataFrame, rows: int, rule: Rule) -> None:
    history = history.sort(KEY)
    batches = [history[first : first + rows] for first in range(0, history.height, rows)]

    whole, parts = fold(history, rule), fold(batches, rule)

    assert_frame_equal(whole.stays, parts.stays, check_exact=True)
    assert_frame_equal(whole.legs, parts.legs, check_exact=True)


@given(history=histories(), seed=st.integers(0, 2**31))
@settings(max_examples=60)
def test_the_order_of_rows_and_repeated_rows_change_nothing(history: pl.DataFrame, seed: int) -> None:
    unruly = pl.concat([history, history[::3]]).sample(fraction=1, shuffle=True, seed=seed)

    assert_frame_equal(fold(history, PRODUCT).stays, fold(unruly, PRODUCT).stays, check_exact=True)
    assert_frame_equal(fold(history, PRODUCT).legs, fold(unruly, PRODUCT).legs, check_exact=True)


@given(history=histories())
@settings(max_examples=60)
def test_stays_and_legs_of_a_user_follow_each_other_and_never_overlap(history: pl.DataFrame) -> None:
    found = fold(history, PRODUCT)

    columns = ["app_id", "user_id", "started_at", "ended_at"]
    spans = pl.concat([found.stays.select(columns), found.legs.select(columns)])
    spans = spans.sort("user_id", "started_at", "ended_at")
    assert (spans["started_at"] < spans["ended_at"]).all()
    after = spans.with_columns(before=pl.col("ended_at").shift().over("user_id")).drop_nulls()
    assert (after["before"] <= after["started_at"]).all()


def test_batches_out_of_order_are_refused() -> None:
    late, early = north((10, 0)), north((0, 0))

    with pytest.raises(ContractBroken, match="not in order"):
        list(fold_batches([late, early, early], PRODUCT))
    with pytest.raises(ContractBroken, match="not in order"):
        list(fold_batches([north((0, 0), who=1), north((0, 0), who=0)], PRODUCT))
