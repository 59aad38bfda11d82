"""What the pipeline works with: one value that wiring fills and every step is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from offramp.domain.errors import WrongUse, nearest
from offramp.domain.memory import Memory
from offramp.domain.quoting import identifier
from offramp.domain.steps import no_step
from offramp.pipeline.hashing import hashed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from offramp.domain.contracts import Column
    from offramp.domain.deliveries import Delivery, Staged
    from offramp.domain.errors import OfframpError
    from offramp.domain.exports import Export, FormatName, Model
    from offramp.domain.landings import TableSpec
    from offramp.domain.layers import Layer
    from offramp.domain.ports import (
        Destination,
        Engine,
        Feed,
        FormatWriter,
        LandingStore,
        Ledger,
        Source,
    )
    from offramp.domain.subscriptions import Subscription
    from offramp.lake.layers import LayerStore
    from offramp.lake.manifests import ManifestStore
    from offramp.lake.models import ModelStore
    from offramp.lake.parts import PartStore
    from offramp.lake.rejects import RejectStore
    from offramp.lake.staged import StagedStore
    from offramp.pipeline.gate import GateReport
    from offramp.pipeline.reuse import Made
    from offramp.sql.compiled import Compiled
    from offramp.sql.data_tests import GateSql
    from offramp.sql.project import Project


class Report(Protocol):
    """Told what a step does, for people who watch: a line of text and counts since the last call."""

    def __call__(self, step: str, subject: str, *, rows: int = 0, bytes_: int = 0, of_bytes: int = 0) -> None:
        """Report rows and bytes of a step's subject, and of how many bytes in all where that is known."""


def no_report(step: str, subject: str, *, rows: int = 0, bytes_: int = 0, of_bytes: int = 0) -> None:
    """Report nothing."""


