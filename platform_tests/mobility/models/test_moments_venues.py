from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from platform_tests.mobility.models.lives import (
    BAR,
    GYM,
    HOME,
    PARK,
    RESTAURANT,
    SCHOOL,
    SHOP,
    WORK,
    Life,
    Spot,
)
from platform_tests.mobility.models.moment_checks import SEMANTIC, of, run

if TYPE_CHECKING:
    from pathlib import Path


def test_stays_near_home_work_and_places_of_interest_are_told(tmp_path: Path) -> None:
    north = 450 / 111_195
    near_home = replace(PARK, place_id=30, latitude=HOME.latitude + north, longitude=HOME.longitude)
    near_work = replace(PARK, place_id=31, latitude=WORK.latitude - north, longitude=WORK.longitude)
    near_gym = replace(PARK, place_id=32, latitude=GYM.latitude, longitude=GYM.longitude + north * 1.9)
    far = replace(PARK, place_id=33, latitude=HOME.latitude - 510 / 111_195, longitude=HOME.longitude)
    life = Life()
    for hour, spot in enumerate((HOME, near_home, WORK, near_work, GYM, near_gym, far)):
        life.at(spot, f"2018-10-24 {8 + hour:02}:00", f"2018-10-24 {8 + hour:02}:50")

    rows = run(life, tmp_path=tmp_path)

    assert [one[:2] for one in of(rows, "at_home", "nearby_home", "nearby_work", "nearby_poi")] == [
        ("at_home", "2018-10-24T08:00:00+02:00"),
        ("nearby_home", "2018-10-24T09:00:00+02:00"),
        ("nearby_work", "2018-10-24T11:00:00+02:00"),
        ("nearby_poi", "2018-10-24T13:00:00+02:00"),
    ]


CAFE = replace(BAR, venue_types=("drinks", "cafe"))
CLUB = replace(BAR, venue_types=("drinks", "club"))
MUSEUM = replace(BAR, venue_types=("culture", "museum"))
STAYS: dict[str, tuple[Spot, str, int, set[str]]] = {
    "breakfast at a cafe": (CAFE, "08:00", 30, {"breakfast_out"}),
    "a morning of work at a cafe": (CAFE, "09:00", 90, {"working_remote"}),
    "lunch": (RESTAURANT, "11:00", 40, {"lunch_out"}),
    "a late lunch": (RESTAURANT, "14:29", 40, {"lunch_out"}),
    "between lunch and dinner": (RESTAURANT, "14:30", 40, set()),
    "coffee": (CAFE, "14:30", 20, {"afternoon_drinks"}),
    "an early dinner": (RESTAURANT, "17:00", 60, {"dinner_out"}),
    "food that is fetched": (RESTAURANT, "18:00", 10, set()),
    "a beer": (BAR, "18:00", 45, {"evening_drinks"}),
    "a long beer": (BAR, "22:00", 90, {"evening_drinks", "night_out"}),
    "a beer until a quarter past eleven": (BAR, "22:00", 75, {"evening_drinks"}),
    "a club": (CLUB, "23:30", 180, {"night_out"}),
    "a museum by day": (MUSEUM, "12:00", 90, set()),
    "a museum at night": (MUSEUM, "19:00", 90, {"evening_entertainment"}),
    "a workout": (GYM, "17:00", 60, {"sporting"}),
    "the reception of a gym": (GYM, "17:00", 10, set()),
    "a shop once": (SHOP, "17:00", 20, set()),
    "a school once": (SCHOOL, "08:00", 8, set()),
    "a waiter's work": (replace(RESTAURANT, significance="work"), "17:00", 300, {"working_at_work"}),
    "a minute at work": (WORK, "17:00", 10, set()),
}


def test_a_stay_is_what_its_venue_hour_and_length_say(tmp_path: Path) -> None:
    lives = []
    for number, (spot, start, minutes, _) in enumerate(STAYS.values()):
        begin = datetime.fromisoformat(f"2018-10-24 {start}")
        lives.append(Life(f"{number:024x}").at(spot, begin, begin + timedelta(minutes=minutes)))

    rows = run(*lives, tmp_path=tmp_path).filter(~pl.col("moment_definition_id").is_in([*SEMANTIC, "city", "country"]))

    for case, life in zip(STAYS, lives, strict=True):
        found = rows.filter(user_id=life.user_id)["moment_definition_id"].to_list()
        assert sorted(found) == sorted(STAYS[case][3]), case


def test_a_run_is_sport_and_a_sprint_is_not(tmp_path: Path) -> None:
    life = (
        Life()
        .go("running", "2018-10-24 08:00", "2018-10-24 08:40")
        .go("running", "2018-10-24 09:00", "2018-10-24 09:05")
    )

    assert [one[1] for one in of(run(life, tmp_path=tmp_path), "sporting")] == ["2018-10-24T08:00:00+02:00"]
