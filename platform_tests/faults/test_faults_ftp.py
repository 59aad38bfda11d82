"""Every fault that proxies can bring before an FTP server, in the middle of a whole publication.

FTP is plain on pyftpdlib; with TLS it is on pyftpdlib and on vsftpd, which must come to the same.
"""

from __future__ import annotations

import random
import subprocess
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from offramp.destinations.ftp.destination import FtpDestination
from platform_tests.destinations.ftp_place import ftp_place
from platform_tests.destinations.vsftpd_place import vsftpd_place
from platform_tests.faults.ftp_cases import FTP_CASES, LARGE_BYTES
from platform_tests.faults.full_disk import full_disk
from platform_tests.faults.publication import CORRECTION, NAME, Ground, Known, learn, publication
from platform_tests.faults.reader import FolderLook
from platform_tests.faults.staging import Template, make_template
from platform_tests.faults.table import cases_of, outcome_of
from platform_tests.faults.tcp_proxy import FtpProxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from offramp.destinations.ftp.place import FtpPlace
    from platform_tests.faults.table import Case

SERVERS = ("ftp", "ftps", "vsftpd")


@dataclass(frozen=True)
class Server:
    """One of the servers: a place in a folder that this machine can see. ``kind`` is its column of the table."""

    name: str
    place: FtpPlace
    root: Path
    passive_ports: tuple[int, ...]

    @property
    def kind(self) -> str:
        return "ftp" if self.name == "ftp" else "ftps"

    def proxy(self) -> FtpProxy:
        return FtpProxy(self.place.port, self.passive_ports)


def ground_of(server: Server, proxy: FtpProxy, **settings: Any) -> Ground:
    """A folder of its own behind the proxy."""
    directory = f"{server.place.directory}-{uuid.uuid4().hex}"
    place = replace(server.place, **{"host": proxy.host, "port": proxy.port, "directory": directory, **settings})
    root = server.root / place.directory.lstrip("/")
    return Ground(
        open=lambda: FtpDestination(NAME, place),
        look=FolderLook(root),
        unfinished=lambda: [str(path) for path in root.rglob(".*")],
        expect_hit=proxy.expect_all_hit,
        mend=proxy.restore,
    )


def server_of(name: str, request: pytest.FixtureRequest) -> Server:
    if name == "vsftpd":
        other = request.getfixturevalue("vsftpd")
        return Server(name, vsftpd_place(other), other.root, other.passive_ports)
    running = request.getfixturevalue("pyftpd")
    place = ftp_place(running, "tls" if name == "ftps" else "plain")
    return Server(name, place, running.root, running.passive_ports)


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Server:
    return server_of(request.param, request)


@pytest.fixture
def proxy(server: Server) -> Iterator[FtpProxy]:
    with server.proxy() as found:
        yield found


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return make_template(tmp_path_factory.mktemp("ftp") / "template", LARGE_BYTES)


@pytest.fixture(scope="module")
def known(server: Server, template: Template, tmp_path_factory: pytest.TempPathFactory) -> Known:
    with server.proxy() as proxy:
        return learn(template, tmp_path_factory.mktemp("ftp") / "reference", ground_of(server, proxy))


@pytest.mark.parametrize("case", cases_of("ftps"), ids=str)
def test_a_fault(server: Server, proxy: FtpProxy, known: Known, tmp_path: Path, case: Case) -> None:
    fault = FTP_CASES[case.key]
    with publication(known, tmp_path / "house", ground_of(server, proxy, **fault.settings)) as one:
        fault.arm(proxy)
        one.expect(one.run(), outcome_of(case.key, server.kind, server.name), *fault.words, retries=fault.retries)
        one.expect_end()


def test_connections_that_are_dropped(server: Server, proxy: FtpProxy, known: Known, tmp_path: Path) -> None:
    with publication(known, tmp_path / "house", ground_of(server, proxy)) as one:
        one.at("publish.commit", 5, proxy.control.drop)
        one.expect(one.run(), outcome_of("connections-are-dropped", server.kind), retries=0)
        one.expect_end()


def test_a_full_disk(server: Server, proxy: FtpProxy, known: Known, tmp_path: Path) -> None:
    ground = ground_of(server, proxy, timeout_seconds=2)
    assert isinstance(ground.look, FolderLook)
    with full_disk(12) as disk, mounted(disk.folder / "partner", ground.look.root):
        ground = replace(ground, mend=disk.free)
        with publication(known, tmp_path / "house", ground) as one:
            disk.fill(leave_bytes=2_000_000)
            # pyftpdlib says 426 without a reason, or nothing at all.
            words = ("disk may be full",) if server.name == "vsftpd" else ()
            one.expect(one.run(), outcome_of("full", server.kind), *words)
            one.expect_end()


@contextmanager
def mounted(folder: Path, at: Path) -> Iterator[None]:
    """Show a folder at another path too: what a server that keeps to its root can follow."""
    for one in (folder, at):
        one.mkdir()
        one.chmod(0o777)
    subprocess.run(["mount", "--bind", folder, at], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", at], check=True)


def test_a_fault_in_a_correction(server: Server, proxy: FtpProxy, known: Known, tmp_path: Path) -> None:
    with publication(known, tmp_path / "house", ground_of(server, proxy), is_correction=True) as one:
        one.at("publish.commit", 1, lambda: (proxy.refuse(), proxy.control.drop()))
        one.expect_failed(one.run(CORRECTION))
        one.expect_end()


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(8))
def test_a_cut_anywhere(server: Server, proxy: FtpProxy, known: Known, tmp_path: Path, seed: int) -> None:
    drawn = random.Random(seed)  # noqa: S311 - no secret
    with publication(known, tmp_path / "house", ground_of(server, proxy, timeout_seconds=2)) as one:
        after, is_reset = drawn.randrange(LARGE_BYTES), drawn.choice((True, False))
        proxy.data.cut(after_bytes=after, direction=drawn.choice(("up", "down")), reset=is_reset)
        one.expect(one.run(), outcome_of("cut-anywhere", server.kind))
        one.expect_end()
