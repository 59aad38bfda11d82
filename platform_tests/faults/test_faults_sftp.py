"""Every fault that a proxy can bring before an SFTP server, in the middle of a whole publication."""

from __future__ import annotations

import random
import shutil
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from offramp.destinations.sftp.destination import SftpDestination
from platform_tests.destinations.sftp_place import sftp_place
from platform_tests.faults.full_disk import full_disk
from platform_tests.faults.publication import CORRECTION, NAME, Ground, Known, learn, mended_by, publication
from platform_tests.faults.reader import FolderLook
from platform_tests.faults.sftp_cases import LARGE_BYTES, SFTP_CASES
from platform_tests.faults.staging import LARGE, make_template
from platform_tests.faults.table import cases_of, outcome_of
from platform_tests.faults.tcp_proxy import TcpProxy
from platform_tests.servers.sshd import run as run_sshd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from platform_tests.faults.table import Case
    from platform_tests.servers.sshd import SshServer


@dataclass(frozen=True)
class Way:
    """A folder of a server, behind a proxy."""

    server: SshServer
    proxy: TcpProxy
    root: Path

    def ground(self, **settings: Any) -> Ground:
        place = sftp_place(self.server, self.root, port=self.proxy.port, **settings)
        return Ground(
            open=lambda: SftpDestination(NAME, place),
            look=FolderLook(self.root),
            unfinished=lambda: [str(path) for path in self.root.rglob(".*.tmp")],
            expect_hit=self.proxy.expect_all_hit,
            mend=self.proxy.restore,
        )


@contextmanager
def way_to(server: SshServer, root: Path) -> Iterator[Way]:
    with TcpProxy("127.0.0.1", server.port) as proxy:
        yield Way(server, proxy, root)


@pytest.fixture
def way(sshd: SshServer) -> Iterator[Way]:
    root = sshd.files / uuid.uuid4().hex
    with way_to(sshd, root) as found:
        yield found
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="module")
def known(sshd: SshServer, tmp_path_factory: pytest.TempPathFactory) -> Known:
    folder = tmp_path_factory.mktemp("sftp")
    with way_to(sshd, sshd.files / folder.name) as way:
        return learn(make_template(folder / "template", LARGE_BYTES), folder / "reference", way.ground())


@pytest.mark.parametrize("case", cases_of("sftp"), ids=str)
def test_a_fault(way: Way, known: Known, tmp_path: Path, case: Case) -> None:
    fault = SFTP_CASES[case.key]
    ground = way.ground(**fault.settings)
    with publication(known, tmp_path / "house", ground) as one:
        fault.arm(way.proxy)
        one.expect(one.run(), case.outcome, *fault.words, retries=fault.retries)
        one.expect_end()


def test_connections_that_are_dropped(way: Way, known: Known, tmp_path: Path) -> None:
    with publication(known, tmp_path / "house", way.ground()) as one:
        one.at("publish.commit", 5, way.proxy.drop)
        one.expect(one.run(), outcome_of("connections-are-dropped", "sftp"), retries=0)
        one.expect_end()


def test_a_full_disk(way: Way, known: Known, tmp_path: Path) -> None:
    with full_disk(16) as disk:
        ground = replace(replace(way, root=disk.folder / "partner").ground(), mend=disk.free)
        with publication(known, tmp_path / "house", ground) as one:
            disk.fill(leave_bytes=3_000_000)
            one.expect(one.run(), outcome_of("full", "sftp"), "its disk or quota is full")
            one.expect_end()


RIGHTS = {"rename-refused": ("posix-rename,rename", "rename files"), "folder-refused": ("mkdir", "create folders")}


@pytest.mark.parametrize("key", RIGHTS)
def test_a_right_that_is_missing(way: Way, known: Known, tmp_path: Path, key: str) -> None:
    denied, word = RIGHTS[key]
    with run_sshd(sftp=f"-P {denied}") as server, way_to(server, way.root) as narrow:
        ground = mended_by(narrow.ground(), way.ground())
        with publication(known, tmp_path / "house", ground) as one:
            one.expect(one.run(), outcome_of(key, "sftp"), word, "ask the customer for the right")
            one.expect_end()


def test_something_in_the_way(way: Way, known: Known, tmp_path: Path) -> None:
    (way.root / LARGE).mkdir(parents=True)
    ground = replace(way.ground(), mend=(way.root / LARGE).rmdir)
    with publication(known, tmp_path / "house", ground) as one:
        one.expect(one.run(), outcome_of("in-the-way", "sftp"), "something stands in the way")
        one.expect_end()


def test_a_changed_host_key(way: Way, known: Known, tmp_path: Path) -> None:
    with run_sshd() as other:
        ground = replace(way.ground(), mend=lambda: way.proxy.retarget(way.server.port))
        with publication(known, tmp_path / "house", ground) as one:
            way.proxy.retarget(other.port)
            told = (way.server.fingerprint(), other.fingerprint(), "no credential was sent")
            one.expect(one.run(), outcome_of("host-key-changed", "sftp"), *told)
            assert "userauth" not in other.log
            assert not way.root.exists()
            one.expect_end()


def test_a_fault_in_a_correction(way: Way, known: Known, tmp_path: Path) -> None:
    with publication(known, tmp_path / "house", way.ground(), is_correction=True) as one:
        one.at("publish.commit", 1, lambda: (way.proxy.refuse(), way.proxy.drop()))
        one.expect_failed(one.run(CORRECTION))
        one.expect_end()


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(12))
def test_a_cut_anywhere(way: Way, known: Known, tmp_path: Path, seed: int) -> None:
    drawn = random.Random(seed)  # noqa: S311 - no secret
    with publication(known, tmp_path / "house", way.ground()) as one:
        way.proxy.cut(after_bytes=drawn.randrange(LARGE_BYTES), direction=drawn.choice(("up", "down")))
        one.expect(one.run(), outcome_of("cut-anywhere", "sftp"))
        one.expect_end()
