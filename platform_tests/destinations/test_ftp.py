"""What FTP and FTPS add to the conformance suite, on servers that differ."""

from __future__ import annotations

import fcntl
import ftplib
import os
import select
import signal
import socket
import threading
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from offramp.destinations.ftp.destination import FtpDestination
from offramp.destinations.ftp.errors import told
from offramp.destinations.ftp.looks import Entry, UnknownLine, _of_line, _of_mlsd
from offramp.destinations.ftp.place import FtpPlace, least_rights
from offramp.domain.errors import (
    DestinationChanged,
    DestinationClosed,
    DestinationDown,
    DestinationRefused,
    DestinationUnreachable,
    VerificationFailed,
)
from platform_tests.destinations.ftp_place import ftp_place
from platform_tests.destinations.killing import _exit_code
from platform_tests.destinations.places import content_of, read, write
from platform_tests.destinations.vsftpd_place import vsftpd_place
from platform_tests.servers.pyftpd import PASSWORD, PyftpdServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from offramp.domain.ports import Destination
    from platform_tests.servers.vsftpd import VsftpdServer

SMALL, BIG = b"small\n", bytes(range(256)) * 12_000
TEMPORARY = ".users.csv.offramp-1.tmp"


@pytest.fixture
def open_at() -> Iterator[Callable[..., FtpDestination]]:
    opened: list[FtpDestination] = []

    def open_(place: FtpPlace, **others: Callable[[str], None]) -> FtpDestination:
        opened.append(FtpDestination("customer", place, **others))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


@pytest.fixture(params=["ftp", "ftps", "vsftpd", "vsftpd plain"])
def place(request: pytest.FixtureRequest) -> FtpPlace:
    if request.param.startswith("vsftpd"):
        return vsftpd_place(request.getfixturevalue("vsftpd"), tls=request.param == "vsftpd")
    return ftp_place(request.getfixturevalue("pyftpd"), "tls" if request.param == "ftps" else "plain")


def folder_of(request: pytest.FixtureRequest, place: FtpPlace) -> Path:
    """Where this machine sees the files of a place."""
    servers: list[PyftpdServer | VsftpdServer] = [request.getfixturevalue("pyftpd"), request.getfixturevalue("vsftpd")]
    found = [server.root / place.directory.lstrip("/") for server in servers]
    return next(path for path in found if path.exists())


class Cut(Exception):
    """Ends an upload from within."""


def cut_after(left: Path, counts: list[int]) -> Callable[[int], None]:
    """Cut an upload off when the server has some of it: what it got but did not write is lost with a connection."""

    def sent(size: int) -> None:
        counts.append(size)
        if sum(counts) >= 1_000_000:
            wait_until(lambda: left.exists() and left.stat().st_size > 0)
            raise Cut

    return sent


# Cut off and gone on with


def test_an_upload_that_was_cut_off_goes_on_from_there(
    request: pytest.FixtureRequest, place: FtpPlace, open_at: Callable[..., FtpDestination]
) -> None:
    destination = open_at(place)
    write(destination, "users.csv", SMALL)
    left = folder_of(request, place) / TEMPORARY
    counts: list[int] = []
    with pytest.raises(Cut):
        destination.put("users.csv", content_of(BIG), token=1, sent=cut_after(left, counts))
    assert read(destination, "users.csv") == SMALL
    assert destination.list("") == ("users.csv",)

    begun = len(counts)
    pending = destination.put("users.csv", content_of(BIG), token=1, sent=counts.append)
    destination.commit(pending, over=destination.stat("users.csv"))

    assert sum(counts) == len(BIG)
    assert sum(size for size in counts[begun:] if size > 0) < len(BIG)
    assert read(destination, "users.csv") == BIG
    assert not left.exists()


