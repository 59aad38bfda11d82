"""Staged deliveries: what was finished in the lake, so that any later run can publish it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date  # noqa: TC003 - pydantic reads the annotation
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from offramp.domain.deliveries import (
    Counts,
    Delivery,
    FileEntry,
    FileRole,
    Kind,
    LateAges,
    Previous,
    RecordedCut,
    Staged,
)
from offramp.domain.windows import Window
from offramp.lake.durable import place, work_file
from offramp.lake.names import segment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from offramp.lake.parts import PartStore


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class _PreviousRecord(_Record):
    delivery_id: str
    revision: int
    landing_id: str
    until: AwareDatetime


class _WindowRecord(_Record):
    start: AwareDatetime
    end: AwareDatetime


class _DeliveryRecord(_Record):
    data_day: date
    tick: AwareDatetime
    until: AwareDatetime
    window: _WindowRecord | None
    landing_id: str | None
    kind: Kind
    revision: int
    previous: _PreviousRecord | None
    covers: tuple[date, ...]
    supersedes: int | None
    reason: str | None
    is_approximate: bool

    def restored(self, delivery: Delivery) -> Delivery:
        """Return the delivery as it was staged, with the subscription and export of today's."""
        return Delivery(
            subscription=delivery.subscription,
            export=delivery.export,
            data_day=self.data_day,
            tick=self.tick,
            until=self.until,
            window=self.cut.window,
            landing_id=self.landing_id,
            kind=self.kind,
            revision=self.revision,
            previous=self.cut.previous,
            covers=self.covers,
            supersedes=self.supersedes,
            reason=self.reason,
            is_approximate=self.is_approximate,
        )

    @property
    def cut(self) -> RecordedCut:
        """How its rows were cut."""
        return RecordedCut(
            window=Window(self.window.start, self.window.end) if self.window else None,
            previous=Previous(**self.previous.model_dump()) if self.previous else None,
            covers=self.covers,
            is_approximate=self.is_approximate,
        )


class _FileRecord(_Record):
    name: str
    rows: int
    bytes: int
    checksums: dict[str, str]
    role: FileRole
    first_key: tuple[str, ...] | None
    last_key: tuple[str, ...] | None
    min_change: str | None
    max_change: str | None


class _LateRecord(_Record):
    lt_1h: int
    lt_1d: int
    lt_7d: int
    ge_7d: int
    undated: int


class _CountsRecord(_Record):
    read: int
    rows: int
    in_window: int
    catch_up: int
    late: _LateRecord | None
    repeated: int | None
    pending: int
    unchanged: int
    deletes: int | None
    adds_up: bool | None

    def restored(self) -> Counts:
        """Return the counts."""
        late = LateAges(**self.late.model_dump()) if self.late else None
        return Counts(**{**self.model_dump(), "late": late})


class _StagedRecord(_Record):
    version: int = 1
    delivery_id: str
    schema_fingerprint: str
    columns: dict[str, str]
    tenants: tuple[str, ...] = ()
    hashed: dict[str, str] = {}
    delivery: _DeliveryRecord
    files: tuple[_FileRecord, ...]
    counts: _CountsRecord


@dataclass(frozen=True, slots=True)
class NotStaged:
    """Why a delivery has to be staged (again)."""

    reason: str


