"""Faults of a folder of this machine, in the middle of a whole publication."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from offramp.destinations.local import LocalDestination
from platform_tests.faults.full_disk import FullDisk, full_disk
from platform_tests.faults.publication import CORRECTION, NAME, Ground, Known, learn, publication
from platform_tests.faults.reader import FolderLook
from platform_tests.faults.staging import LARGE, make_template
from platform_tests.faults.table import outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGE_BYTES = 3_900_000


def ground_of(root: Path) -> Ground:
    return Ground(
        open=lambda: LocalDestination(NAME, root),
        look=FolderLook(root),
        unfinished=lambda: [str(path) for path in root.rglob(".*.tmp")],
    )


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    folder = tmp_path_factory.mktemp("local")
    return learn(make_template(folder / "template", LARGE_BYTES), folder / "reference", ground_of(folder / "outbox"))


@pytest.fixture
def disk() -> Iterator[FullDisk]:
    with full_disk(12) as found:
        yield found


def test_a_full_disk(disk: FullDisk, known: Known, tmp_path: Path) -> None:
    ground = replace(ground_of(disk.folder / "outbox"), mend=disk.free)
    with publication(known, tmp_path / "house", ground) as one:
        disk.fill(leave_bytes=2_000_000)
        one.expect(one.run(), outcome_of("full", "local"), "No space left", "free space")
        one.expect_end()


def remount(disk: FullDisk, *, as_: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{as_}", disk.folder], check=True)


def test_a_right_that_is_missing(disk: FullDisk, known: Known, tmp_path: Path) -> None:
    """The file system becomes read-only when the large file was written: its rename is refused."""
    ground = replace(ground_of(disk.folder / "outbox"), mend=partial(remount, disk, as_="rw"))
    with publication(known, tmp_path / "house", ground) as one:
        one.at("publish.commit", 5, partial(remount, disk, as_="ro"))
        one.expect(one.run(), outcome_of("rename-refused", "local"), "cannot rename", "the right to write, rename")
        one.expect_end()


def test_something_in_the_way(known: Known, tmp_path: Path) -> None:
    blocked = tmp_path / "outbox" / LARGE
    blocked.mkdir(parents=True)
    ground = replace(ground_of(tmp_path / "outbox"), mend=blocked.rmdir)
    with publication(known, tmp_path / "house", ground) as one:
        one.expect(one.run(), outcome_of("in-the-way", "local"), "remove what stands in the way")
        one.expect_end()


def test_a_flipped_bit(known: Known, tmp_path: Path) -> None:
    """A disk that gives back another bit than it was given, once."""
    root = tmp_path / "outbox"
    flips = [1]

    def at_step(step: str) -> None:
        for path in root.rglob(".items*.tmp") if step == "before read_back" and flips else ():
            flips.pop()
            content = bytearray(path.read_bytes())
            content[2_000_000] ^= 1
            path.write_bytes(content)

    ground = replace(ground_of(root), open=lambda: LocalDestination(NAME, root, at_step=at_step))
    with publication(known, tmp_path / "house", ground) as one:
        one.expect(one.run(), outcome_of("flipped-bit", "local"))
        assert not flips
        one.expect_end()


def test_a_fault_in_a_correction(disk: FullDisk, known: Known, tmp_path: Path) -> None:
    ground = replace(ground_of(disk.folder / "outbox"), mend=disk.free)
    with publication(known, tmp_path / "house", ground, is_correction=True) as one:
        disk.fill(leave_bytes=2_000_000)
        one.expect_failed(one.run(CORRECTION))
        one.expect_end()
