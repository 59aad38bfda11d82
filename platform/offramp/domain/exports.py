"""Exports: feed, mode and entity, with the contract that binds them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from offramp.domain.contracts import Column, Contract


class Mode(StrEnum):
    """How an entity is cut."""

    SNAPSHOT = "snapshot"
    DELTA = "delta"
    OFFLOAD = "offload"


class EntityKind(StrEnum):
    """How rows of an entity live (media_exports.md section 1).

    mutable: rows change; reference: small lists, a snapshot is enough; events: facts that are only added; computed:
    rows that are computed anew as of each day, of which a sliding window is offloaded (mobility_offloads.md section 8).
    """

    MUTABLE = "mutable"
    REFERENCE = "reference"
    EVENTS = "events"
    COMPUTED = "computed"


class FormatName(StrEnum):
    """The formats, by the key of their IO manager."""

    CSV = "csv"
    PARQUET = "parquet"
    NDJSON_GZ = "ndjson_gz"


@dataclass(frozen=True, slots=True)
class TaskSchedule:
    """The variable that switches one task of an entity (``CRON_SCHEDULE_USERS``) and its default cron.

    An empty default is off. ``is_shared`` allows other entities to be switched by the same variable.
    """

    variable: str
    default: str
    modes: tuple[Mode, ...]
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """A model of ``dbt_like_sql`` as the rooms above sql see it. Its SQL stays in the sql room.

    ``tenant_column`` names the output column that says whose a row is; None where every source is shared.
    ``event_source`` is the (source, table) whose increments an events model is cut by. ``hidden`` are columns that the
    SQL gives beside the contract's and that no file holds: ``order`` (empty: the key) says how rows are sorted, and
    ``window_column`` which instant has to lie in the window of an offload. ``part_key`` is the column whose values are
    never divided between parts. ``is_stored`` models are kept in the lake once computed; those that are not
    ``is_exported`` are steps on the way to others. Rows that are delivered once (``is_delivered_once``) are indexed
    by key, and a key that went out for another data day is refused.
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
    hidden: tuple[Column, ...] = ()
    order: tuple[str, ...] = ()
    window_column: str | None = None
    part_key: str | None = None
    is_stored: bool = False
    is_exported: bool = True
    is_delivered_once: bool = False

    @property
    def name(self) -> str:
        """``media.users``."""
        return f"{self.feed}.{self.entity}"

    def column(self, name: str) -> Column:
        """Return a column by its name, one that is hidden too; a KeyError if there is none."""
        return next((one for one in self.hidden if one.name == name), None) or self.contract.column(name)

    @property
    def sort(self) -> tuple[str, ...]:
        """The columns by which rows are sorted within a tenant."""
        return self.order or self.contract.key


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
