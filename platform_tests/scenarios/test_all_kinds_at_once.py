"""The whole media day goes to every kind of destination in one run, and every copy is whole by the customer's tools."""

from __future__ import annotations

import json
import subprocess
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from offramp.domain.deliveries import State
from offramp.domain.windows import DAY as ONE_DAY
from offramp.domain.windows import midnight
from offramp.orchestration.run import materialize_days
from offramp.pipeline.shelves import RemoteShelf
from offramp.pipeline.verify import verify_place
from offramp.settings.reading import load_settings
from platform_tests.destinations.as_settings import all_kinds
from platform_tests.scenarios.scene import Scene, contents, subscription

if TYPE_CHECKING:
    from pathlib import Path

    from offramp.domain.ports import Destination

DAY = date(2026, 10, 23)
BOUGHT = ("CONTRACTS", "EPISODES", "LICENSES", "MOVIES", "PERMISSIONS", "PROVIDERS", "SEASONS", "SHOWS")
SWITCHED_ON = (
    "CHURN_PREDICT", "CHURN_TRAINING", "USERS_PROFILES", "VOUCHERS", *(f"ACQUISITION_MANAGER_{one}" for one in BOUGHT),
)  # fmt: skip


@pytest.fixture
def scene(tmp_path: Path, demo: dict[str, Any], request: pytest.FixtureRequest) -> Scene:
    """Everything that there is, with checksums beside the files."""
    kinds = all_kinds(request)
    options = {"CSV_MD5": "1"} | {f"CRON_SCHEDULE_{job}": "20 0 * * *" for job in SWITCHED_ON}
    everything = subscription("north", options=options, destinations=kinds, prefix="production")
    return Scene(tmp_path, demo, [everything], DAY, destinations=kinds)


def copy_of(destination: Destination, folder: Path) -> dict[str, bytes]:
    """Fetch every file, as a customer would."""
    for name in destination.list(""):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(destination.read(name)))
    return contents(folder)


def test_the_whole_media_day_is_whole_at_all_kinds_after_one_run(scene: Scene, tmp_path: Path) -> None:
    settings, rooms = load_settings(scene.file, environment={}), scene.rooms
    taken = list(rooms.exports.values())
    assert len(taken) == 97
    scene.now = midnight(DAY + ONE_DAY) + timedelta(hours=1)

    result = materialize_days(settings, rooms, taken, [DAY])

    assert result.success, result.failed
    (north,) = rooms.subscriptions
    records = rooms.ledger.find(first_day=DAY, last_day=DAY)
    assert {record.export for record in records} == {one.name for one in taken}
    assert {record.state for record in records} == {State.PUBLISHED}
    proofs = {place.destination: place.verified_by for record in records for place in record.placements}
    assert proofs == {
        "outbox": "read_back", "s3": "checksum", "gcs": "checksum", "gcs-hmac": "checksum", "sftp": "read_back",
        "ftps": "read_back",
    }  # fmt: skip
    copies = {}
    for name in north.destinations:
        destination = rooms.destination(name, north)
        copies[name] = copy_of(destination, tmp_path / "copies" / name)
        report = verify_place(RemoteShelf(destination, name))
        assert report.is_good, [check.problems for check in report.deliveries if not check.is_good]
        assert (len(report.deliveries), report.unmentioned) == (len(taken), ())
        _check_md5(tmp_path / "copies" / name)
    rooms.hang_up()
    assert all(copy == copies["outbox"] for copy in copies.values())
    manifest = next(text for file, text in copies["s3"].items() if file.endswith(".r1.json"))
    assert json.loads(manifest)["verification"] == proofs


def _check_md5(folder: Path) -> None:
    sidecars = sorted(folder.rglob("*.md5"))
    assert len(sidecars) > 60
    for parent in {sidecar.parent for sidecar in sidecars}:
        own = [one.name for one in sidecars if one.parent == parent]
        subprocess.run(["md5sum", "--check", "--strict", "--quiet", *own], check=True, cwd=parent)
