"""The one rule for the text of values, as DuckDB expressions: every text format says times and numbers the same way."""

from __future__ import annotations

from offramp.domain.contracts import Column, TypeKind
from offramp.domain.quoting import identifier


def utc(column: Column) -> str:
    """Return a column of instants as a timestamp in UTC, whatever the session's time zone is; infinite ones are NULL.

    Going through microseconds needs no ICU extension, which ``at time zone`` does.
    """
    name = identifier(column.name)
    return f"make_timestamp(epoch_us({name}))" if column.type.kind is TypeKind.TIMESTAMPTZ else on_calendar(column)


def on_calendar(column: Column) -> str:
    """Return a day or timestamp; PostgreSQL's infinity, which no reader of files knows, becomes NULL."""
    name = identifier(column.name)
    return f"case when isfinite({name}) then {name} end"


def finite(column: Column) -> str:
    """Return a double as its shortest text that reads back as the same number; NaN and infinities become NULL."""
    name = identifier(column.name)
    return f"case when isfinite({name}) then {name}::varchar end"


def compact_json(column: Column) -> str:
    """Return JSON without blanks between its tokens.

    Integers keep all digits; a number with a point becomes the shortest text of its double (2.50 is 2.5).
    """
    return f"json({identifier(column.name)})::varchar"