def test_an_upload_of_a_killed_process_is_gone_on_with(
    request: pytest.FixtureRequest, place: FtpPlace, open_at: Callable[..., FtpDestination], tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.write_bytes(BIG)
    destination = open_at(place)
    write(destination, "users.csv", SMALL)

    left = folder_of(request, place) / TEMPORARY

    assert _exit_code(die_in_put, (partial(FtpDestination, "customer", place), source, left)) == -signal.SIGKILL

    counts: list[int] = []
    destination.commit(
        destination.put("users.csv", content_of(source), token=1, sent=counts.append),
        over=destination.stat("users.csv"),
    )
    assert sum(counts) < len(BIG)
    assert read(destination, "users.csv") == BIG


def die_in_put(open_destination: Callable[[], Destination], source: Path, left: Path) -> None:
    cut = cut_after(left, [])

    def sent(size: int) -> None:
        try:
            cut(size)
        except Cut:
            os.kill(os.getpid(), signal.SIGKILL)

    open_destination().put("users.csv", content_of(source), token=1, sent=sent)


def test_a_server_that_hangs_up_is_gone_on_with_until_all_is_there(
    pyftpd: PyftpdServer, open_at: Callable[..., FtpDestination]
) -> None:
    destination = open_at(ftp_place(pyftpd, "hangs_up"))
    kinds: set[type[Exception]] = set()
    counts: list[int] = []
    pending = None
    for _ in range(6):
        try:
            pending = destination.put("users.csv", content_of(BIG), token=1, sent=counts.append)
        except DestinationUnreachable as error:
            kinds.add(type(error))
            continue
        break

    assert kinds == {DestinationUnreachable}
    assert pending is not None
    destination.commit(pending, over=None)
    assert sum(counts) == len(BIG)
    assert read(destination, "users.csv") == BIG


def test_an_upload_that_a_dead_connection_keeps_locked_is_begun_anew(
    vsftpd: VsftpdServer, open_at: Callable[..., FtpDestination]
) -> None:
    place = replace(vsftpd_place(vsftpd), timeout_seconds=1)
    destination = open_at(place)
    left = vsftpd.root / place.directory.lstrip("/") / TEMPORARY
    counts: list[int] = []
    with pytest.raises(Cut):
        destination.put("users.csv", content_of(BIG), token=1, sent=cut_after(left, counts))

    with left.open("r+b") as locked:
        fcntl.lockf(locked, fcntl.LOCK_EX)
        with pytest.raises(DestinationUnreachable, match="in time"):
            destination.put("users.csv", content_of(BIG), token=1, sent=counts.append)
        pending = destination.put("users.csv", content_of(BIG), token=1, sent=counts.append)
    destination.commit(pending, over=None)

    assert sum(counts) == len(BIG)
    assert read(destination, "users.csv") == BIG


@pytest.mark.parametrize(("variant", "is_whole"), [("no_rest", False), ("forgets_rest", True)])
def test_servers_without_rest_get_the_rest_appended_or_all_anew(
    pyftpd: PyftpdServer, open_at: Callable[..., FtpDestination], variant: str, *, is_whole: bool
) -> None:
    place = ftp_place(pyftpd, variant)
    destination = open_at(place)
    left = pyftpd.root / place.directory.lstrip("/") / TEMPORARY
    with pytest.raises(Cut):
        destination.put("users.csv", content_of(BIG), token=1, sent=cut_after(left, []))
    counts: list[int] = []
    destination.commit(destination.put("users.csv", content_of(BIG), token=1, sent=counts.append), over=None)

    assert (sum(size for size in counts if size > 0) >= len(BIG)) == is_whole
    assert read(destination, "users.csv") == BIG


@pytest.mark.parametrize("reads_back", [True, False])
def test_a_beginning_of_other_content_is_never_gone_on_with(
    pyftpd: PyftpdServer, open_at: Callable[..., FtpDestination], *, reads_back: bool
) -> None:
    place = replace(ftp_place(pyftpd), reads_back=reads_back)
    left = pyftpd.root / place.directory.lstrip("/") / TEMPORARY
    with pytest.raises(Cut):
        open_at(place).put("users.csv", content_of(BIG[::-1]), token=1, sent=cut_after(left, []))
    destination = open_at(place)

    destination.commit(destination.put("users.csv", content_of(BIG), token=1), over=None)

    assert destination.verified_by == ("read_back" if reads_back else "size")
    assert read(destination, "users.csv") == BIG


# Proof


@pytest.mark.parametrize("damage", [b"", SMALL[:-1], b"other\n"], ids=["empty", "short", "other bytes"])
def test_what_arrived_otherwise_is_removed_and_said(
    request: pytest.FixtureRequest, place: FtpPlace, open_at: Callable[..., FtpDestination], damage: bytes
) -> None:
    def spoil(step: str) -> None:
        if step == "before size":
            (folder_of(request, place) / TEMPORARY).write_bytes(damage)

    destination = open_at(place, at_step=spoil)

    with pytest.raises(VerificationFailed, match="to do"):
        destination.put("users.csv", content_of(SMALL), token=1)

    assert not (folder_of(request, place) / TEMPORARY).exists()


@pytest.mark.parametrize("variant", ["no_size", "no_mlsd", "no_size_no_mlsd", "dos", "strange", "no_close_notify"])
def test_servers_that_lack_commands_are_served_by_the_others(
    pyftpd: PyftpdServer, open_at: Callable[..., FtpDestination], variant: str
) -> None:
    destination = open_at(ftp_place(pyftpd, variant))

    write(destination, "media/a b/ ä -> 1 .csv", SMALL)
    write(destination, "media/a b/ ä -> 1 .csv", BIG, token=2)
    destination.put("media/users.csv", content_of(SMALL), token=3)

    standing = destination.stat("media/a b/ ä -> 1 .csv")
    assert standing is not None
    assert standing.bytes == len(BIG)
    assert destination.stat("media") is None
    assert destination.stat("media/none.csv") is None
    assert destination.stat("none/at/all.csv") is None
    assert read(destination, "media/a b/ ä -> 1 .csv") == BIG
    if variant == "no_close_notify":
        with pytest.raises(DestinationUnreachable, match="without ending TLS"):
            destination.list("media/")
        return
    assert destination.list("media/") == ("media/a b/ ä -> 1 .csv",)
    assert destination.list("none/at/all/") == ()
    assert destination.sweep(["media/"], below_token=4) == 1


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("-rw-r--r--    1 ftp      ftp          3000 Nov 22 14:21  a  b ", Entry(" a  b ", False, 3000)),
        ("drwxr-xr-x+   2 a user domain users 4096 Nov 22  2025 2 Nov 22 9:21 x", Entry("2 Nov 22 9:21 x", True, 4096)),
        ("-rw-rw-r--. 1 1000 1000 12 févr. 3 2024 é.csv", Entry("é.csv", False, 12)),
        ("lrwxrwxrwx    1 ftp      ftp             6 Nov 22 14:21 now -> 2026/x", Entry("now", False, None)),
        ("11-22-26  02:10PM       <DIR>          a b", Entry("a b", True, None)),
        ("11-22-2026  14:10                 3000  a b", Entry(" a b", False, 3000)),
        ("total 12", None),
        ("srwxr-xr-x    1 ftp      ftp             0 Nov 22 14:21 socket", None),
    ],
)  # fmt: skip
def test_lines_of_a_listing_are_read_as_they_are_meant(line: str, entry: Entry | None) -> None:
    assert _of_line(line) == entry


