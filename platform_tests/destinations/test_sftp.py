"""What only SFTP has: rights, broken connections, servers that deny requests."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from typing import TYPE_CHECKING

import psutil
import pytest

from offramp.destinations.sftp.destination import SftpDestination
from offramp.destinations.sftp.place import SftpPlace, least_rights
from offramp.domain.errors import (
    DestinationChanged,
    DestinationRefused,
    DestinationUnreachable,
    VerificationFailed,
)
from platform_tests.destinations.places import content_of, read, write
from platform_tests.destinations.sftp_place import sftp_place
from platform_tests.faults.full_disk import full_disk
from platform_tests.servers import sshd as servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from platform_tests.servers.sshd import SshServer

LARGE = os.urandom(1_000_003) * 16


@pytest.fixture
def root(sshd: SshServer, tmp_path: Path) -> Path:
    return sshd.files / tmp_path.name


@pytest.fixture
def destination(sshd: SshServer, root: Path) -> Iterator[SftpDestination]:
    opened = SftpDestination("partner", sftp_place(sshd, root))
    yield opened
    opened.close()


@pytest.fixture
def own() -> Iterator[Callable[..., tuple[SshServer, SftpDestination]]]:
    """Start servers with odd settings, and end them."""
    begun: list[Any] = []

    def start(*settings: str, sftp: str = "", **others: Any) -> tuple[SshServer, SftpDestination]:
        context = servers.run(*settings, sftp=sftp, host_keys=("ed25519",))
        server = context.__enter__()
        opened = SftpDestination("partner", sftp_place(server, server.files, **others))
        begun.append((context, opened))
        return server, opened

    yield start
    for context, opened in begun:
        opened.close()
        context.__exit__(None, None, None)


def test_every_step_is_told_in_its_order(sshd: SshServer, root: Path) -> None:
    steps: list[str] = []
    destination = SftpDestination("partner", sftp_place(sshd, root), at_step=steps.append)

    write(destination, "users.csv", b"content")
    destination.delete("users.csv")
    destination.close()

    told = ("write", "fsync", "read_back", "rename", "delete")
    assert steps == [f"{moment} {step}" for step in told for moment in ("before", "after")]


def test_a_broken_upload_goes_on_from_its_offset(tmp_path: Path) -> None:
    with servers.run() as server:
        destination = SftpDestination("partner", sftp_place(server, server.files))
        source = tmp_path / "source"
        source.write_bytes(LARGE)
        first: list[int] = []

        def cut_in_the_middle(count: int) -> None:
            first.append(count)
            if sum(first) > len(LARGE) // 2:
                server.cut_sessions()

        with pytest.raises(DestinationUnreachable, match="the parts stay staged") as cut:
            destination.put("media/users.csv", content_of(source), token=3, sent=cut_in_the_middle)
        assert type(cut.value) is DestinationUnreachable
        (left,) = server.files.rglob(".*.tmp")
        stood = left.stat().st_size
        second: list[int] = []
        pending = destination.put("media/users.csv", content_of(source), token=3, sent=second.append)
        destination.commit(pending, over=None)
        destination.close()

        assert len(LARGE) // 2 < stood < len(LARGE)
        assert sum(second) == len(LARGE) - stood
        assert (server.files / "media/users.csv").read_bytes() == LARGE


@pytest.mark.parametrize("left", [b"", LARGE[: 9 * 1024 * 1024] + b"others", LARGE + b"more", b"x"])
def test_what_does_not_fit_the_content_is_sent_anew(destination: SftpDestination, root: Path, left: bytes) -> None:
    root.mkdir()
    (root / ".users.csv.offramp-1.tmp").write_bytes(left)
    sent: list[int] = []

    destination.commit(destination.put("users.csv", content_of(LARGE), token=1, sent=sent.append), over=None)

    assert sum(sent) == len(LARGE)
    assert (root / "users.csv").read_bytes() == LARGE


def test_other_bytes_far_from_the_end_are_found_by_reading_back(destination: SftpDestination, root: Path) -> None:
    root.mkdir()
    left = root / ".users.csv.offramp-1.tmp"
    left.write_bytes(b"x" + LARGE[1:-1])

    with pytest.raises(VerificationFailed, match="other bytes"):
        destination.put("users.csv", content_of(LARGE), token=1)

    assert not left.exists()
    write(destination, "users.csv", LARGE)
    assert (root / "users.csv").read_bytes() == LARGE


def test_size_alone_proves_an_upload_where_the_customer_lets_nobody_read(sshd: SshServer, root: Path) -> None:
    def shorten(step: str) -> None:
        if step == "after write":
            os.truncate(root / ".users.csv.offramp-1.tmp", 100)

    destination = SftpDestination("partner", sftp_place(sshd, root, reads_back=False))
    write(destination, "plays.csv", LARGE)
    broken = SftpDestination("partner", sftp_place(sshd, root, reads_back=False), at_step=shorten)
    with pytest.raises(VerificationFailed, match="100 bytes"):
        broken.put("users.csv", content_of(LARGE), token=1)
    destination.close()
    broken.close()

    assert destination.verified_by == "size"
    assert [path.name for path in root.iterdir()] == ["plays.csv"]


def test_equal_content_that_came_to_stand_there_is_success(destination: SftpDestination, root: Path) -> None:
    pending = destination.put("users.csv", content_of(b"same"), token=1)
    (root / "users.csv").write_bytes(b"same")

    destination.commit(pending, over=None)

    assert [path.name for path in root.iterdir()] == ["users.csv"]


def test_another_file_than_the_one_that_was_seen_is_not_replaced(destination: SftpDestination, root: Path) -> None:
    write(destination, "users.csv", b"seen")
    seen = destination.stat("users.csv")
    pending = destination.put("users.csv", content_of(b"new"), token=2)
    (root / "users.csv").write_bytes(b"by somebody else")

    with pytest.raises(DestinationChanged, match="meanwhile"):
        destination.commit(pending, over=seen)

    assert (root / "users.csv").read_bytes() == b"by somebody else"


def test_an_upload_that_vanished_is_not_committed(destination: SftpDestination, root: Path) -> None:
    write(destination, "users.csv", b"old")
    seen = destination.stat("users.csv")
    pending = destination.put("users.csv", content_of(b"new"), token=2)
    destination.sweep(["users.csv"], below_token=3)

    with pytest.raises(VerificationFailed, match="gone before"):
        destination.commit(pending, over=seen)

    assert (root / "users.csv").read_bytes() == b"old"


def test_a_link_in_the_place_of_the_upload_is_not_followed(destination: SftpDestination, root: Path) -> None:
    root.mkdir()
    precious = root / "precious"
    precious.write_bytes(b"precious")
    (root / ".users.csv.offramp-1.tmp").symlink_to(precious)

    write(destination, "users.csv", b"content")

    assert precious.read_bytes() == b"precious"
    assert (root / "users.csv").read_bytes() == b"content"


def test_links_are_listed_as_files_and_never_walked_through(destination: SftpDestination, root: Path) -> None:
    (root / "media").mkdir(parents=True)
    (root / "media/users.csv").write_bytes(b"content")
    (root / "media/loop").symlink_to(root)
    (root / "media/nowhere").symlink_to(root / "none")
    (root / "media/latest.csv").symlink_to("users.csv")
    (root / os.fsdecode(b"foreign \xff.csv")).write_bytes(b"")

    assert destination.list("") == ("media/latest.csv", "media/users.csv")


@pytest.mark.parametrize("name", ["users.csv/below.csv", "media"])
def test_a_file_or_folder_in_the_way_is_refused(destination: SftpDestination, name: str) -> None:
    write(destination, "users.csv", b"a file")
    write(destination, "media/users.csv", b"in a folder")

    with pytest.raises(DestinationRefused, match="in the way"):
        write(destination, name, b"content")


def test_a_directory_relative_to_where_the_server_logs_in_is_taken(own: Any) -> None:
    server, _ = own()
    _, destination = own(f"ForceCommand internal-sftp -d {server.files}", directory="exports")

    write(destination, "media/users.csv", b"content")

    assert (server.files / "exports/media/users.csv").read_bytes() == b"content"
    assert destination.list("") == ("media/users.csv",)
    assert destination.sweep([""], below_token=9) == 0


@pytest.mark.parametrize(
    ("denied", "right"),
    [
        ("open", "write files"),
        ("write", "write files"),
        ("mkdir", "create folders"),
        ("lstat", "look at files"),
        ("stat", "look at files"),
        ("read", "read files"),
        ("rename,posix-rename", "rename files"),
    ],
)
def test_a_missing_right_is_named(own: Any, denied: str, right: str) -> None:
    _, destination = own(sftp=f"-P {denied}")

    with pytest.raises(DestinationRefused, match=f"ask the customer for the right to ({right})") as refused:
        write(destination, "media/users.csv", b"content")

    assert "media" in str(refused.value)


def test_a_missing_right_to_clean_up_is_named(own: Any) -> None:
    _, destination = own(sftp="-P remove,opendir")
    write(destination, "media/users.csv", b"content")

    with pytest.raises(DestinationRefused, match="right to list folders"):
        destination.list("media/")
    with pytest.raises(DestinationRefused, match="right to delete files"):
        destination.delete("media/users.csv")


def test_a_broken_upload_is_sent_anew_where_the_customer_lets_nobody_read(own: Any) -> None:
    server, destination = own(sftp="-P read", reads_back=False)
    (server.files / ".users.csv.offramp-1.tmp").write_bytes(LARGE[:5_000_000])

    write(destination, "users.csv", LARGE)

    assert (server.files / "users.csv").read_bytes() == LARGE


def test_a_server_that_may_only_be_read_is_refused_with_the_right_it_lacks(own: Any) -> None:
    server, destination = own(sftp="-R")
    (server.files / "users.csv").write_bytes(b"content")

    with pytest.raises(DestinationRefused, match="right to write files"):
        destination.put("users.csv", content_of(b"x"), token=1)
    with pytest.raises(DestinationRefused, match="right to delete files"):
        destination.delete("users.csv")
    assert read(destination, "users.csv") == b"content"


@pytest.mark.parametrize("denied", ["posix-rename", "rename", "fsync", "posix-rename,fsync,limits"])
def test_files_are_replaced_where_a_request_is_not_to_be_had(own: Any, denied: str) -> None:
    _, destination = own(sftp=f"-P {denied}")

    write(destination, "users.csv", b"old")
    write(destination, "users.csv", LARGE, token=2)

    assert read(destination, "users.csv") == LARGE
    assert destination.list("") == ("users.csv",)


def test_a_full_disk_can_be_tried_again_and_both_readings_are_told(sshd: SshServer) -> None:
    with full_disk(1) as disk:
        destination = SftpDestination("partner", sftp_place(sshd, disk.folder))
        try:
            write(destination, "users.csv", b"old")
            with pytest.raises(DestinationUnreachable, match=r"disk or quota is full .* in the way"):
                destination.put("users.csv", content_of(LARGE), token=2)

            assert (disk.folder / "users.csv").read_bytes() == b"old"
            assert destination.sweep(["users.csv"], below_token=3) == 1
        finally:
            destination.close()


def test_connections_that_broke_while_idle_are_opened_anew(own: Any) -> None:
    server, destination = own()
    write(destination, "users.csv", b"content")
    server.cut_sessions()
    psutil.wait_procs(server.sessions(), 10)

    def goes_on() -> bool:
        try:
            return read(destination, "users.csv") == b"content"
        except DestinationUnreachable:
            return False

    assert any(goes_on() for _ in range(2))


def test_a_server_that_stops_answering_is_given_up(own: Any) -> None:
    server, destination = own(timeout_seconds=1)
    write(destination, "users.csv", b"content")
    stopped = psutil.Process(server.pid).children(recursive=True)
    for process in stopped:
        process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(DestinationUnreachable, match="timeout_seconds"):
            destination.stat("users.csv")
    finally:
        for process in stopped:
            process.send_signal(signal.SIGCONT)


def test_a_server_that_stops_in_the_middle_of_an_upload_is_given_up(own: Any) -> None:
    server, destination = own(timeout_seconds=1)
    stopped: list[psutil.Process] = []

    def stop(_count: int) -> None:
        if not stopped:
            stopped.extend(psutil.Process(server.pid).children(recursive=True))
            for process in stopped:
                process.send_signal(signal.SIGSTOP)

    try:
        with pytest.raises(DestinationUnreachable, match="the parts stay staged"):
            destination.put("users.csv", content_of(LARGE), token=1, sent=stop)
    finally:
        for process in stopped:
            process.send_signal(signal.SIGCONT)
    psutil.wait_procs(stopped, 10)
    destination.commit(destination.put("users.csv", content_of(LARGE), token=1), over=None)

    assert (server.files / "users.csv").read_bytes() == LARGE


def test_more_threads_than_connections_take_turns(sshd: SshServer, root: Path) -> None:
    destination = SftpDestination("partner", sftp_place(sshd, root, connections=2))
    before = len(sshd.sessions())
    most: list[int] = []

    def work(number: int) -> None:
        write(destination, f"users_{number}.csv", LARGE[: 100_000 + number])
        most.append(len(sshd.sessions()) - before)

    threads = [threading.Thread(target=work, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(destination.list("")) == 6
    assert max(most) <= 2
    destination.close()
    assert not [thread for thread in threading.enumerate() if "Transport" in type(thread).__name__]


def test_nobody_waits_for_ever_for_a_connection(sshd: SshServer, root: Path) -> None:
    destination = SftpDestination("partner", sftp_place(sshd, root, connections=1, timeout_seconds=0.5))
    write(destination, "users.csv", b"content")
    reader = destination.read("users.csv")
    next(reader)

    with pytest.raises(DestinationUnreachable, match=r"all connections .* in use"):
        destination.stat("users.csv")
    list(reader)

    assert read(destination, "users.csv") == b"content"
    destination.close()


def test_a_place_can_be_pickled_and_shows_no_secret(sshd: SshServer, root: Path) -> None:
    place = sftp_place(sshd, root)

    assert pickle.loads(pickle.dumps(place)) == place  # noqa: S301 - our own bytes
    assert "PRIVATE KEY" not in repr(place)
    destination = SftpDestination("partner", place)
    assert repr(destination) == f"SftpDestination('partner', '127.0.0.1:{sshd.port}', '{root}')"


@pytest.mark.parametrize(("directory", "path"), [("/", "/a/b"), ("/x/", "/x/a/b"), ("x", "x/a/b"), ("", "./a/b")])
def test_names_stand_below_the_directory(directory: str, path: str) -> None:
    place = SftpPlace("sftp.example.com", "acme", directory=directory)

    assert place.path("a/b") == path


def test_the_customer_is_told_which_rights_are_needed() -> None:
    told = least_rights(SftpPlace("sftp.example.com", "acme", directory="/in"))

    assert "'acme' on sftp.example.com:22, in the folder /in" in told
    assert "read files" in told
    assert "rename" in told
