"""What every destination keeps, whatever it is made of."""

from __future__ import annotations

import hashlib
import signal
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offramp.destinations.local import LocalDestination
from offramp.domain.errors import DestinationRefused
from platform_tests.destinations.killing import (
    OpenDestination,
    delete_file,
    killed_at,
    killed_in_write,
    replace_file,
)

if TYPE_CHECKING:
    from pathlib import Path

    from offramp.domain.ports import Destination

OLD, NEW = b"old\n" * 1000, b"new content\n" * 300_000
WRITE_STEPS = ["write", "fsync", "read_back", "rename", "fsync_dir"]
ODD_NAMES = [
    "users.csv",
    "media/delta/users_2026-03-02.csv",
    "a b/ c .csv",
    "tenant %2F/ä-日本-🚌.csv",
    "'quote\"/new\nline.csv",
    ".hidden/.file",
    "-rf/*?.csv",
    "dt=2026-03-02/_SUCCESS",
    "x" * 255,
    "é" * 127,
    "/".join(["deep"] * 40),
]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(params=["local"])
def open_destination(request: pytest.FixtureRequest, tmp_path: Path) -> OpenDestination:
    assert request.param == "local"
    return partial(LocalDestination, "outbox", tmp_path / "outbox")


@pytest.fixture
def destination(open_destination: OpenDestination) -> Destination:
    return open_destination()


@pytest.fixture
def new_file(tmp_path: Path) -> Path:
    path = tmp_path / "staged.part"
    path.write_bytes(NEW)
    return path


def write(destination: Destination, name: str, content: Path | bytes, token: int = 1) -> None:
    destination.commit(destination.put(name, content, token=token))


@pytest.mark.parametrize("content", [b"", b"x", NEW], ids=["0 bytes", "1 byte", "3 MiB"])
@pytest.mark.parametrize("is_path", [True, False], ids=["path", "bytes"])
def test_what_was_put_is_read_back_with_its_size_and_checksum(
    destination: Destination, tmp_path: Path, content: bytes, *, is_path: bool
) -> None:
    source = tmp_path / "source"
    source.write_bytes(content)

    pending = destination.put("media/users.csv", source if is_path else content, token=1)
    destination.commit(pending)

    assert (pending.name, pending.bytes, pending.sha256) == ("media/users.csv", len(content), sha256(content))
    assert pending.verified_by in {"read_back", "checksum", "size"}
    head = destination.head("media/users.csv")
    assert head is not None
    assert (head.name, head.bytes, head.sha256) == ("media/users.csv", len(content), sha256(content))


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_kept_as_they_are(destination: Destination, name: str) -> None:
    write(destination, name, b"content")

    assert destination.list("") == (name,)
    assert destination.head(name) is not None
    destination.delete(name)
    assert destination.list("") == ()


@pytest.mark.parametrize(
    "name",
    [
        "", "/", "/etc/passwd", "..", "../x", "a/../b", "a/..", ".", "./a", "a//b", "a/", "nul\0", "x" * 256, "é" * 128,
        "\ud800", "a/.users.csv.offramp-1.tmp",
    ],
)  # fmt: skip
def test_names_that_leave_the_prefix_or_hide_are_refused(destination: Destination, name: str) -> None:
    for use in (
        lambda: destination.put(name, b"", token=1),
        lambda: destination.head(name),
        lambda: destination.delete(name),
    ):
        with pytest.raises(DestinationRefused, match="to do"):
            use()


def test_a_prefix_that_leaves_the_destination_is_refused(destination: Destination) -> None:
    with pytest.raises(DestinationRefused):
        destination.list("../")
    with pytest.raises(DestinationRefused):
        destination.sweep("/etc/", below_token=9)


def test_an_upload_is_not_seen_before_it_is_committed(destination: Destination) -> None:
    destination.put("media/users.csv", b"content", token=1)

    assert destination.list("") == ()
    assert destination.head("media/users.csv") is None


def test_a_commit_replaces_an_earlier_file_of_that_name(destination: Destination) -> None:
    write(destination, "users.csv", OLD)
    pending = destination.put("users.csv", NEW, token=2)
    before = destination.head("users.csv")
    destination.commit(pending)
    after = destination.head("users.csv")

    assert before is not None
    assert after is not None
    assert (before.sha256, after.sha256) == (sha256(OLD), sha256(NEW))


def test_a_commit_can_be_repeated(destination: Destination) -> None:
    pending = destination.put("users.csv", NEW, token=1)

    destination.commit(pending)
    destination.commit(pending)

    assert destination.list("") == ("users.csv",)


def test_an_upload_can_be_repeated_with_its_token(destination: Destination) -> None:
    destination.put("users.csv", NEW, token=1)
    write(destination, "users.csv", OLD)

    head = destination.head("users.csv")
    assert head is not None
    assert head.sha256 == sha256(OLD)


def test_two_writers_with_different_tokens_do_not_touch_each_other(destination: Destination) -> None:
    zombie = destination.put("users.csv", OLD, token=1)
    successor = destination.put("users.csv", NEW, token=2)

    destination.commit(successor)
    after_successor = destination.head("users.csv")
    destination.commit(zombie)
    after_zombie = destination.head("users.csv")

    assert after_successor is not None
    assert after_zombie is not None
    assert (after_successor.sha256, after_zombie.sha256) == (sha256(NEW), sha256(OLD))


