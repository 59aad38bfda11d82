"""Sample files: two invented rows per export, written by the encoders that write deliveries."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from offramp.domain.contracts import TypeKind
from offramp.domain.exports import FormatName
from offramp.domain.quoting import identifier
from offramp.feeds.mobility.documents.attribute_examples import attribute_rows
from offramp.feeds.mobility.documents.examples import EXAMPLES
from offramp.feeds.mobility.documents.files import ending, stem
from offramp.formats.csv_writer import CsvWriter
from offramp.formats.ndjson_writer import NdjsonWriter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from offramp.domain.contracts import Column, Contract
    from offramp.domain.exports import Export
    from offramp.feeds.mobility.documents.examples import Row, Value

_WIDE = "attributes_wide"
# The first instant that a zip file can hold.
_CHANGED = (1980, 1, 1, 0, 0, 0)
_CSV_OPTIONS = {"line_end": "\n"}


def samples(exports: Sequence[Export]) -> bytes:
    """Return a .zip with one file per export, under the bare names; the same exports give the same bytes.

    Source: mobility_offloads.md sections 2 to 4. A KeyError for an export without examples.
    """
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for export in sorted(exports, key=sample_name):
            entry = zipfile.ZipInfo(sample_name(export), _CHANGED)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, sample(export))
    return target.getvalue()


def sample_name(export: Export) -> str:
    """Return the bare name of an export's file: ``attributes.wide.csv``."""
    return f"{stem(export)}.{ending(export)}"


def sample(export: Export) -> bytes:
    """Return the bytes of an export's sample file: CSV, or JSON lines, not packed."""
    table = _typed(export.contract, _rows(export))
    writer, options = (NdjsonWriter(1), {}) if _is_json(export) else (CsvWriter(1), _CSV_OPTIONS)
    selected = ", ".join(
        f"{writer.project(column, options)} as {identifier(column.name)}" for column in export.contract.columns
    )
    with duckdb.connect() as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute("set timezone = 'UTC'")
        connection.register("texts", table)
        typed = ", ".join(_cast(column) for column in export.contract.columns)
        rows = connection.execute(f"select {selected} from (select {typed} from texts)").to_arrow_table()
        path = Path(folder) / "sample"
        writer.write(((0, batch) for batch in rows.to_batches()), [path], schema=rows.schema, options=options)
        content = path.read_bytes()
    return gzip.decompress(content) if _is_json(export) else content


def _is_json(export: Export) -> bool:
    return export.default_format is FormatName.NDJSON_GZ


def _rows(export: Export) -> tuple[Row, Row]:
    return attribute_rows(export.contract) if export.entity == _WIDE else EXAMPLES[export.entity]


def _typed(contract: Contract, rows: Sequence[Row]) -> pa.Table:
    """Return rows as text, a column for each of the contract."""
    unknown = {name for row in rows for name in row} - set(contract.names)
    if unknown:
        raise KeyError(*sorted(unknown))
    return pa.table(
        {
            column.name: pa.array([_text(row.get(column.name)) for row in rows], pa.string())
            for column in contract.columns
        }
    )


def _text(value: Value) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def _cast(column: Column) -> str:
    name = identifier(column.name)
    kind = "varchar" if column.type.kind is TypeKind.VARCHAR else column.type.duckdb
    return f"cast({name} as {kind}) as {name}"
