"""A destination that is down delays nobody, and the next run does only what is missing there."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from offramp.domain.deliveries import State
from offramp.domain.windows import DAY as ONE_DAY
from offramp.domain.windows import midnight
from offramp.pipeline.deliver import deliver_day
from offramp.pipeline.redeliver import redeliver
from offramp.pipeline.verify import verify_folder
from platform_tests.scenarios.scene import Scene, contents, manifests, subscription

if TYPE_CHECKING:
    from pathlib import Path

    from offramp.domain.deliveries import DeliveryRecord

DAY = date(2026, 10, 23)
EXPORTS = ("media/delta/users", "media/snapshot/users")
ROWS = "users/users_2026_10_24.csv"


def dead(scene: Scene) -> Path:
    return scene.folder / "second"


def states(records: tuple[DeliveryRecord, ...]) -> set[tuple[State, tuple[tuple[str, State], ...]]]:
    return {(one.state, tuple((place.destination, place.state) for place in one.placements)) for one in records}


@pytest.fixture
def scene(tmp_path: Path, demo: dict[str, Any]) -> Scene:
    """Two subscriptions; one of them has a second destination, whose folder is a file."""
    both = subscription("north", destinations=("outbox", "second"), deletes=True, initial="none")
    destinations = {
        name: {"kind": "local", "path": f"{folder}/{{subscription}}"}
        for name, folder in {"outbox": "outbox", "second": "second"}.items()
    }
    scene = Scene(tmp_path, demo, [both, subscription("fjord", ["borealis"])], DAY, destinations=destinations)
    dead(scene).write_text("not a folder")
    return scene


def test_a_dead_destination_delays_nobody(scene: Scene) -> None:
    reports = scene.deliver(DAY, EXPORTS)

    assert [(one.delivery.subscription.id, one.destination) for report in reports for one in report.failures] == [
        ("north", "second"),
        ("north", "second"),
    ]
    for name in ("north", "fjord"):
        assert verify_folder(scene.outbox(name)).is_good
        assert len(manifests(scene.outbox(name))) == 2
    assert states(scene.rooms.ledger.find(subscription="fjord")) == {
        (State.PUBLISHED, (("outbox", State.PUBLISHED),)),
    }
    staged = scene.rooms.ledger.find(subscription="north")
    assert states(staged) == {(State.STAGED, (("outbox", State.PUBLISHED), ("second", State.FAILED)))}
    assert all(record.error and "second" in record.error for record in staged)


def test_the_next_run_publishes_only_what_is_missing(scene: Scene) -> None:
    scene.deliver(DAY, EXPORTS)
    landings = scene.rooms.lake.landings.landings("media")
    times = {path: path.stat().st_mtime_ns for path in scene.outbox("north").rglob("*")}
    dead(scene).unlink()
    scene.steps.clear()
    scene.rooms = scene.open()

    reports = scene.deliver(DAY, EXPORTS)

    assert not [one for report in reports for one in report.failures]
    assert [outcome.is_new for report in reports for outcome in report.outcomes] == [False, False]
    assert {step for step in scene.steps if not step.startswith("publish.")} == {"plan"}
    assert scene.steps.count("publish.placed") == 2
    assert scene.rooms.lake.landings.landings("media") == landings
    assert contents(scene.outbox("north", "second")) == contents(scene.outbox("north"))
    assert {path: path.stat().st_mtime_ns for path in scene.outbox("north").rglob("*")} == times
    assert states(scene.rooms.ledger.find(subscription="north")) == {
        (State.PUBLISHED, (("outbox", State.PUBLISHED), ("second", State.PUBLISHED))),
    }


def test_a_recipient_that_took_its_files_away_does_not_get_them_twice(scene: Scene) -> None:
    scene.deliver(DAY, EXPORTS)
    whole = contents(scene.outbox("north"))
    for path in scene.outbox("north").rglob("*.*"):
        path.unlink()
    dead(scene).unlink()

    scene.deliver(DAY, EXPORTS)

    assert contents(scene.outbox("north")) == {}
    assert contents(scene.outbox("north", "second")) == whole


def test_staged_parts_are_published_with_the_manifest_that_tells_how_they_were_made(scene: Scene) -> None:
    scene.deliver(DAY, EXPORTS)
    whole = contents(scene.outbox("north"))
    dead(scene).unlink()
    scene.subscriptions[0]["options"] = {"CSV_FIELD_SEPARATOR": ";", "CSV_INCLUDE_HEADER": "0"}
    scene.reopen()

    scene.deliver(DAY, EXPORTS)

    assert contents(scene.outbox("north", "second")) == whole
    assert verify_folder(scene.outbox("north", "second")).is_good


def test_redelivering_what_is_only_staged_repairs_where_it_has_been(scene: Scene) -> None:
    scene.deliver(DAY, EXPORTS)
    whole = contents(scene.outbox("north"))
    (scene.outbox("north") / ROWS).write_text("damaged")
    dead(scene).unlink()

    outcomes = redeliver(scene.rooms, scene.rooms.ledger.find(subscription="north"))

    assert not [one for outcome in outcomes for one in outcome.failures]
    assert contents(scene.outbox("north")) == contents(scene.outbox("north", "second")) == whole
    assert {record.state for record in scene.rooms.ledger.find(subscription="north")} == {State.PUBLISHED}


def test_days_go_on_while_a_destination_is_dead(scene: Scene) -> None:
    """The next delta builds upon parts that are only staged; the dead one gets both days, each once."""
    scene.deliver(DAY, EXPORTS)
    scene.deliver(date(2026, 10, 24), EXPORTS)
    dead(scene).unlink()

    for day in (DAY, date(2026, 10, 24)):
        scene.deliver(day, EXPORTS)

    assert contents(scene.outbox("north", "second")) == contents(scene.outbox("north"))
    second = manifests(scene.outbox("north"))["delta/users/2026_10_25.r1.json"]
    assert second["previous"]["delivery_id"] == manifests(scene.outbox("north"))["delta/users/2026_10_24.r1.json"][
        "delivery_id"
    ]  # fmt: skip


def test_a_destination_that_was_added_later_is_sent_to_by_redelivering_and_nothing_there_is_overwritten(
    scene: Scene,
) -> None:
    (north,) = (one for one in scene.subscriptions if one["id"] == "north")
    north["destinations"] = ["outbox"]
    scene.reopen()
    scene.deliver(DAY, EXPORTS)
    north["destinations"] = ["outbox", "second"]
    scene.reopen()

    redeliver(scene.rooms, scene.rooms.ledger.find(subscription="north"))

    waiting = scene.rooms.ledger.find(subscription="north")
    assert states(waiting) == {(State.PUBLISHED, (("outbox", State.PUBLISHED), ("second", State.FAILED)))}
    dead(scene).unlink()
    theirs = scene.outbox("north", "second") / ROWS
    theirs.parent.mkdir(parents=True)
    theirs.write_text("the customer's own")
    outcomes = redeliver(scene.rooms, scene.rooms.ledger.find(subscription="north"))
    assert [failure.destination for outcome in outcomes for failure in outcome.failures] == ["second"]
    assert theirs.read_text() == "the customer's own"
    theirs.unlink()
    redeliver(scene.rooms, scene.rooms.ledger.find(subscription="north"))
    assert contents(scene.outbox("north", "second")) == contents(scene.outbox("north"))


def test_redelivering_keeps_the_order_of_days_too(scene: Scene) -> None:
    later = date(2026, 10, 24)
    scene.deliver(DAY, ["media/delta/users"])
    scene.deliver(later, ["media/delta/users"])
    dead(scene).unlink()

    outcomes = redeliver(scene.rooms, scene.rooms.ledger.find(subscription="north", first_day=later))

    (failure,) = (one for outcome in outcomes for one in outcome.failures)
    assert (failure.destination, "days arrive in order" in failure.error) == ("second", True)
    assert contents(scene.outbox("north", "second")) == {}


def test_a_destination_that_was_added_later_is_told_of_the_hole(scene: Scene) -> None:
    (north,) = (one for one in scene.subscriptions if one["id"] == "north")
    north["destinations"] = ["outbox"]
    scene.reopen()
    scene.deliver(DAY, ["media/delta/users"])
    north["destinations"] = ["outbox", "second"]
    dead(scene).unlink()
    scene.reopen()
    told: list[str] = []

    def tell(step: str, subject: str, **_: int) -> None:
        told.extend([subject] if step == "warning" else [])

    day = date(2026, 10, 24)
    scene.now = midnight(day + ONE_DAY) + timedelta(hours=1)
    deliver_day(scene.rooms, scene.rooms.exports["media/delta/users"], day, report=tell)

    (warning,) = told
    assert warning.startswith("second gets north media/delta/users 2026-10-24")
    assert f"never got {DAY}" in warning


def test_a_key_that_is_missing_for_one_destination_stops_no_other(scene: Scene) -> None:
    kinds = dict(scene.destinations)
    kinds["second"] = {
        "kind": "sftp", "host": "127.0.0.1", "username": "u", "host_key": "SHA256:x", "private_key_file": "gone",
    }  # fmt: skip
    scene.destinations = kinds
    scene.reopen()

    reports = scene.deliver(DAY, EXPORTS)

    assert verify_folder(scene.outbox("north")).is_good
    failures = [failure for report in reports for failure in report.failures]
    assert {failure.destination for failure in failures} == {"second"}
    assert "the key of destination 'second' cannot be read" in failures[0].error