def test_deleting_what_is_gone_is_no_error(destination: Destination) -> None:
    destination.delete("never/was.csv")
    write(destination, "users.csv", b"content")
    destination.delete("users.csv")
    destination.delete("users.csv")
    destination.delete("users.csv/below a former file")

    assert destination.head("users.csv") is None


def test_list_gives_names_that_begin_with_the_prefix_in_order(destination: Destination) -> None:
    names = ["media/users.csv", "media/users.csv.md5", "media.csv", "media/a/z.csv", "plays/x.parquet", "Media/u.csv"]
    for name in names:
        write(destination, name, b"")

    assert destination.list("") == tuple(sorted(names))
    assert destination.list("media/") == ("media/a/z.csv", "media/users.csv", "media/users.csv.md5")
    assert destination.list("media/users.csv") == ("media/users.csv", "media/users.csv.md5")
    assert destination.list("none/at/all/") == ()


def test_sweep_removes_uploads_of_older_tokens_only(destination: Destination) -> None:
    for name in ("media/users.csv", "media/" + "x" * 255, "plays/x.parquet"):
        write(destination, name, b"", token=9)
        for token in (1, 2, 30):
            destination.put(name, b"content", token=token)

    assert destination.sweep("media/users.csv", below_token=3) == 2
    assert destination.sweep("media/" + "x" * 255, below_token=3) == 2
    assert destination.sweep("media/", below_token=3) == 0
    assert destination.sweep("media/", below_token=31) == 2
    assert destination.sweep("", below_token=31) == 3
    assert len(destination.list("")) == 3


def test_a_reader_that_looks_all_the_time_sees_whole_files_only(destination: Destination) -> None:
    contents = [bytes([65 + number]) * (number * 70_001) for number in range(4)]
    known = {sha256(content) for content in contents}
    write(destination, "media/users.csv", contents[0])
    is_done = threading.Event()
    seen: list[str] = []
    listed: set[tuple[str, ...]] = set()

    def look() -> None:
        while not is_done.is_set():
            head = destination.head("media/users.csv")
            seen.append(head.sha256 if head else "none")
            listed.add(destination.list(""))

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        token = 0
        while len(seen) < 1500:
            token += 1
            write(destination, "media/users.csv", contents[token % 4], token=token)
    finally:
        is_done.set()
        for reader in readers:
            reader.join()

    assert set(seen) <= known
    assert listed == {("media/users.csv",)}


def check_recovery(destination: Destination, new_file: Path) -> None:
    """The next run converges: one whole file, no temporary one."""
    write(destination, "media/users.csv", new_file, token=8)
    destination.sweep("media/users.csv", below_token=9)
    head = destination.head("media/users.csv")
    assert head is not None
    assert head.sha256 == sha256(NEW)
    assert destination.sweep("", below_token=99) == 0


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", WRITE_STEPS)
def test_a_kill_at_any_step_of_writing_leaves_the_old_or_the_new_content(
    open_destination: OpenDestination, new_file: Path, step: str, moment: str
) -> None:
    destination = open_destination()
    write(destination, "media/users.csv", OLD)

    code = killed_at(f"{moment} {step}", replace_file, open_destination, "media/users.csv", new_file)

    assert code == -signal.SIGKILL
    is_renamed = (moment, step) in {("after", "rename"), ("before", "fsync_dir"), ("after", "fsync_dir")}
    head = destination.head("media/users.csv")
    assert head is not None
    assert head.sha256 == sha256(NEW if is_renamed else OLD)
    assert destination.list("") == ("media/users.csv",)
    check_recovery(destination, new_file)


def test_a_kill_in_the_middle_of_a_write_leaves_the_old_content(
    open_destination: OpenDestination, new_file: Path
) -> None:
    destination = open_destination()
    write(destination, "media/users.csv", OLD)

    code = killed_in_write(open_destination, len(NEW) // 2, "media/users.csv", new_file)

    assert code == -signal.SIGXFSZ
    head = destination.head("media/users.csv")
    assert head is not None
    assert head.sha256 == sha256(OLD)
    check_recovery(destination, new_file)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_at_a_delete_leaves_the_whole_file_or_none(
    open_destination: OpenDestination, new_file: Path, moment: str
) -> None:
    destination = open_destination()
    write(destination, "media/users.csv", OLD)

    code = killed_at(f"{moment} delete", delete_file, open_destination, "media/users.csv", new_file)

    assert code == -signal.SIGKILL
    assert destination.list("") == (("media/users.csv",) if moment == "before" else ())
    check_recovery(destination, new_file)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60), min_size=1, max_size=4
    ).map("/".join),
    content=st.binary(max_size=2000),
)
def test_any_text_is_kept_or_refused(destination: Destination, name: str, content: bytes) -> None:
    try:
        write(destination, name, content)
    except DestinationRefused:
        assert name not in destination.list("")
        return
    head = destination.head(name)
    assert head is not None
    assert head.sha256 == sha256(content)
    assert name in destination.list(name)
    destination.delete(name)
    assert destination.list("") == ()
