# ruff: noqa: DTZ001 - instants of tables are UTC without zone
from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from offramp.domain.exports import EntityKind, Mode
from offramp.sql.tenancy import tenancy_problems
from platform_tests.mobility.model_house import APP, problems, project, run_model
from platform_tests.mobility.models.lives import USER, links

if TYPE_CHECKING:
    from pathlib import Path

OTHER = "5c0a4f1e9b97e96000000a02"
OTHER_APP = "5a689ab0e97b960500002110"


def test_the_columns_are_those_of_the_documentation(tmp_path: Path) -> None:
    model = project().model("mobility.user_linking").model

    assert model.contract.names == ("user_id", "external_id")
    assert model.contract.key == ("user_id",)
    assert [column.name for column in model.contract.columns if column.is_personal] == ["external_id"]
    assert problems("mobility.user_linking", tmp_path) == ()


def test_it_is_a_list_of_all_links_and_off_unless_it_is_switched_on() -> None:
    model = project().model("mobility.user_linking").model

    assert model.kind is EntityKind.REFERENCE
    assert [(one.variable, one.default, one.modes) for one in model.schedules] == [
        ("CRON_SCHEDULE_USER_LINKING", "", (Mode.SNAPSHOT,))
    ]


def test_each_user_has_one_row_and_an_external_id_may_have_several_users(tmp_path: Path) -> None:
    made = links({USER: "K-1", OTHER: "K-1"}, linked_at=datetime(2018, 11, 1))
    elsewhere = links({USER: "K-9"}, linked_at=datetime(2018, 11, 1), app_id=OTHER_APP)

    rows = run_model("mobility.user_linking", {"mobility.user_links": pl.concat([made, elsewhere])}, tmp_path)

    assert sorted(rows.select("app_id", "user_id", "external_id").rows()) == sorted(
        [(APP, USER, "K-1"), (APP, OTHER, "K-1"), (OTHER_APP, USER, "K-9")]
    )


def test_no_row_can_reach_another_app() -> None:
    assert [str(one) for one in tenancy_problems(project()) if "user_linking" in str(one)] == []