class StagedStore:
    """Records as ``<root>/staged/<delivery id>.r<revision>.json``."""

    def __init__(self, root: Path, parts: PartStore) -> None:
        self._root = root.resolve()
        self._parts = parts

    def save(self, staged: Staged) -> Path:
        """Write the record in one step, over an earlier one of the same revision. Its parts are kept already."""
        delivery = staged.delivery
        record = _StagedRecord(
            delivery_id=delivery.id,
            schema_fingerprint=delivery.contract.fingerprint,
            # Those of the model: they tell the next delta what can be compared, whatever of it was delivered.
            columns={column.name: str(column.type) for column in delivery.export.contract.columns},
            tenants=delivery.subscription.tenants,
            hashed=delivery.contract.hashed,
            delivery=_DeliveryRecord.model_validate(delivery),
            files=tuple(_FileRecord.model_validate(file) for file in staged.files),
            counts=_CountsRecord.model_validate(staged.counts),
        )
        final = self._path(delivery.id, delivery.revision)
        with work_file(self._root) as temporary:
            temporary.write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")
            place(temporary, final)
        return final

    def load(self, delivery: Delivery) -> Staged | None:
        """Return what was staged for a delivery's revision, or None if nothing of it can be used."""
        found = self.find(delivery)
        return found if isinstance(found, Staged) else None

    def find(self, delivery: Delivery) -> Staged | NotStaged:
        """Return what was staged for a delivery's revision, or why nothing of it can be used.

        Every part is read and its checksum compared. The delivery comes back as it was staged (its landing,
        window and base), whatever today's plan says.
        """
        path = self._path(delivery.id, delivery.revision)
        record = self._read(path)
        if isinstance(record, NotStaged):
            return record
        differs = _differs(record, path, delivery)
        if differs is not None:
            return NotStaged(differs)
        files = tuple(FileEntry(**file.model_dump()) for file in record.files)
        for file in files:
            if not self._parts.has(file.sha256):
                return NotStaged(f"part {file.sha256} of {file.name} is missing")
            if not self._parts.verify(file.sha256):
                return NotStaged(f"part {file.sha256} of {file.name} is damaged: its bytes have another checksum")
        return Staged(
            delivery=record.delivery.restored(delivery),
            files=files,
            counts=record.counts.restored(),
            parts={file.sha256: self._parts.path(file.sha256) for file in files},
        )

    def cut(self, delivery_id: str, revision: int) -> RecordedCut | None:
        """Return how a revision's rows were cut, or None if that is unknown. Its parts need not be kept any more."""
        record = self._read(self._path(delivery_id, revision))
        return None if isinstance(record, NotStaged) else record.delivery.cut

    def columns(self, delivery_id: str, revision: int) -> Mapping[str, str] | None:
        """Return names and types of the columns that a revision was staged with, or None if that is unknown."""
        record = self._read(self._path(delivery_id, revision))
        return None if isinstance(record, NotStaged) else record.columns

    def hashed(self, delivery_id: str, revision: int) -> Mapping[str, str] | None:
        """Return the columns that a revision holds hashed, with the ids of their hash keys; None if unknown."""
        record = self._read(self._path(delivery_id, revision))
        return None if isinstance(record, NotStaged) else record.hashed

    def tenants(self, delivery_id: str, revision: int) -> tuple[str, ...]:
        """Return the tenants that a revision was staged for, none if that is unknown."""
        record = self._read(self._path(delivery_id, revision))
        return () if isinstance(record, NotStaged) else record.tenants

    @staticmethod
    def _read(path: Path) -> _StagedRecord | NotStaged:
        try:
            return _StagedRecord.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return NotStaged("it was not staged")
        except ValidationError as error:
            return NotStaged(f"its record {path} is damaged: {error.error_count()} wrong fields")

    def _path(self, delivery_id: str, revision: int) -> Path:
        return self._root / "staged" / f"{segment(delivery_id)}.r{revision:d}.json"


def _differs(record: _StagedRecord, path: Path, delivery: Delivery) -> str | None:
    """Say why a record is not of what is owed today, or None."""
    if record.delivery_id != delivery.id or record.delivery.revision != delivery.revision:
        return f"its record {path} is of another delivery: {record.delivery_id}"
    if record.schema_fingerprint != delivery.contract.fingerprint:
        return "it was staged under another contract: the columns changed since"
    if record.hashed != delivery.contract.hashed:
        return "it was staged with other personal columns hashed, or under another hash key"
    if record.tenants and set(record.tenants) != set(delivery.subscription.tenants):
        return f"it was staged for other tenants: {', '.join(record.tenants)}"
    return None
