"""Scan: one cut of a landing, sorted once, that several deliveries of an export are written from."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offramp.domain.contracts import TypeKind
from offramp.domain.exports import Mode
from offramp.domain.landings import Relation
from offramp.domain.quoting import identifier, literal
from offramp.pipeline.checking import CHANGED_AT
from offramp.pipeline.cuts import CUT, DELIVERED_CUTS, LATE_AGE, REPEATED, CutRows, cut_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from offramp.domain.deliveries import Delivery
    from offramp.domain.exports import Model
    from offramp.domain.landings import Landing
    from offramp.domain.ports import Session
    from offramp.pipeline.rooms import Rooms

TENANT = "__tenant"
_EXTRACT = "__extract"

# Up to here a table in memory costs less than a file that is written, opened and read again: 5 ms of CPU for each
# scan. Rows of 20 columns take some 4 MB, of the 256 MiB that an engine has by default.
_HELD_ROWS = 20_000

# To merge sorted runs DuckDB holds 122,880 rows at once: 350 MB where each has 3 KB of text. Such rows are sorted in
# pieces, by ranges of the first column of their order.
_PIECE_BYTES = 48 * 1024 * 1024
_SAMPLE_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows of a tenant have a class of the cut."""

    tenant: str
    cut: str
    late_age: str | None
    is_repeated: bool
    rows: int


@dataclass(frozen=True, slots=True)
class Scan:
    """One cut, ready to be selected from.

    ``sql`` has the rows to deliver of all the group's tenants, in the order of ``order``: the contract's columns
    raw and, where there are several tenants to tell apart, ``__tenant``. ``compared`` are the columns that tell a
    change; ``tallies`` count every row that was read.
    """

    landing: Landing
    base: Landing | None
    cut: CutRows
    session: Session
    sql: str
    order: tuple[str, ...]
    compared: tuple[str, ...]
    tallies: tuple[Tally, ...]

    @property
    def has_tenant(self) -> bool:
        """True where rows of several tenants are among the scan's."""
        return TENANT in self.order


def group_key(delivery: Delivery) -> tuple[object, ...]:
    """Return what deliveries have in common that can be cut by one scan."""
    previous = delivery.previous
    base = (previous.landing_id, previous.until) if previous else None
    return (delivery.landing_id, delivery.window, delivery.until, base)


def of_tenants(model: Model, tenants: Sequence[str], column: str | None = None) -> str:
    """Return the filter by tenant; a model whose sources are all shared needs none."""
    if model.tenant_column is None:
        return ""
    return f" and {column or identifier(model.tenant_column)} in ({', '.join(map(literal, tenants))})"


@contextmanager
def open_scan(rooms: Rooms, deliveries: Sequence[Delivery]) -> Iterator[Scan]:
    """Open the scan of deliveries that share a ``group_key``.

    Deltas, and rows that several deliveries take, are sorted once: few into memory, many into a file of the lake's
    scratch. A single snapshot is streamed as it is sorted.
    """
    first = deliveries[0]
    model, mode = first.export.model, first.export.mode
    landing, base = _landings(rooms, first)
    compared = _compared(rooms, first)
    cut = cut_rows(rooms, first, landing, base, compared)
    tenants = sorted({tenant for delivery in deliveries for tenant in delivery.subscription.tenants})
    # A tenant column beside the rows costs a sixth of the sort, so it is there only to tell tenants apart.
    tenant = (TENANT,) if model.tenant_column and len(tenants) > 1 else ()
    # Rows that a contract orders otherwise are not found again by their change time, only by their order.
    by_change = (CHANGED_AT,) if mode is Mode.DELTA and not model.order else ()
    order = (*by_change, *model.sort, *tenant)
    chosen, by = _rows(model, cut, order, tenants)
    rows = f"{chosen} {by}"
    with rooms.engine.open(cut.relations) as session:
        rooms.at_step("stage.count")
        tallies = _tallies(session, model, cut)
        rooms.at_step("stage.scan")
        if len(deliveries) == 1 and mode is Mode.SNAPSHOT:
            yield Scan(landing, base, cut, session, rows, order, compared, tallies)
            return
        extracted = f"select * from {identifier(_EXTRACT)}"
        if sum(tally.rows for tally in tallies if tally.cut in DELIVERED_CUTS) <= _HELD_ROWS:
            session.hold(rows, _EXTRACT)
            yield Scan(landing, base, cut, session, extracted, order, compared, tallies)
            return
        with rooms.lake.parts.scratch() as folder:
            delivered = sum(tally.rows for tally in tallies if tally.cut in DELIVERED_CUTS)
            spools = []
            for number, condition in enumerate(_ranges(session, chosen, order[0], delivered)):
                piece = f"{chosen}{condition} {by}"
                spools.append(folder / f"extract{number:05d}.parquet")
                session.store(piece, spools[-1])
            extract = Relation(_EXTRACT, tuple(map(str, spools)), session.describe(rows))
            with rooms.engine.open((extract, *((cut.changes,) if cut.changes else ()))) as spooled:
                yield Scan(landing, base, cut, spooled, extracted, order, compared, tallies)


