"""Runs of real exports on a real Dagster instance."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest

from offramp.domain.deliveries import State
from offramp.domain.errors import NotYetDue, WrongUse
from offramp.orchestration.run import prepare_home
from offramp.orchestration.run_tags import CORRECTION, RECIPIENTS
from platform_tests.orchestration.house import DAY, DAYS, REPOSITORY, House, evaluations, materializations

USERS = "media/delta/users"
PLATFORMS = "media/snapshot/platforms"
ALL = (USERS, PLATFORMS, "media/snapshot/users")
EMAIL_TEST = "accepted_values_email_status"


def _rows(house: House, key: str) -> dict[str | None, object]:
    with house.instance() as instance:
        found = materializations(instance, key)
    return {one.partition: one.metadata["dagster/partition_row_count"].value for one in found}


def test_a_range_is_one_run_and_each_day_has_its_own_row_count(house: House) -> None:
    result = house.run([USERS], DAYS)

    assert result.failed == ()
    assert len(result.run_ids) == 1
    rows = _rows(house, USERS)
    assert set(rows) == {day.isoformat() for day in DAYS}
    assert len(set(rows.values())) > 1
    delivered = dict.fromkeys(rows, 0)
    for record in house.rooms().ledger.find(export=USERS):
        assert record.state is State.PUBLISHED
        delivered[record.data_day.isoformat()] += record.rows or 0
    assert rows == delivered


def test_days_with_a_hole_between_them_are_two_runs(house: House) -> None:
    result = house.run([PLATFORMS], [DAYS[2], DAYS[0]])

    assert result.success
    assert len(result.run_ids) == 2
    assert set(_rows(house, PLATFORMS)) == {DAYS[0].isoformat(), DAYS[2].isoformat()}


def test_the_metadata_names_files_recipients_landing_and_how_they_were_verified(generated: House) -> None:
    with generated.instance() as instance:
        (users,) = materializations(instance, USERS)
        (landing,) = materializations(instance, "landing/media")

    files = str(users.metadata["files"].value)
    assert "users/users_2024_03_06.csv" in files
    assert "| north |" in files
    assert "outbox: read_back" in files
    assert "mirror: read_back" in files
    assert str(users.metadata["landing"].value) in str(landing.metadata["landing"].value)
    assert "| users |" in str(landing.metadata["tables"].value)


def test_gates_and_deliveries_are_checks_of_their_partition(generated: House) -> None:
    with generated.instance() as instance:
        for check in ("contract", "delivered"):
            found = evaluations(instance, USERS, check)
            assert {day: one.passed for day, one in found.items()} == {DAY.isoformat(): True}, check


def test_a_recipient_is_marked_once_when_everything_of_its_day_is_there(house: House) -> None:
    house.run([USERS])
    with house.instance() as instance:
        assert materializations(instance, "recipients/north/media") == []

    house.run(ALL)
    house.run(ALL)

    with house.instance() as instance:
        (marked,) = materializations(instance, "recipients/north/media")
    assert marked.partition == DAY.isoformat()
    assert marked.metadata["files"].value == 3


def test_a_correction_marks_the_recipient_anew_and_takes_its_reason_from_the_tags(house: House) -> None:
    house.run(ALL)

    result = house.run([PLATFORMS], tags={CORRECTION: "a column was wrong", RECIPIENTS: "north"})

    assert result.failed == ()
    corrected = house.rooms().ledger.find(export=PLATFORMS, recipient="north")
    assert [(one.revision, one.reason) for one in corrected][-1] == (2, "a column was wrong")
    with house.instance() as instance:
        assert len(materializations(instance, "recipients/north/media")) == 2
        assert len(materializations(instance, "recipients/south/media")) == 1


def test_a_recipient_named_by_tag_is_delivered_alone(house: House) -> None:
    house.run([PLATFORMS], tags={RECIPIENTS: "south"})

    assert {name.split("/")[0] for name in house.files()} == {"south"}


def test_an_unknown_recipient_fails_the_run_and_names_the_nearest(house: House) -> None:
    result = house.run([PLATFORMS], tags={RECIPIENTS: "sout"})

    assert "did you mean 'south'?" in result.failed[0].message
    assert house.files() == set()


def test_a_failing_gate_is_a_failed_check_and_nothing_of_it_is_delivered(house: House) -> None:
    house.break_users()

    result = house.run(ALL)

    assert {step.name for step in result.failed} == {USERS, "media/snapshot/users"}
    assert EMAIL_TEST in result.failed[0].message
    assert {name.split("/")[1] for name in house.files()} == {"platforms"}
    with house.instance() as instance:
        failed = evaluations(instance, USERS, "contract")[DAY.isoformat()]
        assert not failed.passed
        assert failed.metadata["failing_rows"].value > 0
        assert str(failed.metadata["kept_rows"].value).endswith(f"{EMAIL_TEST}.parquet")
        assert materializations(instance, USERS) == []
        assert len(materializations(instance, PLATFORMS)) == 1


def test_in_a_range_good_days_are_delivered_before_the_bad_ones_fail_the_step(house: House) -> None:
    house.break_users(since=f"{DAYS[2]} 00:06:00")

    result = house.run([USERS], DAYS)

    (step,) = result.failed
    assert step.name == USERS
    assert step.message.startswith(f"{DAYS[2]}: ")
    assert set(_rows(house, USERS)) == {DAYS[0].isoformat(), DAYS[1].isoformat()}
    assert all(_rows(house, USERS).values())
    with house.instance() as instance:
        found = evaluations(instance, USERS, "contract")
        delivered = evaluations(instance, USERS, "delivered")
    assert {day: one.passed for day, one in found.items()} == {day.isoformat(): day != DAYS[2] for day in DAYS}
    assert {day: one.passed for day, one in delivered.items() if one.passed} == {
        day.isoformat(): True for day in DAYS[:2]
    }


def test_a_dead_destination_leaves_the_export_green_and_fails_the_run_by_name(house: House) -> None:
    blocked = house.root / "mirror"
    blocked.write_text("a file stands where the folder should be")

    result = house.run(ALL)

    (step,) = result.failed
    assert step.name == "media/deliveries"
    assert "south: mirror has not got south-media media/delta/users" in step.message
    assert "remove what stands in the way" in step.message
    with house.instance() as instance:
        assert len(materializations(instance, USERS)) == 1
        assert not evaluations(instance, USERS, "delivered")[DAY.isoformat()].passed
        assert len(materializations(instance, "recipients/north/media")) == 1
        assert materializations(instance, "recipients/south/media") == []

    blocked.unlink()
    again = house.run(ALL)

    assert again.failed == ()
    assert {record.state for record in house.rooms().ledger.find()} == {State.PUBLISHED}
    assert {record.revision for record in house.rooms().ledger.find()} == {1}
    with house.instance() as instance:
        assert len(materializations(instance, "recipients/south/media")) == 1


def test_a_day_before_the_first_has_no_partition(house: House) -> None:
    with pytest.raises(WrongUse, match="first_day"):
        house.run([PLATFORMS], [date(2024, 3, 1)])


def test_a_day_that_is_not_over_is_not_yet_due(house: House) -> None:
    with pytest.raises(NotYetDue, match="not over"):
        house.run([PLATFORMS], [house.rooms().clock().date()])


_ONE_RUN = """
import sys
from pathlib import Path
from platform_tests.orchestration.house import House
house = House(Path(sys.argv[1]))
rooms = house.rooms()
print("ready", flush=True)
sys.stdin.readline()
result = house.run(sys.argv[2:])
print([step.message for step in result.failed], flush=True)
sys.exit(0 if result.success else 1)
"""


def _start(house: House) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _ONE_RUN, str(house.root), *ALL],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_runs_of_one_partition_at_once_deliver_each_file_once(house: House) -> None:
    runs = [_start(house) for _ in range(2)]
    for run in runs:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"

    for run in runs:
        assert run.stdin is not None
        run.stdin.write("go\n")
        run.stdin.flush()
    said = [run.communicate(timeout=240)[0] for run in runs]

    assert [run.returncode for run in runs] == [0, 0], said
    records = house.rooms().ledger.find()
    assert {(one.state, one.revision) for one in records} == {(State.PUBLISHED, 1)}
    assert len({(one.subscription_id, one.export) for one in records}) == len(records) == 6
    with house.instance() as instance:
        assert len(materializations(instance, "recipients/north/media")) >= 1


def test_the_home_of_dagster_keeps_what_its_owner_wrote(house: House) -> None:
    home = house.settings.dagster_home
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")

    prepare_home(house.settings)

    assert (home / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"
