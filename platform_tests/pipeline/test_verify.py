"""What a receiver finds in a folder of deliveries, good and damaged in every way that we know."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offramp.destinations.names import temporary_name
from offramp.domain.contracts import Column, Contract, DataType
from offramp.domain.deliveries import Counts, Delivery, FileRole, Kind, Staged
from offramp.domain.errors import ContractBroken, WrongUse
from offramp.domain.exports import EntityKind, Export, FormatName, Mode, Model
from offramp.domain.manifests import build_manifest
from offramp.domain.subscriptions import Subscription
from offramp.formats.registry import FORMATS
from offramp.pipeline.reading_back import count_records
from offramp.pipeline.verify import verify_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

TICK = datetime(2026, 11, 22, 0, 10, tzinfo=UTC)
CSV = "users/users_2026_11_22.csv"
MANIFEST = "_manifests/delta/users/2026_11_22.r1.json"
CONTRACT = Contract(
    columns=(
        Column("id", DataType.parse("bigint"), is_nullable=False),
        Column("name", DataType.parse("varchar(50)"), is_nullable=True),
    ),
    key=("id",),
    change_column=None,
)
ROWS = pa.record_batch({"id": [1, 2, 3], "name": ["Ada", 'two\r\nlines; and "quotes"', None]})
DELETES = pa.record_batch({"id": [7], "detected_at": ["2026-11-22T00:05:00+0000"]})


@dataclass(frozen=True)
class Outbox:
    """A folder with one delivery in it."""

    root: Path

    @property
    def manifest(self) -> Path:
        return self.root / MANIFEST

    @property
    def rows(self) -> Path:
        return self.root / CSV

    def restate(self, change: Callable[[dict], None]) -> None:
        """Change the manifest and the checksum beside it, as somebody who forges both would."""
        body = json.loads(self.manifest.read_bytes())
        change(body)
        content = json.dumps(body).encode()
        self.manifest.write_bytes(content)
        line = f"{hashlib.sha256(content).hexdigest()}  {self.manifest.name}\n"
        self.manifest.with_name(f"{self.manifest.name}.sha256").write_text(line)


def write_outbox(
    root: Path,
    *,
    kind: FormatName = FormatName.CSV,
    name: str = CSV,
    options: Mapping[str, object] | None = None,
    with_deletes: bool = False,
) -> Outbox:
    """Write a delivery with the product's own writer and manifest."""
    chosen = {"md5": True, **(options or {})}
    writer = FORMATS[kind]
    files = []
    parts = [(name, FileRole.ROWS, ROWS)]
    parts += [("users_deletes/users_deletes_2026_11_22.csv", FileRole.DELETES, DELETES)] if with_deletes else []
    for path, role, batch in parts:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        batches = [(0, _as_taken(writer, batch, chosen))]
        entry = writer.write(batches, [root / path], schema=batch.schema, options=chosen)[0]
        files.append(replace(entry, name=path, role=role))
        sidecar = f"{entry.checksums['md5']}  {path.rpartition('/')[2]}\n"
        (root / f"{path}.md5").write_text(sidecar)
    model = Model("media", "users", EntityKind.MUTABLE, CONTRACT, None, "Users.", (), "users.sql", "f")
    export = Export("media", Mode.DELTA, "users", model, kind)
    subscriber = Subscription("northwind", "northwind", "media", ("aurora",), date(2026, 11, 1), ("outbox",))
    delivery = Delivery(subscriber, export, date(2026, 11, 21), TICK, TICK, None, "landing", Kind.REGULAR)
    manifest = build_manifest(
        Staged(delivery, tuple(files), Counts(read=3, rows=3), {}),
        data_as_of=TICK,
        safety_lag_seconds=300,
        cut_by=None,
        dialect={"type": kind.value, **writer.dialect(chosen)},
        verification={"outbox": "read_back"},
        versions={"version": "test"},
    )
    outbox = Outbox(root)
    outbox.manifest.parent.mkdir(parents=True)
    outbox.manifest.write_bytes(manifest.content)
    line = f"{manifest.sha256}  {outbox.manifest.name}\n"
    outbox.manifest.with_name(f"{outbox.manifest.name}.sha256").write_text(line)
    return outbox


