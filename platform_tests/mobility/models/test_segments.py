from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offramp.sql.tenancy import tenancy_problems
from platform_tests.mobility.model_house import ROOT, problems, project, run_model
from platform_tests.mobility.models.lives import BAR, GYM, HOME, RESTAURANT, SCHOOL, SHOP, WORK, Life, tables
from platform_tests.mobility.models.segment_personas import FOREST, LAND_WORK, OFFICE, TOWN_WORK, UNIVERSITY
from platform_tests.mobility.models.segment_weeks import DAY, MONDAY, WORKDAYS, Outing, Walk, live, weekly

if TYPE_CHECKING:
    from collections.abc import Sequence

MODELS = sorted(file.stem for file in (ROOT / "dbt_like_sql" / "models" / "mobility").glob("segment*.sql"))
# mobility_offloads.md section 6: the library page, then what only the sample of 2019 has.
PUBLISHED = """
leisure.entertainment: bar_goer, culture_buff, gamer, clubber, nature_lover
leisure.shopping: beauty_queen, brand_loyal.retail, brand_loyalty, brand_loyalty.supermarket, fashionista, foodie
leisure.shopping: shopaholic
leisure.wellbeing: healthy_biker, healthy_walker, physical_activity.limited, physical_activity.moderate
leisure.wellbeing: physical_activity.high, sportive
leisure.wining_and_dining: brand_loyal.bar, brand_loyal.cafe, brand_loyal.restaurant, resto_lover
leisure.wining_and_dining.resto_lover: american, asian, fastfood, french, german, greek, grill, international, italian
leisure.wining_and_dining.resto_lover: mexican, seafood, snack
mobility.driving: brand_loyalty.gas_stations, die_hard_driver
mobility.commute: easy_commuter, green_commuter, heavy_commuter, long_commuter, normal_commuter, short_commuter
mobility.travel: frequent_flyer
mobility.transport: mobility.limited, mobility.moderate, mobility.high, public_transports_user
mobility.transport: public_transports_commuter
work_life.home: city_home, do_it_yourselver, early_bird, home_bound, homebody, night_owl, pet_owner, rural_home
work_life.home: sleep_deprived, town_home, work_life_balance
work_life.work: city_worker, fulltime_worker, homeworker, late_worker, nightworker, parttime_worker, rural_worker
work_life.work: student, town_worker, work_traveller, workaholic
work_life.social: social_activity.limited, social_activity.moderate, social_activity.high
work_life.family: uber_parent
mobility.driving: aggressive_driver, anticipative_driver, distracted_driver, efficient_driver, illegal_driver
mobility.driving: legal_driver, motorway_driver
work_life.home: dog_walker
leisure.wining_and_dining: brand_loyalty.restaurant_bar
other.geography.home: antwerp
"""
LEVELS = tuple(
    tuple(f"{stem}.{level}" for level in ("limited", "moderate", "high"))
    for stem in (
        "leisure.wellbeing.physical_activity",
        "work_life.social.social_activity",
        "mobility.transport.mobility",
    )
)
EXCLUSIVE = (
    *LEVELS,
    tuple(f"mobility.commute.{one}_commuter" for one in ("short", "normal", "long")),
    tuple(f"work_life.home.{one}_home" for one in ("city", "town", "rural")),
    tuple(f"work_life.work.{one}_worker" for one in ("city", "town", "rural")),
    tuple(f"work_life.work.{one}_worker" for one in ("fulltime", "parttime")),
    tuple(f"mobility.driving.{one}_driver" for one in ("legal", "illegal")),
    tuple(f"mobility.driving.{one}_driver" for one in ("aggressive", "efficient")),
    tuple(f"work_life.work.{one}" for one in ("homeworker", "nightworker")),
    ("work_life.home.homebody", "work_life.social.social_activity.high"),
    ("work_life.home.homebody", "leisure.entertainment.bar_goer"),
)
HABITS: tuple[tuple[Outing | Walk, ...], ...] = (
    weekly(WORKDAYS, OFFICE),
    weekly((2, 3, 4), Outing(TOWN_WORK, 1, 7, 11.5, "biking", 25, 6000)),
    weekly((1, 2, 6, 7), Outing(LAND_WORK, 1, 22, 29.75, "car", 55, 55000)),
    weekly((1, 5), Outing(WORK, 1, 12.5, 13.5, "train", 70, 30000)),
    weekly(WORKDAYS, Outing(UNIVERSITY, 1, 16.75, 17.5, "tram", 10, 3000)),
    weekly((1, 4), Outing(GYM, 1, 18, 19.5, "walking", 15, 1000)),
    weekly((5, 6), Outing(BAR, 1, 20, 21.75, "bus", 10, 3000)),
    weekly((3, 7), Outing(RESTAURANT, 1, 14, 16, "walking", 10, 900)),
    weekly((1, 3, 6), Outing(SHOP, 1, 11.75, 12.1, "car", 5, 2000)),
    weekly(WORKDAYS, Outing(SCHOOL, 1, 6.2, 6.3, "car", 5, 2000)),
    weekly(range(1, 8), Walk(1, 19.75, 20)),
    weekly((6, 7), Outing(FOREST, 1, 12.5, 13.5, "walking", 20, 1800)),
)


