from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from platform_tests.scenarios.planted_house import (
    BEGINS,
    DAY_BEFORE,
    DAY_WITHOUT,
    DAYS,
    LAST,
    LIFESTYLE,
    USERS_PER_PART,
    PlantedHouse,
    live_through,
)
from platform_tests.scenarios.planted_truth import (
    confusion,
    found_stays,
    matched_legs,
    metres,
    observed_stays,
    told,
    working_days,
)

if TYPE_CHECKING:
    from offramp.sources.phones.truth import Truth

# A minute of CPU, which a machine with other work may stretch.
pytestmark = pytest.mark.timeout(900)

# Measured 0.965. What is missed: stays before a departure that the phone noticed more than 100 m late, and stays that
# one fix of poor accuracy parts.
STAYS_FOUND = 0.95
# Measured 0.992.
MODES_RIGHT = 0.98
# Measured 0.004: legs while nobody moved, nearly all of some metres within a stay and without a mode.
LEGS_OF_NOBODY = 0.01
# Measured 0.96 (car and train) and 1.0 (bike): a way whose first stay ended too early begins nowhere.
COMMUTES_FOUND = 0.9

HAVE = {
    "dog_owner": ("work_life.home.pet_owner", "work_life.home.dog_walker"),
    "retired": ("work_life.home.pet_owner", "work_life.home.dog_walker"),
    "night_worker": ("work_life.work.nightworker",),
    "student": ("work_life.work.student",),
    "parent": ("work_life.family.uber_parent",),
    "frequent_flyer": ("mobility.travel.frequent_flyer",),
    "speeder": ("mobility.driving.illegal_driver", "mobility.driving.motorway_driver"),
    "bike_commuter": ("mobility.commute.green_commuter", "leisure.wellbeing.healthy_biker"),
    "train_commuter": ("mobility.transport.public_transports_commuter",),
    "bus_commuter": ("mobility.transport.public_transports_commuter",),
    "tram_commuter": ("mobility.transport.public_transports_commuter",),
    "professional_driver": ("mobility.driving.die_hard_driver",),
}
# By segment: who should have it, and how many of the 60 people may have it wrongly. These were seen:
# - the dog walker is the silent user: work is taken for a second home, and ways to work on foot for walks;
# - pet owners are people without a dog who were at a shop for animals twice in five weeks;
# - the parent is the professional driver, who delivers to schools;
# - distracted drivers are people who also ride along: a phone in the hand does not tell who drives.
ALLOWED = {
    "work_life.home.dog_walker": (pl.col("has_dog"), 1),
    "work_life.home.pet_owner": (pl.col("has_dog"), 5),
    "work_life.work.nightworker": (pl.col("job") == "night", 0),
    "work_life.work.student": (pl.col("job") == "student", 0),
    "work_life.family.uber_parent": (pl.col("has_children"), 1),
    "mobility.travel.frequent_flyer": (pl.col("is_flyer"), 0),
    "mobility.driving.illegal_driver": (pl.col("is_speeding"), 0),
    "mobility.driving.aggressive_driver": (pl.col("character") == "aggressive", 0),
    "mobility.driving.distracted_driver": (pl.col("character") == "distracted", 5),
    "mobility.transport.public_transports_commuter": (pl.col("commute_mode").is_in(["bus", "tram", "train"]), 0),
}
# A visit of half an hour twice a day is no work place by the rule, and a place to work at home is none either.
WITHOUT_WORK = {"professional_driver", "home_worker", "retired"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> PlantedHouse:
    return live_through(tmp_path_factory.mktemp("planted") / "house")


@pytest.fixture(scope="module")
def truth(house: PlantedHouse) -> Truth:
    return house.source.truth(BEGINS, LAST)


@pytest.fixture(scope="module")
def planted(truth: Truth) -> dict[str, str]:
    """User ids by label."""
    who = truth.people.filter(pl.col("label").is_not_null())
    return dict(who.select("label", "user_id").iter_rows())


@pytest.fixture(scope="module")
def segments(house: PlantedHouse) -> dict[str, set[str]]:
    """Delivered users by segment."""
    rows = house.delivered("segments").group_by("segment_id").agg("user_id")
    return {segment: set(users) for segment, users in rows.iter_rows()}


@pytest.fixture(scope="module")
def moments(house: PlantedHouse) -> pl.DataFrame:
    return house.delivered("moments").with_columns(day=pl.col("start").str.slice(0, 10))


def days_of(moments: pl.DataFrame, user_id: str, name: str) -> set[str]:
    rows = moments.filter(pl.col("user_id") == user_id, pl.col("moment_definition_id") == name)
    return set(rows["day"])


def test_true_stays_are_found_where_and_when_they_were(house: PlantedHouse, truth: Truth) -> None:
    found = found_stays(observed_stays(house.source, truth.stays), house.layer("visits"))

    share = found["is_found"].sum() / found.height
    told(f"{found.height} true stays, {share:.3f} found within 50 m and 5 minutes")
    assert found.height > 6_000
    assert share >= STAYS_FOUND


def test_the_modes_of_legs_are_right(house: PlantedHouse, truth: Truth) -> None:
    matched = matched_legs(truth.legs, house.layer("trips"))

    known = matched.filter(pl.col("mode").is_not_null())
    right = known.filter(pl.col("mode") == pl.col("said"))
    told(f"{confusion(matched)}\n{known.height} legs, {right.height / known.height:.3f} right")
    assert right.height / known.height >= MODES_RIGHT
    still = matched.filter(pl.col("mode").is_null())
    told(f"{still.height} of {matched.height} legs while nobody moved")
    assert still.height <= LEGS_OF_NOBODY * matched.height
    assert still.filter(pl.col("said") != "insufficient_data").height <= 10


@pytest.mark.parametrize("role", ["home", "work"])
def test_homes_and_works_of_planted_people_are_where_they_are(role: str, house: PlantedHouse, truth: Truth) -> None:
    places = house.layer("places").filter(pl.col("significance") == role)
    who = truth.people.filter(pl.col("label").is_not_null(), pl.col("label") != "silent")
    if role == "work":
        who = who.filter(~pl.col("label").is_in(WITHOUT_WORK))
    joined = who.join(places, on="user_id", how="left")
    away = joined.with_columns(metres=metres(f"{role}_latitude", f"{role}_longitude", "latitude", "longitude"))

    wrong = away.filter(~(pl.col("metres") <= 100) | pl.col("metres").is_null())

    assert wrong.select("label", "metres").rows() == []
    assert joined.height == who.height == (16 if role == "home" else 13)


def test_who_has_no_work_place_gets_none(house: PlantedHouse, planted: dict[str, str]) -> None:
    works = set(house.layer("places").filter(pl.col("significance") == "work")["user_id"])

    assert {label for label in WITHOUT_WORK if planted[label] in works} == set()


def test_the_work_of_who_was_silent_is_no_home(house: PlantedHouse, planted: dict[str, str]) -> None:
    places = house.layer("places").filter(pl.col("user_id") == planted["silent"])

    assert places["significance"].to_list().count("home") == 1


@pytest.mark.parametrize("label", ["car_commuter", "train_commuter", "bike_commuter"])
def test_commuters_commute_on_working_days(
    label: str, moments: pl.DataFrame, truth: Truth, planted: dict[str, str]
) -> None:
    user_id = planted[label]
    worked = set(working_days(truth.stays).filter(pl.col("user_id") == user_id)["day"])
    for name in ("commute_from_home", "commute_from_work"):
        days = days_of(moments, user_id, name)

        told(f"{label}: {name} on {len(days)} of {len(worked)} days")
        assert len(days) >= COMMUTES_FOUND * len(worked)
        assert days <= worked
    assert len(worked) >= 20


def test_who_has_no_work_does_not_commute(moments: pl.DataFrame, planted: dict[str, str]) -> None:
    for label in WITHOUT_WORK:
        assert days_of(moments, planted[label], "commute_from_home") == set()
        assert days_of(moments, planted[label], "working_at_work") == set()


def test_dogs_and_children_are_seen_in_moments(moments: pl.DataFrame, truth: Truth, planted: dict[str, str]) -> None:
    worked = working_days(truth.stays).filter(pl.col("user_id") == planted["parent"])

    assert len(days_of(moments, planted["dog_owner"], "dogwalk")) >= 25
    assert len(days_of(moments, planted["retired"], "dogwalk")) >= 25
    assert len(days_of(moments, planted["parent"], "children_drop_off")) >= 0.8 * worked.height
    for label in ("car_commuter", "train_commuter", "bike_commuter", "student", "night_worker", "parent"):
        assert days_of(moments, planted[label], "dogwalk") == set()
    for label in ("car_commuter", "train_commuter", "bike_commuter", "student", "dog_owner", "retired"):
        assert days_of(moments, planted[label], "children_drop_off") == set()


@pytest.mark.parametrize("label", HAVE)
def test_planted_people_have_their_segments(label: str, segments: dict[str, set[str]], planted: dict[str, str]) -> None:
    assert [one for one in HAVE[label] if planted[label] not in segments.get(one, set())] == []


@pytest.mark.xfail(raises=AssertionError, reason="the segment asks for a work place, which who works at home has not")
def test_who_works_at_home_is_a_homeworker(segments: dict[str, set[str]], planted: dict[str, str]) -> None:
    assert planted["home_worker"] in segments.get("work_life.work.homeworker", set())


def test_who_works_at_night_is_no_homeworker(segments: dict[str, set[str]], planted: dict[str, str]) -> None:
    assert planted["night_worker"] not in segments.get("work_life.work.homeworker", set())


def test_the_distracted_driver_is_one(segments: dict[str, set[str]], planted: dict[str, str]) -> None:
    assert planted["distracted_driver"] in segments.get("mobility.driving.distracted_driver", set())


@pytest.mark.parametrize("segment", ALLOWED)
def test_who_is_not_so_does_not_get_the_segment(segment: str, segments: dict[str, set[str]], truth: Truth) -> None:
    should, allowed = ALLOWED[segment]
    right = set(truth.people.filter(should)["user_id"])

    wrong = segments.get(segment, set()) - right

    told(f"{segment}: {len(segments.get(segment, set()) & right)} of {len(right)}, {len(wrong)} wrongly")
    assert len(wrong) <= allowed
    assert segments.get(segment, set()) & right


def test_who_is_silent_for_a_week_vanishes_from_all_files_and_comes_back(
    house: PlantedHouse, planted: dict[str, str]
) -> None:
    user_id = planted["silent"]
    for stem in LIFESTYLE:
        shown = [user_id in set(house.delivered(stem, day)["user_id"]) for day in (DAY_BEFORE, DAY_WITHOUT, LAST)]

        assert shown == [True, False, True], stem
    assert house.delivered("stationaries").filter(
        pl.col("user_id") == user_id, pl.col("start") < DAY_WITHOUT.isoformat()
    ).height  # fmt: skip


def test_nothing_is_predicted(moments: pl.DataFrame) -> None:
    assert moments.filter(pl.col("moment_definition_id").str.starts_with("about_to")).is_empty()
    assert moments["moment_definition_id"].n_unique() >= 25


def test_the_long_attributes_are_the_wide_ones_turned(house: PlantedHouse) -> None:
    wide, long = house.delivered("attributes.wide"), house.delivered("attributes.long")

    assert len(wide.columns) == 2 + 525
    assert wide.height >= 50
    turned = wide.unpivot(
        index=["user_id", "metadata_user_id"], variable_name="attribute_name", value_name="attribute_value"
    )
    key = ["user_id", "attribute_name"]
    assert turned.sort(key).equals(long.select(turned.columns).sort(key))
    filled = long.filter(pl.col("attribute_value") != "")["attribute_name"].n_unique()
    told(f"{filled} of 525 attributes have a value for somebody")
    assert filled >= 400


@pytest.mark.parametrize("stem", LIFESTYLE)
def test_each_user_is_in_one_part_and_each_folder_is_marked(stem: str, house: PlantedHouse) -> None:
    for number in (0, 1):
        parts = house.parts(number, stem)
        users = [user for part in parts for user in part["user_id"].unique()]

        assert len(parts) == -(-len(users) // USERS_PER_PART) > 1
        assert len(users) == len(set(users))
    for day in (DAY_BEFORE, DAY_WITHOUT, LAST):
        for number in (0, 1):
            assert (house.folder(number, stem, day) / "_SUCCESS").read_bytes() == b""


def test_no_part_has_more_users_than_asked_for(house: PlantedHouse) -> None:
    for number in (0, 1):
        for part in house.parts(number, "stationaries"):
            assert part["user_id"].n_unique() <= USERS_PER_PART


def test_all_days_were_built(house: PlantedHouse) -> None:
    assert house.layer("stays")["built_on"].n_unique() == DAYS
