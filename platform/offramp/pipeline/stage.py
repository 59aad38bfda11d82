"""Stage: turn planned deliveries of one export into finished parts in the lake.

Each delivery is encoded by the format's one writer, checked on the way against the contract, and afterwards
against counts that a query of its own gave.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from offramp.domain.contracts import Column, DataType, TypeKind
from offramp.domain.deliveries import FileEntry, FileRole, Staged
from offramp.domain.errors import ContractBroken
from offramp.domain.exports import EntityKind, Mode
from offramp.domain.quoting import identifier, literal
from offramp.pipeline.accounting import adds_up, counts_of, removed
from offramp.pipeline.checking import CHANGED_AT, RAW, BatchCheck, PartFacts, note
from offramp.pipeline.hashing import hash_parameters
from offramp.pipeline.scan import TENANT, changed_at, of_tenants, open_scan
from offramp.pipeline.sent import index_sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from offramp.domain.deliveries import Delivery
    from offramp.domain.exports import Export, FormatName
    from offramp.domain.ports import FormatWriter, Session
    from offramp.pipeline.rooms import Report, Rooms
    from offramp.pipeline.scan import Scan

_PART = "__part"
# Text may be changed on its way, such as line breaks that are replaced; the others are written in another order.
_COMPARED_RAW = {TypeKind.VARCHAR, TypeKind.TIMESTAMP, TypeKind.TIMESTAMPTZ, TypeKind.DATE, TypeKind.DOUBLE}


class StageOne(Protocol):
    """Stages one delivery of an opened group."""

    def __call__(self, delivery: Delivery) -> Staged:
        """Encode, check and keep the parts of one delivery. Raises ContractBroken."""


@dataclass(frozen=True, slots=True)
class _Encoding:
    """How a delivery's rows become bytes."""

    rooms: Rooms
    export: Export
    format_name: FormatName
    options: Mapping[str, object]

    @property
    def writer(self) -> FormatWriter:
        """The format's writer."""
        return self.rooms.formats[self.format_name]

    def select(self, columns: Sequence[Column]) -> tuple[str, ...]:
        """Return the columns as the writer takes them."""
        return self.rooms.selects(self.export, columns, self.format_name, self.options)


@contextmanager
def open_group(
    rooms: Rooms, deliveries: Sequence[Delivery], report: Report, *, keep_alive: Callable[[], None]
) -> Iterator[StageOne]:
    """Scan once for deliveries of one export that share a cut (see ``group_key``); stage them one by one inside.

    ``keep_alive`` is called often, so that claims do not expire under long work.
    """
    with open_scan(rooms, deliveries) as scan:

        def stage(delivery: Delivery) -> Staged:
            def tell(rows: int) -> None:
                report("stage", delivery.label, rows=rows)
                keep_alive()

            return _stage_one(rooms, delivery, scan, tell)

        yield stage


def _stage_one(rooms: Rooms, delivery: Delivery, scan: Scan, tell: Callable[[int], None]) -> Staged:
    feed = rooms.feed_of(delivery.export)
    format_name, options = feed.format(delivery.subscription, delivery.export)
    encoding = _Encoding(rooms, delivery.export, format_name, options)
    counts = counts_of(delivery, scan)
    part_count = feed.part_count(delivery, counts.rows, _groups(delivery, scan, counts.rows))
    with rooms.lake.parts.scratch() as folder:
        rooms.at_step("stage.write")
        paths = [folder / f"{number}.part" for number in range(part_count)]
        entries = _write_rows(delivery, scan, encoding, paths, tell)
        files = [
            replace(entry, name=feed.rows_name(delivery, number + 1, part_count))
            for number, entry in enumerate(entries)
        ]
        _expect_rows(delivery, counts.rows, sum(file.rows for file in files))
        counts = replace(counts, deletes=removed(delivery, scan), adds_up=adds_up(rooms, delivery, scan, counts))
        if _has_deletes_file(delivery):
            paths.append(folder / "deletes.part")
            entry = _write_deletes(delivery, scan, encoding, paths[-1])
            files.append(replace(entry, name=feed.deletes_name(delivery), role=FileRole.DELETES))
        index_sent(rooms, delivery, scan)
        rooms.at_step("stage.take")
        parts = {file.sha256: rooms.lake.parts.take(path, file.sha256) for file, path in zip(files, paths, strict=True)}
    return Staged(delivery, tuple(files), counts, parts)