def _as_taken(writer: object, batch: pa.RecordBatch, options: Mapping[str, object]) -> pa.RecordBatch:
    """Return the rows as the writer's ``project`` would give them: JSON text for NDJSON."""
    del options
    if getattr(writer, "name", None) is not FormatName.NDJSON_GZ:
        return batch
    columns = {
        name: [json.dumps(value) if isinstance(value, str) else value for value in batch.column(name).to_pylist()]
        for name in batch.schema.names
    }
    return pa.record_batch(columns)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return write_outbox(tmp_path / "northwind" / "media", with_deletes=True)


def problems(outbox: Outbox) -> str:
    report = verify_folder(outbox.root)
    assert not report.is_good
    return "\n".join((*report.problems, *(text for one in report.deliveries for text in one.problems)))


def test_a_whole_delivery_is_good_from_any_folder_above_it(outbox: Outbox, tmp_path: Path) -> None:
    report = verify_folder(tmp_path)

    assert report.is_good
    [delivery] = report.deliveries
    assert (delivery.export, delivery.data_day, delivery.revision) == ("media/delta/users", "2026-11-21", 1)
    assert [(file.name, file.rows) for file in delivery.files] == [
        (CSV, 3),
        ("users_deletes/users_deletes_2026_11_22.csv", 1),
    ]
    assert delivery.bytes == sum(path.stat().st_size for path in outbox.root.rglob("*.csv"))
    assert report.unmentioned == ()
    assert report.leftovers == ()


@pytest.mark.parametrize(
    ("kind", "name", "options"),
    [
        (FormatName.CSV, CSV, {"separator": ";", "enclosure": "'", "escape": "\\"}),
        (FormatName.CSV, CSV, {"separator": "\t", "has_header": False}),
        (FormatName.CSV, f"{CSV}.gz", {"gzip": True}),
        (FormatName.CSV, CSV, {"enclose": "all", "line_end": "\n"}),
        (FormatName.PARQUET, "users/users.parquet", {}),
        (FormatName.NDJSON_GZ, "users/users.json.gz", {}),
    ],
)
def test_every_format_and_dialect_reads_back(
    tmp_path: Path, kind: FormatName, name: str, options: dict[str, object]
) -> None:
    write_outbox(tmp_path, kind=kind, name=name, options=options)

    report = verify_folder(tmp_path)

    assert [one.problems for one in report.deliveries] == [()]
    assert report.deliveries[0].rows == 3


def test_a_folder_without_a_manifest_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("id\r\n1\r\n")

    report = verify_folder(tmp_path)

    assert not report.is_good
    assert "nothing was delivered" in report.problems[0]
    assert report.unmentioned == (str(tmp_path / "users.csv"),)


def test_a_folder_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="no such folder"):
        verify_folder(tmp_path / "nowhere")


def test_a_missing_file_is_named(outbox: Outbox) -> None:
    outbox.rows.unlink()

    assert f"{CSV}: it is missing" in problems(outbox)


def test_one_changed_byte_is_found_by_both_checksums(outbox: Outbox) -> None:
    outbox.rows.write_bytes(outbox.rows.read_bytes().replace(b"Ada", b"Eve"))

    found = problems(outbox)

    assert f"{CSV}: its sha256 is" in found
    assert f"{CSV}: its md5 is" in found
    assert f"{CSV}: the .md5 beside it says" in found
    assert "rows" not in found


def test_a_cut_file_has_other_bytes_and_rows(outbox: Outbox) -> None:
    outbox.rows.write_bytes(b"".join(outbox.rows.read_bytes().splitlines(keepends=True)[:2]))

    found = problems(outbox)

    assert "bytes, the manifest says" in found
    assert "1 rows, the manifest says 3" in found


def test_a_forged_row_count_is_found_by_counting(outbox: Outbox) -> None:
    def change(body: dict) -> None:
        body["files"][0]["rows"] = body["totals"]["rows"] = 4

    outbox.restate(change)

    assert problems(outbox) == f"{CSV}: 3 rows, the manifest says 4"


def test_other_columns_than_the_schema_are_found(outbox: Outbox) -> None:
    def change(body: dict) -> None:
        body["schema"]["columns"][1]["name"] = "title"

    outbox.restate(change)

    found = problems(outbox)

    assert f"{CSV}: its columns are id, name; the manifest says id, title" in found
    assert "its schema gives the fingerprint" in found