def _landings(rooms: Rooms, delivery: Delivery) -> tuple[Landing, Landing | None]:
    source = rooms.source_of(delivery.export).name
    store = rooms.lake.landings
    landing = store.get(source, delivery.landing_id or "")
    return landing, store.get(source, delivery.previous.landing_id) if delivery.previous else None


def _compared(rooms: Rooms, delivery: Delivery) -> tuple[str, ...]:
    """Return the contract columns that the previous delivery had too, with the same type."""
    names = delivery.export.contract.names
    if delivery.previous is None:
        return names
    earlier = rooms.lake.staged.columns(delivery.previous.delivery_id, delivery.previous.revision)
    if earlier is None:
        return names
    types = {column.name: str(column.type) for column in delivery.export.contract.columns}
    return tuple(name for name in names if earlier.get(name) == types[name])


def _rows(model: Model, cut: CutRows, order: Sequence[str], tenants: Sequence[str]) -> tuple[str, str]:
    """Return the rows to deliver and their order: as the model says, else deltas by change time, then all by key;
    tenants break ties. A condition may be added to the rows.
    """
    columns = [identifier(name) for name in (*model.contract.names, *(one.name for one in model.hidden))]
    columns += [f"{_tenant(model)} as {TENANT}"] if TENANT in order else []
    by = [changed_at(model) if name == CHANGED_AT else identifier(name) for name in order]
    delivered = ", ".join(map(literal, DELIVERED_CUTS))
    return (
        f"select {', '.join(columns)} from ({cut.sql}) where {CUT} in ({delivered}){of_tenants(model, tenants)}",
        f"order by {', '.join(by)}",
    )


def _ranges(session: Session, rows: str, first: str, count: int) -> list[str]:
    """Return conditions that part rows by ranges of the column that orders them first: one where rows are narrow.

    Pieces that are sorted apart, one after the other, are the whole that is sorted.
    """
    names = [name for name, kind in session.describe(rows) if kind in {"VARCHAR", "JSON"}]
    if first == CHANGED_AT or not names:
        return [""]
    widths = " + ".join(f"coalesce(strlen({identifier(name)}), 0)" for name in names)
    sample = f"select coalesce(sum({widths}) // count(*), 0) from (select * from ({rows}) limit {_SAMPLE_ROWS})"
    number = count * int(str(session.rows(sample)[0][0])) // _PIECE_BYTES + 1
    if number == 1:
        return [""]
    column = identifier(first)
    shares = ", ".join(str(one / number) for one in range(1, number))
    found = session.rows(f"select unnest(list_distinct(quantile_disc({column}, [{shares}]))) from ({rows}) order by 1")
    ends = [literal(str(end)) for (end,) in found]
    return [_between(column, start, end) for start, end in zip([None, *ends], [*ends, None], strict=True)]


def _between(column: str, start: str | None, end: str | None) -> str:
    after = f" and ({column} > {start} or {column} is null)" if start else ""
    return after + (f" and {column} <= {end}" if end else "")


def _tenant(model: Model) -> str:
    return identifier(model.tenant_column) if model.tenant_column else "''"


def changed_at(model: Model) -> str:
    """Return the change column in microseconds since 1970, a missing one before all others."""
    change = model.contract.change_column
    kind = model.column(change).type.kind if change else None
    if change and kind in {TypeKind.TIMESTAMP, TypeKind.TIMESTAMPTZ, TypeKind.DATE}:
        return f"coalesce(epoch_us({identifier(change)}), -9223372036854775808)"
    return "null::bigint"


def _tallies(session: Session, model: Model, cut: CutRows) -> tuple[Tally, ...]:
    rows = session.rows(
        f"select {_tenant(model)}, {CUT}, {LATE_AGE}, coalesce({REPEATED}, false), count(*) "
        f"from ({cut.sql}) group by all"
    )
    return tuple(
        Tally(str(tenant), str(name), None if age is None else str(age), bool(repeated), int(str(count)))
        for tenant, name, age, repeated, count in rows
    )