def test_sizes_that_are_no_numbers_are_unknown() -> None:
    lines = [f"type=file;size={size}; a" for size in ("3", "-1", "x", "", "9" * 5000, "\u0663")]

    assert [one.bytes for one in _of_mlsd(lines)] == [3, None, None, None, None, None]


def test_a_line_of_no_known_form_is_not_guessed() -> None:
    with pytest.raises(UnknownLine):
        _of_line("users.csv, 3000 bytes")


# Renaming


def test_a_server_that_does_not_rename_over_a_file_has_it_deleted_first(
    pyftpd: PyftpdServer, open_at: Callable[..., FtpDestination]
) -> None:
    steps: list[str] = []
    destination = open_at(ftp_place(pyftpd, "no_rename_over"), at_step=steps.append)
    write(destination, "users.csv", SMALL)
    assert "after make_way" not in steps

    write(destination, "users.csv", BIG, token=2)

    assert "after make_way" in steps
    assert read(destination, "users.csv") == BIG
    assert destination.list("") == ("users.csv",)


def test_a_break_at_the_moment_without_the_file_is_mended_by_the_next_run(
    pyftpd: PyftpdServer, open_at: Callable[..., FtpDestination]
) -> None:
    def cut(step: str) -> None:
        if step == "after make_way":
            raise Cut

    place = ftp_place(pyftpd, "no_rename_over")
    destination = open_at(place, at_step=cut)
    write(destination, "users.csv", SMALL)
    seen = destination.stat("users.csv")
    pending = destination.put("users.csv", content_of(BIG), token=2)
    with pytest.raises(Cut):
        destination.commit(pending, over=seen)
    assert destination.stat("users.csv") is None

    destination.commit(destination.put("users.csv", content_of(BIG), token=2), over=seen)

    assert read(destination, "users.csv") == BIG


