"""Layers: tables that a feed computes for each data day, from a landing and from what it computed before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextlib import AbstractContextManager
    from datetime import date, datetime
    from pathlib import Path

    import polars as pl

    from offramp.domain.ports import Session


_SUFFIX = "_layers"


def layers_source(feed: str) -> str:
    """Return the source under whose name models read what a feed's layers compute."""
    return f"{feed}{_SUFFIX}"


def feed_of_layers(source: str) -> str:
    """Return the feed that computes the tables of such a source."""
    return source.removesuffix(_SUFFIX)


@dataclass(frozen=True, slots=True)
class LayerTable:
    """A table that a layer writes for each day. ``columns`` are (name, DuckDB type), ``key`` the order of its rows.

    ``days`` is how many builds up to a day are its rows as of that day: 1 where each build writes the whole table.
    ``tenant_column`` is None only where all tenants share it. ``lineage`` says by column what it is made of:
    ``fixes.latitude`` of the landing, ``layers.stays.latitude`` of this day's build of a layer, or
    ``before.legs.event_id`` of the layer's own earlier builds.
    """

    name: str
    description: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    days: int = 1
    tenant_column: str | None = "app_id"
    lineage: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)


class LayerWork(Protocol):
    """The build of one layer for one data day."""

    @property
    def day(self) -> date:
        """The data day."""

    @property
    def until(self) -> datetime:
        """The end of the data day, in UTC. What arrived at or after it is not for this build."""

    @property
    def is_first(self) -> bool:
        """True where no earlier build exists: it takes all that had arrived by then, however early."""

    @property
    def memory_bytes(self) -> int:
        """How much memory a build may hold beside the engine's own bound."""

    @property
    def scratch(self) -> Path:
        """A folder of the lake for temporary files without a name: what has one becomes part of the build."""

    def open(self) -> AbstractContextManager[Session]:
        """Open the engine with what the build reads.

        Relations: ``<source>.<table>`` of the landing for each table that the layer reads; ``layers.<table>`` of each
        layer that it comes after, this day's build among them; ``before.<table>`` of its own earlier builds.
        """

    def store(self, table: str, session: Session, sql: str) -> None:
        """Write a table as the result of a query that ends in the order of the table's key."""

    def write(self, table: str, frames: Iterable[pl.DataFrame]) -> None:
        """Write a table from frames with its columns, in the order of its key over all frames."""

    def report(self, rows: int) -> None:
        """Tell how many input rows were worked through since the last call."""


class Layer(Protocol):
    """Computes tables for a data day. The same landing, earlier builds and version give the same bytes."""

    @property
    def name(self) -> str:
        """``timeline``."""

    @property
    def description(self) -> str:
        """What it computes, for people."""

    @property
    def source(self) -> str:
        """The source whose landing it reads."""

    @property
    def reads(self) -> tuple[str, ...]:
        """The tables of the landing that it reads."""

    @property
    def after(self) -> tuple[str, ...]:
        """The layers that must be built before it, for the same day."""

    @property
    def is_carried(self) -> bool:
        """True where the build of a day needs that of the day before."""

    @property
    def tables(self) -> Mapping[str, LayerTable]:
        """What it writes, by name."""

    @property
    def version(self) -> str:
        """Changes whenever the same input would give other rows: parameters are part of it."""

    def build(self, work: LayerWork) -> None:
        """Write every table of a data day. A table that was not written has no rows."""
