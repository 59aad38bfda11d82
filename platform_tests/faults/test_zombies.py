"""Two runs at once end as one delivery, and a run that was stopped and goes on later changes nothing any more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from offramp.domain.deliveries import State
from offramp.pipeline.redeliver import redeliver
from offramp.pipeline.shelves import RemoteShelf
from offramp.pipeline.verify import verify_place
from platform_tests.destinations.places import KINDS
from platform_tests.faults.publication_bench import Bench
from platform_tests.faults.publication_run import DAY, REASON, Kit, Publication, deliver, make_kit, stalled, waiting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from offramp.domain.deliveries import DeliveryRecord
    from platform_tests.pipeline.house import House

# A claim runs out after 15 minutes.
LATER, STILL_LATER = 20, 40
# The claim was found good, and the rows, or the manifest, are about to get their name.
ROWS_COMMIT, MANIFEST_COMMIT = ("publish.commit", 1), ("publish.commit", 6)
FIRST = [("publish.put", 1), MANIFEST_COMMIT]
CORRECTION = [("publish.supersede", 1), ROWS_COMMIT]
# The driver's step at which a small file gets its name.
NAMED_AT = {"s3": "put", "gcs_hmac": "put", "gcs": "upload"}
CONDITIONAL = {"s3", "gcs", "gcs_hmac"}
ROWS = "items/items_2026_03_02.csv"


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return make_kit(tmp_path_factory.mktemp("kit"))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[False, True], ids=["first", "correction"])
def is_correction(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def bench(
    kind: str, kit: Kit, request: pytest.FixtureRequest, tmp_path: Path, *, is_correction: bool
) -> Iterator[Bench]:
    with Bench(KINDS[kind](request, tmp_path), kit, tmp_path, is_correction) as bench:
        yield bench


def records(house: House) -> tuple[DeliveryRecord, ...]:
    return house.rooms.ledger.find(first_day=DAY, last_day=DAY)


def owners(publication: Publication) -> set[str]:
    """The processes that the ledger names as having published."""
    ledger = publication.house().rooms.ledger
    [delivery_id] = {one.delivery_id for one in ledger.find(first_day=DAY, last_day=DAY)}
    log = ledger.history(delivery_id)  # type: ignore[attr-defined] # what the SQL ledger has beside the protocol
    return {one.owner for one in log if one.to_state is State.PUBLISHED and one.revision == log[-1].revision}


def test_two_runs_at_once_end_as_one_delivery(bench: Bench) -> None:
    publication = bench.publication()
    with bench.reader() as reader:
        with waiting(publication) as one, waiting(publication) as other:
            for run in (one, other):
                assert run.answer() == "ready"
            for run in (one, other):
                run.go()
            assert [one.answer(), other.answer()] == [[], []]
        bench.end(publication)
    assert not reader.faults
    assert len(owners(publication)) == 1, "one published, the other found it done"


def test_a_run_that_was_stopped_changes_nothing_after_another_took_over(bench: Bench) -> None:
    for step, nth in CORRECTION if bench.is_correction else FIRST:
        publication = bench.publication()
        with bench.reader() as reader, stalled(publication, step, nth) as zombie:
            zombie.wait_until_stopped()
            house = publication.house(minutes_later=LATER, over=bench.destination)
            assert not deliver(house).failures
            before = bench.standing()
            zombie.go_on()
            assert zombie.answer() == "ClaimLost", (step, nth)
            assert bench.standing() == before, (step, nth)
            bench.end(publication, is_swept=step != "publish.put")
        assert not reader.faults, (step, nth)


@pytest.mark.parametrize("is_correction", [False], ids=["first"])
def test_a_run_that_was_stopped_leaves_no_upload_behind(bench: Bench) -> None:
    publication = bench.publication()
    with stalled(publication, "publish.put") as zombie:
        zombie.wait_until_stopped()
        assert not deliver(publication.house(minutes_later=LATER, over=bench.destination)).failures
        zombie.go_on()
        assert zombie.answer() == "ClaimLost"

    assert not list(bench.place.unfinished())


def _corrected_meanwhile(bench: Bench, step: str, nth: int) -> tuple[House, bool]:
    """Let a run stand still while others publish and then correct, and say whether it changed anything later."""
    publication = bench.publication()
    with stalled(publication, step, nth) as zombie:
        zombie.wait_until_stopped()
        assert not deliver(publication.house(minutes_later=LATER, over=bench.destination)).failures
        corrected = replace(publication, separator=";").house(minutes_later=STILL_LATER, over=bench.destination)
        assert not deliver(corrected, REASON).failures
        before = bench.standing()
        assert sorted(one.name for one in before if one) == sorted(bench.kit.new)
        zombie.go_on()
        assert zombie.answer() == "ClaimLost", (step, nth)
    states = [(one.revision, one.state) for one in records(corrected)]
    assert states == [(1, State.SUPERSEDED), (2, State.PUBLISHED)]
    return corrected, bench.standing() == before


@pytest.mark.parametrize("is_correction", [False], ids=["first"])
@pytest.mark.parametrize(("step", "nth"), [ROWS_COMMIT, MANIFEST_COMMIT])
def test_a_run_that_was_stopped_brings_back_nothing_that_was_corrected(bench: Bench, step: str, nth: int) -> None:
    _, is_unchanged = _corrected_meanwhile(bench, step, nth)

    assert is_unchanged
    assert verify_place(RemoteShelf(bench.destination, "place")).is_good


@pytest.mark.parametrize("is_correction", [False], ids=["first"])
@pytest.mark.parametrize("kind", sorted(CONDITIONAL))
def test_a_manifest_that_came_back_is_found_and_removed_by_redelivering(bench: Bench) -> None:
    house, is_unchanged = _corrected_meanwhile(bench, *MANIFEST_COMMIT)
    assert verify_place(RemoteShelf(bench.destination, "place")).is_good == is_unchanged

    redeliver(house.rooms, records(house)[-1:])

    report = verify_place(RemoteShelf(bench.destination, "place"))
    assert report.is_good
    assert not report.unmentioned


def _lose_parts(publication: Publication, rows: bytes) -> None:
    """Damage the staged rows in the lake, so that the delivery has to be made anew."""
    for path in (publication.folder / "lake").rglob("*"):
        if path.is_file() and path.read_bytes() == rows:
            path.chmod(0o600)
            path.write_bytes(rows[:-1])


def _stopped_before_a_name(kind: str, bench: Bench) -> House:
    """The smallest moment: the claim was good, the look was good, and the other run is not at its end yet.

    The second revision's rows are about to get their name when its parts are lost and a third one is made.
    """
    publication = bench.publication()
    another = replace(publication, separator="|")
    with stalled(publication, f"before {NAMED_AT.get(kind, 'rename')}") as zombie:
        zombie.wait_until_stopped()
        _lose_parts(publication, bench.kit.new[ROWS])
        with stalled(another, "publish.manifest", minutes_later=LATER) as run:
            run.wait_until_stopped()
            zombie.go_on()
            assert zombie.answer() == "ClaimLost"
            run.go_on()
            assert run.answer() == []
    house = another.house(over=bench.destination)
    states = [(one.revision, one.state) for one in records(house)]
    assert states == [(1, State.SUPERSEDED), (2, State.SUPERSEDED), (3, State.PUBLISHED)]
    return house


@pytest.mark.parametrize("is_correction", [True], ids=["correction"])
def test_a_run_that_was_stopped_right_before_it_gives_a_name_loses_to_one_that_writes_other_bytes(
    kind: str, bench: Bench
) -> None:
    _stopped_before_a_name(kind, bench)

    report = verify_place(RemoteShelf(bench.destination, "place"))
    assert report.is_good
    assert (report.unmentioned, report.leftovers) == ((), ())
    assert not list(bench.place.unfinished())


def test_a_recipient_that_takes_the_files_as_soon_as_the_manifest_stands_gets_them_once(
    kit: Kit, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    taken: dict[str, bytes] = {}
    with Bench(KINDS["local"](request, tmp_path), kit, tmp_path, is_correction=True) as bench:
        publication = bench.publication()

        def take(step: str) -> None:
            if step == "after rename" and "_manifests/delta/items/2026_03_02.r2.json" in bench.destination.list(""):
                for name in bench.destination.list(""):
                    taken[name] = b"".join(bench.destination.read(name))
                    bench.destination.delete(name)

        assert not deliver(publication.house(take)).failures

        assert taken == kit.new
        assert bench.destination.list("") == ()
