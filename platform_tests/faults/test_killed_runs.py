"""A run that is killed at any named step leaves nothing half done that a reader could see, and the next run ends it."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from offramp.domain.steps import no_step
from platform_tests.faults.shop_run import AFTER, MISSED, Killer, correct, open_house, run

if TYPE_CHECKING:
    from pathlib import Path

STEPS = [
    "plan", "land.begin", "land.commit", "changes", "stage.count", "stage.scan", "stage.write", "stage.add_up",
    "stage.take", "stage.save", "stage.ledger", "publish.put", "publish.commit", "publish.sidecars",
    "publish.manifest", "publish.placed", "publish.ledger",
]  # fmt: skip
CLAIM_EXPIRED = AFTER + timedelta(hours=3)
CORRECTION_STEPS = ["publish.supersede", "publish.put", "publish.commit", "publish.sidecars", "publish.manifest"]


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What an undisturbed run delivers."""
    folder = tmp_path_factory.mktemp("reference")
    house = open_house(folder, no_step)
    assert run(house) == 6
    return contents(house.outbox())


class Reader:
    """Looks at the outbox all the time, by the rule of the layout: a manifest speaks for its files."""

    def __init__(self, outbox: Path, whole: set[str]) -> None:
        self._outbox, self._whole = outbox, whole
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.looks = 0
        self.faults: list[str] = []

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.is_set():
            self.looks += 1
            self._once()
            self._stop.wait(0.002)

    def _once(self) -> None:
        for path in self._outbox.glob("[!_]*/*.csv"):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if digest not in self._whole:
                self.faults.append(f"{path.name} is neither the old nor the new file")
        for path in self._outbox.glob("[!_]*/*.csv.md5"):
            self._compare(path)
        for path in self._outbox.glob("_manifests/**/*.json"):
            try:
                before = path.read_bytes()
            except FileNotFoundError:
                continue
            files = json.loads(before)["files"]
            found = [self._digest(file["name"]) for file in files]
            if path.exists() and found != [file["sha256"] for file in files]:
                self.faults.append(f"{path.name} speaks for files that are not there")

    def _compare(self, sidecar: Path) -> None:
        """A checksum that stands beside a file speaks for it; while the file changes there is none."""
        try:
            before = sidecar.read_bytes()
            found = hashlib.md5(sidecar.with_suffix("").read_bytes(), usedforsecurity=False).hexdigest()
            after = sidecar.read_bytes()
        except FileNotFoundError:
            return
        if before == after and not before.startswith(found.encode()):
            self.faults.append(f"{sidecar.name} speaks against its file")

    def _digest(self, name: str) -> str | None:
        try:
            return hashlib.sha256((self._outbox / name).read_bytes()).hexdigest()
        except FileNotFoundError:
            return None


def killed(folder: Path, what: str, step: str, nth: int) -> bool:
    """Run as a process of its own; True if it was killed, False if it ended before the step came so often."""
    command = [sys.executable, "-m", "platform_tests.faults.shop_run", str(folder), what, step, str(nth)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert ended.returncode in {0, -signal.SIGKILL}, ended.stderr
    return ended.returncode == -signal.SIGKILL


@pytest.mark.parametrize("step", STEPS)
def test_a_run_killed_at_a_step_is_ended_by_the_next(tmp_path: Path, reference: dict[str, str], step: str) -> None:
    _kill_and_go_on(tmp_path, reference, step, 1)


@pytest.mark.deep
@pytest.mark.parametrize("nth", [2, 3, 5])
@pytest.mark.parametrize("step", STEPS)
def test_a_run_killed_at_a_later_time_of_a_step_is_ended_by_the_next(
    tmp_path: Path, reference: dict[str, str], step: str, nth: int
) -> None:
    _kill_and_go_on(tmp_path, reference, step, nth)


def _kill_and_go_on(folder: Path, reference: dict[str, str], step: str, nth: int) -> None:
    house = open_house(folder, no_step)
    house.outbox().mkdir(parents=True)
    with Reader(house.outbox(), set(reference.values())) as reader:
        was_killed = killed(folder, "run", step, nth)
        assert was_killed or nth > 1, f"the step {step} never came"
        house.clock.now = CLAIM_EXPIRED
        run(house)
    assert reader.looks > 3
    assert not reader.faults
    assert contents(house.outbox()) == reference
    missed = house.rooms.ledger.find(first_day=MISSED, last_day=MISSED)
    assert {record.export for record in missed if record.covered_by} == {"shop/delta/items", "shop/delta/clicks"}
    assert run(open_house(folder, no_step)) == 0, "a further run delivers nothing anew"


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("delivered")
    run(open_house(folder, no_step))
    return folder


@pytest.fixture
def two_states(delivered: Path, tmp_path: Path) -> tuple[Path, dict[str, str], dict[str, str]]:
    """A delivered folder, its content, and its content after a correction."""
    corrected = tmp_path / "corrected"
    shutil.copytree(delivered, corrected)
    house = open_house(corrected, no_step, separator=";")
    correct(house)
    folder = tmp_path / "folder"
    shutil.copytree(delivered, folder)
    return folder, contents(open_house(delivered, no_step).outbox()), contents(house.outbox())


@pytest.mark.parametrize("step", CORRECTION_STEPS)
def test_a_correction_killed_at_a_step_is_ended_by_the_next(
    two_states: tuple[Path, dict[str, str], dict[str, str]], step: str
) -> None:
    folder, old, new = two_states
    assert old != new
    house = open_house(folder, no_step, separator=";")
    with Reader(house.outbox(), {*old.values(), *new.values()}) as reader:
        assert killed(folder, "correct", step, 1)
        house.clock.now = CLAIM_EXPIRED
        run(house)
    assert not reader.faults
    assert contents(house.outbox()) == new
    manifests = sorted(path.name for path in house.outbox().glob("_manifests/snapshot/items/*.json"))
    assert manifests == ["2026_03_02.r1.json", "2026_03_04.r2.json"]


def test_the_killer_kills() -> None:
    """The guard of this module: a killer that does nothing would let every test above pass."""
    with pytest.raises(subprocess.CalledProcessError) as ended:
        subprocess.run(
            [sys.executable, "-c", "from platform_tests.faults.shop_run import Killer; Killer('x', 1)('x')"],
            check=True,
            env={"PYTHONPATH": "platform:."},
        )
    assert ended.value.returncode == -signal.SIGKILL
    Killer("x", 2)("x")
