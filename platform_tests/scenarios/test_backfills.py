"""Days out of their order: where the source can be read as of then, a backfill gives what the schedule would have."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from offramp.domain.windows import DAY
from offramp.pipeline.plan import PlanOptions
from offramp.pipeline.verify import verify_folder
from platform_tests.scenarios.scene import Scene, contents, manifests, subscription

if TYPE_CHECKING:
    from pathlib import Path

FIRST = date(2026, 10, 23)
OSLO = {"DATA_DELTA_MIDNIGHT_TO_MIDNIGHT": "1", "DATA_DELTA_TIME_ZONE": "Europe/Oslo"}


def scene_of(folder: Path, demo: dict[str, Any]) -> Scene:
    taken = [
        subscription("north", deletes=True, initial="none", entities=["users", "assets_views", "vvs_pools"]),
        subscription("fjord", ["borealis"], deletes=True, options=OSLO, entities=["users", "assets_views"]),
    ]
    return Scene(folder, demo, taken, FIRST)


def data(outbox: Path, stamp: str) -> dict[str, bytes]:
    return {name: content for name, content in contents(outbox).items() if name.endswith(f"{stamp}.csv")}


def test_a_day_out_of_order_gives_the_same_bytes_as_in_order(tmp_path: Path, demo: dict[str, Any]) -> None:
    in_order, out_of_order = scene_of(tmp_path / "in", demo), scene_of(tmp_path / "out", demo)
    for number in range(3):
        in_order.deliver(FIRST + number * DAY)
    for number in (0, 2, 1):
        out_of_order.deliver(FIRST + number * DAY, options=PlanOptions(force=True))

    for name in ("north", "fjord"):
        expected, found = data(in_order.outbox(name), "2026_10_25"), data(out_of_order.outbox(name), "2026_10_25")
        assert len(expected) >= 4
        assert found == expected
        marked = manifests(out_of_order.outbox(name), "delta/*/2026_10_25.r*.json").values()
        assert {one["kind"] for one in marked} == {"backfill"}
        assert verify_folder(out_of_order.outbox(name)).is_good
        caught_up = manifests(out_of_order.outbox(name), "delta/*/2026_10_26.r1.json").values()
        assert all(one["covers"] == ["2026-10-24"] for one in caught_up)
        snapshots = {key: text for key, text in contents(in_order.outbox(name)).items() if "_snapshot/" in key}
        assert snapshots.items() <= contents(out_of_order.outbox(name)).items()


def test_a_backfilled_day_is_not_the_base_of_the_next(tmp_path: Path, demo: dict[str, Any]) -> None:
    scene = scene_of(tmp_path, demo)
    for number in (0, 2, 1, 3):
        scene.deliver(FIRST + number * DAY, ["media/delta/users"], PlanOptions(force=True))

    found = manifests(scene.outbox("north"), "delta/users/*.json")
    by_day = {one["data_day"]: one for one in found.values()}
    assert by_day["2026-10-26"]["previous"]["delivery_id"] == by_day["2026-10-25"]["delivery_id"]
    assert by_day["2026-10-24"]["previous"]["delivery_id"] == by_day["2026-10-23"]["delivery_id"]
    assert by_day["2026-10-26"]["covers"] == []


def test_what_a_recipient_gets_does_not_depend_on_who_was_served_first(tmp_path: Path, demo: dict[str, Any]) -> None:
    """Windows in another zone end at another instant: a landing that was made for a neighbour is not theirs."""
    together, apart = scene_of(tmp_path / "together", demo), scene_of(tmp_path / "apart", demo)
    exports = ["media/delta/assets_views", "media/snapshot/users"]
    for day in (FIRST, FIRST + DAY):
        together.deliver(day, exports)
        for recipient in ("north", "fjord"):
            apart.deliver(day, exports, PlanOptions(recipients=(recipient,)))

    assert contents(apart.folder / "outbox") == contents(together.folder / "outbox")
