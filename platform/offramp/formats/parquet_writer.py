"""Parquet: one pyarrow writer per part, row groups of fixed size, no stored Arrow schema, so that bytes repeat."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

import pyarrow as pa
import pyarrow.parquet as pq

from offramp.domain.contracts import TypeKind
from offramp.domain.errors import ContractBroken
from offramp.domain.exports import FormatName
from offramp.domain.quoting import identifier
from offramp.formats.options import option_problems, refuse_problems
from offramp.formats.part_files import PartFile
from offramp.formats.sql_text import compact_json, on_calendar, utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from offramp.domain.contracts import Column
    from offramp.domain.deliveries import FileEntry

_TYPES: Mapping[str, tuple[type, ...]] = {"md5": (bool,)}
ROWS_PER_GROUP = 131_072
_ZSTD_LEVEL = 3
_INSTANT = pa.timestamp("us", tz="UTC")


def check(options: Mapping[str, object]) -> tuple[str, ...]:
    """Say what is wrong with the options; nothing if they can be used. There is one: ``md5``."""
    return option_problems(options, _TYPES)


@dataclass(frozen=True, slots=True)
class ParquetWriter:
    """Writes Parquet with zstd. ``rows_per_group`` is the same for every file, since the bytes depend on it."""

    rows_per_group: int = ROWS_PER_GROUP
    name: FormatName = FormatName.PARQUET

    def project(self, column: Column, options: Mapping[str, object]) -> str:
        """Return the DuckDB expression of a column: typed values, uuid in lower case and compact JSON as text.

        NaN and infinities of doubles stay as they are: Parquet can hold them. Infinite times are NULL.
        """
        refuse_problems(self.name.value, check(options))
        name = identifier(column.name)
        match column.type.kind:
            case TypeKind.UUID:
                return f"{name}::varchar"
            case TypeKind.JSON:
                return compact_json(column)
            case TypeKind.TIMESTAMP | TypeKind.TIMESTAMPTZ:
                return utc(column)
            case TypeKind.DATE:
                return on_calendar(column)
            case (
                TypeKind.BIGINT
                | TypeKind.INTEGER
                | TypeKind.DOUBLE
                | TypeKind.DECIMAL
                | TypeKind.VARCHAR
                | TypeKind.BOOLEAN
                | TypeKind.BLOB
            ):
                return name
            case _:
                assert_never(column.type.kind)

    def dialect(self, options: Mapping[str, object]) -> Mapping[str, object]:
        """Return the facts of the dialect for the manifest."""
        refuse_problems(self.name.value, check(options))
        return {
            "name": self.name.value,
            "version": "2.6",
            "data_page_version": "1.0",
            "compression": "zstd",
            "rows_per_group": self.rows_per_group,
            "times": "UTC, microseconds",
        }

    def write(
        self,
        batches: Iterable[tuple[int, pa.RecordBatch]],
        paths: Sequence[Path],
        *,
        schema: pa.Schema,
        options: Mapping[str, object],
    ) -> list[FileEntry]:
        """Write each batch to ``paths[part]`` with the names, types and nullability of ``schema``.

        Timestamps become instants in UTC. ContractBroken for other names, a value that its type cannot hold, or a
        NULL where none may be.
        """
        refuse_problems(self.name.value, check(options))
        typed = pa.schema([_as_delivered(one) for one in schema])
        with ExitStack() as stack:
            files = [stack.enter_context(PartFile(path, md5=options.get("md5") is True)) for path in paths]
            parts = [_Part(stack.enter_context(_open(file, typed)), typed, self.rows_per_group) for file in files]
            for number, batch in batches:
                parts[number].add(batch)
            for part in parts:
                part.close()
            return [file.finish(part.rows) for file, part in zip(files, parts, strict=True)]


def _as_delivered(column: pa.Field) -> pa.Field:
    kind = _INSTANT if pa.types.is_timestamp(column.type) else column.type
    return pa.field(column.name, kind, nullable=column.nullable)


def _open(file: PartFile, schema: pa.Schema) -> pq.ParquetWriter:
    """Choose every setting that changes bytes, so that a new default of pyarrow does not."""
    return pq.ParquetWriter(
        file,
        schema,
        version="2.6",
        data_page_version="1.0",
        compression="zstd",
        compression_level=_ZSTD_LEVEL,
        use_dictionary=True,
        write_statistics=True,
        write_page_index=False,
        write_page_checksum=False,
        store_schema=False,
        store_decimal_as_integer=False,
    )


@dataclass(slots=True)
class _Part:
    """A part under way: rows wait until they fill a group."""

    writer: pq.ParquetWriter
    schema: pa.Schema
    rows_per_group: int
    rows: int = 0
    _waiting: list[pa.RecordBatch] = field(default_factory=list)
    _waiting_rows: int = 0

    def add(self, batch: pa.RecordBatch) -> None:
        typed = _cast(batch, self.schema)
        self.rows += typed.num_rows
        while typed.num_rows:
            head = typed.slice(0, self.rows_per_group - self._waiting_rows)
            typed = typed.slice(head.num_rows)
            self._waiting.append(head)
            self._waiting_rows += head.num_rows
            if self._waiting_rows == self.rows_per_group:
                self._write_group()

    def close(self) -> None:
        if self._waiting_rows:
            self._write_group()
        self.writer.close()

    def _write_group(self) -> None:
        """Write one group from one chunk per column: pages end where chunks do, and chunks must leave no trace."""
        group = pa.Table.from_batches(self._waiting, self.schema).combine_chunks()
        self.writer.write_table(group, row_group_size=self.rows_per_group)
        self._waiting = []
        self._waiting_rows = 0


def _cast(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    if batch.schema.names != schema.names:
        raise ContractBroken(
            "the rows have other columns than the contract", expected=schema.names, found=batch.schema.names
        )
    columns = []
    for column, expected in zip(batch.columns, schema, strict=True):
        if column.null_count and not expected.nullable:
            raise ContractBroken(
                f"column '{expected.name}' has NULLs", expected="none", found=f"{column.null_count} in a batch"
            )
        try:
            columns.append(column.cast(expected.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise ContractBroken(
                f"column '{expected.name}' holds what its type cannot", expected=str(expected.type), found=str(error)
            ) from error
    return pa.RecordBatch.from_arrays(columns, schema=schema)
