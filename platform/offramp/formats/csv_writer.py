"""CSV: Arrow batches through Polars' CSV encoder, which writes RFC 4180; other dialects build their fields first.

The text of times, numbers, JSON and line breaks is decided by ``project`` in SQL, not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, assert_never

import polars as pl
import pyarrow as pa

from offramp.domain.contracts import TypeKind
from offramp.domain.exports import FormatName
from offramp.domain.quoting import identifier, literal
from offramp.formats.csv_dialect import CsvDialect
from offramp.formats.java_dates import strftime_format
from offramp.formats.sql_text import compact_json, finite, on_calendar, utc
from offramp.formats.text_files import BLOCK_ROWS, TextFiles

if TYPE_CHECKING:
    import io
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from offramp.domain.contracts import Column
    from offramp.domain.deliveries import FileEntry
    from offramp.formats.text_files import Encode


@dataclass(frozen=True, slots=True)
class CsvWriter:
    """Writes CSV. Options are those of CsvDialect; at most ``threads`` blocks are encoded at once."""

    threads: int = 2
    block_rows: int = BLOCK_ROWS
    name: FormatName = FormatName.CSV

    def project(self, column: Column, options: Mapping[str, object]) -> str:  # noqa: PLR0911  one return per type
        """Return the DuckDB expression of a column's field, not enclosed, NULL where the field is empty.

        bool 1 or 0; times by ``date_format`` in UTC; dates yyyy-MM-dd; decimals with all digits of their scale; doubles
        as their shortest text; NaN, infinities and infinite times NULL; uuid in lower case; JSON compact; binary as
        base64 (media_exports.md section 4).
        """
        dialect = CsvDialect.read(options)
        name = identifier(column.name)
        match column.type.kind:
            case TypeKind.BIGINT | TypeKind.INTEGER | TypeKind.DECIMAL:
                return name
            case TypeKind.BOOLEAN:
                return f"{name}::tinyint"
            case TypeKind.DATE:
                return f"({on_calendar(column)})::varchar"
            case TypeKind.UUID:
                return f"{name}::varchar"
            case TypeKind.TIMESTAMP | TypeKind.TIMESTAMPTZ:
                return f"strftime({utc(column)}, {literal(strftime_format(dialect.date_format))})"
            case TypeKind.DOUBLE:
                return finite(column)
            case TypeKind.JSON:
                return compact_json(column)
            case TypeKind.BLOB:
                return f"to_base64({name})"
            case TypeKind.VARCHAR:
                return _without_line_breaks(name, dialect.line_break_replacement)
            case _:
                assert_never(column.type.kind)

    def dialect(self, options: Mapping[str, object]) -> Mapping[str, object]:
        """Return the facts of the dialect for the manifest."""
        return {
            "name": self.name.value,
            "encoding": "utf-8",
            "null": "empty field",
            "empty_text": "enclosed",
            **CsvDialect.read(options).facts(),
        }

    def write(
        self,
        batches: Iterable[tuple[int, pa.RecordBatch]],
        paths: Sequence[Path],
        *,
        schema: pa.Schema,
        options: Mapping[str, object],
    ) -> list[FileEntry]:
        """Write each batch to ``paths[part]``. Of ``schema`` only the names count: they are the header."""
        dialect = CsvDialect.read(options)
        header = dialect.separator.join(dialect.field(name) for name in schema.names) + dialect.line_end
        files = TextFiles(
            header=header.encode() if dialect.has_header else b"",
            is_gzip=dialect.gzip,
            md5=dialect.md5,
            threads=self.threads,
            block_rows=self.block_rows,
        )
        return files.write(batches, paths, schema=schema, takes=_takes, encode=encoder(dialect))


def encoder(dialect: CsvDialect) -> Encode:
    """Return the encoder of a dialect: the fast one where Polars writes the dialect itself."""
    return partial(_encode, dialect=dialect) if dialect.is_plain else partial(_encode_built, dialect=dialect)


def _encode(frame: pl.DataFrame, target: io.BytesIO, *, dialect: CsvDialect) -> None:
    frame.write_csv(
        target,
        include_header=False,
        separator=dialect.separator,
        quote_char=dialect.enclosure,
        quote_style="necessary",
        line_terminator=dialect.line_end,
        null_value="",
    )


def _encode_built(frame: pl.DataFrame, target: io.BytesIO, *, dialect: CsvDialect) -> None:
    """Build each field as it stands in the file, then let the same encoder join them."""
    built = frame.select(_field(name, dtype, dialect) for name, dtype in frame.schema.items())
    built.write_csv(
        target,
        include_header=False,
        separator=dialect.separator,
        quote_style="never",
        line_terminator=dialect.line_end,
        null_value="",
    )


def _field(name: str, dtype: pl.DataType, dialect: CsvDialect) -> pl.Expr:
    text = pl.col(name).cast(pl.String)
    if dtype != pl.String and dialect.enclose == "necessary":
        return text
    body = text
    if dialect.escape != dialect.enclosure:
        body = body.str.replace_all(dialect.escape, dialect.escape * 2, literal=True)
    body = body.str.replace_all(dialect.enclosure, dialect.escape + dialect.enclosure, literal=True)
    mark = pl.lit(dialect.enclosure)
    enclosed = pl.concat_str([mark, body, mark])
    if dialect.enclose == "all":
        return enclosed.alias(name)
    needs = (text == "") | text.str.contains_any(list(dialect.specials))
    return pl.when(needs).then(enclosed).otherwise(text).alias(name)


def _takes(kind: pa.DataType) -> bool:
    """Accept what ``project`` gives: numbers whose text needs no enclosure, and text."""
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
    )


def _without_line_breaks(name: str, replacement: str | None) -> str:
    """Replace each line break, CRLF as one. Most texts have none, and looking for one byte is far cheaper."""
    if replacement is None:
        return name
    text = name
    for line_break in ("chr(13) || chr(10)", "chr(13)", "chr(10)"):
        text = f"replace({text}, {line_break}, {literal(replacement)})"
    return f"case when contains({name}, chr(10)) or contains({name}, chr(13)) then {text} else {name} end"