def _expect_rows(delivery: Delivery, counted: int, written: int) -> None:
    if written != counted:
        raise ContractBroken(
            "rows written differ from rows counted at the source",
            where=delivery.label,
            expected=f"{counted:,} rows",
            found=f"{written:,} rows",
            todo="run again; if it stays, the model gives other rows each time: look for random or time functions",
        )


def _write_rows(
    delivery: Delivery, scan: Scan, encoding: _Encoding, paths: Sequence[Path], tell: Callable[[int], None]
) -> list[FileEntry]:
    model, contract = delivery.export.model, delivery.contract
    parameters = hash_parameters(contract.columns, delivery.subscription.personal)
    raw = {name: f"{RAW}{name}" for name in _unsorted(delivery)}
    selected = [
        *encoding.select(contract.columns),
        *(f"{identifier(name)} as {identifier(shown)}" for name, shown in raw.items()),
        f"{changed_at(model)} as {CHANGED_AT}",
        *([TENANT] if scan.has_tenant else []),
        *([f"{_part(delivery, scan, len(paths))} as {_PART}"] if len(paths) > 1 else []),
    ]
    mine = of_tenants(model, delivery.subscription.tenants, TENANT) if scan.has_tenant else ""
    sql = f"select {', '.join(selected)} from ({scan.sql}) where true{mine}"
    order = [raw.get(name, name) for name in scan.order]
    required = [column.name for column in contract.columns if not column.is_nullable]
    seen = [CHANGED_AT, *([_PART] if len(paths) > 1 else [])]
    check = BatchCheck(delivery.label, order, contract.key, required, seen)
    facts = [PartFacts() for _ in paths]

    def batches() -> Iterator[tuple[int, pa.RecordBatch]]:
        for batch in found:
            frame = check.check(batch)
            if len(paths) == 1:
                note(facts[0], frame, contract.key)
                yield 0, batch.select(list(contract.names))
            else:
                numbers = frame.get_column(_PART)
                for number in numbers.unique().sort():
                    picked = numbers == number
                    note(facts[number], frame.filter(picked), contract.key)
                    yield number, batch.filter(pa.array(picked.to_arrow())).select(list(contract.names))
            tell(batch.num_rows)

    schema, found = _streamed(scan.session, sql, parameters)
    schema = _with_nullability(schema, contract.columns)
    entries = encoding.writer.write(batches(), paths, schema=schema, options=encoding.options)
    return [_with_facts(entry, fact) for entry, fact in zip(entries, facts, strict=True)]


