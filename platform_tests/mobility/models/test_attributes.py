from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from platform_tests.mobility.models.attributes_lives import (
    COMMUTER,
    DAY,
    DRIVER,
    GUEST,
    NOBODY,
    OTHER_APP,
    TRAVELLER,
    all_tables,
    attributes_of,
    commuter,
    names,
    wanderers,
    wide,
)
from platform_tests.mobility.models.lives import HOME, WORK, Life, tables

if TYPE_CHECKING:
    from pathlib import Path

HANDS: dict[str, dict[str, Any]] = {
    # Ten working days and four days of weekend: 849600 s at home, 288000 s at work, 21600 s of sport, 50400 s on trips.
    COMMUTER: {
        "client_id": "5a689ab0e97b960500002109",
        "hashome": 1,
        "haswork": 1,
        "is_stable": "FALSE",
        "timeline.length.day": 14.0,
        "timezone": 3600.0,
        "stationary.perc.total": 0.9583,
        "transport.perc.total": 0.0417,
        "activity.first.time": 8.0,
        "activity.first.time.we": 10.0,
        "activity.last.time": 17.0,
        "activity.last.time.we": 12.5,
        "semantic.time.morning.start": 7.25,
        "semantic.time.working_days": "[0, 1, 2, 3, 4]",
        "health.sport.total": 21600.0,
        "health.sport.total.week": 10800.0,
        "health.sport.total.last_week": 10800.0,
        "health.walking.total": 14400.0,
        "health.biking.total": 0.0,
        "health.activity.score": 1.0,
        "health.mobility.score": 0.2857,
        "health.social.score": 0.3,
        "healthy.activity.time.week": 18000.0,
        "stationary.city_type.mostcommon": "BIG_CITY",
        "stationary.big_city.perc": 1.0,
        "stationary.town.perc": 0.0,
        "stationary.work.city.mostcommon": "Oslo",
        "stationary.home.perc.total": 849600.0,
        "stationary.home.time.day": 60685.7143,
        "stationary.home.time.week": 424800.0,
        "stationary.home.weekend.time.day": 77400.0,
        "stationary.home.weekend.time.week": 154800.0,
        "stationary.home.non_business.time.day": 60685.7143,
        "stationary.nonhome.nonwork.time.week": 10800.0,
        "stationary.poi.time.week": 10800.0,
        "stationary.regular.time.week": 0.0,
        "stationary.work.perc.total": 288000.0,
        "stationary.work.time.day": 28800.0,
        "stationary.work.morning.time.day": 9000.0,
        "stationary.work.noon.time.day": 10800.0,
        "stationary.work.afternoon.time.day": 9000.0,
        "stationary.work.night.time.day": 0.0,
        "stationary.work.days_in_week": 5.0,
        "stationary.work.time.week.max": 144000.0,
        "stationary.work.time.week.mean": 144000.0,
        "work.late.days_in_week": 0.0,
        "working.time.week": 144000.0,
        "stationary.sport.days_in_week": 2.0,
        "stationary.sport.duration": 5400.0,
        "stationary.sport.mostcommon": "sats",
        "stationary.sport.homogeneity": 1.0,
        "stationary.shop.mostcommon": None,
        "transport.car.perc": 0.7143,
        "transport.walking.perc": 0.2857,
        "transport.bus.perc": 0.0,
        "transport.car.distance.week": 100000.0,
        "transport.car.time.week": 18000.0,
        "transport.car.count.month": 20.0,
        "transport.walking.distance": 2000.0,
        "transport.health.walking.duration": 3600.0,
        "transport.distance": 7714.2857,
        "transport.duration": 1800.0,
        "transport.business_hours.time.day": 1800.0,
        "transport.car.tod.morning.perc": 0.5,
        "transport.car.tod.after_noon.perc": 0.5,
        "transport.car.distance.medium.perc": 1.0,
        "transport.car.duration.medium.perc": 1.0,
        "transport.car.week.weekend.perc": 0.0,
        "transport.car.context.perc.total": 1.0,
        "transport.commute.car.perc": 1.0,
        "transport.commute.distance": 10000.0,
        "transport.commute.distance.perc.total": 0.9259,
        "transport.commute.duration": 1800.0,
        "transport.commute.home.work.start": 8.0,
        "transport.commute.work.home.start": 16.5,
        "transport.commute.time.week": 18000.0,
        "transport.commute.healthy.time.week": 0.0,
        "tr.car.bhvr.dist.all": 0.0,
        "tr.car.bhvr.legal.all": None,
        "usertype": None,
    },
    # Stays of 60, 60 and 120 minutes at restaurants, 180 in a bar over midnight, 20, 10 and 30 in shops.
    GUEST: {
        "haswork": 0,
        "timeline.length.day": 13.0,
        "semantic.time.working_days": "[]",
        "health.social.score": 0.4846,
        "stationary.restaurant.count.week": 2.0,
        "stationary.restaurant.time.week": 7200.0,
        "stationary.restaurant.italian.count.week": 2,
        "stationary.restaurant.asian.count.week": 0,
        "stationary.restaurant.asian.count.month": 1.0,
        "stationary.restaurant.mostcommon": "villa",
        "stationary.restaurant.homogeneity": 0.6667,
        "stationary.food.count.week": 2.0,
        "stationary.drinks.count.week": 1.0,
        "stationary.drinks.time.week": 10800.0,
        "stationary.drinks.bar.days_in_week": 2,
        "stationary.drinks.bar.mostcommon": "crow",
        "stationary.drinks.cafe.mostcommon": None,
        "stationary.shop.food.count.week": 2.0,
        "stationary.shop.food.count.days_in_week": 1.0,
        "stationary.shop.food.time.day": 1800.0,
        "stationary.shop.duration": 1200.0,
        "stationary.shop.mostcommon": "kiwi",
        "stationary.shop.supermarket.homogeneity": 0.6667,
        "stationary.education.duration": 600.0,
        "stationary.uber.days_in_week": 1.0,
        "stationary.gas_station.count.month": 1.0,
        "stationary.gas_station.count.week": 0.0,
        "stationary.leisure.cinema.days_in_month": 1.0,
        "stationary.culture.count.week": 0,
        "transport.car.perc": None,
        "transport.car.count.month": 0.0,
    },
    TRAVELLER: {
        "moment.business_trip.global.count.month": 1,
        "moment.business_trip.regional.count.month": 0,
        "moment.business_flight.count.month": 1,
        "moment.working_remote.radius": 1001.0,
        "working.remote.days_in_week": 1,
        "working.remote.time.week": 7200.0,
        "stationary.holiday.city.mostcommon": "Madrid",
        "stationary.holiday.country.mostcommon": "España",
        "stationary.holiday.country.homogeneity": 1.0,
        "stationary.weekend.city.homogeneity": 0.6667,
        "stationary.drinks.cafe.days_in_week": 1,
        "activity.first.time": 8.5,
        "transport.flight.count.month": 2.0,
        "transport.duration": 9000.0,
    },
    # 20 km with 0.8 and 10 km with 0.2 are 0.6; in cities 5 km with 0.8 and 10 km with 0.2 are 0.4.
    DRIVER: {
        "tr.car.bhvr.aggr.all": 0.6,
        "tr.car.bhvr.aggr.motorway": 0.8,
        "tr.car.bhvr.aggr.non_motorway-city": 0.4,
        "tr.car.bhvr.aggr.total": 0.5,
        "tr.car.bhvr.past.aggr.all": 0.6,
        "tr.car.bhvr.past.aggr.non_motorway-city": None,
        "tr.car.bhvr.legal.all": 0.5,
        "tr.car.bhvr.hard_turn.all": None,
        "tr.car.bhvr.focus.all": 0.8,
        "tr.car.bhvr.dist.all": 31000.0,
        "tr.car.bhvr.dist_used.all": 30000.0,
        "tr.car.bhvr.dist.past.all": 4000.0,
        "tr.car.bhvr.time.all": 10800.0,
        "tr.car.bhvr.time_used.non_motorway-city": 2400.0,
        "transport.car.zone.motorway.perc": 0.25,
        "transport.car.zone.road.perc": 0.1667,
        # No trip tells in what kind of city the residential roads were.
        "transport.car.zone.residential-city.perc": 0.0,
        "transport.car.zone.unknown.perc": 0.5833,
        "transport.car.zone.perc.total": 0.4167,
    },
}


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    return wide(all_tables(), tmp_path_factory.mktemp("attributes"))


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    return wide(tables(*wanderers(), day=DAY), tmp_path_factory.mktemp("strangers"))


