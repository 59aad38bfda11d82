"""The same input gives the same bytes: at any number of threads, within any memory, from an empty lake."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from offramp.pipeline.verify import verify_folder
from platform_tests.scenarios.repeat_run import run
from platform_tests.scenarios.scene import Scene, contents, subscription

if TYPE_CHECKING:
    from pathlib import Path

FIRST, DAYS = date(2026, 10, 23), 2
MIB = 1024 * 1024


def scene_of(folder: Path, demo: dict[str, Any], **limits: object) -> Scene:
    entities = ["users", "assets_views", "vvs_pools"]
    taken = [
        subscription("north", options={"CSV_MD5": "1"}, deletes=True, entities=entities),
        subscription(
            "fjord",
            ["borealis"],
            entities=entities,
            options={"DATA_DELTA_MIDNIGHT_TO_MIDNIGHT": "1", "DATA_DELTA_TIME_ZONE": "Europe/Oslo"},
        ),
    ]
    return Scene(folder, demo, taken, FIRST, limits=limits)


def started(scene: Scene, threads: int, days: int = DAYS) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "platform_tests.scenarios.repeat_run", str(scene.file), str(FIRST), str(days)]
    environment = os.environ | {"POLARS_MAX_THREADS": str(threads), "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended(process: subprocess.Popen[str]) -> int:
    """Return how many deliveries a process staged."""
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return int(out)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory, demo: dict[str, Any]) -> dict[str, bytes]:
    scene = scene_of(tmp_path_factory.mktemp("reference"), demo)
    assert run(scene.file, FIRST, DAYS) == 20
    return contents(scene.folder / "outbox")


@pytest.mark.parametrize(
    ("threads", "memory"),
    [
        (1, 256 * MIB),
        (4, 64 * MIB),
        pytest.param(2, 64 * MIB, marks=pytest.mark.deep),
        pytest.param(4, 1024 * MIB, marks=pytest.mark.deep),
    ],
)
def test_bytes_repeat_at_any_number_of_threads_and_within_any_memory(
    tmp_path: Path, demo: dict[str, Any], reference: dict[str, bytes], threads: int, memory: int
) -> None:
    scene = scene_of(tmp_path, demo, threads=threads, memory_bytes=memory)

    assert ended(started(scene, threads)) == 20

    assert contents(scene.folder / "outbox") == reference


@pytest.mark.deep
def test_bytes_repeat_over_a_larger_life(tmp_path: Path) -> None:
    demo = {"kind": "demo", "seed": 3, "start_on": date(2026, 10, 22), "scale": 4, "folder": str(tmp_path / "demo")}
    found = []
    for threads, memory in ((1, 512 * MIB), (2, 64 * MIB), (4, 96 * MIB)):
        scene = scene_of(tmp_path / str(threads), demo, threads=threads, memory_bytes=memory)
        ended(started(scene, threads))
        found.append(contents(scene.folder / "outbox"))

    assert found[0] == found[1] == found[2]


def test_two_processes_that_deliver_the_same_day_at_once_stage_each_delivery_once(
    tmp_path: Path, demo: dict[str, Any], reference: dict[str, bytes]
) -> None:
    scene = scene_of(tmp_path, demo)

    both = [started(scene, 1), started(scene, 1)]
    staged = [ended(process) for process in both]

    assert sum(staged) == 20
    outbox = scene.folder / "outbox"
    assert contents(outbox) == reference
    points = [landing.data_as_of for landing in scene.rooms.lake.landings.landings("media")]
    assert len(points) == len(set(points)), "no read point is landed twice"
    for name in ("north", "fjord"):
        assert verify_folder(outbox / name).is_good
        assert not verify_folder(outbox / name).leftovers
    assert {record.state.value for record in scene.rooms.ledger.find()} == {"published"}
