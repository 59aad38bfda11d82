"""The formulas of scores: by hand, and what holds whatever the measures are."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offramp.feeds.mobility.driving import thresholds as at
from offramp.feeds.mobility.driving.scores import MEASURES, aggregated, weighted, with_roles, with_scores
from offramp.feeds.mobility.driving.tables import DRIVE_SCORES, USER_SCORES

BEGIN = datetime(2024, 5, 6, 8)  # noqa: DTZ001 - tables hold UTC without a zone
CALM = dict.fromkeys(MEASURES, 0) | {"metres": 10_000, "milliseconds": 600_000, "sensor_events": 1}


def _scores(**measures: int) -> dict[str, Decimal]:
    frame = pl.DataFrame([CALM | measures], schema=dict.fromkeys(MEASURES, pl.Int64))
    return with_scores(frame).select(DRIVE_SCORES).row(0, named=True)


@pytest.mark.parametrize(
    ("measures", "score", "value"),
    [
        ({"accel_impact": 1_000}, "hard_accel", "0.9"),  # one hard event in 10 km
        ({"brake_impact": 2_000}, "hard_brake", "0.8"),  # one severe one
        ({"brake_impact": 20_000}, "hard_brake", "0"),
        ({"turn_impact": 3_000}, "hard_turn", "0.7"),
        ({"accel_impact": 1_000, "brake_impact": 2_000}, "hard_events", "0.7"),
        ({"brake_impact": 1_000, "moderate_impact": 500}, "smooth", "0.85"),
        # 20 s of coasting give 200 of the 1,500 metres back; an hour gives no more than half of them.
        ({"brake_impact": 1_000, "moderate_impact": 500, "coasting_milliseconds": 20_000}, "smooth", "0.87"),
        ({"brake_impact": 1_000, "moderate_impact": 500, "coasting_milliseconds": 3_600_000}, "smooth", "0.925"),
        ({"brake_impact": 1_000, "turn_impact": 1_000, "moderate_turn_impact": 250}, "smooth", "0.9"),
        ({"brake_impact": 1_000, "turn_impact": 1_000, "moderate_turn_impact": 250}, "smooth_v2", "0.775"),
        ({"slowdowns": 8, "late_slowdowns": 2}, "anticipative", "0.75"),
        ({"slowdowns_v2": 12, "late_slowdowns_v2": 4}, "anticipative_v2", "0.666667"),
        ({}, "anticipative", "-1"),
        ({"handling_milliseconds": 60_000}, "focus", "0.9"),
        ({"handheld_milliseconds": 60_000, "handsfree_milliseconds": 120_000}, "attention", "0.85"),
        ({"handheld_milliseconds": 600_000, "handsfree_milliseconds": 600_000}, "attention", "0"),
        ({"mounted_milliseconds": 450_000}, "mounted", "0.75"),
        ({"limit_milliseconds": 500_000, "legal_milliseconds": 400_000}, "legal", "0.8"),
        ({"limit_milliseconds": 59_999, "legal_milliseconds": 59_999}, "legal", "-1"),
        ({"limit_millimetres": 8_000_000, "legal_millimetres": 2_000_000}, "legal_v2", "0.25"),
        ({"limit_millimetres": 499_999, "legal_millimetres": 499_999}, "legal_v2", "-1"),
    ],
)
def test_scores_are_those_worked_out_by_hand(measures: dict[str, int], score: str, value: str) -> None:
    assert _scores(**measures)[score] == Decimal(value)


def test_the_second_generation_has_two_names_each() -> None:
    found = _scores(brake_impact=1_000, slowdowns_v2=3, late_slowdowns_v2=1)
    assert found["aggr_v2"] == found["smooth_v2"]
    assert found["anti_v2"] == found["anticipative_v2"]


def test_a_trip_below_a_kilometre_has_no_scores() -> None:
    limits = {"limit_milliseconds": 90_000, "limit_millimetres": 900_000}
    assert set(_scores(metres=999, **limits).values()) == {Decimal(-1)}
    assert Decimal(-1) not in _scores(metres=1_000, slowdowns=1, slowdowns_v2=1, **limits).values()


def test_without_sensors_only_the_legal_scores_are_known() -> None:
    found = _scores(sensor_events=0, limit_milliseconds=90_000, limit_millimetres=900_000)
    assert {name for name, value in found.items() if value >= 0} == {"legal", "legal_v2"}


MEASURED = st.fixed_dictionaries(dict.fromkeys(MEASURES, st.integers(0, 10**9)))


@settings(max_examples=200, deadline=None)
@given(MEASURED)
def test_a_score_is_from_zero_to_one_or_minus_one(measures: dict[str, int]) -> None:
    assert all(0 <= value <= 1 or value == -1 for value in _scores(**measures).values())


@settings(max_examples=100, deadline=None)
@given(MEASURED, st.sampled_from([at.MODERATE_IMPACT_METRES, at.HARD_IMPACT_METRES, at.SEVERE_IMPACT_METRES]))
def test_one_more_brake_never_raises_what_brakes_count_in(measures: dict[str, int], impact: int) -> None:
    name = "moderate_impact" if impact == at.MODERATE_IMPACT_METRES else "brake_impact"
    counts = ("slowdowns", "late_slowdowns", "slowdowns_v2", "late_slowdowns_v2")
    known = measures | {"slowdowns": measures["slowdowns"] + measures["late_slowdowns"]}
    known |= {"slowdowns_v2": measures["slowdowns_v2"] + measures["late_slowdowns_v2"] + 1, "sensor_events": 1}
    known["slowdowns"] += 1
    more = known | {name: known[name] + impact} | {count: known[count] + 1 for count in counts}
    before, after = _scores(**known), _scores(**more)
    for score in ("hard_brake", "hard_events", "smooth", "smooth_v2", "anticipative", "anticipative_v2"):
        assert after[score] <= before[score], score


def _drives(rows: list[tuple[str, int, str]]) -> pl.DataFrame:
    """(user, metres, every score)."""
    return pl.DataFrame(
        [
            {
                "app_id": "a",
                "user_id": user,
                "started_at": BEGIN + timedelta(hours=number),
                "is_new": True,
                "distance": metres,
                **dict.fromkeys(USER_SCORES, Decimal(score)),
            }
            for number, (user, metres, score) in enumerate(rows)
        ],
        schema={
            "app_id": pl.String,
            "user_id": pl.String,
            "started_at": pl.Datetime("us"),
            "is_new": pl.Boolean,
            "distance": pl.Int64,
            **dict.fromkeys(USER_SCORES, pl.Decimal(9, 6)),
        },
    )


def test_an_aggregate_weighs_drives_by_distance() -> None:
    found = aggregated(weighted(_drives([("u", 40_000, "0.5"), ("u", 20_000, "0.8"), ("u", 900, "-1")])))
    assert found.get_column("smooth").to_list() == [Decimal("0.6")]
    assert found.get_column("timestamp").to_list() == [1714982400000 + 2 * 3_600_000]


def test_an_aggregate_needs_50_km_of_drives_that_have_the_score() -> None:
    found = aggregated(weighted(_drives([("u", 49_999, "0.5"), ("u", 9_000, "-1"), ("v", 50_000, "0.5")])))
    assert found.get_column("legal_v2").to_list() == [Decimal(-1), Decimal("0.5")]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("uv"), st.integers(0, 10**6), st.decimals(0, 1, places=6).map(str) | st.just("-1")),
        min_size=1,
        max_size=12,
    ),
    st.integers(0, 12),
)
def test_an_aggregate_lies_among_the_scores_and_adds_up_over_parts(rows: list[tuple[str, int, str]], cut: int) -> None:
    drives = _drives(rows)
    whole = aggregated(weighted(drives))
    assert aggregated(pl.concat([weighted(drives[cut:]), weighted(drives[:cut])])).equals(whole)
    for user, focus in whole.select("user_id", "focus").rows():
        known = [Decimal(score) for who, _, score in rows if who == user and score != "-1"]
        assert focus == -1 or min(known) <= focus <= max(known)


@pytest.mark.parametrize(
    ("measures", "role"),
    [
        ({"sensor_events": 0}, "unknown"),
        ({}, "driver"),
        ({"handheld_milliseconds": 30_000}, "driver"),
        ({"handheld_milliseconds": 30_001}, "unknown"),
        ({"handheld_milliseconds": 300_000}, "unknown"),
        ({"handheld_milliseconds": 300_001}, "passenger"),
        ({"handheld_milliseconds": 600_000, "mounted_milliseconds": 1}, "driver"),
    ],
)
def test_who_holds_the_phone_for_long_rides_along(measures: dict[str, int], role: str) -> None:
    frame = pl.DataFrame([CALM | measures], schema=dict.fromkeys(MEASURES, pl.Int64))
    assert with_roles(frame).get_column("occupant_role").to_list() == [role]