@pytest.mark.parametrize("user", HANDS, ids=["commuter", "guest", "traveller", "driver"])
def test_attributes_are_what_hands_work_out(frame: pl.DataFrame, user: str) -> None:
    found = attributes_of(frame, user)

    assert {name: found[name] for name in HANDS[user]} == HANDS[user]


def test_of_a_user_without_a_known_date_only_the_state_is_said(frame: pl.DataFrame) -> None:
    found = {name: value for name, value in attributes_of(frame, NOBODY).items() if value is not None}
    user, client = found.pop("user_id"), found.pop("client_id")

    assert (user, client) == (NOBODY, found.pop("app_id"))
    assert found == {"hashome": 0, "haswork": 0, "is_stable": "FALSE", "timeline.length.day": 0.0}


def test_a_user_of_two_app_ids_has_the_attributes_of_each(frame: pl.DataFrame) -> None:
    here, there = attributes_of(frame, COMMUTER), attributes_of(frame, COMMUTER, OTHER_APP)

    assert there.pop("app_id") == there.pop("client_id") == OTHER_APP
    assert there.items() <= here.items()


def test_shares_lie_between_zero_and_one_and_hours_within_a_day(frame: pl.DataFrame, strangers: pl.DataFrame) -> None:
    both = pl.concat([frame, strangers])
    totals = {"stationary.home.perc.total.value", "stationary.work.perc.total.value"}
    shares = [name for name, _ in names() if ".perc" in name or "homogeneity" in name or ".score" in name]
    hours = [name for name, _ in names() if name.startswith(("activity.", "semantic.time.")) and "days" not in name]
    hours += ["transport.commute.home.work.start.value", "transport.commute.work.home.start.value"]

    for name in set(shares) - totals:
        assert both[name].drop_nulls().is_between(0, 1).all(), name
    for name in hours:
        assert both[name].drop_nulls().is_between(0, 24, closed="left").all(), name


