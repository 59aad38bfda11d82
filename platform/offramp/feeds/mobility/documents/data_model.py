"""The data model as a spreadsheet: which files there are, and what each column means."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import xlsxwriter  # type: ignore[import-untyped]

from offramp.feeds.mobility.documents.files import cadence_text, format_text, name_pattern, stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from offramp.domain.exports import Export

FILES = "Files"
FILE_COLUMNS = (
    ("file", 28), ("file name pattern", 62), ("format", 44), ("cadence", 44), ("key", 28), ("description", 70),
)  # fmt: skip
COLUMN_COLUMNS = (("column", 46), ("type", 16), ("nullable", 10), ("key", 8), ("description", 90), ("personal", 10))
# A date of our own: with that of today the bytes would differ every day.
_CREATED = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
# What looks like a formula or a link is text.
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def data_model(exports: Sequence[Export]) -> bytes:
    """Return an .xlsx with a sheet ``Files`` and a sheet per export; the same exports give the same bytes.

    Source: the contracts and descriptions of dbt_like_sql.
    """
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, _OPTIONS)
    book.set_properties({"title": "Mobility data model", "created": _CREATED})
    styles = (book.add_format({"bold": True, "bottom": 1}), book.add_format({"text_wrap": True, "valign": "top"}))
    ordered = sorted(exports, key=lambda export: export.name)
    _sheet(book, FILES, FILE_COLUMNS, (_file_row(export) for export in ordered), styles=styles)
    for export in ordered:
        _sheet(book, stem(export), COLUMN_COLUMNS, _column_rows(export), styles=styles)
    book.close()
    return target.getvalue()


def _file_row(export: Export) -> tuple[str, ...]:
    return (
        stem(export),
        name_pattern(export),
        format_text(export),
        cadence_text(export),
        ", ".join(export.contract.key),
        export.model.description,
    )


def _column_rows(export: Export) -> Iterable[tuple[str, ...]]:
    for column in export.contract.columns:
        yield (
            column.name,
            str(column.type),
            _yes(column.is_nullable),
            _yes(column.name in export.contract.key),
            column.description,
            _yes(column.is_personal),
        )


def _yes(holds: bool) -> str:  # noqa: FBT001 - a value to print
    return "yes" if holds else "no"


def _sheet(
    book: xlsxwriter.Workbook,
    name: str,
    columns: Sequence[tuple[str, int]],
    rows: Iterable[Sequence[str]],
    *,
    styles: tuple[Any, Any],
) -> None:
    """Add a sheet with a frozen header; every cell is text."""
    bold, wrapped = styles
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 1)
    for number, (title, width) in enumerate(columns):
        sheet.set_column(number, number, width, wrapped)
        sheet.write_string(0, number, title, bold)
    for line, row in enumerate(rows, start=1):
        for number, text in enumerate(row):
            sheet.write_string(line, number, text, wrapped)