def test_an_equal_file_that_came_meanwhile_is_success_and_nothing_is_left(
    request: pytest.FixtureRequest, place: FtpPlace, open_at: Callable[..., FtpDestination]
) -> None:
    destination = open_at(place)
    pending = destination.put("users.csv", content_of(SMALL), token=1)
    write(destination, "users.csv", SMALL, token=2)

    destination.commit(pending, over=None)

    assert [path.name for path in folder_of(request, place).iterdir()] == ["users.csv"]


def test_another_file_than_the_one_seen_is_not_replaced(
    place: FtpPlace, open_at: Callable[..., FtpDestination]
) -> None:
    destination = open_at(place)
    write(destination, "users.csv", SMALL)
    seen = destination.stat("users.csv")
    pending = destination.put("users.csv", content_of(BIG), token=3)
    write(destination, "users.csv", b"somebody else's", token=2)

    with pytest.raises(DestinationChanged, match="to do"):
        destination.commit(pending, over=seen)

    assert read(destination, "users.csv") == b"somebody else's"


# Rights


@pytest.mark.parametrize(
    ("account", "variant", "right"),
    [
        ("no_delete", "no_rename_over", "right to overwrite"),
        ("no_rename", "plain", "right to rename"),
        ("read_only", "plain", "right to write"),
    ],
)
def test_a_missing_right_is_named_and_the_old_file_stays(
    pyftpd: PyftpdServer, open_at: Callable[..., FtpDestination], account: str, variant: str, right: str
) -> None:
    place = ftp_place(pyftpd, variant)
    write(open_at(place), "users.csv", SMALL)
    destination = open_at(replace(place, username=account))

    with pytest.raises(DestinationRefused, match=right):
        write(destination, "users.csv", BIG, token=2)

    assert read(open_at(place), "users.csv") == SMALL


def test_rights_to_make_folders_delete_and_list_are_named(
    pyftpd: PyftpdServer, open_at: Callable[..., FtpDestination]
) -> None:
    place = ftp_place(pyftpd)
    write(open_at(place), "users.csv", SMALL)

    with pytest.raises(DestinationRefused, match="right to make folders"):
        open_at(replace(place, username="no_mkdir")).put("new/users.csv", content_of(SMALL), token=1)
    with pytest.raises(DestinationRefused, match="right to delete"):
        open_at(replace(place, username="no_delete")).delete("users.csv")
    with pytest.raises(DestinationRefused, match="right to enter and list"):
        open_at(replace(place, username="no_list")).list("")
    with pytest.raises(DestinationRefused, match="right to list"):
        open_at(replace(place, username="no_list")).stat("users.csv")
    for reads_back in (True, False):
        listless = replace(place, username="no_list", reads_back=reads_back)
        with pytest.raises(DestinationRefused, match="right to list"):
            open_at(listless).put("users.csv", content_of(SMALL), token=2)


