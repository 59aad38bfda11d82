"""Parts, models, rejects, manifests and staged deliveries."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from offramp.domain.contracts import Column, Contract, DataType
from offramp.domain.deliveries import Counts, Delivery, FileEntry, FileRole, Kind, LateAges, Previous, Staged
from offramp.domain.errors import DeliveryRefused
from offramp.domain.exports import EntityKind, Export, FormatName, Mode, Model
from offramp.domain.subscriptions import Subscription
from offramp.domain.windows import Window
from offramp.lake.manifests import ManifestStore
from offramp.lake.models import ModelStore
from offramp.lake.parts import PartStore
from offramp.lake.rejects import RejectStore
from offramp.lake.staged import NotStaged, StagedStore

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2026, 1, 1)
WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
CONTRACT = Contract((Column("user_id", DataType.parse("bigint"), is_nullable=False),), ("user_id",))


def _delivery() -> Delivery:
    model = Model("media", "users", EntityKind.MUTABLE, CONTRACT, "tenant", "Users.", (), "users.sql", "f" * 64)
    return Delivery(
        subscription=Subscription("acme-media", "acme", "media", ("t",), DAY, ("outbox",)),
        export=Export("media", Mode.DELTA, "users", model, FormatName.CSV),
        data_day=DAY,
        tick=datetime(2026, 1, 2, 0, 10, tzinfo=UTC),
        until=WINDOW.end,
        window=WINDOW,
        landing_id="20260102T000500000000Z",
        kind=Kind.CORRECTION,
        revision=2,
        previous=Previous("0" * 16, 1, "20260101T000500000000Z", WINDOW.start),
        covers=(date(2025, 12, 31),),
        supersedes=1,
        reason="a wrong name",
    )


def _part(parts: PartStore, content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    with parts.scratch() as folder:
        (folder / "part").write_bytes(content)
        parts.take(folder / "part", sha256)
    return sha256


def _staged(parts: PartStore) -> Staged:
    rows, deletes = _part(parts, b"user_id\r\n1\r\n"), _part(parts, b"user_id\r\n2\r\n")
    files = (
        FileEntry("users.csv", 1, 12, {"sha256": rows, "md5": "0" * 32}, first_key=("1",), last_key=("1",)),
        FileEntry("users.deletes.csv", 1, 12, {"sha256": deletes}, FileRole.DELETES, min_change="2026-01-01"),
    )
    counts = Counts(read=3, rows=1, in_window=1, late=LateAges(lt_1h=1), unchanged=2, deletes=1, adds_up=True)
    return Staged(_delivery(), files, counts, {sha: parts.path(sha) for sha in (rows, deletes)})


def test_equal_parts_are_kept_once_under_their_checksum(tmp_path: Path) -> None:
    parts = PartStore(tmp_path)

    sha256 = _part(parts, b"rows")
    assert _part(parts, b"rows") == sha256

    assert parts.path(sha256).read_bytes() == b"rows"
    assert parts.path(sha256).parent.name == sha256[:2]
    assert (parts.has(sha256), parts.verify(sha256)) == (True, True)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [parts.path(sha256)]


def test_a_flipped_bit_is_found_and_mended_by_taking_the_part_again(tmp_path: Path) -> None:
    parts = PartStore(tmp_path)
    sha256 = _part(parts, b"rows")
    parts.path(sha256).write_bytes(b"rowz")
    assert (parts.has(sha256), parts.verify(sha256)) == (True, False)

    _part(parts, b"rows")

    assert parts.verify(sha256)


def test_what_is_no_checksum_names_no_part(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="64 lower-case hex"):
        PartStore(tmp_path).path("../../etc/passwd")


def test_a_staged_delivery_comes_back_as_it_was(tmp_path: Path) -> None:
    parts = PartStore(tmp_path)
    store = StagedStore(tmp_path, parts)
    staged = _staged(parts)
    store.save(staged)

    planned_anew = replace(_delivery(), landing_id=None, previous=None)

    assert store.load(planned_anew) == staged
    assert store.columns(staged.delivery.id, 2) == {"user_id": "bigint"}


def test_a_snapshot_without_a_base_comes_back_as_it_was(tmp_path: Path) -> None:
    parts = PartStore(tmp_path)
    delivery = replace(_delivery(), window=None, previous=None, covers=(), supersedes=None, reason=None)
    staged = Staged(delivery, (), Counts(read=0, rows=0), {})
    StagedStore(tmp_path, parts).save(staged)

    assert StagedStore(tmp_path, parts).load(delivery) == staged


def test_what_cannot_be_used_says_why(tmp_path: Path) -> None:
    parts = PartStore(tmp_path)
    store = StagedStore(tmp_path, parts)
    delivery = _delivery()

    assert store.find(delivery) == NotStaged("it was not staged")
    assert store.load(delivery) is None
    staged = _staged(parts)
    path = store.save(staged)
    assert store.find(replace(delivery, revision=3)) == NotStaged("it was not staged")

    wider = replace(CONTRACT, columns=(*CONTRACT.columns, Column("name", DataType.parse("varchar"), is_nullable=True)))
    other = replace(delivery, export=replace(delivery.export, model=replace(delivery.export.model, contract=wider)))
    assert "columns changed" in str(store.find(other))

    parts.path(staged.files[1].sha256).write_bytes(b"user_id\r\n3\r\n")
    assert "damaged" in str(store.find(delivery))
    parts.path(staged.files[1].sha256).unlink()
    assert "missing" in str(store.find(delivery))

    record = json.loads(path.read_bytes())
    path.write_text(json.dumps({**record, "surprise": 1}), encoding="utf-8")
    assert "damaged" in str(store.find(delivery))
    assert store.columns(delivery.id, 2) is None


def test_a_model_is_there_when_its_writing_ended_well(tmp_path: Path) -> None:
    models = ModelStore(tmp_path)

    with pytest.raises(ZeroDivisionError), models.writing("media/changes/users", "a__b__c") as path:
        path.write_bytes(b"half" * (1 // 0))
    assert not models.has("media/changes/users", "a__b__c")

    with models.writing("media/changes/users", "a__b__c") as path:
        path.write_bytes(b"whole")
    assert models.path_for("media/changes/users", "a__b__c") == tmp_path / "models/media/changes/users/a__b__c.parquet"
    assert models.path_for("media/changes/users", "a__b__c").read_bytes() == b"whole"
    assert list((tmp_path / "scratch").iterdir()) == []


def test_rejects_of_a_later_run_replace_those_of_an_earlier_one(tmp_path: Path) -> None:
    rejects = RejectStore(tmp_path)

    for content in (b"two rows", b"one row"):
        with rejects.writing("media/delta/users", DAY, "users.user_id not null") as path:
            path.write_bytes(content)

    final = rejects.path_for("media/delta/users", DAY, "users.user_id not null")
    assert final.read_bytes() == b"one row"
    assert final.parent == tmp_path / "rejects/media/delta/users/2026-01-01"
    rejects.clear("media/delta/users", DAY, ["users.user_id not null"])
    assert not final.exists()


def test_a_manifest_is_written_once(tmp_path: Path) -> None:
    manifests = ManifestStore(tmp_path)

    path = manifests.keep("0123456789abcdef", 1, b"{}\n")
    assert manifests.keep("0123456789abcdef", 1, b"{}\n") == path == tmp_path / "manifests/0123456789abcdef.r1.json"
    with pytest.raises(DeliveryRefused, match="redeliver --correct"):
        manifests.keep("0123456789abcdef", 1, b"[]\n")

    assert manifests.content("0123456789abcdef", 1) == b"{}\n"
    assert manifests.content("0123456789abcdef", 2) is None
