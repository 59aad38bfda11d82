from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from offramp.domain.quoting import identifier
from offramp.formats.csv_writer import CsvWriter
from offramp.sql.tenancy import tenancy_problems
from platform_tests.mobility.model_house import problems, project, run_model
from platform_tests.mobility.models.attributes_lives import COMMUTER, NOBODY, all_tables, names
from platform_tests.mobility.models.lives import links

if TYPE_CHECKING:
    from pathlib import Path

TYPES = {"float": "double", "int": "bigint", "string": "varchar", "bool": "varchar", "json list": "varchar"}
# The sample of 2019 held only 0 in them, which looks like a float; they hold names like every other most common value.
NAMES_OF_VENUES = {"stationary.drinks.bar.mostcommon.value", "stationary.shop.retail.mostcommon.value"}
MODELS = sorted(name for name in project().models if name.startswith("mobility.attribute"))


def written(name: str, frame: pl.DataFrame, path: Path) -> list[list[str]]:
    """Write the exported columns of a model as CSV, as an export does, and read them back."""
    contract = project().model(f"mobility.{name}").model.contract
    writer = CsvWriter(threads=1)
    fields = ", ".join(f"{writer.project(one, {})} as {identifier(one.name)}" for one in contract.columns)
    order = ", ".join(identifier(one) for one in contract.key)
    with duckdb.connect() as connection:
        connection.register("rows_of_model", frame.to_arrow())
        table = connection.sql(f"select {fields} from rows_of_model order by {order}, app_id").to_arrow_table()
    writer.write(((0, one) for one in table.to_batches()), [path], schema=table.schema, options={})
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[str]]]:
    folder = tmp_path_factory.mktemp("attributes")
    made = all_tables()
    made["mobility.user_links"] = links({COMMUTER: "jo,e"}, linked_at=made["mobility_layers.day"]["window_start"][0])
    one_app = "app_id <> '5a689ab0e97b960500002110'"
    return {
        name: written(
            name, run_model(f"mobility.{name}", made, folder).sql(f"select * from self where {one_app}"), path
        )
        for name, path in (("attributes_wide", folder / "wide.csv"), ("attributes_long", folder / "long.csv"))
    }


def test_names_types_and_order_are_those_of_the_documentation() -> None:
    contract = project().model("mobility.attributes_wide").model.contract
    expected = [(name, "varchar" if name in NAMES_OF_VENUES else TYPES[kind]) for name, kind in names()]

    assert contract.names[:2] == ("user_id", "metadata_user_id")
    assert [(one.name, str(one.type)) for one in contract.columns[2:]] == expected
    assert len(expected) == 525
    assert project().model("mobility.attributes_long").model.contract.names == (
        "user_id", "metadata_user_id", "attribute_name", "attribute_value",
    )  # fmt: skip


def test_every_attribute_has_a_definition_and_most_are_computed(tmp_path: Path) -> None:
    rows = run_model("mobility.attribute_definitions", {}, tmp_path).sort("position")

    assert rows["name"].to_list() == [name for name, _ in names()]
    assert rows["position"].to_list() == list(range(1, 526))
    assert rows.filter("is_computed").height >= 200
    assert rows.filter(pl.col("is_computed") == pl.col("reason").is_not_null()).is_empty()
    assert rows.filter(~pl.col("is_computed") & (pl.col("family") != "none")).is_empty()
    assert rows.filter(~pl.col("definition").str.ends_with(".")).is_empty()


def test_columns_and_families_say_what_the_definitions_say(tmp_path: Path) -> None:
    contract = project().model("mobility.attributes_wide").model.contract

    for row in run_model("mobility.attribute_definitions", {}, tmp_path).iter_rows(named=True):
        column = contract.column(row["name"])
        assert (column.description, str(column.type)) == (row["definition"], row["type"])
        if row["is_computed"]:
            family = project().model(f"mobility.attribute_{row['family']}").model.contract.column(row["name"])
            assert row["definition"].startswith(family.description)
            assert family.type == column.type
            assert ("known date" in row["definition"]) == (row["least_dates"] > 0)


def test_values_stand_in_the_order_of_the_definitions(tmp_path: Path) -> None:
    made = all_tables()
    long = run_model("mobility.attributes_long", made, tmp_path)
    counts = long.group_by("app_id", "user_id").agg(pl.col("attribute_name").n_unique())

    assert counts["attribute_name"].to_list() == [525] * 6
    assert long.height == 6 * 525


def test_the_long_file_is_the_wide_one_turned(files: dict[str, list[list[str]]]) -> None:
    header, *rows = files["attributes_wide"]
    turned = {(row[0], row[1], name, value) for row in rows for name, value in zip(header[2:], row[2:], strict=True)}

    assert len(rows) == 5
    assert header[:2] == ["user_id", "metadata_user_id"]
    assert {tuple(row) for row in files["attributes_long"][1:]} == turned
    assert len(files["attributes_long"]) == 1 + len(turned) == 1 + 5 * 525


def test_a_value_that_is_not_known_has_a_row_with_an_empty_field(files: dict[str, list[list[str]]]) -> None:
    rows = {row[2]: row[3] for row in files["attributes_long"] if row[0] == NOBODY}

    assert len(rows) == 525
    assert rows["usertype.value"] == ""
    assert rows["hashome.value"] == "0"
    assert sum(value != "" for value in rows.values()) == 5


def test_linked_users_carry_the_id_of_the_client(files: dict[str, list[list[str]]]) -> None:
    for name in ("attributes_wide", "attributes_long"):
        linked = {row[1] for row in files[name] if row[0] == COMMUTER}
        assert linked == {"jo,e"}


@pytest.mark.parametrize("name", MODELS)
def test_the_sql_gives_what_the_contract_says(name: str, tmp_path: Path) -> None:
    assert problems(name, tmp_path) == ()


def test_rows_of_attributes_stay_with_their_app_id() -> None:
    assert [str(one) for one in tenancy_problems(project()) if "attribute" in str(one)] == []
