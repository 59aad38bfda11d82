"""Faults that an FTP server itself brings, in the middle of a whole publication: rights, quotas, certificates."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from offramp.pipeline.shelves import RemoteShelf
from offramp.pipeline.verify import verify_place
from platform_tests.faults.ftp_cases import LARGE_BYTES
from platform_tests.faults.publication import Known, learn, mended_by, publication
from platform_tests.faults.staging import LARGE, make_template, open_house, run_all
from platform_tests.faults.table import Outcome, outcome_of
from platform_tests.faults.test_faults_ftp import Server, ground_of, server_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from platform_tests.faults.tcp_proxy import FtpProxy
    from platform_tests.servers.pyftpd import PyftpdServer


@pytest.fixture(scope="module", params=["ftp", "ftps"])
def server(request: pytest.FixtureRequest) -> Server:
    return server_of(request.param, request)


@pytest.fixture
def proxy(server: Server) -> Iterator[FtpProxy]:
    with server.proxy() as found:
        yield found


@pytest.fixture(scope="module")
def known(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Known:
    folder = tmp_path_factory.mktemp("ftp")
    with server.proxy() as proxy:
        return learn(make_template(folder / "template", LARGE_BYTES), folder / "reference", ground_of(server, proxy))


RIGHTS = {"rename-refused": ("no_rename", "RNTO"), "folder-refused": ("no_mkdir", "MKD")}


@pytest.mark.parametrize("key", RIGHTS)
def test_a_right_that_is_missing(server: Server, proxy: FtpProxy, known: Known, tmp_path: Path, key: str) -> None:
    account, word = RIGHTS[key]
    directory = f"/{uuid.uuid4().hex}"
    whole = ground_of(server, proxy, directory=directory)
    narrow = ground_of(server, proxy, username=account, directory=directory)
    with publication(known, tmp_path / "house", mended_by(narrow, whole)) as one:
        one.expect(one.run(), outcome_of(key, server.kind), word, "give this account the right")
        one.expect_end()


@pytest.mark.parametrize("server", ["ftp"], indirect=True)
def test_a_connection_that_the_server_ended_while_idle(
    server: Server, proxy: FtpProxy, known: Known, tmp_path: Path, pyftpd: PyftpdServer
) -> None:
    """The server says 421 after a second; the next use of the connection finds it out."""

    def idle() -> None:
        deadline, before = time.monotonic() + 20, proxy.control.bytes_down
        while proxy.control.bytes_down == before:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    with publication(known, tmp_path / "house", ground_of(server, proxy)) as one:
        proxy.control.retarget(pyftpd.ports["impatient"])
        one.at("publish.commit", 5, idle)
        one.expect(one.run(), outcome_of("idle-connection-ended", "ftp"), retries=0)
        one.expect_end()


@pytest.mark.parametrize("server", ["ftps"], indirect=True)
def test_a_changed_certificate(
    server: Server, proxy: FtpProxy, known: Known, tmp_path: Path, pyftpd: PyftpdServer
) -> None:
    ground = replace(ground_of(server, proxy), mend=lambda: proxy.control.retarget(server.place.port))
    with publication(known, tmp_path / "house", ground) as one:
        proxy.control.retarget(pyftpd.ports["wrong_host"])
        one.expect(one.run(), outcome_of("certificate-changed", "ftps"), "certificate does not prove", "127.0.0.2")
        one.expect_end()


@pytest.mark.parametrize("server", ["ftp"], indirect=True)
def test_a_flipped_bit_is_not_noticed_where_the_size_will_do(server: Server, proxy: FtpProxy, tmp_path: Path) -> None:
    """Stated as it is: the settings gave the proof away. ``offramp verify`` finds it, and so does the recipient."""
    house = open_house(tmp_path / "house", LARGE_BYTES)
    destination = ground_of(server, proxy, reads_back=False).open()
    house.rooms = replace(house.rooms, destination=lambda _name, _one: destination)
    fault = proxy.data.flip(at_byte=2_000_000)

    run = run_all(house)

    assert (fault.hits, run.failures, run.retries) == (1, (), ())
    assert outcome_of("flipped-bit-and-size-alone", "ftp") is Outcome.MISSED
    report = verify_place(RemoteShelf(destination, "the place"))
    assert [problem for check in report.deliveries for problem in check.problems if problem.startswith(LARGE)]
    destination.close()