def published() -> set[str]:
    groups = (line.split(": ") for line in PUBLISHED.strip().splitlines())
    return {f"{prefix}.{name}" for prefix, names in groups for name in names.split(", ")}


@pytest.mark.parametrize("model", MODELS)
def test_a_model_gives_what_its_contract_says(model: str, tmp_path: Path) -> None:
    assert problems(f"mobility.{model}", tmp_path) == ()


def test_the_columns_are_those_of_the_documentation() -> None:
    model = project().model("mobility.segments").model

    assert ",".join(model.contract.names) == "user_id,metadata_user_id,segment_id"
    assert model.contract.key == ("user_id", "segment_id")
    assert [column.name for column in model.contract.columns if column.is_personal] == ["metadata_user_id"]
    assert [one.variable for one in model.schedules] == ["CRON_SCHEDULE_LIFESTYLE"]


def test_only_the_list_of_users_is_read_by_others_or_delivered() -> None:
    exported = {name for name in MODELS if project().model(f"mobility.{name}").model.is_exported}

    assert exported == {"segments"}


def test_no_row_can_reach_another_app() -> None:
    mine = {f"'{name}'" for name in (*MODELS, "segments")}

    assert [str(one) for one in tenancy_problems(project()) if any(name in str(one) for name in mine)] == []


def test_ids_are_the_published_ones_and_nothing_older(tmp_path: Path) -> None:
    definitions = run_model("mobility.segment_definitions", {}, tmp_path)

    assert set(definitions["id"]) == published()
    assert definitions.filter(~pl.col("is_computed"))["id"].to_list() == ["other.geography.home.antwerp"]
    assert not [one for one in definitions["id"] if "about_to" in one]


def _random_life(name: str, habits: Sequence[int], start_week: int, weeks: int) -> Life:
    # Habits that fall into each other's way are left out, the later in the list.
    chosen: list[Outing | Walk] = []
    for number in sorted(habits):
        if all(_ends(one) <= _starts(other) or _ends(other) <= _starts(one) for one in HABITS[number]
               for other in chosen if one.weekday == other.weekday):  # fmt: skip
            chosen += HABITS[number]
    first = MONDAY + timedelta(weeks=start_week)
    return live(name, chosen, first=first, last=first + timedelta(weeks=weeks, days=-1), home=HOME)


def _starts(one: Outing | Walk) -> float:
    return one.start - (0 if isinstance(one, Walk) else one.minutes / 60)


def _ends(one: Outing | Walk) -> float:
    return one.start + one.minutes / 60 if isinstance(one, Walk) else one.end + one.minutes / 60


_LIFE = st.tuples(st.sets(st.integers(0, len(HABITS) - 1), max_size=6), st.integers(0, 2), st.integers(1, 4))


@settings(max_examples=12)
@given(st.lists(_LIFE, min_size=6, max_size=10))
def test_exclusive_segments_are_never_given_together(drawn: list[tuple[set[int], int, int]]) -> None:
    lives = [_random_life(f"random {number}", sorted(habits), *weeks) for number, (habits, *weeks) in enumerate(drawn)]

    with TemporaryDirectory() as folder:
        rows = run_model("mobility.segments", tables(*lives, day=DAY), Path(folder))

    assert rows.select("user_id", "segment_id").is_unique().all()
    assert set(rows["segment_id"]) <= published()
    found = {user: set(ids) for user, ids in rows.group_by("user_id").agg("segment_id").iter_rows()}
    for life, (_, _, weeks) in zip(lives, drawn, strict=True):
        mine = found[life.user_id]
        assert [group for group in EXCLUSIVE if len(mine & set(group)) > 1] == []
        # Two weeks of data are enough for exactly one level of each; one week is enough for none.
        assert [len(mine & set(group)) for group in LEVELS] == [int(weeks >= 2)] * 3


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    lives = [_random_life(f"order {number}", [number, number + 4], 0, 4) for number in range(6)]
    frames = tables(*lives, day=DAY)

    once = run_model("mobility.segments", frames, tmp_path)
    again = run_model("mobility.segments", {name: frame.reverse() for name, frame in frames.items()}, tmp_path)

    order = ["app_id", "user_id", "segment_id"]
    assert once.sort(order).equals(again.sort(order))