def test_rows_of_another_width_are_found(outbox: Outbox) -> None:
    outbox.rows.write_bytes(b"id,name\r\n1,a,b\r\n")

    assert "it does not read as csv" in problems(outbox)


def test_a_changed_manifest_differs_from_its_checksum(outbox: Outbox) -> None:
    outbox.manifest.write_bytes(outbox.manifest.read_bytes() + b"\n")

    assert "the .sha256 beside it says" in problems(outbox)


def test_a_manifest_without_its_checksum_is_named(outbox: Outbox) -> None:
    outbox.manifest.with_name(f"{outbox.manifest.name}.sha256").unlink()

    assert problems(outbox) == "the .sha256 beside it is missing"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"{", "the manifest is not JSON"),
        (b"\xff\xfe", "the manifest is not JSON"),
        (b"[]", "it is not a manifest"),
        (b"{}", "it is not a manifest: manifest_version: Field required"),
    ],
)
def test_a_broken_manifest_is_a_difference_and_no_crash(outbox: Outbox, content: bytes, expected: str) -> None:
    outbox.manifest.write_bytes(content)

    assert expected in problems(outbox)


def test_totals_that_do_not_add_up_are_found(outbox: Outbox) -> None:
    def change(body: dict) -> None:
        body["totals"]["bytes"] += 1

    outbox.restate(change)

    assert "its files give the totals" in problems(outbox)


@pytest.mark.parametrize("name", ["../../../secret.csv", "/etc/hostname"])
def test_a_name_that_leads_out_of_the_folder_is_never_opened(outbox: Outbox, name: str) -> None:
    def change(body: dict) -> None:
        body["files"][0]["name"] = name

    outbox.restate(change)

    assert f"{name}: its name leads out of the folder" in problems(outbox)


def test_a_later_manifest_version_is_said(outbox: Outbox) -> None:
    def change(body: dict) -> None:
        body["manifest_version"] = 2

    outbox.restate(change)

    assert "manifest_version is 2, this program knows 1" in problems(outbox)


def test_files_that_no_manifest_mentions_and_leftovers_are_warnings(outbox: Outbox) -> None:
    stray = outbox.root / "users" / "users_2026_11_20.csv"
    stray.write_text("id\r\n")
    leftover = outbox.root / temporary_name(CSV, 3)
    leftover.write_bytes(b"half")

    report = verify_folder(outbox.root)

    assert report.is_good
    assert report.unmentioned == (str(stray),)
    assert report.leftovers == (str(leftover),)


def test_a_relative_folder_and_a_link_to_it_give_the_same(
    outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(outbox.root)
    monkeypatch.chdir(outbox.root)

    for name in (".", str(tmp_path / "link")):
        report = verify_folder(type(tmp_path)(name))
        assert report.is_good, report
        assert report.unmentioned == ()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))),
    separator=st.sampled_from([",", ";", "\t", "|", " "]),
    marks=st.sampled_from([('"', '"'), ('"', "\\"), ("'", "'"), ("~", "\\")]),
    enclose=st.sampled_from(["necessary", "all"]),
)
def test_the_reader_counts_what_the_writer_wrote(
    tmp_path: Path, texts: list[str | None], separator: str, marks: tuple[str, str], enclose: str
) -> None:
    options = {"separator": separator, "enclosure": marks[0], "escape": marks[1], "enclose": enclose}
    batch = pa.record_batch(
        {"id": pa.array(range(len(texts)), pa.int64()), "name": pa.array(texts, pa.string())},
    )
    path = tmp_path / "rows.csv"
    FORMATS[FormatName.CSV].write([(0, batch)], [path], schema=batch.schema, options=options)

    found = count_records(path, FormatName.CSV, ["id", "name"], options | {"has_header": True, "gzip": False})

    assert found.rows == len(texts)
    assert found.names == ("id", "name")


def test_bytes_that_are_no_text_do_not_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"id,name\r\n1,\xff\xfe\r\n")
    dialect = {"separator": ",", "enclosure": '"', "escape": '"', "has_header": True, "gzip": False}

    with pytest.raises(ContractBroken, match="does not read as csv"):
        count_records(path, FormatName.CSV, ["id", "name"], dialect)


def test_a_copy_of_the_folder_elsewhere_is_as_good(outbox: Outbox, tmp_path: Path) -> None:
    copied = shutil.copytree(outbox.root, tmp_path / "receiver" / "inbox")

    assert verify_folder(copied).is_good
