"""The event log with open connections, against Dagster's own over the same files."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage

from offramp.orchestration.event_log import MOST_OPEN, OpenEventLogStorage
from offramp.orchestration.run import open_instance
from platform_tests.orchestration.house import DAY, House, evaluations, materializations

if TYPE_CHECKING:
    from pathlib import Path

USERS = "media/delta/users"


def test_dagsters_own_storage_reads_what_the_open_one_wrote(generated: House, tmp_path: Path) -> None:
    with open_instance(generated.settings) as instance:
        assert isinstance(instance.event_log_storage, OpenEventLogStorage)
        wanted = evaluations(instance, USERS, "contract")[DAY.isoformat()]
    home = shutil.copytree(generated.settings.dagster_home, tmp_path / "home")
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")

    with dg.DagsterInstance.from_config(str(home)) as plain:
        assert type(plain.event_log_storage) is SqliteEventLogStorage
        assert len(materializations(plain, USERS)) == 1
        assert evaluations(plain, USERS, "contract")[DAY.isoformat()] == wanted


def test_more_runs_than_may_stay_open_are_read_one_after_the_other(tmp_path: Path) -> None:
    storage = OpenEventLogStorage(str(tmp_path))
    runs = [f"run-{number}" for number in range(2 * MOST_OPEN)]
    for _ in range(2):
        for run in runs:
            assert storage.get_logs_for_run(run) == []

    assert len(storage._engines) == MOST_OPEN
    storage.dispose()
    assert not storage._engines
