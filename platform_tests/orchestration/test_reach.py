"""The check that people start in the UI before a first delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from offramp.orchestration.code_location import build
from offramp.orchestration.keys import recipient_key
from offramp.orchestration.reach import REACHED
from platform_tests.orchestration.house import evaluations

if TYPE_CHECKING:
    from platform_tests.orchestration.house import House


def check(house: House, recipient: str) -> dg.AssetCheckEvaluation:
    """Run the check as the UI's button does: alone."""
    job = dg.define_asset_job("check", dg.AssetSelection.checks_for_assets(recipient_key(recipient, "media")))
    defs = dg.Definitions.merge(build(house.settings), dg.Definitions(jobs=[job]))
    with house.instance() as instance:
        assert defs.resolve_job_def("check").execute_in_process(instance=instance).success
        return evaluations(instance, f"recipients/{recipient}/media", REACHED)[None]


def rows_of(found: dg.AssetCheckEvaluation, destination: str) -> list[list[str]]:
    """Return step, finding and what was said, of the table that the UI shows."""
    lines = [line.strip("| ").split(" | ") for line in str(found.metadata["steps"].value).splitlines()]
    return [cells[2:] for cells in lines if cells[0] == destination]


def test_a_place_that_lets_us_do_everything_passes_with_each_step(house: House) -> None:
    found = check(house, "south")

    assert found.passed
    assert [row[:2] for row in rows_of(found, "mirror")] == [
        [step, "good"] for step in ("connect", "write", "read back", "list", "overwrite", "delete")
    ]
    assert "below" in str(found.metadata["rights_south-media_mirror"].value)
    assert not [path for path in (house.root / "mirror").rglob("*") if path.is_file()]


def test_a_place_that_does_not_is_named_with_the_step(house: House) -> None:
    (house.root / "mirror").write_text("not a folder")

    found = check(house, "south")

    assert not found.passed
    assert found.description is not None
    assert found.description.startswith("missing: mirror: write")
    assert {row[1] for row in rows_of(found, "outbox")} == {"good"}
    (missing,) = (row for row in rows_of(found, "mirror") if row[1] == "missing")
    assert "remove what stands in the way" in missing[2]


def test_a_place_that_cannot_even_be_opened_is_a_finding_of_its_own(house: House) -> None:
    file = house.root / "offramp.yaml"
    there = '{kind: local, path: "./mirror/{recipient}"}'
    gone = "{kind: sftp, host: 127.0.0.1, username: u, host_key: SHA256:x, private_key_file: gone}"
    text = file.read_text()
    assert there in text
    file.write_text(text.replace(there, gone))

    found = check(house, "south")

    assert not found.passed
    assert [row[1] for row in rows_of(found, "mirror")] == ["missing", *["not tried"] * 5]
    assert {row[1] for row in rows_of(found, "outbox")} == {"good"}