def test_numbers_are_finite_and_not_negative(frame: pl.DataFrame, strangers: pl.DataFrame) -> None:
    both = pl.concat([frame, strangers])

    for name, dtype in both.schema.items():
        if dtype == pl.Float64:
            assert both[name].drop_nulls().is_finite().all(), name
        if dtype.is_numeric() and name != "timezone.value":
            assert (both[name].drop_nulls() >= 0).all(), name


def test_the_order_of_rows_does_not_matter(strangers: pl.DataFrame, tmp_path: Path) -> None:
    made = tables(*wanderers(), day=DAY)
    shuffled = {name: one.sample(fraction=1, shuffle=True, seed=7) for name, one in made.items()}

    assert wide(shuffled, tmp_path).sort("user_id").equals(strangers.sort("user_id"))
    assert strangers.height == 30


def test_shares_of_one_kind_sum_up_to_their_total(frame: pl.DataFrame) -> None:
    found = attributes_of(frame, COMMUTER)
    modes = ("biking", "bus", "car", "flight", "running", "train", "tram", "unknown", "walking")

    assert sum(found[f"transport.{mode}.perc"] for mode in modes) == pytest.approx(1, abs=1e-3)
    assert found["stationary.perc.total"] + found["transport.perc.total"] == pytest.approx(1, abs=1e-3)


def test_fewer_known_dates_than_a_definition_asks_for_leave_the_value_empty(tmp_path: Path) -> None:
    six = Life(COMMUTER).at(HOME, "2018-10-26 00:00", None)

    found = attributes_of(wide(tables(six, day=DAY), tmp_path), COMMUTER)

    assert found["timeline.length.day"] == 6.0
    assert found["stationary.home.time.week"] == 6 * 86400
    assert found["stationary.home.time.day"] is None
    assert found["stationary.home.perc.total"] is None
    assert found["transport.car.count.month"] is None
    assert found["health.walking.total.last_week"] is None


def test_dates_are_those_of_the_place_and_the_last_is_the_data_day(tmp_path: Path) -> None:
    # In Tokyo the data day of UTC ends at 09:00 of the next local date, which does not count yet.
    home, work = replace(HOME, timezone="Asia/Tokyo"), replace(WORK, timezone="Asia/Tokyo")
    life = Life(COMMUTER).at(home, "2018-10-20 00:00", None).at(work, "2018-11-01 06:00", "2018-11-01 07:00")

    found = attributes_of(wide(tables(life, day=DAY), tmp_path), COMMUTER)

    assert found["timeline.length.day"] == 12.0
    assert found["stationary.home.time.week"] == 7 * 86400
    assert found["stationary.home.time.day"] == 86400
    assert found["stationary.work.perc.total"] == 0
    assert found["timezone"] == 9 * 3600


def test_a_stay_of_more_than_nine_weeks_counts_from_the_window_on(tmp_path: Path) -> None:
    life = Life(COMMUTER).at(HOME, "2018-05-01 00:00", None)

    found = attributes_of(wide(tables(life, day=DAY), tmp_path), COMMUTER)

    # The window starts at 02:00 in Oslo.
    assert found["timeline.length.day"] == 63.0
    assert found["stationary.home.perc.total"] == 63 * 86400 - 2 * 3600
    assert found["is_stable"] == "TRUE"
    assert found["stationary.perc.total"] == 1.0


def test_a_later_build_moves_the_weeks(tmp_path: Path) -> None:
    late = attributes_of(wide(tables(commuter(), day=date(2018, 11, 7)), tmp_path), COMMUTER)

    assert late["stationary.work.days_in_week"] == 0.0
    assert late["health.sport.total.last_week"] == 10800.0
    assert late["stationary.work.perc.total"] == 288000.0
