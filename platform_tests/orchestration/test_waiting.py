"""What waits for a destination goes out in a later run, once, and the calendar and the checks follow."""

from __future__ import annotations

import re
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


def test_parts_that_are_made_anew_pass_the_gates_again(house: House) -> None:
    (house.root / "mirror").write_text("not a folder")
    house.run(["media/snapshot/users"], [DAY])
    model = house.root / "models/models/media/users.yml"
    wider = re.sub(r"varchar\((\d+)\)", lambda found: f"varchar({int(found[1]) + 1})", model.read_text(), count=1)
    model.write_text(wider)
    house.break_users()
    (house.root / "mirror").unlink()

    result = house.run(["media/snapshot/users"], [DAY])

    assert result.failed
    assert not house.files("mirror"), "what was staged under another contract was made anew behind a failed gate"
