"""What every destination keeps, whatever it is made of."""

from __future__ import annotations

import hashlib
import signal
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offramp.domain.errors import DestinationChanged, DestinationRefused
from platform_tests.destinations.killing import delete_file, killed_at, replace_file
from platform_tests.destinations.places import KINDS, Place, content_of, read, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from offramp.domain.ports import Destination

OLD, NEW = b"old\n" * 1000, b"new content\n" * 1_000_000
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


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return KINDS[request.param](request, tmp_path)


@pytest.fixture
def destination(place: Place) -> Iterator[Destination]:
    opened = place.open()
    yield opened
    opened.close()


@pytest.fixture
def new_file(tmp_path: Path) -> Path:
    path = tmp_path / "staged.part"
    path.write_bytes(NEW)
    return path


@pytest.mark.parametrize("content", [b"", b"x", NEW], ids=["0 bytes", "1 byte", "12 MB"])
@pytest.mark.parametrize("is_path", [True, False], ids=["path", "bytes"])
def test_what_was_put_is_read_back_with_its_size_and_bytes(
    destination: Destination, tmp_path: Path, content: bytes, *, is_path: bool
) -> None:
    source = tmp_path / "source"
    source.write_bytes(content)
    sent: list[int] = []

    pending = destination.put("media/users.csv", content_of(source if is_path else content), token=1, sent=sent.append)
    destination.commit(pending, over=None)

    assert (pending.name, pending.content.bytes) == ("media/users.csv", len(content))
    assert sum(sent) <= len(content)
    assert destination.verified_by in {"read_back", "checksum", "size"}
    standing = destination.stat("media/users.csv")
    assert standing is not None
    assert (standing.name, standing.bytes) == ("media/users.csv", len(content))
    assert standing.sha256 in {None, sha256(content)}
    assert read(destination, "media/users.csv") == content


def test_reading_what_is_not_there_is_said(destination: Destination) -> None:
    assert destination.stat("never/was.csv") is None
    with pytest.raises(DestinationChanged, match=r"never/was\.csv"):
        b"".join(destination.read("never/was.csv"))


def test_what_came_to_stand_there_meanwhile_is_not_overwritten(destination: Destination) -> None:
    """Two tokens of one name: the one that looked before the other wrote is told so."""
    pending = destination.put("users.csv", content_of(NEW), token=1)
    write(destination, "users.csv", OLD, token=2)

    with pytest.raises(DestinationChanged, match="to do"):
        destination.commit(pending, over=None)

    assert read(destination, "users.csv") == OLD


def test_a_destination_can_be_closed_and_used_again(destination: Destination) -> None:
    write(destination, "users.csv", OLD)
    destination.close()

    assert read(destination, "users.csv") == OLD


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_kept_as_they_are(place: Place, destination: Destination, name: str) -> None:
    if place.refuses(name):
        with pytest.raises(DestinationRefused, match="to do"):
            write(destination, name, b"content")
        return
    write(destination, name, b"content")

    assert destination.list("") == (name,)
    assert read(destination, name) == b"content"
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
        lambda: destination.put(name, content_of(b""), token=1),
        lambda: destination.stat(name),
        lambda: b"".join(destination.read(name)),
        lambda: destination.delete(name),
    ):
        with pytest.raises(DestinationRefused, match="to do"):
            use()


def test_a_prefix_that_leaves_the_destination_is_refused(destination: Destination) -> None:
    with pytest.raises(DestinationRefused):
        destination.list("../")
    with pytest.raises(DestinationRefused):
        destination.sweep(["/etc/"], below_token=9)


def test_an_upload_is_not_seen_before_it_is_committed(destination: Destination) -> None:
    destination.put("media/users.csv", content_of(NEW), token=1)

    assert destination.list("") == ()
    assert destination.stat("media/users.csv") is None


def test_a_commit_replaces_the_file_that_was_seen(destination: Destination) -> None:
    write(destination, "users.csv", OLD)
    seen = destination.stat("users.csv")
    pending = destination.put("users.csv", content_of(NEW), token=2)
    before = read(destination, "users.csv")
    destination.commit(pending, over=seen)

    assert (before, read(destination, "users.csv")) == (OLD, NEW)


@pytest.mark.parametrize("content", [b"small", NEW], ids=["small", "12 MB"])
def test_a_commit_can_be_repeated(destination: Destination, content: bytes) -> None:
    pending = destination.put("users.csv", content_of(content), token=1)

    destination.commit(pending, over=None)
    destination.commit(pending, over=None)

    assert destination.list("") == ("users.csv",)
    assert read(destination, "users.csv") == content


@pytest.mark.parametrize("content", [b"small", NEW], ids=["small", "12 MB"])
def test_all_bytes_are_told_and_reading_back_is_told_as_no_bytes(destination: Destination, content: bytes) -> None:
    sent: list[int] = []
    pending = destination.put("users.csv", content_of(content), token=1, sent=sent.append)
    destination.commit(pending, over=None)
    assert sum(sent) == len(content)
    assert (0 in sent) == (destination.verified_by == "read_back")

    sent.clear()
    destination.commit(pending, over=None)

    assert set(sent) == ({0} if destination.verified_by == "read_back" else set())


