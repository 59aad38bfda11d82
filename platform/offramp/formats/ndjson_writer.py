"""NDJSON in gzip members: each row one JSON object on one line, keys in the order of the contract.

``project`` makes the JSON of each value in SQL; here it is joined with the keys. Polars' own NDJSON writer is not used:
it writes decimals as strings and panics on binary columns.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, assert_never

import polars as pl
import pyarrow as pa

from offramp.domain.contracts import TypeKind
from offramp.domain.errors import SourceRefused
from offramp.domain.exports import FormatName
from offramp.domain.quoting import identifier
from offramp.formats.options import option_problems, refuse_problems
from offramp.formats.sql_text import compact_json, finite, on_calendar, utc
from offramp.formats.text_files import BLOCK_ROWS, TextFiles

if TYPE_CHECKING:
    import io
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from offramp.domain.contracts import Column
    from offramp.domain.deliveries import FileEntry

_TYPES: Mapping[str, tuple[type, ...]] = {"md5": (bool,)}
# Every decimal of 15 digits survives a reader that takes JSON numbers as doubles; of 16 digits some do not.
_DOUBLE_DIGITS = 15


def check(options: Mapping[str, object]) -> tuple[str, ...]:
    """Say what is wrong with the options; nothing if they can be used. There is one: ``md5``."""
    return option_problems(options, _TYPES)


@dataclass(frozen=True, slots=True)
class NdjsonWriter:
    """Writes gzipped NDJSON; at most ``threads`` blocks are encoded or compressed at once."""

    threads: int = 2
    block_rows: int = BLOCK_ROWS
    name: FormatName = FormatName.NDJSON_GZ

    def project(self, column: Column, options: Mapping[str, object]) -> str:  # noqa: PLR0911  one return per type
        """Return the DuckDB expression of a column's JSON; SQL NULL is the JSON null.

        bigint bare, also beyond 2^53; decimals of up to 15 digits as numbers with all digits of their scale, longer
        ones as strings; doubles as their shortest text; NaN, infinities and infinite times null; times ISO 8601 in UTC
        with six digits of seconds and Z; uuid in lower case; JSON nested as it is. Raises SourceRefused for binary.
        """
        refuse_problems(self.name.value, check(options))
        name = identifier(column.name)
        match column.type.kind:
            case TypeKind.BIGINT | TypeKind.INTEGER | TypeKind.BOOLEAN:
                return name
            case TypeKind.DECIMAL:
                return name if (column.type.precision or 0) <= _DOUBLE_DIGITS else f"""'"' || {name}::varchar || '"'"""
            case TypeKind.DATE:
                return f"""'"' || ({on_calendar(column)})::varchar || '"'"""
            case TypeKind.UUID:
                return f"""'"' || {name}::varchar || '"'"""
            case TypeKind.TIMESTAMP | TypeKind.TIMESTAMPTZ:
                return f"""strftime({utc(column)}, '"%Y-%m-%dT%H:%M:%S.%fZ"')"""
            case TypeKind.DOUBLE:
                return finite(column)
            case TypeKind.VARCHAR:
                return f"to_json({name})::varchar"
            case TypeKind.JSON:
                return compact_json(column)
            case TypeKind.BLOB:
                raise SourceRefused(
                    f"column '{column.name}' is binary, which JSON cannot hold",
                    todo="deliver it as Parquet, or leave it out of the model",
                )
            case _:
                assert_never(column.type.kind)

    def dialect(self, options: Mapping[str, object]) -> Mapping[str, object]:
        """Return the facts of the dialect for the manifest."""
        refuse_problems(self.name.value, check(options))
        return {
            "name": self.name.value,
            "encoding": "utf-8",
            "line_end": "\n",
            "gzip": True,
            "null": "null",
            "times": "ISO 8601 in UTC, microseconds",
            "decimals": f"numbers up to {_DOUBLE_DIGITS} digits, strings beyond",
        }

    def write(
        self,
        batches: Iterable[tuple[int, pa.RecordBatch]],
        paths: Sequence[Path],
        *,
        schema: pa.Schema,
        options: Mapping[str, object],
    ) -> list[FileEntry]:
        """Write each batch to ``paths[part]``. Text columns hold JSON already; of ``schema`` only the names count."""
        refuse_problems(self.name.value, check(options))
        files = TextFiles(
            header=b"",
            is_gzip=True,
            md5=options.get("md5") is True,
            threads=self.threads,
            block_rows=self.block_rows,
        )
        labels = [json.dumps(name, ensure_ascii=False) + ":" for name in schema.names]
        labels[0] = "{" + labels[0]
        return files.write(batches, paths, schema=schema, takes=_takes, encode=partial(_encode, labels=labels))


def _encode(frame: pl.DataFrame, target: io.BytesIO, *, labels: Sequence[str]) -> None:
    """Write ``key:value`` pairs as CSV fields that are never enclosed; separator and line end complete the object."""
    pairs = [
        pl.concat_str([pl.lit(label), pl.col(name).cast(pl.String)]).fill_null(pl.lit(label + "null")).alias(name)
        for label, name in zip(labels, frame.columns, strict=True)
    ]
    frame.select(pairs).write_csv(
        target, include_header=False, separator=",", quote_style="never", line_terminator="}\n"
    )


def _takes(kind: pa.DataType) -> bool:
    """Accept what ``project`` gives: numbers and booleans that JSON writes bare, and text that is JSON."""
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
    )
