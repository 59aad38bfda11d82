"""What only a folder has: its file system's errors, links and rights."""

from __future__ import annotations

import os
import resource
import signal
import stat
from functools import partial
from pathlib import Path

import pytest

from offramp.destinations.local import LocalDestination
from offramp.domain.contents import Content
from offramp.domain.errors import DestinationRefused, DestinationUnreachable, VerificationFailed
from platform_tests.destinations.killing import killed_in_write
from platform_tests.destinations.places import content_of, write

NOBODY = 65534


def test_every_step_is_told_in_its_order(tmp_path: Path) -> None:
    steps: list[str] = []
    destination = LocalDestination("outbox", tmp_path, at_step=steps.append)

    write(destination, "users.csv", b"content")
    destination.delete("users.csv")

    reached = [f"{moment} {step}" for step in ("write", "fsync", "read_back", "rename", "fsync_dir") for moment in
               ("before", "after")]  # fmt: skip
    assert steps == [*reached, "before delete", "after delete", "before fsync_dir", "after fsync_dir"]


def test_a_pending_upload_is_a_hidden_file_beside_its_final_name(tmp_path: Path) -> None:
    LocalDestination("outbox", tmp_path).put("media/users.csv", content_of(b"content"), token=41)

    assert [path.name for path in (tmp_path / "media").iterdir()] == [".users.csv.offramp-41.tmp"]


def test_files_have_the_rights_that_the_umask_gives(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(LocalDestination("outbox", tmp_path), "users.csv", b"content")
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "users.csv").stat().st_mode) == 0o640


def test_a_link_in_the_place_of_the_upload_is_not_followed(tmp_path: Path) -> None:
    outbox, precious = tmp_path / "outbox", tmp_path / "precious"
    outbox.mkdir()
    precious.write_bytes(b"precious")
    (outbox / ".users.csv.offramp-1.tmp").symlink_to(precious)
    (outbox / "users.csv").symlink_to(precious)

    write(LocalDestination("outbox", outbox), "users.csv", b"content")

    assert precious.read_bytes() == b"precious"
    assert (outbox / "users.csv").read_bytes() == b"content"


def test_a_full_disk_can_be_tried_again(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the kernel ends the write in the same place."""
    destination = LocalDestination("outbox", tmp_path)
    write(destination, "users.csv", b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(DestinationUnreachable, match="free space"):
            destination.put("users.csv", content_of(b"x" * 2000), token=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)

    assert (tmp_path / "users.csv").read_bytes() == b"old"
    assert destination.sweep(["users.csv"], below_token=3) == 1


def test_a_missing_right_is_refused_with_what_to_do(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    outbox.mkdir(mode=0o555)
    destination = LocalDestination("outbox", outbox)
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        with pytest.raises(DestinationRefused, match="give this user the right") as refused:
            destination.put("users.csv", content_of(b"content"), token=1)
    finally:
        os.seteuid(user)

    assert "Permission denied" in str(refused.value)
    assert "users.csv" in str(refused.value)


@pytest.mark.parametrize("name", ["users.csv/below.csv", "media"])
def test_a_file_or_folder_in_the_way_is_refused(tmp_path: Path, name: str) -> None:
    destination = LocalDestination("outbox", tmp_path)
    write(destination, "users.csv", b"a file")
    write(destination, "media/users.csv", b"in a folder")

    with pytest.raises(DestinationRefused, match="in the way"):
        write(destination, name, b"content")


def test_an_upload_that_vanished_is_not_committed(tmp_path: Path) -> None:
    destination = LocalDestination("outbox", tmp_path)
    write(destination, "users.csv", b"old")
    seen = destination.stat("users.csv")
    pending = destination.put("users.csv", content_of(b"new"), token=2)
    destination.sweep(["users.csv"], below_token=3)

    with pytest.raises(VerificationFailed, match="gone before"):
        destination.commit(pending, over=seen)

    assert (tmp_path / "users.csv").read_bytes() == b"old"


def test_a_part_that_is_gone_from_the_lake_is_not_blamed_on_the_destination(tmp_path: Path) -> None:
    gone = Content(tmp_path / "gone", 1, "0" * 64)
    with pytest.raises(FileNotFoundError):
        LocalDestination("outbox", tmp_path).put("users.csv", gone, token=1)


def test_a_file_is_copied_whole_from_another_file_system(tmp_path: Path) -> None:
    """Memory stands for the other file system; where there is none, this is one more copy within one."""
    memory = Path("/dev/shm")
    source = (memory if memory.is_dir() else tmp_path) / f"offramp-test-{os.getpid()}"
    try:
        source.write_bytes(os.urandom(5_000_001))
        write(LocalDestination("outbox", tmp_path), "users.csv", source)
        assert (tmp_path / "users.csv").read_bytes() == source.read_bytes()
    finally:
        source.unlink()


def test_a_kill_in_the_middle_of_a_write_leaves_the_old_content(tmp_path: Path) -> None:
    new = b"new content\n" * 300_000
    source = tmp_path / "staged.part"
    source.write_bytes(new)
    open_destination = partial(LocalDestination, "outbox", tmp_path / "outbox")
    destination = open_destination()
    write(destination, "media/users.csv", b"old")

    code = killed_in_write(open_destination, len(new) // 2, "media/users.csv", source)

    assert code == -signal.SIGXFSZ
    assert (tmp_path / "outbox/media/users.csv").read_bytes() == b"old"
    assert destination.sweep(["media/users.csv"], below_token=8) == 1


def test_the_destination_names_itself_and_its_folder(tmp_path: Path) -> None:
    assert repr(LocalDestination("outbox", tmp_path)) == f"LocalDestination('outbox', '{tmp_path}')"
