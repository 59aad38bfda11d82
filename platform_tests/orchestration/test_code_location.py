"""What Dagster is told: assets, jobs, schedules. Nothing runs here."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from dagster._core.instance.ref import InstanceRef

from offramp.orchestration.code_location import build
from offramp.orchestration.io_manager import DeliveringIOManager
from offramp.orchestration.schedules import Timetable
from offramp.orchestration.workplace import Workplace
from platform_tests.orchestration.house import REPOSITORY, House

if TYPE_CHECKING:
    from pathlib import Path

_HEAVY = ("polars", "pyarrow", "duckdb", "sqlalchemy.dialects.postgresql.psycopg", "psycopg", "numpy", "isal")
_LOAD = """
import json, sys, warnings
warnings.simplefilter("error")
from offramp.definitions import defs
defs.get_repository_def()
print(json.dumps([name for name in sys.argv[1:] if name in sys.modules]))
"""


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House.build(tmp_path_factory.mktemp("configured") / "house")


@pytest.fixture(scope="module")
def repository(configured: House) -> dg.RepositoryDefinition:
    return build(configured.settings).get_repository_def()


def test_the_code_location_loads_without_engines_clients_or_warnings(configured: House) -> None:
    said = subprocess.run(
        [sys.executable, "-c", _LOAD, *_HEAVY],
        cwd=REPOSITORY / "platform",
        env={"OFFRAMP_CONFIG": str(configured.root / "offramp.yaml"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout) == []


def test_loading_touches_no_source_destination_ledger_or_lake(
    configured: House, repository: dg.RepositoryDefinition
) -> None:
    assert repository.schedule_defs

    assert {path.name for path in configured.root.iterdir()} == {"offramp.yaml", "models"}


def test_an_export_shows_its_columns_tests_owners_format_and_landing(repository: dg.RepositoryDefinition) -> None:
    key = dg.AssetKey(["media", "delta", "users"])
    spec = repository.assets_defs_by_key[key].specs_by_key[key]

    schema = spec.metadata["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema)
    (identifier,) = (column for column in schema.columns if column.name == "id")
    assert (identifier.type, identifier.constraints.nullable, identifier.constraints.other) == (
        "bigint",
        False,
        ["key"],
    )
    assert "tenant" not in {column.name for column in schema.columns}
    assert (spec.group_name, spec.owners, spec.kinds) == ("media_delta", ["team:customers"], {"csv", "duckdb"})
    assert [dep.asset_key.to_user_string() for dep in spec.deps] == ["landing/media"]
    checks = {one.name for one in repository.assets_defs_by_key[key].check_specs}
    assert {"contract", "delivered", "adds_up"} == checks


def test_recipients_follow_the_exports_that_they_take(repository: dg.RepositoryDefinition) -> None:
    key = dg.AssetKey(["recipients", "south", "media"])
    spec = repository.assets_defs_by_key[key].specs_by_key[key]

    assert {dep.asset_key.to_user_string() for dep in spec.deps} == {
        "media/delta/users",
        "media/snapshot/platforms",
        "media/snapshot/users",
    }
    assert not repository.assets_defs_by_key[key].is_executable


def test_exports_with_one_cron_share_a_job_with_their_landing_and_last_step(
    repository: dg.RepositoryDefinition,
) -> None:
    job = repository.get_job("media_at_00_20")

    keys = {key.to_user_string() for key in job.asset_layer.executable_asset_keys}
    assert keys == {"landing/media", "media/delta/users", "media/snapshot/users", "media/deliveries"}


@pytest.mark.parametrize(
    ("fired_at", "partition"),
    [(datetime(2024, 3, 6, 0, 20, tzinfo=UTC), "2024-03-05"), (datetime(2024, 2, 29, 0, 20, tzinfo=UTC), None)],
)
def test_a_tick_runs_the_day_before_it(
    repository: dg.RepositoryDefinition, fired_at: datetime, partition: str | None
) -> None:
    schedule = repository.get_schedule_def("media_at_00_20")
    with dg.build_schedule_context(scheduled_execution_time=fired_at, repository_def=repository) as context:
        tick = schedule.evaluate_tick(context)

    assert [request.partition_key for request in tick.run_requests or []] == ([partition] if partition else [])
    assert bool(tick.skip_message) is (partition is None)


def test_schedules_are_off_until_somebody_switches_them_on(repository: dg.RepositoryDefinition) -> None:
    for schedule in repository.schedule_defs:
        assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
        assert schedule.execution_timezone == "UTC"
        assert "delta:" in (schedule.description or "") or "snapshot:" in (schedule.description or "")


@pytest.mark.parametrize(
    ("cron", "name"),
    [
        ("10 0 * * *", "media_at_00_10"),
        ("5 13 * * *", "media_at_13_05"),
        ("0 3 * * 1", "media_cron_0_3_x_x_1"),
        ("0 3 * * 1-5", "media_cron_0_3_x_x_1_to_5"),
        ("0 3 1,15 * *", "media_cron_0_3_1_and_15_x_x"),
    ],
)
def test_a_schedule_is_named_after_its_time(cron: str, name: str) -> None:
    assert Timetable("media", cron, ()).name == name


def test_an_export_is_not_read_back_and_the_message_names_its_model() -> None:
    manager = DeliveringIOManager(Workplace(lambda: pytest.fail("nothing is opened")))
    context = dg.build_input_context(asset_key=dg.AssetKey(["media", "delta", "users"]))

    with pytest.raises(dg.DagsterInvariantViolationError, match=r"ref\('users'\)"):
        manager.load_input(context)


def test_the_folder_of_the_source_root_is_no_package() -> None:
    root: Path = REPOSITORY / "platform"

    assert not (root / "__init__.py").exists()


def test_a_plain_dagster_dev_sends_no_telemetry(tmp_path: Path) -> None:
    """Without DAGSTER_HOME it keeps a temporary instance, configured by the working folder."""
    reference = InstanceRef.from_dir(str(tmp_path), config_dir=str(REPOSITORY))

    with dg.DagsterInstance.from_ref(reference) as instance:
        assert not instance.telemetry_enabled
