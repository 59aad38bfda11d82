"""Exports: feed, mode and entity, with the contract that binds them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from offramp.domain.contracts import Contract


class Mode(StrEnum):
    """How an entity is cut."""

    SNAPSHOT = "snapshot"
    DELTA = "delta"


class EntityKind(StrEnum):
    """How rows of an entity live (media_exports.md section 1).

    mutable: rows change; reference: small lists, a snapshot is enough; events: facts that are only added.
    """

    MUTABLE = "mutable"
    REFERENCE = "reference"
    EVENTS = "events"


class FormatName(StrEnum):
    """The formats, by the key of their IO manager."""

    CSV = "csv"
    PARQUET = "parquet"
    NDJSON_GZ = "ndjson_gz"


@dataclass(frozen=True, slots=True)
class TaskSchedule:
    """The variable that switches one task of an entity (``CRON_SCHEDULE_USERS``) and its default cron.

    An empty default is off.
    """

    variable: str
    default: str
    modes: tuple[Mode, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A model of ``dbt_like_sql`` as the rooms above sql see it. Its SQL stays in the sql room.

    ``tenant_column`` names the output column that says whose a row is; None where every source is shared.
    ``event_source`` is the (source, table) whose increments an events model is cut by.
    """

    feed: str
    entity: str
    kind: EntityKind
    contract: Contract
    tenant_column: str | None
    description: str
    schedules: tuple[TaskSchedule, ...]
    file: str
    fingerprint: str
    event_source: tuple[str, str] | None = None
    owners: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """``media.users``."""
        return f"{self.feed}.{self.entity}"


@dataclass(frozen=True, slots=True)
class Export:
    """One asset: what is exported, by which contract, in which format by default."""

    feed: str
    mode: Mode
    entity: str
    model: Model
    default_format: FormatName

    @property
    def key(self) -> tuple[str, str, str]:
        """The asset key: feed, mode, entity."""
        return (self.feed, self.mode.value, self.entity)

    @property
    def name(self) -> str:
        """``media/delta/users``."""
        return "/".join(self.key)

    @property
    def contract(self) -> Contract:
        """The contract of the model."""
        return self.model.contract
