"""Delivering again: as it was, or as a correction, and never anything unasked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from offramp.domain.deliveries import DeliveryRecord, State
from offramp.domain.errors import DeliveryRefused
from offramp.pipeline.deliver import deliver_day
from offramp.pipeline.plan import PlanOptions
from offramp.pipeline.redeliver import redeliver
from offramp.pipeline.verify import verify_folder
from platform_tests.scenarios.scene import Scene, contents, manifests, subscription

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2026, 10, 23)
EXPORT = "media/delta/users"
ROWS = "users/users_2026_10_24.csv"
MANIFEST = "_manifests/delta/users/2026_10_24.r1.json"
AGAIN = "_manifests/delta/users/2026_10_24.r2.json"


def scene_of(folder: Path, demo: dict[str, Any]) -> Scene:
    taken = subscription("north", options={"CSV_MD5": "1"}, deletes=True, initial="none")
    return Scene(folder, demo, [taken], DAY)


def records(scene: Scene, export: str = EXPORT, day: date = DAY) -> tuple[DeliveryRecord, ...]:
    return scene.rooms.ledger.find(export=export, first_day=day, last_day=day)


@pytest.fixture
def delivered(tmp_path: Path, demo: dict[str, Any]) -> Scene:
    scene = scene_of(tmp_path, demo)
    scene.deliver(DAY, [EXPORT])
    scene.steps.clear()
    return scene


@pytest.mark.parametrize("name", [ROWS, f"{ROWS}.md5", MANIFEST, f"{MANIFEST}.sha256"])
@pytest.mark.parametrize("damage", ["deleted", "damaged", "cut off"])
def test_redelivery_puts_back_what_was_lost_or_damaged(delivered: Scene, name: str, damage: str) -> None:
    outbox = delivered.outbox("north")
    before = contents(outbox)
    if damage == "deleted":
        (outbox / name).unlink()
    else:
        (outbox / name).write_bytes(b"damaged" if damage == "damaged" else before[name][:-1])

    [outcome] = redeliver(delivered.rooms, records(delivered))

    assert not outcome.failures
    assert contents(outbox) == before
    assert verify_folder(outbox).is_good
    assert not [step for step in delivered.steps if step.startswith(("plan", "land", "stage"))], "only published"
    assert [record.state for record in records(delivered)] == [State.PUBLISHED]


def test_redelivery_puts_back_everything_where_the_outbox_was_emptied(delivered: Scene) -> None:
    outbox = delivered.outbox("north")
    before = contents(outbox)
    for name in before:
        (outbox / name).unlink()

    redeliver(delivered.rooms, records(delivered))

    assert contents(outbox) == before


def test_a_file_that_is_missing_is_not_put_back_unasked(delivered: Scene) -> None:
    """A recipient that takes its files away must not get them twice."""
    outbox = delivered.outbox("north")
    (outbox / ROWS).unlink()
    before = contents(outbox)

    [report] = delivered.deliver(DAY, [EXPORT])

    assert [one.reason.name for one in report.skipped] == ["DELIVERED"]
    assert contents(outbox) == before


def test_a_redelivery_that_fails_leaves_the_delivery_published(delivered: Scene) -> None:
    outbox = delivered.outbox("north")
    before = contents(outbox)
    outbox.rename(delivered.folder / "aside")
    outbox.write_text("in the way")

    [outcome] = redeliver(delivered.rooms, records(delivered))

    assert [failure.destination for failure in outcome.failures] == ["outbox"]
    [record] = records(delivered)
    assert record.state is State.PUBLISHED
    outbox.unlink()
    redeliver(delivered.rooms, [record])
    assert contents(outbox) == before


def test_a_foreign_file_of_the_same_name_is_never_overwritten(tmp_path: Path, demo: dict[str, Any]) -> None:
    scene = scene_of(tmp_path, demo)
    foreign = scene.outbox("north") / ROWS
    foreign.parent.mkdir(parents=True)
    foreign.write_text("somebody else's")

    [report] = scene.deliver(DAY, [EXPORT])

    [failure] = report.failures
    assert "nobody asked to replace it" in failure.error
    [record] = records(scene)
    assert record.state is State.STAGED
    [outcome] = redeliver(scene.rooms, [record])
    assert outcome.failures, "a redelivery puts back what was published, and this never was"
    assert contents(scene.outbox("north")) == {ROWS: b"somebody else's"}
    foreign.unlink()
    [report] = scene.deliver(DAY, [EXPORT])
    assert not report.failures
    assert verify_folder(scene.outbox("north")).is_good


def test_a_foreign_manifest_of_the_same_name_is_never_overwritten(tmp_path: Path, demo: dict[str, Any]) -> None:
    scene = scene_of(tmp_path, demo)
    foreign = scene.outbox("north") / MANIFEST
    foreign.parent.mkdir(parents=True)
    foreign.write_text("{}")

    [report] = scene.deliver(DAY, [EXPORT])

    assert "other content" in report.failures[0].error
    assert contents(scene.outbox("north")) == {MANIFEST: b"{}"}


def test_a_correction_supersedes_and_says_why(delivered: Scene) -> None:
    outbox = delivered.outbox("north")
    before = contents(outbox)
    delivered.subscriptions[0]["options"] = {"CSV_MD5": "1", "CSV_FIELD_SEPARATOR": ";"}
    delivered.reopen()

    [report] = delivered.deliver(DAY, [EXPORT], PlanOptions(correction="the separator was agreed anew"))

    assert not report.failures
    after = contents(outbox)
    assert MANIFEST not in after
    assert f"{MANIFEST}.sha256" not in after
    assert after[ROWS] == before[ROWS].replace(b",", b";") != before[ROWS]
    corrected = manifests(outbox)["delta/users/2026_10_24.r2.json"]
    assert (corrected["kind"], corrected["supersedes"], corrected["reason"]) == (
        "correction",
        1,
        "the separator was agreed anew",
    )
    assert verify_folder(outbox).is_good
    assert [(one.revision, one.state) for one in records(delivered)] == [
        (1, State.SUPERSEDED),
        (2, State.PUBLISHED),
    ]


def test_a_correction_removes_the_files_that_it_no_longer_has(delivered: Scene) -> None:
    outbox = delivered.outbox("north")
    gone = [name for name in contents(outbox) if name.startswith("users_deletes/") or name == f"{ROWS}.md5"]
    assert len(gone) == 3
    delivered.subscriptions[0] |= {"deletes": False, "options": {}}
    delivered.reopen()

    delivered.deliver(DAY, [EXPORT], PlanOptions(correction="deletes and checksums are not wanted"))

    assert set(contents(outbox)) == {ROWS, AGAIN, f"{AGAIN}.sha256"}
    assert not verify_folder(outbox).unmentioned


def test_a_correction_does_not_overwrite_what_others_put_there(delivered: Scene) -> None:
    outbox = delivered.outbox("north")
    (outbox / ROWS).write_text("somebody's notes")
    delivered.subscriptions[0]["options"] = {"CSV_MD5": "1", "CSV_FIELD_SEPARATOR": ";"}
    delivered.reopen()

    [report] = delivered.deliver(DAY, [EXPORT], PlanOptions(correction="the separator was agreed anew"))

    assert "nobody asked to replace it" in report.failures[0].error
    assert (outbox / ROWS).read_text() == "somebody's notes"


def test_a_superseded_revision_is_not_delivered_again(delivered: Scene) -> None:
    [first] = records(delivered)
    delivered.deliver(DAY, [EXPORT], PlanOptions(correction="once more"))
    before = contents(delivered.outbox("north"))

    # The second call has the record as it was before the correction: what counts is the ledger.
    with pytest.raises(DeliveryRefused, match="staged or published"):
        redeliver(delivered.rooms, [records(delivered)[0]])
    with pytest.raises(DeliveryRefused, match="staged or published"):
        redeliver(delivered.rooms, [first])

    assert contents(delivered.outbox("north")) == before


def test_parts_that_are_no_longer_kept_are_not_delivered_again(delivered: Scene) -> None:
    before = contents(delivered.outbox("north"))
    [record] = records(delivered)
    rows = before[ROWS]
    for path in (delivered.folder / "lake").rglob("*"):
        if path.is_file() and path.read_bytes() == rows:
            path.chmod(0o600)
            path.write_bytes(rows[:-2])

    with pytest.raises(DeliveryRefused, match="cannot be sent again"):
        redeliver(delivered.rooms, [record])

    assert contents(delivered.outbox("north")) == before


def test_a_delta_after_a_correction_builds_upon_it(delivered: Scene) -> None:
    delivered.deliver(DAY, [EXPORT], PlanOptions(correction="once more"))

    [report] = delivered.deliver(date(2026, 10, 24), [EXPORT])

    [outcome] = report.outcomes
    previous = outcome.staged.delivery.previous
    assert previous is not None
    assert previous.revision == 2
    assert outcome.staged.counts.late is not None


class Stopped(Exception):
    """The run ends here."""


@pytest.mark.parametrize("step", ["stage.write", "stage.take", "stage.ledger", "publish.supersede", "publish.commit"])
@pytest.mark.parametrize("is_asked_again", [False, True], ids=["by a run", "by asking again"])
def test_a_correction_that_was_cut_off_is_ended_as_what_it_is(
    delivered: Scene, step: str, *, is_asked_again: bool
) -> None:
    delivered.subscriptions[0]["options"] = {"CSV_MD5": "1", "CSV_FIELD_SEPARATOR": ";"}
    delivered.reopen()
    asked = PlanOptions(correction="the separator was agreed anew")

    def stop(found: str) -> None:
        if found == step:
            raise Stopped

    with pytest.raises(Stopped):
        deliver_day(replace(delivered.rooms, at_step=stop), delivered.rooms.exports[EXPORT], DAY, asked)

    [report] = delivered.deliver(DAY, [EXPORT], asked if is_asked_again else None)

    assert not report.failures
    outbox = delivered.outbox("north")
    assert verify_folder(outbox).is_good
    assert not verify_folder(outbox).unmentioned
    [manifest] = manifests(outbox).values()
    assert (manifest["kind"], manifest["supersedes"], manifest["reason"]) == ("correction", 1, asked.correction)
    assert [(one.revision, one.state) for one in records(delivered)] == [(1, State.SUPERSEDED), (2, State.PUBLISHED)]
