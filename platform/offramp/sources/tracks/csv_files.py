"""Reads CSV files with DuckDB, every column as text: separator, header and columns are told, and nothing is sniffed."""

from __future__ import annotations

import csv
import re
import shutil
from typing import TYPE_CHECKING

from offramp.domain.errors import nearest
from offramp.domain.quoting import identifier, literal
from offramp.sources.tracks.findings import damaged, reading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import duckdb

    from offramp.sources.tracks.folder import TrackFile

# DuckDB holds a few of these, 32 MiB each by default.
_BUFFER_BYTES, _LINE_BYTES = 4 * 1024 * 1024, 256 * 1024
_FAULT = re.compile(r"CSV Error on Line: (\d+)\n(?:Original Line: (.*?)\n)?(.*?)\n\s*(?:Possible|$)", re.DOTALL)


def unpacked(file: TrackFile, folder: Path) -> Path:
    """Return the path of a file's plain bytes, unpacked into a folder where it is packed.

    DuckDB takes a gzip file that ends too early for a whole one.
    """
    if not file.is_gzip:
        return file.path
    target = folder / "unpacked.csv"
    with reading(file), file.open() as packed, target.open("wb") as plain:
        shutil.copyfileobj(packed, plain)
    return target


def check_columns(file: TrackFile, path: Path, wanted: Sequence[str], *, separator: str) -> tuple[str, ...]:
    """Return the names in a file's header. Raises SourceRefused where it lacks one that is wanted, or has it twice."""
    expected = f"a header with {', '.join(wanted)}, separated by {separator!r}"
    # Text is decoded in blocks: what is no UTF-8 behind the header must not be told as the header's fault.
    with reading(file), path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
        try:
            header = tuple(next(csv.reader(text, delimiter=separator), ()))
            "".join(header).encode()
        except (UnicodeEncodeError, csv.Error) as error:
            raise damaged(file, 1, "the header cannot be read", expected=f"{expected}, in UTF-8") from error
    if not header:
        raise damaged(file, None, "the file is empty", expected=expected)
    for name in wanted:
        if header.count(name) != 1:
            what = f"the column '{name}' is {'missing' if name not in header else 'there twice'}"
            todo = f"correct the file, or columns and separator in the settings; {nearest(name, header)}"
            raise damaged(file, 1, what, expected=expected, found=separator.join(header), todo=todo)
    return header


def rows_of(path: Path, header: Sequence[str], columns: Mapping[str, str], *, separator: str) -> str:
    """Return the SELECT of a file's rows: ``line``, counted from 1 without the header, and our columns as text.

    A row with more or fewer fields than the header is an error of the query, and so is what is not UTF-8.
    """
    kinds = ", ".join(f"'c{number}': 'varchar'" for number in range(len(header)))
    chosen = ", ".join(f"c{header.index(theirs)} as {identifier(ours)}" for ours, theirs in columns.items())
    return (
        f"select row_number() over () as line, {chosen} from read_csv({literal(str(path))}, auto_detect = false, "
        f"columns = {{{kinds}}}, header = true, delim = {literal(separator)}, quote = '\"', escape = '\"', "
        f"strict_mode = true, null_padding = false, nullstr = '', compression = 'none', encoding = 'utf-8', "
        f"max_line_size = {_LINE_BYTES}, buffer_size = {_BUFFER_BYTES})"
    )


def explain(file: TrackFile, error: duckdb.Error, *, header: Sequence[str]) -> Exception:
    """Return the error of a file that DuckDB cannot read, with its line."""
    fault = _FAULT.search(str(error))
    expected = f"CSV in UTF-8 with {len(header)} fields in every row"
    if fault is None:
        return damaged(file, None, "the rows cannot be read", expected=expected, found=str(error).partition("\n")[0])
    line, original, said = fault.groups()
    what = f"the row cannot be read: {' '.join(said.split())}"
    return damaged(file, int(line), what, expected=expected, found=original)


def line_of(file: TrackFile, path: Path, record: int, *, separator: str) -> int:
    """Return the line at which the record of a number begins, counted from 1 without the header."""
    with reading(file), path.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, delimiter=separator)
        found, begins = -1, 1
        for fields in reader:
            found += bool(fields)
            if found == record:
                return begins
            begins = reader.line_num + 1
    return begins
