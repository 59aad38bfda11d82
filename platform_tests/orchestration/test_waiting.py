"""What waits for a destination goes out in a later run, once, and the calendar and the checks follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_tests.orchestration.house import DAY, DAYS, materializations

if TYPE_CHECKING:
    from platform_tests.orchestration.house import House

EXPORTS = ["media/delta/users", "media/snapshot/platforms", "media/snapshot/users"]


def test_a_day_that_goes_out_with_the_next_one_is_in_the_calendar(house: House) -> None:
    (house.root / "mirror").write_text("not a folder")
    assert house.run(EXPORTS, [DAY]).failed
    (house.root / "mirror").unlink()

    assert house.run(EXPORTS, [DAYS[1]]).failed == ()

    with house.instance() as instance:
        marked = {one.partition for one in materializations(instance, "recipients/south/media")}
    assert DAY.isoformat() in marked


def test_a_run_leaves_alone_the_destination_that_has_its_files(house: House) -> None:
    export = ["media/snapshot/platforms"]
    (house.root / "mirror").write_text("not a folder")
    house.run(export, [DAY])
    files = [path for path in (house.root / "outbox" / "south").rglob("*") if path.is_file()]
    assert files
    for path in files:
        path.unlink()

    house.run(export, [DAY])

    assert not [path for path in (house.root / "outbox" / "south").rglob("*") if path.is_file()]
