"""A contract that changes between two days is a new schema, not a new delivery of everything."""

from __future__ import annotations

import shutil
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from offramp.domain.windows import DAY
from offramp.pipeline.verify import verify_folder
from platform_tests.scenarios.scene import MODELS, Scene, contents, manifests, subscription

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FIRST = date(2026, 10, 23)
EXPORT = "media/delta/users"


def changed_models(folder: Path, change: Callable[[str, dict[str, Any]], str]) -> Path:
    """Return a copy of the project in which the users model was changed."""
    shutil.copytree(MODELS, folder)
    sql, yml = folder / "models/media/users.sql", folder / "models/media/users.yml"
    text = yaml.safe_load(yml.read_text())
    sql.write_text(change(sql.read_text(), text["models"][0]))
    yml.write_text(yaml.safe_dump(text, sort_keys=False))
    return folder


def without_zip(sql: str, model: dict[str, Any]) -> str:
    model["columns"] = [column for column in model["columns"] if column["name"] != "zip"]
    return sql.replace("    cast(zip as varchar) as zip,\n", "")


def zip_of_five(sql: str, model: dict[str, Any]) -> str:
    next(column for column in model["columns"] if column["name"] == "zip")["data_type"] = "varchar(2000)"
    return sql


@pytest.mark.parametrize("change", [without_zip, zip_of_five], ids=["a column", "a type"])
@pytest.mark.parametrize("is_backwards", [False, True], ids=["gained", "lost"])
def test_a_change_of_the_schema_repeats_nothing(
    tmp_path: Path, demo: dict[str, Any], change: Callable[[str, dict[str, Any]], str], *, is_backwards: bool
) -> None:
    other = changed_models(tmp_path / "models", change)
    versions = [MODELS, other] if is_backwards else [other, MODELS]
    control = Scene(tmp_path / "control", demo, [subscription("north", deletes=True)], FIRST, models=versions[1])
    scene = Scene(tmp_path / "scene", demo, [subscription("north", deletes=True)], FIRST, models=versions[0])
    control.deliver(FIRST, [EXPORT])
    scene.deliver(FIRST, [EXPORT])
    scene.models = versions[1]
    scene.reopen()

    control.deliver(FIRST + DAY, [EXPORT])
    scene.deliver(FIRST + DAY, [EXPORT])

    outbox = scene.outbox("north")
    assert verify_folder(outbox).is_good
    before, after = manifests(outbox).values()
    assert before["schema"]["fingerprint"] != after["schema"]["fingerprint"]
    assert 0 < after["counts"]["rows"] < before["counts"]["rows"] / 2
    assert after["counts"]["adds_up"] is True
    name = "users/users_2026_10_25.csv"
    assert contents(outbox)[name] == contents(control.outbox("north"))[name]


def test_parts_that_were_staged_under_another_contract_are_made_anew(tmp_path: Path, demo: dict[str, Any]) -> None:
    scene = Scene(
        tmp_path / "scene",
        demo,
        [subscription("north")],
        FIRST,
        models=changed_models(tmp_path / "models", without_zip),
    )
    scene.outbox("north").parent.mkdir()
    scene.outbox("north").write_text("in the way")
    [report] = scene.deliver(FIRST, [EXPORT])
    assert report.failures
    scene.outbox("north").unlink()
    scene.models = MODELS
    scene.reopen()

    [report] = scene.deliver(FIRST, [EXPORT])

    assert not report.failures
    assert verify_folder(scene.outbox("north")).is_good
    [manifest] = manifests(scene.outbox("north")).values()
    assert "zip" in [column["name"] for column in manifest["schema"]["columns"]]
    assert (manifest["supersedes"], manifest["kind"]) == (1, "initial")
    assert "made anew" in manifest["reason"]
    first, second = scene.rooms.ledger.find(export=EXPORT)
    assert (first.state.value, second.state.value) == ("superseded", "published")
