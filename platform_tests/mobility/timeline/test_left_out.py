"""Fixes that do not count are counted: each once, with the reason."""

from __future__ import annotations

import tempfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offramp.engine.duckdb_engine import DuckDBEngine
from offramp.feeds.mobility.legs.edition import edition
from offramp.feeds.mobility.timeline.layer import TimelineLayer
from offramp.feeds.mobility.timeline.stamps import stamp_of
from platform_tests.mobility.timeline.arrivals import START, histories, north
from platform_tests.mobility.timeline.house import APP, FIXES, House

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = timedelta(days=1)
FIRST = START.date()
OTHER_APP = "f" * 24
AWAY = 5_000


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBEngine]:
    engine = DuckDBEngine(tmp_path_factory.mktemp("scratch"), memory_bytes=200_000_000, threads=1)
    yield engine
    engine.close()


def told(house: House, day: date) -> list[tuple[str, str, int]]:
    return house.table(day, "left_out").select("app_id", "reason", "fixes").rows()


def with_faults(history: pl.DataFrame) -> pl.DataFrame:
    """Every few rows once more with a fault, and some of another app."""
    wrong = [
        history[::5].with_columns(latitude=pl.lit(90.5)),
        history[::7].with_columns(longitude=pl.lit(float("nan"))),
        history[::6].with_columns(latitude=pl.lit(None, pl.Float64), accuracy=pl.lit(-1.0)),
        history[::3].with_columns(longitude=pl.col("longitude") + 0.01, app_id=pl.lit(OTHER_APP)),
    ]
    return pl.concat([history, *wrong]).select(list(FIXES))


def reason() -> pl.Expr:
    """The reason as the rule's text gives it, written a second time."""
    late = pl.col("received_at") - pl.col("tracked_at")
    places = pl.col("latitude").is_between(-90, 90) & pl.col("longitude").is_between(-180, 180)
    accuracy = pl.col("accuracy").fill_nan(None).fill_null(0.0).is_between(0, 200)
    return (
        pl.when(~places.fill_null(value=False))
        .then(pl.lit("coordinates"))
        .when(~accuracy)
        .then(pl.lit("accuracy"))
        .when(late < -timedelta(hours=1))
        .then(pl.lit("ahead"))
        .when(late > timedelta(days=63))
        .then(pl.lit("behind"))
    )


@given(history=histories(), skip=st.integers(0, 2), memory=st.sampled_from([1, 100_000_000]))
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_fixes_that_came_are_those_that_count_and_those_left_out(
    engine: DuckDBEngine, history: pl.DataFrame, skip: int, memory: int
) -> None:
    history = with_faults(history).with_columns(reason=reason())
    days = sorted({*history["received_at"].dt.date(), *history["tracked_at"].dt.date()})[skip:]
    with tempfile.TemporaryDirectory() as folder:
        house = House(engine, Path(folder), memory_bytes=memory)
        house.land("fixes", history)
        left_out = pl.DataFrame(schema={"app_id": pl.String, "reason": pl.String, "fixes": pl.Int64})
        for day in days:
            house.build(day)
            left_out = pl.concat([left_out, house.table(day, "left_out").select(left_out.columns)])
            until = datetime.combine(day + DAY, time())
            arrived = history.filter(pl.col("received_at") < until)
            good = arrived.filter(pl.col("reason").is_null())
            taken = good.filter(pl.col("tracked_at") < until)
            counting = taken.select("app_id", "user_id", "tracked_at").n_unique() if taken.height else 0
            assert arrived.height == counting + (good.height - taken.height) + left_out["fixes"].sum()
            faults = arrived.drop_nulls("reason").group_by("app_id", "reason").agg(fixes=pl.len().cast(pl.Int64))
            summed = left_out.group_by("app_id", "reason").agg(pl.col("fixes").sum())
            assert set(summed.filter(pl.col("reason") != "duplicate").rows()) == set(faults.rows())


def test_a_better_fix_of_a_known_instant_is_a_duplicate_of_the_day_on_which_it_comes(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    house = House(engine, tmp_path)
    house.land("fixes", north((0, 0), (3, 0), (6, 0)))
    better = north((3, 10), late=1_500).with_columns(accuracy=5.0)
    house.land("fixes", pl.concat([better, north((6, 5), late=2_000)]))

    house.build(FIRST)
    house.build(FIRST + DAY)

    assert told(house, FIRST) == []
    assert told(house, FIRST + DAY) == [(APP, "duplicate", 2)]


def test_a_fix_with_several_faults_is_left_out_for_the_first(engine: DuckDBEngine, tmp_path: Path) -> None:
    house = House(engine, tmp_path)
    wrong = north((0, 0), (1, 0), (2, 0), (3, 0), late=-120)
    house.land("fixes", wrong.with_columns(accuracy=pl.Series([5.0, 900.0, -1.0, None])))
    house.land("fixes", north((5, 0), late=64 * 1_440))

    house.build(FIRST - DAY)
    house.build(FIRST + 64 * DAY)

    assert told(house, FIRST - DAY) == [(APP, "accuracy", 2), (APP, "ahead", 2)]
    assert told(house, FIRST + 64 * DAY) == [(APP, "behind", 1)]


def test_the_version_changes_with_what_describes_legs() -> None:
    assert edition() in TimelineLayer().version


def test_what_is_compiled_is_compiled_anew_when_a_source_changes(tmp_path: Path) -> None:
    import importlib.util  # noqa: PLC0415

    source = tmp_path / "numbers_of_a_rule.py"
    stamps = set()
    for text in ("RADIUS = 1\n", "RADIUS = 2\n", "RADIUS = 1\n"):
        source.write_text(text)
        spec = importlib.util.spec_from_file_location("numbers_of_a_rule", source)
        assert spec is not None
        stamps.add(stamp_of(importlib.util.module_from_spec(spec)))
    assert len(stamps) == 2


def test_a_fix_that_is_not_a_number_is_left_out_though_files_do_not_tell_of_it(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    house = House(engine, tmp_path)
    walk = north((0, 0), (6, 0), (8, AWAY), (14, AWAY))
    house.land("fixes", pl.concat([walk, north((3, 0)).with_columns(longitude=float("nan"))]))

    house.build(FIRST)

    assert told(house, FIRST) == [(APP, "coordinates", 1)]
    assert house.table(FIRST, "stays")["fixes"].to_list() == [2]
