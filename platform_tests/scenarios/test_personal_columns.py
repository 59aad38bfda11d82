"""Personal columns: delivered, hashed or left out, as each subscription has it, in rows, deletes and manifests."""

from __future__ import annotations

import csv
import hashlib
import hmac
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from offramp.domain.errors import LandingUnavailable
from offramp.domain.windows import DAY, midnight
from offramp.pipeline.plan import PlanOptions
from offramp.pipeline.verify import verify_folder
from platform_tests.scenarios.scene import LAG, Scene, contents, demo_of, manifests, subscription

if TYPE_CHECKING:
    from pathlib import Path

FIRST = date(2026, 10, 23)
KEY = "a secret of the scenario"
PERSONAL = {"default": "hashed", "columns": {"users.date_of_birth": "left_out"}, "hash_key": KEY}
EXPORTS = ("media/delta/users", "media/snapshot/users", "media/delta/users_profiles", "media/snapshot/users_profiles")
PROFILES_ON = {"CRON_SCHEDULE_USERS_PROFILES": "20 0 * * *"}


def digest(value: str) -> str:
    return hmac.new(KEY.encode(), value.encode(), hashlib.sha256).hexdigest()


EMPTY = digest("")


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


@pytest.fixture
def scene(tmp_path: Path, demo: dict[str, Any]) -> Scene:
    """One subscription that hashes, and one of the same tenant that gets everything."""
    both = [
        subscription("plain", options=PROFILES_ON, deletes=True),
        subscription("hashed", options=PROFILES_ON, deletes=True, personal=PERSONAL),
    ]
    return Scene(tmp_path, demo, both, FIRST)


def test_hashes_are_hmac_sha256_of_the_values_and_left_out_columns_are_gone(scene: Scene) -> None:
    for day in (FIRST, FIRST + DAY):
        scene.deliver(day, EXPORTS)

    for name in ("users", "users_snapshot"):
        file = f"{name}/{name}_2026_10_25.csv"
        plain, hashed = rows(scene.outbox("plain") / file), rows(scene.outbox("hashed") / file)
        assert len(plain) == len(hashed) > 0
        assert set(plain[0]) - set(hashed[0]) == {"date_of_birth"}
        for column in ("email", "user_name", "mobile_number"):
            # This reader cannot tell '' and NULL apart, and '' has a hash of its own.
            found = ["" if row[column] == EMPTY else row[column] for row in hashed]
            assert found == [digest(row[column]) if row[column] else "" for row in plain], column
        assert [row["country"] for row in plain] == [row["country"] for row in hashed]


def test_nothing_that_is_delivered_or_kept_beside_it_holds_a_value_or_the_key(scene: Scene) -> None:
    scene.deliver(FIRST, EXPORTS)
    source = demo_of(scene.source)
    with source.connect() as connection:
        state = source.select_as_of("users", midnight(FIRST + DAY) + LAG)
        values = connection.sql(f"select email from ({state}) where tenant = 'aurora' and email is not null").fetchall()

    delivered = b"".join(contents(scene.outbox("hashed")).values())
    assert len(values) > 50
    assert [value for (value,) in values if str(value).encode() in delivered] == []
    kept = [path for path in scene.folder.rglob("*") if path.is_file() and path != scene.file]
    assert [path for path in kept if KEY.encode() in path.read_bytes()] == []


def test_a_hashed_key_joins_names_deletes_and_stands_in_no_manifest(scene: Scene) -> None:
    scene.deliver(FIRST, EXPORTS)
    snapshot = "users_profiles_snapshot/users_profiles_snapshot_2026_10_24.csv"
    plain, hashed = rows(scene.outbox("plain") / snapshot), rows(scene.outbox("hashed") / snapshot)

    assert [digest(row["subprofileid"]) for row in plain] == [row["subprofileid"] for row in hashed]
    manifest = manifests(scene.outbox("hashed"))["snapshot/users_profiles/2026_10_24.r1.json"]
    (file,) = manifest["files"]
    assert file["first_key"] == [hashed[0]["user_id"], hashed[0]["subprofileid"]]
    assert manifest["personal"]["hashed_by"] == "hmac-sha256"
    assert {"subprofileid", "sub_profile_name", "birth_date"} <= set(manifest["personal"]["hashed"])
    users = manifests(scene.outbox("hashed"))["snapshot/users/2026_10_24.r1.json"]
    assert users["personal"]["left_out"] == ["date_of_birth"]
    assert "date_of_birth" not in [column["name"] for column in users["schema"]["columns"]]
    assert next(one for one in users["schema"]["columns"] if one["name"] == "email")["type"] == "varchar(64)"
    assert manifests(scene.outbox("plain"))["snapshot/users/2026_10_24.r1.json"]["personal"] == {
        "hashed": [],
        "hashed_by": None,
        "hashed_with": None,
        "left_out": [],
    }
    for name in ("plain", "hashed"):
        assert verify_folder(scene.outbox(name)).is_good


