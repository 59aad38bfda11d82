from __future__ import annotations

import random
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offramp.sql.tenancy import tenancy_problems
from platform_tests.mobility.model_house import problems, project, run_model
from platform_tests.mobility.models.lives import (
    BAR,
    GYM,
    HOME,
    MADRID,
    NEW_YORK,
    PARK,
    RESTAURANT,
    SCHOOL,
    SHOP,
    TOKYO,
    USER,
    WORK,
    Life,
    instant,
    links,
    tables,
)
from platform_tests.mobility.models.moment_checks import DAY, accepted, of, run

STEPS = ("rows", "times", "activity", "geography", "location", "semantic_time", "travel", "ways", "work", "definitions")
PREDICTED = "about_to"


def test_the_columns_are_those_of_the_documentation_with_meta(tmp_path: Path) -> None:
    contract = project().model("mobility.moments").model.contract

    assert ",".join(contract.names) == "user_id,metadata_user_id,start,end,moment_definition_id,meta,duration"
    assert contract.key == ("user_id", "start", "moment_definition_id")
    assert problems("mobility.moments", tmp_path) == ()


@pytest.mark.parametrize("step", STEPS)
def test_steps_keep_their_contracts_and_are_no_exports(step: str, tmp_path: Path) -> None:
    assert problems(f"mobility.moment_{step}", tmp_path) == ()
    assert not project().model(f"mobility.moment_{step}").model.is_exported


def test_no_row_of_these_models_can_reach_another_tenant() -> None:
    names = ("active_users", "stationaries", "transports", "moments", *(f"moment_{step}" for step in STEPS))
    models = {f"mobility.{name}": project().model(f"mobility.{name}") for name in names}

    assert tenancy_problems(replace(project(), models=models)) == ()


def test_every_name_has_a_definition_and_a_family_that_gives_it(tmp_path: Path) -> None:
    definitions = run_model("mobility.moment_definitions", {}, tmp_path)
    computed = definitions.filter("is_computed")

    assert definitions.height == 40
    assert definitions["moment_definition_id"].is_unique().all()
    assert computed.height == 31
    assert accepted("moments") == set(computed["moment_definition_id"])
    for family, rows in computed.group_by("family"):
        assert accepted(str(family[0])) == set(rows["moment_definition_id"])
    renamed = definitions.filter(~pl.col("is_computed"), pl.col("computed_as").is_not_null())
    assert dict(renamed.select("moment_definition_id", "computed_as").rows()) == {
        "home": "at_home",
        "city_name": "city",
        "sport_routine": "sporting",
    }


def test_predictions_are_named_and_never_computed(tmp_path: Path) -> None:
    definitions = run_model("mobility.moment_definitions", {}, tmp_path)
    predicted = definitions.filter(pl.col("moment_definition_id").str.starts_with(PREDICTED))

    assert predicted.height == 6
    assert not predicted["is_computed"].any()
    assert predicted["computed_as"].null_count() == 6
    assert not any(one.startswith(PREDICTED) for one in accepted("moments"))


def test_the_window_decides_by_the_end(tmp_path: Path) -> None:
    until = datetime.combine(DAY, datetime.min.time()) + timedelta(days=1)
    life = Life().at(HOME, "2018-08-01 20:00", "2018-09-15 09:00")

    rows = run(life, tmp_path=tmp_path)

    assert (rows["until_at"] >= until - timedelta(days=63)).all()
    assert of(rows, "weekday", "weekend")[0][1] == "2018-08-25T00:00:00+02:00"
    assert of(rows, "at_home") == [("at_home", "2018-08-01T20:00:00+02:00", "2018-09-15T09:00:00+02:00", 3848400)]


def test_inactive_users_vanish_and_come_back_with_everything(tmp_path: Path) -> None:
    life = Life().at(HOME, "2018-10-01 17:00", "2018-10-02 08:00").at(GYM, "2018-10-02 09:00", "2018-10-02 10:00")

    def seen(received_at: str) -> pl.DataFrame:
        frames = tables(life, day=DAY, received_at=instant(received_at, "UTC"))
        return run_model("mobility.moments", frames, tmp_path).sort("start", "moment_definition_id")

    assert seen("2018-10-19 23:59:59").is_empty()
    assert seen("2018-10-20 00:00").equals(seen("2018-10-26 12:00"))
    assert "sporting" in seen("2018-10-20 00:00")["moment_definition_id"]


def test_moments_carry_the_client_s_id(tmp_path: Path) -> None:
    frames = tables(Life().at(HOME, "2018-10-25 17:00", None), day=DAY)
    frames["mobility.user_links"] = links({USER: "anna"}, linked_at=instant("2018-10-01", "UTC"))

    assert run_model("mobility.moments", frames, tmp_path)["metadata_user_id"].unique().to_list() == ["anna"]


def test_users_of_two_apps_with_one_id_do_not_meet(tmp_path: Path) -> None:
    other = "5a689ab0e97b960500002110"
    mine = Life().at(HOME, "2018-10-24 17:00", "2018-10-25 08:00").at(WORK, "2018-10-25 09:00", "2018-10-25 17:00")
    theirs = Life(app_id=other).at(BAR, "2018-10-25 19:00", "2018-10-25 21:00")

    both = run(mine, theirs, tmp_path=tmp_path)

    for life in (mine, theirs):
        alone = run(life, tmp_path=tmp_path)
        assert both.filter(app_id=life.app_id).equals(alone)


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32))
def test_any_life_gives_true_moments_with_keys_of_their_own(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - lives, not secrets
    spots = (HOME, WORK, SHOP, GYM, RESTAURANT, BAR, SCHOOL, PARK, MADRID, TOKYO, NEW_YORK)
    life, now = Life(), instant("2018-08-20", "UTC")
    while now < instant("2018-10-28", "UTC"):
        spot = rng.choice((HOME, HOME, WORK, *spots))
        end = now + timedelta(minutes=rng.choice((6, 20, 60, 180, 600, 2000)), microseconds=rng.randrange(10**6))
        life.stays.append(replace(Life().at(spot, now, end).stays[0], started_at=now, ended_at=end))
        begin, now = end, end + timedelta(minutes=rng.choice((0, 1, 15, 60, 700)), seconds=1)
        mode = rng.choice(("walking", "running", "car", "flight"))
        life.go(mode, begin, now, zone="UTC", end_zone="UTC")

    with tempfile.TemporaryDirectory() as folder:
        rows = run(life, tmp_path=Path(folder))

    assert rows.select("user_id", "start", "moment_definition_id").is_duplicated().sum() == 0
    assert set(rows["moment_definition_id"]) <= accepted("moments")
    assert not rows["moment_definition_id"].str.starts_with(PREDICTED).any()
    times = rows.select(
        pl.col("start", "end").str.to_datetime("%Y-%m-%dT%H:%M:%S%#z", time_unit="us"),
        "duration",
        "started_at",
        "until_at",
    )
    closed = times.drop_nulls("end").with_columns((pl.col("end") - pl.col("start")).dt.total_seconds().alias("span"))
    # Starts and ends have whole seconds, of which the fractions may make one more.
    assert ((closed["span"] - closed["duration"]).is_in([0, 1])).all()
    assert (closed["duration"] >= 0).all()
    assert (times.filter(pl.col("end").is_null())["duration"] == -1).all()
    began = times["start"].dt.replace_time_zone(None)
    assert (times["started_at"].dt.truncate("1s") == began).all()
