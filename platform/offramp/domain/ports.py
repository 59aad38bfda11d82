"""Every Protocol of the house. Each has one conformance suite in platform_tests/conformance."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import date, datetime
    from pathlib import Path

    import pyarrow as pa

    from offramp.domain.contents import Content, Standing
    from offramp.domain.contracts import Column
    from offramp.domain.deliveries import (
        Claim,
        Delivery,
        DeliveryRecord,
        FileEntry,
        PlacementRecord,
        Staged,
        State,
    )
    from offramp.domain.exports import Export, FormatName, Model
    from offramp.domain.landings import LandedTable, Landing, Relation, TableSpec
    from offramp.domain.layers import Layer
    from offramp.domain.subscriptions import Subscription
    from offramp.domain.windows import Window


class Progress(Protocol):
    """Told how far long work is. Called often, so it must be cheap."""

    def __call__(self, step: str, *, rows: int = 0, bytes_: int = 0) -> None:
        """Report rows and bytes done since the last call under a step's name."""


class LandingWriter(Protocol):
    """Where a source puts the tables of one landing. Nothing is visible until the landing is committed."""

    @property
    def landing_id(self) -> str:
        """The id of the landing under way."""

    def path(self, table: TableSpec) -> Path:
        """Return the path of the Parquet file to write for a table. For an increment it may hold known rows."""

    def read_from(self, table: TableSpec) -> datetime | None:
        """Return from when an incremental table must be read again, or None to read it whole."""

    def add(self, table: TableSpec) -> LandedTable:
        """Take a finished file: drop rows that landed before, or refer to an equal earlier file."""

    def landed_at(self, table: TableSpec) -> datetime | None:
        """Return as of when this process landed the files that ``keep`` would refer to, or None without any."""

    def keep(self, table: TableSpec) -> LandedTable:
        """Refer to the files of ``landed_at``: the source knows that nothing of the table was committed since."""


class Source(Protocol):
    """A system that rows come from."""

    @property
    def name(self) -> str:
        """The name in offramp.yaml, the same as in ``_sources.yml``."""

    @property
    def can_read_as_of(self) -> bool:
        """True where the source can be read as of any past instant."""

    def read_point(self) -> datetime:
        """Return the instant up to which a landing made now would be complete, in UTC."""

    def land(
        self,
        tables: Sequence[TableSpec],
        begin: Callable[[datetime], LandingWriter],
        *,
        as_of: datetime | None,
    ) -> datetime:
        """Write all tables from one consistent snapshot and return its read point.

        ``begin`` gives the writer once the snapshot's read point is known. ``as_of`` is given only where
        ``can_read_as_of``. Raises SourceUnreachable or SourceRefused.
        """


class LandingStore(Protocol):
    """The landings of the lake."""

    def begin(self, source: str, data_as_of: datetime) -> LandingWriter:
        """Start a landing. What is left of a killed one is never seen."""

    def exclusive(self, source: str) -> AbstractContextManager[None]:
        """Hold a source against other runs, from looking for a landing to committing one."""

    def commit(self, writer: LandingWriter) -> Landing:
        """Make the landing visible at once, with all its tables or not at all."""

    def landings(self, source: str) -> tuple[Landing, ...]:
        """Return all committed landings, oldest read point first."""

    def get(self, source: str, landing_id: str) -> Landing:
        """Return one landing; LandingUnavailable if there is none."""

    def relation(self, name: str, landing: Landing, table: str) -> Relation:
        """Return a table as of a landing as a relation under a name."""

    def relation_since(self, name: str, landing: Landing, table: str, base: Landing | None) -> Relation:
        """Return only the files of an incremental table that landed after ``base``."""