def test_parts_that_were_staged_before_a_column_was_left_out_are_never_published(
    tmp_path: Path, demo: dict[str, Any]
) -> None:
    scene = Scene(tmp_path, demo, [subscription("north", initial="none")], FIRST)
    scene.outbox("north").parent.mkdir()
    scene.outbox("north").write_text("a file where the folder should be")
    (report,) = scene.deliver(FIRST, ["media/snapshot/users"])
    assert report.failures

    scene.outbox("north").unlink()
    scene.subscriptions = [subscription("north", initial="none", personal={"columns": {"users.email": "left_out"}})]
    scene.reopen()
    scene.deliver(FIRST, ["media/snapshot/users"])

    (file,) = scene.outbox("north").rglob("*.csv")
    assert "email" not in rows(file)[0]
    assert verify_folder(scene.outbox("north")).is_good


def test_a_prefix_is_a_folder_of_its_own_below_the_destination(tmp_path: Path, demo: dict[str, Any]) -> None:
    scene = Scene(tmp_path, demo, [subscription("north", prefix="acme/production")], FIRST)

    scene.deliver(FIRST, ["media/snapshot/platforms"])

    assert {name.split("/")[2] for name in contents(scene.outbox("north"))} == {"_manifests", "platforms"}
    assert verify_folder(scene.outbox("north")).is_good
    assert len(verify_folder(scene.outbox("north")).deliveries) == 1


def staged_then(tmp_path: Path, demo: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> Scene:
    """Stage a day whose destination is dead, change how personal columns are treated, and deliver it again."""
    scene = Scene(tmp_path, demo, [subscription("north", initial="none", personal=before)], FIRST)
    scene.outbox("north").parent.mkdir()
    scene.outbox("north").write_text("a file where the folder should be")
    (report,) = scene.deliver(FIRST, ["media/delta/assets_views"])
    assert report.failures
    scene.outbox("north").unlink()
    scene.subscriptions = [subscription("north", initial="none", personal=after)]
    scene.reopen()
    scene.deliver(FIRST, ["media/delta/assets_views"])
    return scene


@pytest.mark.parametrize("before", [{}, {"columns": {"assets_views.device_id": "hashed"}, "hash_key": KEY}])
def test_parts_that_were_staged_raw_or_under_another_hash_key_are_made_anew(
    tmp_path: Path, demo: dict[str, Any], before: dict[str, Any]
) -> None:
    """device_id is varchar(64), as its hash is: the types of both contracts are equal."""
    after = {"columns": {"assets_views.device_id": "hashed"}, "hash_key": "another secret of it"}

    scene = staged_then(tmp_path, demo, before, after)

    (file,) = scene.outbox("north").rglob("*.csv")
    (manifest,) = manifests(scene.outbox("north")).values()
    found = {row["device_id"] for row in rows(file)} - {""}
    source = demo_of(scene.source)
    with source.connect() as connection:
        state = source.select_as_of("assets_views", midnight(FIRST + DAY) + LAG)
        values = connection.sql(f"select distinct device_id from ({state}) where device_id is not null").fetchall()
    key = after["hash_key"]
    assert isinstance(key, str)
    assert found
    assert found <= {hmac.new(key.encode(), value.encode(), hashlib.sha256).hexdigest() for (value,) in values}
    assert manifest["personal"]["hashed_with"] is not None


def test_a_delta_whose_key_is_hashed_otherwise_than_in_its_base_is_refused(scene: Scene) -> None:
    scene.deliver(FIRST, ["media/delta/users_profiles"])
    scene.subscriptions[1] = subscription(
        "hashed", options=PROFILES_ON, deletes=True, personal={**PERSONAL, "hash_key": "another secret of it"}
    )
    scene.reopen()

    with pytest.raises(LandingUnavailable, match="its key is hashed otherwise than in the delivery of 2026-10-23"):
        scene.deliver(FIRST + DAY, ["media/delta/users_profiles"])

    delivered = {name for name in ("plain", "hashed") if len(manifests(scene.outbox(name))) == 2}
    assert delivered == {"plain"}
    scene.deliver(FIRST + DAY, ["media/delta/users", "media/snapshot/users_profiles"])


def test_a_correction_under_another_hash_key_is_refused_once_later_deltas_build_upon_it(scene: Scene) -> None:
    for day in (FIRST, FIRST + DAY):
        scene.deliver(day, ["media/delta/users_profiles"])
    scene.subscriptions[1] = subscription(
        "hashed", options=PROFILES_ON, deletes=True, personal={**PERSONAL, "hash_key": "another secret of it"}
    )
    scene.reopen()

    with pytest.raises(LandingUnavailable, match="its key is hashed otherwise than in the delivery of 2026-10-24"):
        scene.deliver(FIRST, ["media/delta/users_profiles"], PlanOptions(correction="another key"))

    assert "delta/users_profiles/2026_10_24.r2.json" not in manifests(scene.outbox("hashed"))
