from __future__ import annotations

import subprocess
import sys

from offramp.ledger.owners import has_ended, this_process

PRINT = "from offramp.ledger.owners import this_process; print(this_process(), flush=True); input()"


def test_a_process_that_runs_has_not_ended_and_one_that_was_killed_has() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PRINT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": "platform"},
    ) as process:
        assert process.stdout is not None
        owner = process.stdout.readline().strip()
        while_it_ran = has_ended(owner)
        process.kill()
        process.wait()

    assert not while_it_ran
    assert has_ended(owner)


def test_another_process_with_the_same_number_is_not_the_owner() -> None:
    place, pid, start = this_process().rsplit(":", 2)

    assert not has_ended(f"{place}:{pid}:{start}")
    assert has_ended(f"{place}:{pid}:{int(start) - 1}")


def test_of_owners_elsewhere_nothing_is_known() -> None:
    _place, pid, start = this_process().rsplit(":", 2)

    for owner in (f"elsewhere:1:{pid}:{start}", f"elsewhere:{pid}", "a person", "", ":::"):
        assert not has_ended(owner)
