from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from offramp.domain.quoting import identifier, literal
from offramp.sql.contracts import expected_columns
from offramp.sql.tenancy import tenancy_problems

if TYPE_CHECKING:
    from offramp.sql.entities import LoadedModel
    from offramp.sql.project import Project

REAL = Path(__file__).parents[2] / "dbt_like_sql"
GOLDEN = Path(__file__).parents[1] / "golden" / "media_catalogue.json"
ENTITIES = sorted(file.stem for file in (REAL / "models" / "media").glob("*.sql"))
SHARED = {"payment_transaction_types", "payment_types", "platforms", "product_periods"}
VALUES = {
    "BIGINT": "7",
    "VARCHAR": "'x'",
    "BOOLEAN": "true",
    "TIMESTAMP": "timestamp '2026-03-29 01:30:00'",
    "TIMESTAMP WITH TIME ZONE": "timestamptz '2026-03-29 01:30:00+02'",
    "DATE": "date '1990-02-28'",
    "UUID": "uuid '0e37df36-f698-11e6-8dd4-cb9ced3df976'",
    "JSON": "json '[12,15]'",
}


def catalogue(project: Project) -> dict[str, object]:
    return {
        loaded.model.name: {
            "kind": loaded.model.kind.value,
            "change_column": loaded.model.contract.change_column,
            "tenant_column": loaded.model.tenant_column,
            "event_source": loaded.model.event_source,
            "columns": [
                {key: value for key, value in column.items() if key != "description"}
                for column in loaded.model.contract.as_json()
            ],
            "personal": [column.name for column in loaded.model.contract.columns if column.is_personal],
            "schedules": [
                {"variable": one.variable, "default": one.default, "modes": [mode.value for mode in one.modes]}
                for one in loaded.model.schedules
            ],
            "tests": [f"{test.name} {test.severity}" for test in loaded.tests],
        }
        for loaded in project.models.values()
        if loaded.model.feed == "media"
    }


def test_the_catalogue_is_the_golden_one(real: Project) -> None:
    """Refresh with: OFFRAMP_GOLDEN=refresh python -m pytest platform_tests/sql -k golden"""
    found = json.loads(json.dumps(catalogue(real)))
    if os.environ.get("OFFRAMP_GOLDEN") == "refresh":
        GOLDEN.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    assert found == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_there_is_one_sql_and_one_yml_per_entity(real: Project, real_folder: Path) -> None:
    folder = real_folder / "models" / "media"

    assert len(ENTITIES) == 57
    assert sorted(name for name in real.models if name.startswith("media.")) == [
        f"media.{entity}" for entity in ENTITIES
    ]
    assert {file.name for file in folder.iterdir()} == {
        "_sources.yml",
        *(f"{entity}.{suffix}" for entity in ENTITIES for suffix in ("sql", "yml")),
    }


def test_tables_say_whose_rows_they_hold(real: Project) -> None:
    tables = {table.name: table for table in real.tables("media")}

    assert {name for name, table in tables.items() if table.is_shared} == SHARED
    assert {table.tenant_column for table in tables.values() if not table.is_shared} == {"tenant"}
    increment = tables["assets_views"].increment
    assert increment is not None
    assert (increment.column, increment.overlap.days, increment.lookback.days) == ("ingested_at", 1, 7)
    assert real.models["media.assets_views"].model.event_source == ("media", "assets_views")


def test_no_row_of_the_real_models_can_reach_another_tenant(real: Project) -> None:
    assert tenancy_problems(real) == ()


@pytest.mark.parametrize("entity", ENTITIES)
def test_sql_is_lower_case_with_explicit_columns_and_a_grain(real_folder: Path, entity: str) -> None:
    text = (real_folder / "models" / "media" / f"{entity}.sql").read_text(encoding="utf-8")
    code = re.sub(r"--.*", "", text)

    assert text.startswith("-- One row per ")
    assert code == code.lower()
    assert "*" not in code


def _sound_row(loaded: LoadedModel) -> dict[str, str]:
    """Values by column that no test of the model refuses, with the first of each list of accepted values."""
    kinds = dict(expected_columns(loaded.model))
    values = {name: VALUES.get(kind.duckdb) or f"cast(0.5 as {kind.duckdb})" for name, kind in kinds.items()}
    for test in loaded.tests:
        match = re.search(r"not in \(('(?:[^']|'')*'|-?\d+)", test.condition)
        if match and test.column and test.where is None:
            values[test.column] = match[1]
    if loaded.model.entity == "users_access":
        values["autorenew_status"] = "2"  # its stop date is set
    return values


@pytest.fixture(scope="module")
def lake(real: Project, tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """A session that holds each source table, one row each, from Parquet under its relation name."""
    folder = tmp_path_factory.mktemp("lake")
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    for loaded in (one for one in real.models.values() if one.model.feed == "media"):
        values = _sound_row(loaded)
        if loaded.model.event_source:
            values["ingested_at"] = VALUES["TIMESTAMP"]
        selected = ", ".join(f"{value} as {name}" for name, value in values.items())
        file = folder / f"{loaded.model.entity}.parquet"
        connection.execute(f"copy (select {selected}) to {literal(str(file))} (format parquet)")
        for use in real.compile(loaded.model.name, prefix="now_").relations:
            connection.execute(
                f"create view {identifier(use.name)} as select * from read_parquet({literal(str(file))})"
            )
    return connection


@pytest.mark.parametrize("entity", ENTITIES)
def test_compiled_sql_gives_the_contract_over_parquet(
    real: Project, lake: duckdb.DuckDBPyConnection, entity: str
) -> None:
    name = f"media.{entity}"
    compiled = real.compile(name, prefix="now_")

    result = lake.sql(f"select * from ({compiled.sql})")

    described = tuple((column, str(kind)) for column, kind in zip(result.columns, result.types, strict=True))
    assert real.type_problems(name, described) == ()
    assert len(result.fetchall()) == 1


@pytest.mark.parametrize("entity", ENTITIES)
def test_gates_of_sound_rows_all_count_zero(real: Project, lake: duckdb.DuckDBPyConnection, entity: str) -> None:
    gate = real.gate_sql(f"media.{entity}", "now_")

    row = lake.sql(gate.sql).fetchone()

    assert row is not None
    failing = {test.name for test, count in zip(gate.tests, row[1:], strict=True) if count}
    assert row[0] == 1
    assert failing == set()
