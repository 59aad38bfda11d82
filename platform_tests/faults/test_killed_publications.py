"""A publication that is killed at any step, at any kind of place, shows readers no part, and the next run ends it."""

from __future__ import annotations

import math
import random
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from platform_tests.destinations.places import KINDS, write
from platform_tests.faults.publication_bench import Bench, Reader
from platform_tests.faults.publication_run import Kit, killed_at, make_kit, waiting

if TYPE_CHECKING:
    from pathlib import Path

# Two files with a checksum each, the manifest's checksum and the manifest: six are put, the last is the manifest.
FIRST = [
    ("publish.put", 1), ("publish.commit", 1), ("publish.sidecars", 1), ("publish.manifest", 1), ("publish.commit", 6),
    ("publish.placed", 1), ("publish.ledger", 1),
]  # fmt: skip
CORRECTION = [
    ("publish.supersede", 1), ("publish.put", 1), ("publish.commit", 1), ("publish.stale", 2), ("publish.manifest", 1),
    ("publish.commit", 4),
]  # fmt: skip
RANDOM_KILLS = 200
LARGE_LETTERS = 45_000


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return make_kit(tmp_path_factory.mktemp("kit"))


@pytest.fixture(scope="module")
def large_kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    """A file that goes out in several parts."""
    kit = make_kit(tmp_path_factory.mktemp("large kit"), LARGE_LETTERS)
    assert max(map(len, kit.old.values())) > 8_000_000
    return kit


@pytest.mark.parametrize("is_correction", [False, True], ids=["first", "correction"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_publication_killed_at_a_step_is_ended_by_the_next_run(
    kind: str, kit: Kit, request: pytest.FixtureRequest, tmp_path: Path, *, is_correction: bool
) -> None:
    with Bench(KINDS[kind](request, tmp_path), kit, tmp_path, is_correction) as bench:
        for step, nth in CORRECTION if is_correction else FIRST:
            publication = bench.publication()
            with bench.reader() as reader:
                assert killed_at(publication, step, nth), f"{step} never came {nth} times"
                bench.end(publication)
            assert reader.looks > 1
            assert not reader.faults, f"{step} {nth}"


@pytest.mark.deep
@pytest.mark.parametrize("is_correction", [False, True], ids=["first", "correction"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_publication_killed_at_any_time_is_ended_by_the_next_run(
    kind: str, large_kit: Kit, request: pytest.FixtureRequest, tmp_path: Path, *, is_correction: bool
) -> None:
    """The moments are drawn evenly over the time that an undisturbed publication takes."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - pytest shows it where the test fails
    chance = random.Random(seed)  # noqa: S311 - no secret
    seconds, late, kills = math.inf, 0, -(-RANDOM_KILLS // (2 * len(KINDS)))
    with Bench(KINDS[kind](request, tmp_path), large_kit, tmp_path, is_correction) as bench:
        for number in range(-2, kills):
            publication = bench.publication()
            with bench.reader() as reader:
                with waiting(publication) as run:
                    assert run.answer() == "ready"
                    run.go()
                    if number < 0:
                        began_at = time.monotonic()
                        assert run.answer() == []
                        seconds = min(seconds, time.monotonic() - began_at)
                    else:
                        late += run.pipe.poll(chance.uniform(0, seconds))
                    run.kill()
                bench.end(publication)
            assert not reader.faults, f"seed {seed}, kill {number}"
            shutil.rmtree(publication.folder)
    assert late <= kills * 3 / 4, "most kills came after the end"


def test_a_run_that_is_not_killed_says_so(kit: Kit, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The guard of this module: a killer that does nothing would let every test above pass."""
    bench = Bench(KINDS["local"](request, tmp_path), kit, tmp_path, is_correction=False)

    assert not killed_at(bench.publication(), "publish.put", 7)


def test_the_reader_notices_a_part_and_a_manifest_that_speaks_for_nothing(
    kit: Kit, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    place = KINDS["local"](request, tmp_path)
    destination = place.open()
    rows, manifest = max(kit.old, key=lambda name: len(kit.old[name])), "_manifests/delta/items/2026_03_02.r1.json"
    write(destination, rows, kit.old[rows][:-1])
    write(destination, manifest, kit.old[manifest])

    with Reader(destination, kit.old) as reader:
        while not reader.looks:
            time.sleep(0.001)

    assert any("neither" in fault for fault in reader.faults)
    assert any("speaks for" in fault for fault in reader.faults)
