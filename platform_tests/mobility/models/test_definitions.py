from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl
import pytest

from platform_tests.mobility.model_house import problems, project, run_model

if TYPE_CHECKING:
    from pathlib import Path

# How many of each are computed at least.
GOALS = {"moment_definitions": 30, "attribute_definitions": 200, "segment_definitions": 60}
# "Days of data" and "local dates" are counted alike; each family has its own word for them.
LEAST = {"least_days", "least_dates"}


@pytest.fixture(params=GOALS)
def table(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def definitions(table: str, tmp_path: Path) -> pl.DataFrame:
    return run_model(f"mobility.{table}", {}, tmp_path)


def test_a_table_is_for_all_apps_and_its_ids_are_unique(table: str, definitions: pl.DataFrame, tmp_path: Path) -> None:
    model = project().model(f"mobility.{table}").model
    (key,) = model.contract.key

    assert (model.tenant_column, model.is_exported) == (None, False)
    assert problems(model.name, tmp_path) == ()
    assert definitions[key].null_count() == 0
    assert definitions[key].is_unique().all()


def test_as_many_are_computed_as_were_asked_for(table: str, definitions: pl.DataFrame) -> None:
    assert definitions.filter("is_computed").height >= GOALS[table]


def test_definitions_are_sentences(definitions: pl.DataFrame) -> None:
    # A capital or the name of a column first, no line break, a full stop last, and no word that waits to be filled in.
    sentence = re.compile(r"^[A-Z0-9_a-z][^\n{}]{10,}\.$")

    assert [one for one in definitions["definition"] if one is None or not sentence.match(one)] == []
    assert [one for one in definitions["definition"] if re.search(r"TODO|TBD|\s\s|\.\.", one)] == []


# The published attributes name some quantities twice, such as time at sports venues.
@pytest.mark.parametrize("table", ["moment_definitions", "segment_definitions"])
def test_no_two_that_are_computed_say_the_same(definitions: pl.DataFrame) -> None:
    computed = definitions.filter("is_computed")

    assert computed.filter(computed["definition"].is_duplicated())["definition"].to_list() == []


def test_what_is_not_computed_has_a_reason(definitions: pl.DataFrame) -> None:
    # Where a table has no column for it, the definition itself says why nobody has it.
    reason = "reason" if "reason" in definitions.columns else "definition"
    idle = definitions.filter(~pl.col("is_computed"))

    assert [one for one in idle[reason] if one is None or not one.endswith(".")] == []
    if reason == "reason":
        assert definitions.filter("is_computed")["reason"].null_count() == definitions.filter("is_computed").height


def test_each_says_how_much_data_it_needs(definitions: pl.DataFrame) -> None:
    (least,) = LEAST & set(definitions.columns)

    computed = definitions.filter("is_computed")[least]

    # A plain fact as of the data day, such as the app id, needs no days at all.
    assert computed.null_count() == 0
    assert computed.is_between(0, 63).all()


def test_nothing_predicted_is_computed(table: str, definitions: pl.DataFrame) -> None:
    (key,) = project().model(f"mobility.{table}").model.contract.key
    predicted = definitions.filter(pl.col(key).str.contains("about_to") & pl.col("is_computed"))

    assert predicted.is_empty()