def test_the_rights_that_a_customer_must_give_are_told(pyftpd: PyftpdServer) -> None:
    place = ftp_place(pyftpd)
    told = least_rights(place)

    assert all(word in told for word in ("RNTO", "DELE", "MKD", "Passive", place.directory))
    assert "ports 1024" in least_rights(replace(place, is_passive=False))
    assert FtpDestination("customer", place).rights() == told


# Login and TLS


def test_a_refused_login_never_tells_the_password(pyftpd: PyftpdServer, open_at: Callable[..., FtpDestination]) -> None:
    place = ftp_place(pyftpd, "quotes_password")

    with pytest.raises(DestinationRefused, match="user name, the password") as caught:
        open_at(place).stat("users.csv")

    shown, error = "", caught.value
    while error is not None:
        shown += str(error) + repr(error)
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    assert "530" in shown
    assert PASSWORD not in shown
    assert PASSWORD not in repr(open_at(place))


def test_a_wrong_password_and_one_with_a_line_break_are_refused(
    pyftpd: PyftpdServer, open_at: Callable[..., FtpDestination]
) -> None:
    place = ftp_place(pyftpd, "tls")
    with pytest.raises(DestinationRefused, match="530"):
        open_at(replace(place, password=SecretStr("wrong"))).stat("users.csv")
    with pytest.raises(DestinationRefused, match="line break"):
        open_at(replace(place, password=SecretStr("x\r\nDELE users.csv"))).stat("users.csv")
    with pytest.raises(DestinationRefused, match="encoding"):
        open_at(replace(place, password=SecretStr("日本"), encoding="latin-1")).stat("users.csv")
    with pytest.raises(DestinationRefused, match="line break"):
        open_at(replace(place, directory="/x\r\nDELE users.csv")).stat("users.csv")


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("530 Login incorrect.", DestinationClosed),
        ("530 Login incorrect, please try again.", DestinationClosed),
        ("530 Account temporarily disabled.", DestinationClosed),
        ("530 Login timed out.", DestinationClosed),
        ("530 Too many failed login attempts, account locked.", DestinationClosed),
        ("430 Invalid username or password", DestinationClosed),
        ("530 Sorry, the maximum number of clients (3) for this user are already connected.", DestinationUnreachable),
        ("421 There are too many connected users, please try later.", DestinationUnreachable),
        ("421 Too many connections from your IP address", DestinationUnreachable),
        ("421 Service not available.", DestinationDown),
    ],
)
def test_a_refused_login_is_tried_again_only_where_the_house_is_full(reply: str, kind: type[Exception]) -> None:
    """Replies of vsftpd, ProFTPD, FileZilla and IIS: after a few wrong passwords they lock the account."""
    error = ftplib.error_perm if reply.startswith("5") else ftplib.error_temp

    with pytest.raises(kind) as caught, told("customer", FtpPlace("host"), "log in to", "users.csv"):
        raise error(reply)

    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("variant", "found"),
    [("wrong_host", "not valid for 'localhost'"), ("expired", "expired"), ("tls", "unable to get")],
)
def test_a_certificate_that_proves_nothing_is_refused(
    pyftpd: PyftpdServer, open_at: Callable[..., FtpDestination], variant: str, found: str
) -> None:
    place = ftp_place(pyftpd, variant)
    if variant == "tls":
        place = replace(place, ca_file=str(pyftpd.certificates.other_ca))

    with pytest.raises(DestinationRefused, match="to do") as caught:
        open_at(place).stat("users.csv")

    assert found in str(caught.value)


