"""The faults of Google's JSON API before Google Cloud Storage, in the middle of a whole publication."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from offramp.destinations.gcs.destination import GcsDestination
from platform_tests.destinations.gcs_place import gcs_place
from platform_tests.faults.gcs_cases import CHUNK_BYTES, GCS_CASES, LARGE_BYTES
from platform_tests.faults.http_proxy import HttpProxy
from platform_tests.faults.publication import CORRECTION, NAME, Ground, Known, learn, publication
from platform_tests.faults.reader import GcsLook
from platform_tests.faults.staging import make_template
from platform_tests.faults.table import cases_of, outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from platform_tests.faults.table import Case
    from platform_tests.servers.gcs import GcsServer


def ground_of(server: GcsServer, proxy: HttpProxy, **settings: Any) -> Ground:
    """A fresh prefix behind the proxy."""
    place = gcs_place(server, **{"endpoint_url": proxy.url, "chunk_bytes": CHUNK_BYTES, **settings})

    def mend() -> None:
        proxy.restore()
        proxy.retarget(server.port)

    return Ground(
        open=partial(GcsDestination, NAME, place),
        look=GcsLook(server.behind, place.bucket, place.prefix),
        expect_hit=proxy.expect_all_hit,
        mend=mend,
    )


@pytest.fixture
def proxy(gcs_server: GcsServer) -> Iterator[HttpProxy]:
    with HttpProxy("127.0.0.1", gcs_server.port) as found:
        yield found


@pytest.fixture(scope="module")
def known(gcs_server: GcsServer, tmp_path_factory: pytest.TempPathFactory) -> Known:
    folder = tmp_path_factory.mktemp("gcs")
    template = make_template(folder / "template", LARGE_BYTES)
    with HttpProxy("127.0.0.1", gcs_server.port) as proxy:
        return learn(template, folder / "reference", ground_of(gcs_server, proxy))


@pytest.mark.parametrize("case", cases_of("gcs"), ids=str)
def test_a_fault(gcs_server: GcsServer, proxy: HttpProxy, known: Known, tmp_path: Path, case: Case) -> None:
    fault = GCS_CASES[case.key]
    ground = ground_of(gcs_server, proxy, **fault.settings)
    known = known.verified_by("read_back") if fault.settings.get("reads_back") else known
    with publication(known, tmp_path / "house", ground) as one:
        fault.arm(proxy)
        one.expect(one.run(), case.outcome, *fault.words, retries=fault.retries)
        one.expect_end()


def test_a_fault_in_a_correction(gcs_server: GcsServer, proxy: HttpProxy, known: Known, tmp_path: Path) -> None:
    with publication(known, tmp_path / "house", ground_of(gcs_server, proxy), is_correction=True) as one:
        GCS_CASES["slow-down-for-long"].arm(proxy)
        one.expect_failed(one.run(CORRECTION))
        one.expect_end()


def test_a_lost_answer_in_a_correction(gcs_server: GcsServer, proxy: HttpProxy, known: Known, tmp_path: Path) -> None:
    """The large file of the second revision stands there, and the run that wrote it was told that it does not."""
    with publication(known, tmp_path / "house", ground_of(gcs_server, proxy), is_correction=True) as one:
        GCS_CASES["done-but-500"].arm(proxy)
        run = one.run(CORRECTION)
        proxy.expect_all_hit()
        assert (run.failures, len(run.retries)) == ((), 1)
        one.expect_end()


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(12))
def test_a_cut_anywhere(gcs_server: GcsServer, proxy: HttpProxy, known: Known, tmp_path: Path, seed: int) -> None:
    drawn = random.Random(seed)  # noqa: S311 - no secret
    with publication(known, tmp_path / "house", ground_of(gcs_server, proxy)) as one:
        proxy.cut_request(drawn.randrange(CHUNK_BYTES), method="PUT", path=r"upload_id=", nth=drawn.randint(1, 3))
        one.expect(one.run(), outcome_of("cut-anywhere", "gcs"))
        one.expect_end()
