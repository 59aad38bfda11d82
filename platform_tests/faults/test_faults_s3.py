"""Every fault that a proxy can bring before an S3 store, in the middle of a whole publication."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from offramp.destinations.s3.destination import S3Destination
from platform_tests.destinations.s3_place import PART_BYTES, s3_place, unfinished
from platform_tests.faults.http_proxy import HttpProxy
from platform_tests.faults.publication import CORRECTION, NAME, Ground, Known, learn, publication
from platform_tests.faults.reader import S3Look
from platform_tests.faults.s3_cases import LARGE_BYTES, S3_CASES, client_of
from platform_tests.faults.staging import make_template
from platform_tests.faults.table import cases_of, outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from platform_tests.faults.table import Case
    from platform_tests.servers.seaweedfs import SeaweedfsServer


def ground_of(server: SeaweedfsServer, proxy: HttpProxy, key: str, **settings: Any) -> Ground:
    """A fresh prefix behind the proxy; where credentials expire and come back, those of a role."""
    role = {"assume_role": server.role_arn} if key == "credentials-expire" else {}
    place = s3_place(server, endpoint_url=proxy.url, **role, **settings)

    def mend() -> None:
        proxy.restore()
        proxy.retarget(int(urlsplit(server.endpoint_url).port or 0))

    return Ground(
        open=partial(S3Destination, NAME, place),
        look=S3Look(client_of(server), place.bucket, place.prefix),
        unfinished=partial(unfinished, server, place),
        expect_hit=proxy.expect_all_hit,
        mend=mend,
    )


@pytest.fixture
def proxy(seaweedfs: SeaweedfsServer) -> Iterator[HttpProxy]:
    with HttpProxy("127.0.0.1", int(urlsplit(seaweedfs.endpoint_url).port or 0)) as found:
        yield found


@pytest.fixture(scope="module")
def known(seaweedfs: SeaweedfsServer, tmp_path_factory: pytest.TempPathFactory) -> Known:
    folder = tmp_path_factory.mktemp("s3")
    template = make_template(folder / "template", LARGE_BYTES)
    with HttpProxy("127.0.0.1", int(urlsplit(seaweedfs.endpoint_url).port or 0)) as proxy:
        return learn(template, folder / "reference", ground_of(seaweedfs, proxy, ""))


@pytest.mark.parametrize("case", cases_of("s3"), ids=str)
def test_a_fault(seaweedfs: SeaweedfsServer, proxy: HttpProxy, known: Known, tmp_path: Path, case: Case) -> None:
    fault = S3_CASES[case.key]
    ground = ground_of(seaweedfs, proxy, case.key, **fault.settings)
    known = known.verified_by("read_back") if fault.settings.get("reads_back") else known
    with publication(known, tmp_path / "house", ground) as one:
        fault.arm(proxy)
        one.expect(one.run(), case.outcome, *fault.words, retries=fault.retries)
        one.expect_end()


def test_a_fault_in_a_correction(seaweedfs: SeaweedfsServer, proxy: HttpProxy, known: Known, tmp_path: Path) -> None:
    with publication(known, tmp_path / "house", ground_of(seaweedfs, proxy, ""), is_correction=True) as one:
        S3_CASES["slow-down-for-long"].arm(proxy)
        one.expect_failed(one.run(CORRECTION))
        one.expect_end()


def test_a_lost_answer_in_a_correction(
    seaweedfs: SeaweedfsServer, proxy: HttpProxy, known: Known, tmp_path: Path
) -> None:
    """The large file of the second revision stands there, and the run that wrote it was told that it does not."""
    with publication(known, tmp_path / "house", ground_of(seaweedfs, proxy, ""), is_correction=True) as one:
        S3_CASES["done-but-500"].arm(proxy)
        run = one.run(CORRECTION)
        proxy.expect_all_hit()
        assert (run.failures, len(run.retries)) == ((), 1)
        one.expect_end()


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(12))
def test_a_cut_anywhere(seaweedfs: SeaweedfsServer, proxy: HttpProxy, known: Known, tmp_path: Path, seed: int) -> None:
    drawn = random.Random(seed)  # noqa: S311 - no secret
    with publication(known, tmp_path / "house", ground_of(seaweedfs, proxy, "")) as one:
        proxy.cut_request(drawn.randrange(PART_BYTES), method="PUT", path=r"partNumber=[12]", nth=drawn.randint(1, 2))
        one.expect(one.run(), outcome_of("cut-anywhere", "s3"))
        one.expect_end()