def test_the_authorities_of_the_system_count_where_no_file_is_given(
    vsftpd: VsftpdServer, open_at: Callable[..., FtpDestination], tmp_path: Path
) -> None:
    with pytest.raises(DestinationRefused, match="certificate"):
        open_at(replace(vsftpd_place(vsftpd), ca_file=None)).stat("users.csv")
    with pytest.raises(DestinationRefused, match="ca_file"):
        open_at(replace(vsftpd_place(vsftpd), ca_file=str(tmp_path / "none.pem"))).stat("users.csv")


def test_a_server_without_tls_gets_no_password(
    pyftpd: PyftpdServer, vsftpd: VsftpdServer, open_at: Callable[..., FtpDestination]
) -> None:
    for place in (ftp_place(pyftpd), vsftpd_place(vsftpd, tls=False)):
        with pytest.raises(DestinationRefused, match=r"does not offer TLS[\s\S]* tls: off"):
            open_at(replace(place, tls=True, host="localhost")).stat("users.csv")


def test_plain_ftp_is_refused_by_servers_that_require_tls(
    pyftpd: PyftpdServer, vsftpd: VsftpdServer, open_at: Callable[..., FtpDestination]
) -> None:
    for place in (ftp_place(pyftpd, "tls"), vsftpd_place(vsftpd)):
        with pytest.raises(DestinationRefused, match="to do"):
            open_at(replace(place, tls=False)).stat("users.csv")


# The network


@pytest.mark.parametrize("variant", ["plain", "tls", "ipv6"])
@pytest.mark.parametrize("is_passive", [True, False], ids=["passive", "active"])
def test_data_connections_work_both_ways(
    pyftpd: PyftpdServer, open_at: Callable[..., FtpDestination], variant: str, *, is_passive: bool
) -> None:
    destination = open_at(replace(ftp_place(pyftpd, variant), is_passive=is_passive))
    write(destination, "users.csv", BIG)

    assert read(destination, "users.csv") == BIG
    assert destination.list("") == ("users.csv",)


def test_active_mode_works_with_tls_on_vsftpd_and_tells_another_address(
    vsftpd: VsftpdServer, open_at: Callable[..., FtpDestination]
) -> None:
    place = replace(vsftpd_place(vsftpd), is_passive=False)
    destination = open_at(place)
    write(destination, "users.csv", BIG)
    assert read(destination, "users.csv") == BIG

    with pytest.raises(DestinationRefused, match="PORT"):
        open_at(replace(place, active_address="192.0.2.1")).put("users.csv", content_of(SMALL), token=2)


@pytest.mark.parametrize("variant", ["masquerading", "old_text"])
def test_odd_addresses_and_greetings_do_no_harm(
    pyftpd: PyftpdServer, open_at: Callable[..., FtpDestination], variant: str
) -> None:
    destination = open_at(ftp_place(pyftpd, variant))
    write(destination, "users.csv", SMALL)

    assert read(destination, "users.csv") == SMALL


def test_a_full_disk_may_pass_and_the_reason_is_told(
    pyftpd: PyftpdServer, open_at: Callable[..., FtpDestination]
) -> None:
    destination = open_at(ftp_place(pyftpd, "quota"))

    with pytest.raises(DestinationUnreachable, match="free space"):
        destination.put("users.csv", content_of(BIG), token=1)

    assert destination.list("") == ()