class Session(Protocol):
    """An engine with relations registered, for one piece of work."""

    def stream(
        self, sql: str, *, batch_rows: int = 50_000, parameters: Mapping[str, bytes] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield the result as Arrow batches, in the query's order. ``$name`` stands for a parameter: for secrets."""

    def schema(self, sql: str, *, parameters: Mapping[str, bytes] | None = None) -> pa.Schema:
        """Return the Arrow schema that ``stream`` gives, without running the query."""

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Return a small result: counts, samples. Never data."""

    def describe(self, sql: str) -> tuple[tuple[str, str], ...]:
        """Return the result's columns as (name, DuckDB type) without running it."""

    def store(self, sql: str, path: Path) -> int:
        """Write the result as one Parquet file in the query's order and return its rows."""

    def hold(self, sql: str, name: str) -> None:
        """Keep a result of few rows in memory, in the query's order, under a name until the session ends."""


class Engine(Protocol):
    """Runs SQL over relations."""

    def open(self, relations: Iterable[Relation]) -> AbstractContextManager[Session]:
        """Open a session in which each relation can be selected from by its name."""

    def close(self) -> None:
        """Close what is kept for later sessions. A next session opens anew."""


class FormatWriter(Protocol):
    """The only encoder of its format. It knows no destination and no feed."""

    @property
    def name(self) -> FormatName:
        """The format's name."""

    def project(self, column: Column, options: Mapping[str, object]) -> str:
        """Return the DuckDB expression that turns a contract column into what the writer takes.

        The project-wide text of times, booleans, NaN, binary and line breaks is decided here, before any writer.
        """

    def dialect(self, options: Mapping[str, object]) -> Mapping[str, object]:
        """Return the facts of the dialect for the manifest."""

    def write(
        self,
        batches: Iterable[tuple[int, pa.RecordBatch]],
        paths: Sequence[Path],
        *,
        schema: pa.Schema,
        options: Mapping[str, object],
    ) -> list[FileEntry]:
        """Write each batch to ``paths[part]`` and return an entry per path: rows, bytes, checksums, no name.

        The bytes depend on the rows and the options alone: not on batch sizes, threads or the clock.
        """


class Destination(Protocol):
    """A place for finished files. A reader never sees part of one.

    Names are relative, with ``/`` between their parts. Errors are DestinationRefused where a retry would fail the
    same way (rights, keys, names), DestinationUnreachable where it may pass, VerificationFailed where other bytes
    arrived than were sent, and DestinationChanged where somebody else wrote in between. Every method may be called
    again after any error, and from several threads.
    """

    @property
    def name(self) -> str:
        """The name in offramp.yaml."""

    @property
    def is_conditional(self) -> bool:
        """True where a commit over something else than was seen is refused by the place itself, at that moment."""

    @property
    def verified_by(self) -> str:
        """How every upload is proved here before ``commit`` returns: read_back, checksum or size."""

    def stat(self, name: str) -> Standing | None:
        """Return what stands under a name without reading it, or None if nothing does."""

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the bytes under a name, in blocks. DestinationChanged if nothing stands there (any more)."""

    def put(self, name: str, content: Content, *, token: int, sent: Callable[[int], None] = ...) -> PendingFile:
        """Bring the bytes as near as they can get without readers seeing them.

        ``token`` is that of the claim, and temporary names carry it. What an earlier call with the same token left
        may be gone on with. ``sent`` is told the bytes that went out since its last call; where bytes have to go out
        again, a negative number takes them back.
        """

    def commit(self, pending: PendingFile, *, over: Standing | None) -> None:
        """Give the file its final name in one step, in place of ``over``, and prove that it arrived.

        ``over`` is what ``stat`` told before: if something else stands there now, DestinationChanged, unless it is
        this content already. ``over`` None creates. Where the place has no conditional write, a moment between look
        and write remains.
        """

    def list(self, prefix: str) -> tuple[str, ...]:
        """Return the names that begin with a prefix, sorted, temporary ones left out."""

    def delete(self, name: str) -> None:
        """Remove a file; one that is gone is no error."""

    def sweep(self, prefixes: Iterable[str], *, below_token: int) -> int:
        """Remove uploads that were not finished, of older tokens and names that begin with one of the prefixes.

        Returns how many. Tokens count per delivery: give prefixes that hold files of one delivery only.
        """

    def rights(self) -> str:
        """Return the least rights that are needed here, in words or a policy for whoever grants them."""

    def close(self) -> None:
        """Close connections. The next call opens them anew."""


class PendingFile(Protocol):
    """An upload that readers do not see yet."""

    @property
    def name(self) -> str:
        """The final name."""

    @property
    def content(self) -> Content:
        """What was put."""


class Ledger(Protocol):
    """The table of all deliveries and their states. A claim's old token is refused everywhere."""

    def claim(
        self, delivery: Delivery, *, owner: str, ttl: timedelta, now: datetime, gone: Claim | None = None
    ) -> Claim:
        """Take the right to work on a revision, writing it as planned if new. ClaimHeld while another holds it.

        ``gone`` is a claim whose process is known to have ended: it holds nothing any more.
        """

    def renew(self, claim: Claim, *, ttl: timedelta, now: datetime) -> Claim:
        """Extend a claim; ClaimLost if a later one exists."""

    def check(self, claim: Claim) -> None:
        """Raise ClaimLost if a later claim exists."""

    def stage(self, claim: Claim, staged: Staged, *, now: datetime, missed: Iterable[Delivery] = ()) -> None:
        """Advance to staged, with landing, counts and files, and cover missed deliveries in the same transaction."""

    def advance(self, claim: Claim, state: State, *, now: datetime, error: str | None = None) -> None:
        """Advance to another state; an impossible step is refused."""

    def place(self, claim: Claim, placement: PlacementRecord, *, now: datetime) -> None:
        """Write what became of one destination."""

    def release(self, claim: Claim) -> None:
        """Give a claim back, so that others need not wait for its end."""

    def find(
        self,
        *,
        subscription: str | None = None,
        recipient: str | None = None,
        feed: str | None = None,
        export: str | None = None,
        first_day: date | None = None,
        last_day: date | None = None,
        states: Iterable[State] | None = None,
    ) -> tuple[DeliveryRecord, ...]:
        """Return records by data day, subscription, export and revision."""


class Feed(Protocol):
    """What a feed's room decides: exports, switches, windows and names."""

    @property
    def name(self) -> str:
        """The feed's name."""

    def exports(self, models: Iterable[Model]) -> tuple[Export, ...]:
        """Return the feed's exports of these models, sorted by name."""

    def option_names(self) -> tuple[str, ...]:
        """Return the names that ``options:`` may hold; one that ends in ``*`` stands for all that begin so."""

    def check_option(self, name: str, value: str) -> str | None:
        """Say what is wrong with one option's value, or None."""

    def check_options(
        self,
        options: Mapping[str, str],
        exports: Iterable[Export],
        *,
        safety_lag: timedelta = timedelta(minutes=5),
    ) -> tuple[str, ...]:
        """Say what is wrong with options taken together; each message begins with an option's name.

        Without exports, what depends on the jobs that there are is not checked.
        """

    def check_tenants(self, tenants: Iterable[str]) -> str | None:
        """Say what is wrong with the tenants of a subscription, or None."""

    def warnings(self, options: Mapping[str, str], exports: Iterable[Export]) -> tuple[str, ...]:
        """Say what is odd about options that work; each message begins with an option's name."""

    def cron(self, subscription: Subscription, export: Export) -> str | None:
        """Return when the export is due for the subscription, or None where it is switched off or not taken."""

    def destinations(self, subscription: Subscription, export: Export) -> tuple[str, ...]:
        """Return the names of the subscription's destinations that take an export."""

    def check_delivery(self, value: str, exports: Iterable[Export]) -> tuple[str, ...]:
        """Say what is wrong with the list of exports that go to a destination; ``all`` and nothing mean every one."""

    def off_reason(self, subscription: Subscription, export: Export) -> str | None:
        """Say what switches an export off for the subscription, or None where it is due."""

    def window(self, subscription: Subscription, export: Export, tick: datetime) -> Window:
        """Return the window that ends at or before a tick. For a snapshot only its end counts."""

    def format(self, subscription: Subscription, export: Export) -> tuple[FormatName, Mapping[str, object]]:
        """Return the format and its options."""

    def rows_name(self, delivery: Delivery, part: int, parts: int) -> str:
        """Return the path of a part, counted from 1, below the recipient's prefix."""

    def deletes_name(self, delivery: Delivery) -> str:
        """Return the path of the file of deletes."""

    def manifest_name(self, delivery: Delivery) -> str:
        """Return the path of the manifest of the delivery's revision."""

    def sidecars(self, delivery: Delivery, file: FileEntry) -> Mapping[str, bytes]:
        """Return the small files that go beside a file, by path: checksums as a customer asked for."""

    def part_count(self, delivery: Delivery, rows: int, groups: int) -> int:
        """Return in how many parts rows are written. ``groups`` are values of the model's part key, else the rows."""

    def marker_name(self, delivery: Delivery) -> str | None:
        """Return the path of the empty file that is written last, and removed first by a correction; None: none is."""

    def documents(self, delivery: Delivery, exports: Iterable[Export]) -> Mapping[str, bytes]:
        """Return files that explain the feed's exports and go out with a delivery, by path below ``documentation/``.

        A file's name tells its content, so it never changes under a name.
        """

    def layers(self) -> tuple[Layer, ...]:
        """Return what the feed computes day by day, each after those that it reads. Models read its tables as those of
        the source ``<feed>_layers``.
        """