def no_news() -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a destination is tried: bounded, with pauses that double and are drawn by chance."""

    attempts: int = 4
    """Attempts without getting any further in between."""
    silence: timedelta = timedelta(minutes=1)
    """How long the attempts may last without getting any further."""
    first_pause: timedelta = timedelta(seconds=1)
    longest_pause: timedelta = timedelta(seconds=30)
    hangs: timedelta = timedelta(seconds=30)
    """After this long without getting any further a destination counts as one that does not answer."""
    down_for: timedelta = timedelta(minutes=5)
    """How long a destination that did not answer is left alone at first, so that it delays nobody else."""


PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Down:
    """A destination that did not answer: what it said, until when it is left alone (None: all along), how often."""

    until: datetime | None
    error: OfframpError
    times: int = 1


@dataclass(frozen=True, slots=True)
class Lake:
    """The stores of the lake."""

    landings: LandingStore
    models: ModelStore
    layers: LayerStore
    parts: PartStore
    staged: StagedStore
    rejects: RejectStore
    manifests: ManifestStore


@dataclass(frozen=True, slots=True)
class Rooms:
    """Everything that a run needs. ``at_step`` is called before each named step; tests kill a process there.

    ``destination`` gives a destination by its name, with the paths of a subscription; ``hang_up`` closes the
    connections of all that were given; ``proof`` says how one proves uploads, without opening it. ``down`` are
    destinations that are left alone for now, ``wary`` those that broke off lately. ``has_ended`` tells whether the
    process that an ``owner`` names is known to have ended. ``layers`` are by the source that models read them as.
    """

    project: Project
    feeds: Mapping[str, Feed]
    exports: Mapping[str, Export]
    subscriptions: Sequence[Subscription]
    sources: Mapping[str, Source]
    lake: Lake
    engine: Engine
    formats: Mapping[FormatName, FormatWriter]
    destination: Callable[[str, Subscription], Destination]
    ledger: Ledger
    clock: Callable[[], datetime]
    owner: str
    has_ended: Callable[[str], bool]
    safety_lag: timedelta
    claim_ttl: timedelta
    publish_parallel: int
    versions: Mapping[str, str]
    memory_bytes: int = 256 * 1024 * 1024
    layers: Mapping[str, Mapping[str, Layer]] = field(default_factory=dict)
    at_step: Callable[[str], None] = no_step
    patience: Patience = PATIENCE
    hang_up: Callable[[], None] = no_news
    proof: Callable[[str], str] | None = None
    down: dict[str, Down] = field(default_factory=dict, compare=False, repr=False)
    wary: set[str] = field(default_factory=set, compare=False, repr=False)
    gates: Memory[GateReport] = field(default_factory=Memory, compare=False, repr=False)
    tenants: dict[tuple[str, str], dict[str, frozenset[str]]] = field(default_factory=dict, compare=False, repr=False)
    made: Memory[Made] = field(default_factory=Memory, init=False, compare=False, repr=False)
    _compiled: dict[tuple[str, str], Compiled] = field(default_factory=dict, init=False, compare=False, repr=False)
    _gate_sql: dict[tuple[str, str], GateSql] = field(default_factory=dict, init=False, compare=False, repr=False)
    _sources: dict[str, str] = field(default_factory=dict, init=False, compare=False, repr=False)
    _selects: dict[object, tuple[str, ...]] = field(default_factory=dict, init=False, compare=False, repr=False)

    def feed_of(self, export: Export) -> Feed:
        """Return the feed of an export."""
        return self.feeds[export.feed]

    def destinations_of(self, delivery: Delivery) -> tuple[str, ...]:
        """Return the names of the destinations that a delivery goes to."""
        return self.feed_of(delivery.export).destinations(delivery.subscription, delivery.export)

    def proof_of(self, name: str, subscription: Subscription) -> str:
        """Return how uploads are proved at a destination: read_back, checksum or size."""
        return self.destination(name, subscription).verified_by if self.proof is None else self.proof(name)

    def source_of(self, export: Export) -> Source:
        """Return the source that an export's model reads. Raises WrongUse where it is not configured."""
        name = self._sources.get(export.model.name)
        if name is None:
            name = self._sources[export.model.name] = self.project.source_of(export.model.name)
        if name not in self.sources:
            raise WrongUse(
                f"the source '{name}' is not configured",
                where=export.model.name,
                todo=f"declare it under sources: in offramp.yaml; {nearest(name, self.sources)}",
            )
        return self.sources[name]

    def compiled(self, model: Model, *, prefix: str = "") -> Compiled:
        """Return a model's SQL; see ``Project.compile``. Each is compiled once."""
        found = self._compiled.get((model.name, prefix))
        if found is None:
            found = self._compiled[model.name, prefix] = self.project.compile(model.name, prefix=prefix)
        return found

    def gate_sql(self, model: Model, *, prefix: str = "") -> GateSql:
        """Return the query of a model's data tests; see ``Project.gate_sql``. Each is made once."""
        found = self._gate_sql.get((model.name, prefix))
        if found is None:
            found = self._gate_sql[model.name, prefix] = self.project.gate_sql(model.name, prefix=prefix)
        return found

    def selects(
        self, export: Export, columns: Sequence[Column], format_name: FormatName, options: Mapping[str, object]
    ) -> tuple[str, ...]:
        """Return columns of an export as the writer of a format takes them, personal ones hashed where asked.

        Each choice is made once.
        """
        chosen = tuple((column.name, column.hashed_with) for column in columns)
        key = (export.name, chosen, format_name, repr(sorted(options.items())))
        found = self._selects.get(key)
        if found is None:
            project = self.formats[format_name].project
            found = tuple(
                f"{hashed(column) if column.is_hashed else project(column, options)} as {identifier(column.name)}"
                for column in columns
            )
            self._selects[key] = found
        return found

    def tables_of(self, source: str) -> tuple[TableSpec, ...]:
        """Return the tables that land from a source."""
        return self.project.tables(source)


@dataclass(frozen=True, slots=True)
class PublishFailure:
    """A destination that did not take a delivery, for the end of the run."""

    delivery: Delivery
    destination: str
    error: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one delivery in this run. ``is_new`` is False where the parts were staged earlier."""

    staged: Staged
    is_new: bool
    failures: tuple[PublishFailure, ...] = ()