def test_nobody_there_and_nobody_answering_may_pass(open_at: Callable[..., FtpDestination]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = FtpPlace("127.0.0.1", silent.getsockname()[1], tls=False, timeout_seconds=0.2)
        with pytest.raises(DestinationDown, match="in time"):
            open_at(place).stat("users.csv")
    with pytest.raises(DestinationDown, match="refused"):
        open_at(place).stat("users.csv")
    with pytest.raises(DestinationDown, match="no address"):
        open_at(replace(place, host="no-such-host.invalid")).stat("users.csv")
    with pytest.raises(DestinationClosed, match="cannot be one"):
        open_at(replace(place, host="ftp..example.com")).stat("users.csv")


def test_a_connection_that_the_server_ended_is_opened_anew(
    pyftpd: PyftpdServer, open_at: Callable[..., FtpDestination]
) -> None:
    destination = open_at(ftp_place(pyftpd, "impatient"))
    write(destination, "users.csv", SMALL)
    [(idle, _)] = destination._pool._idle
    assert select.select([idle.sock], [], [], 10)[0], "the server did not end it"

    assert read(destination, "users.csv") == SMALL


def test_threads_share_a_few_connections(place: FtpPlace, open_at: Callable[..., FtpDestination]) -> None:
    destination = open_at(place)
    names = [f"media/{number}.csv" for number in range(6)]
    threads = [threading.Thread(target=write, args=(destination, name, BIG[:300_000])) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert destination.list("") == tuple(names)
    assert len(destination._pool._idle) <= place.connections
    assert all(read(destination, name) == BIG[:300_000] for name in names)


def test_a_reader_that_stops_early_harms_nobody(place: FtpPlace, open_at: Callable[..., FtpDestination]) -> None:
    destination = open_at(replace(place, connections=1))
    write(destination, "users.csv", BIG)
    blocks = destination.read("users.csv")
    next(blocks)
    blocks.close()  # type: ignore[attr-defined]

    assert read(destination, "users.csv") == BIG


def test_nobody_waits_for_ever_for_a_connection(pyftpd: PyftpdServer, open_at: Callable[..., FtpDestination]) -> None:
    destination = open_at(replace(ftp_place(pyftpd), connections=1, timeout_seconds=0.5))
    write(destination, "users.csv", SMALL)
    reader = destination.read("users.csv")
    next(reader)

    with pytest.raises(DestinationUnreachable, match=r"all connections .* in use"):
        destination.stat("users.csv")
    list(reader)

    assert read(destination, "users.csv") == SMALL


@pytest.mark.parametrize("name", ["users.csv\r\nDELE users.csv", "a\nb", "a\rb"])
def test_a_name_cannot_bring_a_command_of_its_own(
    pyftpd: PyftpdServer, open_at: Callable[..., FtpDestination], name: str
) -> None:
    destination = open_at(ftp_place(pyftpd))
    write(destination, "users.csv", SMALL)
    for use in (destination.stat, destination.delete, destination.read):
        with pytest.raises(DestinationRefused, match="line break"):
            list(use(name) or ())  # type: ignore[call-overload]

    assert destination.list("users.csv\r\nDELE x/") == ()
    assert destination.list("") == ("users.csv",)


def test_names_that_the_encoding_of_the_server_lacks_are_refused(
    pyftpd: PyftpdServer, open_at: Callable[..., FtpDestination]
) -> None:
    destination = open_at(replace(ftp_place(pyftpd, "old_text"), encoding="latin-1"))
    for name in ("日本.csv", "ÿ.csv"):
        with pytest.raises(DestinationRefused, match="to do"):
            destination.put(name, content_of(SMALL), token=1)
    write(destination, "é.csv", SMALL)

    assert destination.list("") == ("é.csv",)


def test_a_folder_below_that_of_the_login_needs_no_slash(
    pyftpd: PyftpdServer, open_at: Callable[..., FtpDestination]
) -> None:
    directory = ftp_place(pyftpd).directory.lstrip("/")
    destination = open_at(ftp_place(pyftpd, directory=f"{directory}/in"))
    write(destination, "users.csv", SMALL)

    assert (pyftpd.root / directory / "in" / "users.csv").read_bytes() == SMALL


def wait_until(is_so: Callable[[], bool]) -> None:
    """The server writes what it received before the cut in its own time."""
    for _ in range(500):
        if is_so():
            return
        threading.Event().wait(0.01)
    pytest.fail("the server wrote nothing")