def _streamed(
    session: Session, sql: str, parameters: Mapping[str, bytes] | None
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Return a query's schema and batches; only for a result without rows the schema is asked for by itself."""
    batches = session.stream(sql, parameters=parameters)
    first = next(batches, None)
    if first is None:
        return session.schema(sql, parameters=parameters), batches
    return first.schema, chain([first], batches)


def _unsorted(delivery: Delivery) -> list[str]:
    """Return the ordering columns that need not be written in the order of their values, or are not written at all.

    The check compares them raw.
    """
    model = delivery.export.model
    names = dict.fromkeys((*model.sort, *model.contract.key))
    hidden = {column.name for column in model.hidden}
    return [name for name in names if name in hidden or model.column(name).type.kind in _COMPARED_RAW]


def _groups(delivery: Delivery, scan: Scan, rows: int) -> int:
    """Return how many values the column has that parts never divide; without one, every row is a group."""
    model = delivery.export.model
    if model.part_key is None or rows == 0:
        return rows
    found = scan.session.rows(f"select count(*) from ({_values(delivery, scan, model.part_key)})")
    return int(str(found[0][0]))


def _part(delivery: Delivery, scan: Scan, parts: int) -> str:
    """Return a row's part: by its place among the values of the part key, so that parts hold equally many; else by a
    hash of the key. Never by arrival.
    """
    model = delivery.export.model
    if model.part_key is None:
        return _part_of(model.contract.key, parts)
    values = _values(delivery, scan, model.part_key)
    numbered = f"select value, row_number() over (order by value) - 1 as number, count(*) over () as of from ({values})"
    is_first = f"number % ((of + {parts} - 1) // {parts}) = 0"
    firsts = scan.session.rows(f"select cast(value as varchar) from ({numbered}) where {is_first} order by number")
    kind = model.column(model.part_key).type.duckdb
    bounds = ", ".join(f"cast({literal(str(value))} as {kind})" for (value,) in firsts)
    return f"len(list_filter([{bounds}], lambda bound: bound <= {identifier(model.part_key)})) - 1"


def _values(delivery: Delivery, scan: Scan, column: str) -> str:
    model = delivery.export.model
    mine = of_tenants(model, delivery.subscription.tenants, TENANT) if scan.has_tenant else ""
    return f"select distinct {identifier(column)} as value from ({scan.sql}) where true{mine}"


def _part_of(key: Sequence[str], parts: int) -> str:
    """Return a row's part as a hash of its key, never of its arrival."""
    text = " || chr(31) || ".join(f"{identifier(name)}::varchar" for name in key)
    return f"(('0x' || substr(md5({text}), 1, 12))::bigint % {parts})"


def _with_nullability(schema: pa.Schema, columns: Sequence[Column]) -> pa.Schema:
    """Return the fields of the columns, nullable as the contract has them."""
    return pa.schema([schema.field(column.name).with_nullable(column.is_nullable) for column in columns])


def _with_facts(entry: FileEntry, facts: PartFacts) -> FileEntry:
    return replace(
        entry,
        first_key=facts.first_key,
        last_key=facts.last_key,
        min_change=_instant(facts.min_change),
        max_change=_instant(facts.max_change),
    )


def _instant(micros: int | None) -> str | None:
    """Return microseconds since 1970 as text; None for infinities and years that a calendar does not have."""
    if micros is None:
        return None
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    except OverflowError:
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _has_deletes_file(delivery: Delivery) -> bool:
    export = delivery.export
    is_mutable_delta = export.mode is Mode.DELTA and export.model.kind is EntityKind.MUTABLE
    return is_mutable_delta and delivery.subscription.sends_deletes


def _write_deletes(delivery: Delivery, scan: Scan, encoding: _Encoding, path: Path) -> FileEntry:
    """Write the keys that vanished since the base. ``detected_at`` is the landing's read point: a difference
    cannot know the true time of a deletion. Without a base the file has no rows.
    """
    model, contract = delivery.export.model, delivery.contract
    detected_at = Column("detected_at", DataType(TypeKind.TIMESTAMP), is_nullable=False)
    columns = (*(contract.column(name) for name in contract.key), detected_at)
    if scan.cut.changes is None:
        empty = ", ".join(f"null::{column.type.duckdb} as {identifier(column.name)}" for column in columns)
        rows = f"select {empty} where false"
    else:
        keys = ", ".join(identifier(name) for name in contract.key)
        tenant = f", {identifier(model.tenant_column)}" if model.tenant_column else ""
        moment = f"timestamp '{scan.landing.data_as_of:%Y-%m-%d %H:%M:%S.%f}'"
        rows = (
            f"select {keys}, {moment} as detected_at from {identifier(scan.cut.changes.name)} "
            f"where change = 'removed'{of_tenants(model, delivery.subscription.tenants)} order by {keys}{tenant}"
        )
    sql = f"select {', '.join(encoding.select(columns))} from ({rows})"
    parameters = hash_parameters(columns, delivery.subscription.personal)
    schema, found = _streamed(scan.session, sql, parameters)
    schema = _with_nullability(schema, columns)
    batches = ((0, batch) for batch in found)
    return encoding.writer.write(batches, [path], schema=schema, options=encoding.options)[0]
