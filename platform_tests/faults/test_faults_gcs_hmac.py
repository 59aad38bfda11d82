"""The faults of S3's protocol before Google Cloud Storage with HMAC keys, in the middle of a whole publication."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from offramp.destinations.s3.destination import S3Destination
from platform_tests.destinations.gcs_hmac_place import gcs_hmac_place
from platform_tests.destinations.s3_place import PART_BYTES, unfinished
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
    from platform_tests.servers.gcs_xml import GcsXmlServer


def ground_of(server: GcsXmlServer, proxy: HttpProxy, **settings: Any) -> Ground:
    """A fresh prefix behind the proxy."""
    place = replace(gcs_hmac_place(server, **settings), endpoint_url=proxy.url)

    def mend() -> None:
        proxy.restore()
        proxy.retarget(server.port)

    return Ground(
        open=partial(S3Destination, NAME, place),
        look=S3Look(client_of(server.seaweedfs), place.bucket, place.prefix),
        unfinished=partial(unfinished, server.seaweedfs, place),
        expect_hit=proxy.expect_all_hit,
        mend=mend,
    )


@pytest.fixture
def proxy(gcs_xml_server: GcsXmlServer) -> Iterator[HttpProxy]:
    with HttpProxy("127.0.0.1", gcs_xml_server.port) as found:
        yield found


@pytest.fixture(scope="module")
def known(gcs_xml_server: GcsXmlServer, tmp_path_factory: pytest.TempPathFactory) -> Known:
    folder = tmp_path_factory.mktemp("gcs_hmac")
    template = make_template(folder / "template", LARGE_BYTES)
    with HttpProxy("127.0.0.1", gcs_xml_server.port) as proxy:
        return learn(template, folder / "reference", ground_of(gcs_xml_server, proxy))


@pytest.mark.parametrize("case", cases_of("gcs_hmac"), ids=str)
def test_a_fault(gcs_xml_server: GcsXmlServer, proxy: HttpProxy, known: Known, tmp_path: Path, case: Case) -> None:
    fault = S3_CASES[case.key]
    ground = ground_of(gcs_xml_server, proxy, **fault.settings)
    known = known.verified_by("read_back") if fault.settings.get("reads_back") else known
    with publication(known, tmp_path / "house", ground) as one:
        fault.arm(proxy)
        one.expect(one.run(), case.outcome, *fault.words, retries=fault.retries)
        one.expect_end()


def test_a_fault_in_a_correction(gcs_xml_server: GcsXmlServer, proxy: HttpProxy, known: Known, tmp_path: Path) -> None:
    with publication(known, tmp_path / "house", ground_of(gcs_xml_server, proxy), is_correction=True) as one:
        S3_CASES["slow-down-for-long"].arm(proxy)
        one.expect_failed(one.run(CORRECTION))
        one.expect_end()


def test_a_lost_answer_in_a_correction(
    gcs_xml_server: GcsXmlServer, proxy: HttpProxy, known: Known, tmp_path: Path
) -> None:
    """The large file of the second revision stands there, and the run that wrote it was told that it does not."""
    with publication(known, tmp_path / "house", ground_of(gcs_xml_server, proxy), is_correction=True) as one:
        S3_CASES["done-but-500"].arm(proxy)
        run = one.run(CORRECTION)
        proxy.expect_all_hit()
        assert (run.failures, len(run.retries)) == ((), 1)
        one.expect_end()


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(12))
def test_a_cut_anywhere(
    gcs_xml_server: GcsXmlServer, proxy: HttpProxy, known: Known, tmp_path: Path, seed: int
) -> None:
    drawn = random.Random(seed)  # noqa: S311 - no secret
    with publication(known, tmp_path / "house", ground_of(gcs_xml_server, proxy)) as one:
        proxy.cut_request(drawn.randrange(PART_BYTES), method="PUT", path=r"partNumber=[12]", nth=drawn.randint(1, 2))
        one.expect(one.run(), outcome_of("cut-anywhere", "gcs_hmac"))
        one.expect_end()