def test_an_upload_can_be_repeated_with_its_token(destination: Destination) -> None:
    destination.put("users.csv", content_of(NEW), token=1)
    write(destination, "users.csv", OLD)

    assert read(destination, "users.csv") == OLD


def test_an_upload_can_be_gone_on_with_by_another_process(place: Place, new_file: Path) -> None:
    first, second = place.open(), place.open()
    first.put("users.csv", content_of(new_file), token=1)
    first.close()

    second.commit(second.put("users.csv", content_of(new_file), token=1), over=None)

    assert read(second, "users.csv") == NEW
    assert not list(place.unfinished())
    second.close()


def test_deleting_what_is_gone_is_no_error(destination: Destination) -> None:
    destination.delete("never/was.csv")
    write(destination, "users.csv", b"content")
    destination.delete("users.csv")
    destination.delete("users.csv")
    destination.delete("users.csv/below a former file")

    assert destination.stat("users.csv") is None


def test_list_gives_names_that_begin_with_the_prefix_in_order(destination: Destination) -> None:
    names = ["media/users.csv", "media/users.csv.md5", "media.csv", "media/a/z.csv", "plays/x.parquet", "Media/u.csv"]
    for name in names:
        write(destination, name, b"")

    assert destination.list("") == tuple(sorted(names))
    assert destination.list("media/") == ("media/a/z.csv", "media/users.csv", "media/users.csv.md5")
    assert destination.list("media/users.csv") == ("media/users.csv", "media/users.csv.md5")
    assert destination.list("none/at/all/") == ()


def test_sweep_removes_uploads_that_were_not_finished(place: Place, destination: Destination) -> None:
    """Tokens and names decide; a place whose uploads carry no token may take newer ones of these names with them."""
    for name in ("media/users.csv", "media/" + "x" * 255, "plays/x.parquet"):
        write(destination, name, b"", token=9)
        for token in (1, 2):
            destination.put(name, content_of(NEW), token=token)
    begun = len(list(place.unfinished()))

    first = destination.sweep(["media/users.csv", "media/" + "x" * 255], below_token=3)
    assert first == begun - len(list(place.unfinished()))
    assert destination.sweep(["media/"], below_token=3) == 0
    destination.sweep([""], below_token=3)

    assert not list(place.unfinished())
    assert len(destination.list("")) == 3


def test_a_reader_that_looks_all_the_time_sees_whole_files_only(place: Place, destination: Destination) -> None:
    contents = [bytes([65 + number]) * (number * 70_001) for number in range(4)]
    known = {sha256(content) for content in contents}
    write(destination, "media/users.csv", contents[0])
    is_done = threading.Event()
    seen: list[str] = []
    listed: set[tuple[str, ...]] = set()

    def look() -> None:
        reader = place.open()
        while not is_done.is_set():
            try:
                found = read(reader, "media/users.csv")
            except DestinationChanged:
                continue  # replaced between look and read
            seen.append(sha256(found) if found is not None else "none")
            listed.add(reader.list(""))
        reader.close()

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        token = 0
        while token < 40 or len(seen) < 200:
            token += 1
            write(destination, "media/users.csv", contents[token % 4], token=token)
    finally:
        is_done.set()
        for reader in readers:
            reader.join()

    assert set(seen) <= known
    assert listed == {("media/users.csv",)}


def check_recovery(place: Place, destination: Destination, new_file: Path) -> None:
    """The next run converges: one whole file, nothing unfinished."""
    write(destination, "media/users.csv", new_file, token=8)
    destination.sweep(["media/users.csv"], below_token=8)
    assert read(destination, "media/users.csv") == NEW
    assert not list(place.unfinished())
    assert destination.list("") == ("media/users.csv",)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_at_any_step_of_writing_leaves_the_old_or_the_new_content(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, new_file: Path
) -> None:
    is_new = False
    for step in KINDS[kind](request, tmp_path).write_steps:
        for moment in ("before", "after"):
            place = KINDS[kind](request, tmp_path / f"{step} {moment}")
            is_new = is_new or (moment, step) == ("after", place.visible_at)
            destination = place.open()
            write(destination, "media/users.csv", OLD)

            code = killed_at(f"{moment} {step}", replace_file, place.open, "media/users.csv", new_file)

            assert code == -signal.SIGKILL, f"{moment} {step} never came"
            assert read(destination, "media/users.csv") == (NEW if is_new else OLD), f"{moment} {step}"
            assert destination.list("") == ("media/users.csv",), f"{moment} {step}"
            check_recovery(place, destination, new_file)
            destination.close()
    assert is_new


@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_at_a_delete_leaves_the_whole_file_or_none(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, new_file: Path
) -> None:
    for step in KINDS[kind](request, tmp_path).delete_steps:
        for moment in ("before", "after"):
            place = KINDS[kind](request, tmp_path / f"{step} {moment}")
            destination = place.open()
            write(destination, "media/users.csv", OLD)

            code = killed_at(f"{moment} {step}", delete_file, place.open, "media/users.csv", new_file)

            assert code == -signal.SIGKILL, f"{moment} {step} never came"
            assert read(destination, "media/users.csv") in {OLD, None}
            check_recovery(place, destination, new_file)
            destination.close()


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
        return
    assert read(destination, name) == content
    assert name in destination.list(name)
    destination.delete(name)
    assert destination.list("") == ()
