"""A landing that is killed at any step leaves all of itself or nothing, and the next one works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from platform_tests.lake.shop import PLAYS, USERS, hour, ids, land, plays, store_at, users

REPOSITORY = Path(__file__).parents[2]
BEFORE_THE_RENAME = [
    "begun", "written users", "added users", "written plays", "added plays", "flushed", "recorded",
]  # fmt: skip


def _land_until(root: Path, step: str) -> int:
    return subprocess.run(
        [sys.executable, "-m", "platform_tests.lake.killed_landing", str(root), step],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'platform'}"},
        check=False,
    ).returncode


@pytest.mark.parametrize("step", [*BEFORE_THE_RENAME, "renamed"])
def test_a_landing_killed_at_a_step_is_whole_or_absent_and_the_next_one_works(tmp_path: Path, step: str) -> None:
    first = land(store_at(tmp_path), hour(1), (USERS, users((1, "a"))), (PLAYS, plays((1, 1))))

    assert _land_until(tmp_path, step) == -signal.SIGKILL

    store = store_at(tmp_path)
    seen = store.landings("shop")
    assert len(seen) == (1 if step in BEFORE_THE_RENAME else 2)
    if len(seen) == 2:
        assert ids(store.relation("plays", seen[1], "plays")) == [1, 2]
        assert ids(store.relation("users", seen[1], "users"), "user_id") == [1]
    after = land(store, hour(3), (USERS, users((1, "c"))), (PLAYS, plays((1, 1), (2, 2), (3, 3))))
    assert ids(store.relation("plays", after, "plays")) == [1, 2, 3]
    assert ids(store.relation_since("plays", after, "plays", first)) == [2, 3]
    assert {path.name for path in (tmp_path / "landings/shop").iterdir()} == {one.id for one in store.landings("shop")}
    assert list((tmp_path / "scratch").iterdir()) == []
