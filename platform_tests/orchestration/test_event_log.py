"""The event log with open connections, against Dagster's own over the same files."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage

from offramp.orchestration.event_log import MOST_OPEN, OpenEventLogStorage
from offramp.orchestration.run import open_instance
from platform_tests.orchestration.house import DAY, House, evaluations, materializations

if TYPE_CHECKING:
    from pathlib import Path

    from dagster._core.events.log import EventLogEntry

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


def test_what_another_process_stores_is_seen_by_who_watches_the_run(tmp_path: Path) -> None:
    """The page of a run in the UI lives from it."""
    storage = OpenEventLogStorage(str(tmp_path))
    run = "11111111-2222-3333-4444-555555555555"
    assert storage.get_records_for_run(run).records == []
    seen: list[str] = []
    is_done = threading.Event()

    def see(event: EventLogEntry, _cursor: str) -> None:
        seen.append(event.user_message)
        if len(seen) == 3:
            is_done.set()

    storage.watch(run, None, see)
    script = (
        "import sys; from dagster._core.events.log import EventLogEntry\n"
        "from offramp.orchestration.event_log import OpenEventLogStorage\n"
        "storage = OpenEventLogStorage(sys.argv[1])\n"
        "for number in range(3): storage.store_event(EventLogEntry(error_info=None, level='info', "
        "user_message=f'event {number}', run_id=sys.argv[2], timestamp=float(number)))\n"
    )
    subprocess.run([sys.executable, "-c", script, tmp_path, run], check=True)

    assert is_done.wait(30)
    assert seen == ["event 0", "event 1", "event 2"]
    storage.end_watch(run, see)
    storage.dispose()
