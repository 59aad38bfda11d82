"""Deliveries: what is owed once, its revisions and states, and the values that plan, stage and publish hand on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from offramp.domain.personal import delivered_contract

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from pathlib import Path

    from offramp.domain.contracts import Contract
    from offramp.domain.exports import Export
    from offramp.domain.subscriptions import Subscription
    from offramp.domain.windows import Window


class Kind(StrEnum):
    """Why a delivery is made."""

    REGULAR = "regular"
    INITIAL = "initial"
    BACKFILL = "backfill"
    CORRECTION = "correction"
    RESUBMISSION = "resubmission"


class State(StrEnum):
    """Where a delivery stands in the ledger."""

    PLANNED = "planned"
    STAGED = "staged"
    PUBLISHED = "published"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    SUPERSEDED = "superseded"
    FAILED = "failed"


DELIVERED = frozenset({State.PUBLISHED, State.SUBMITTED, State.ACCEPTED})


class Cut(StrEnum):
    """Why a row is in a delivery (media_exports.md section 7)."""

    ALL = "all"
    WINDOW = "window"
    CATCH_UP = "catch_up"
    LATE = "late"


class FileRole(StrEnum):
    """What a file of a delivery is."""

    ROWS = "rows"
    DELETES = "deletes"


def delivery_id(subscription_id: str, export_name: str, data_day: date) -> str:
    """Return the id of what is owed once: 16 hex digits, the same in every run."""
    key = f"{subscription_id}|{export_name}|{data_day.isoformat()}"
    return hashlib.sha256(key.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Previous:
    """The base of a delta: the last delivery of the same subscription and export."""

    delivery_id: str
    revision: int
    landing_id: str
    until: datetime


@dataclass(frozen=True, slots=True)
class RecordedCut:
    """How a revision's rows were cut when it was staged. Whoever resumes or corrects it cuts the same."""

    window: Window | None
    previous: Previous | None
    covers: tuple[date, ...]
    is_approximate: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one subscription is owed of one export for one data day.

    ``until`` is the window's end; a snapshot has no window, yet it too is read from a landing at or after
    ``until`` plus the safety lag. ``covers`` are missed data days whose rows this delivery catches up.
    ``landing_id`` is None as long as the landing is still to be made.
    """

    subscription: Subscription
    export: Export
    data_day: date
    tick: datetime
    until: datetime
    window: Window | None
    landing_id: str | None
    kind: Kind
    revision: int = 1
    previous: Previous | None = None
    covers: tuple[date, ...] = ()
    supersedes: int | None = None
    reason: str | None = None
    is_approximate: bool = False

    @property
    def id(self) -> str:
        """The id of what is owed; revisions share it."""
        return delivery_id(self.subscription.id, self.export.name, self.data_day)

    @property
    def label(self) -> str:
        """How people name it in messages."""
        return f"{self.subscription.id} {self.export.name} {self.data_day} r{self.revision}"

    @property
    def contract(self) -> Contract:
        """The contract of the files: the export's, with personal columns as the subscription receives them."""
        export = self.export
        return delivered_contract(export.model.contract, export.entity, self.subscription.personal)


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A finished file. ``name`` is the path that a recipient sees, below its prefix; empty while unnamed.

    ``checksums`` maps algorithm (sha256 always; md5, crc32c, crc64nvme as stores and options need) to lower-case hex.
    """

    name: str
    rows: int
    bytes: int
    checksums: Mapping[str, str]
    role: FileRole = FileRole.ROWS
    first_key: tuple[str, ...] | None = None
    last_key: tuple[str, ...] | None = None
    min_change: str | None = None
    max_change: str | None = None

    @property
    def sha256(self) -> str:
        """The checksum that counts."""
        return self.checksums["sha256"]


@dataclass(frozen=True, slots=True)
class LateAges:
    """Late rows by age at the window's start: under 1 h, 1 day, 7 days, older, and without a change time."""

    lt_1h: int = 0
    lt_1d: int = 0
    lt_7d: int = 0
    ge_7d: int = 0
    undated: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """What was read, delivered and left out, in rows. ``late`` is None where there is no base to tell it by.

    read = rows + pending + unchanged; ``deletes`` is None where the base is unknown.
    """

    read: int
    rows: int
    in_window: int = 0
    catch_up: int = 0
    late: LateAges | None = None
    repeated: int | None = None
    pending: int = 0
    unchanged: int = 0
    deletes: int | None = None
    adds_up: bool | None = None


@dataclass(frozen=True, slots=True)
class Staged:
    """A delivery whose parts are finished in the lake. ``parts`` maps sha256 to where the lake keeps it."""

    delivery: Delivery
    files: tuple[FileEntry, ...]
    counts: Counts
    parts: Mapping[str, Path] = field(hash=False)

    @property
    def rows(self) -> int:
        """Delivered rows, deletes not counted."""
        return sum(file.rows for file in self.files if file.role is FileRole.ROWS)

    @property
    def bytes(self) -> int:
        """Bytes of all files."""
        return sum(file.bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """A line of the ledger: one revision of a delivery and what became of it.

    ``landing_id``, ``until`` and counts are None until it was staged. ``covered_by`` is the id of the
    delivery that caught up a missed day.
    """

    delivery_id: str
    revision: int
    subscription_id: str
    recipient: str
    feed: str
    export: str
    data_day: date
    tick: datetime
    until: datetime
    window_start: datetime | None
    kind: Kind
    state: State
    landing_id: str | None = None
    previous: str | None = None
    supersedes: int | None = None
    reason: str | None = None
    covered_by: str | None = None
    is_approximate: bool = False
    rows: int | None = None
    bytes: int | None = None
    files: tuple[str, ...] = ()
    error: str | None = None
    updated_at: datetime | None = None
    placements: tuple[PlacementRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class PlacementRecord:
    """One destination of a delivery's revision. ``verified_by`` is read_back, checksum or size."""

    destination: str
    state: State
    verified_by: str | None = None
    error: str | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a delivery's revision until it expires. A later claim has a higher token."""

    delivery_id: str
    revision: int
    token: int
    owner: str
    expires_at: datetime
