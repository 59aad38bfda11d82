"""Hashed personal columns in SQL: HMAC-SHA256 of a value's text, with the key as parameters of the query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.domain.quoting import identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from offramp.domain.contracts import Column
    from offramp.domain.personal import Personal

_INNER, _OUTER = "hash_inner", "hash_outer"


def hashed(column: Column) -> str:
    """Return the expression of a column's hash: 64 lower-case hex digits, NULL where the value is missing.

    The text of a date is yyyy-MM-dd, of an instant DuckDB's in UTC, of a UUID in lower case.
    """
    value = f"encode(cast({identifier(column.name)} as varchar))"
    return f"sha256(${_OUTER} || unhex(sha256(${_INNER} || {value})))"


def hash_parameters(columns: Iterable[Column], personal: Personal) -> Mapping[str, bytes] | None:
    """Return the parameters that a query of these columns needs, or None where none is hashed."""
    if not any(column.is_hashed for column in columns):
        return None
    inner, outer = personal.hash_pads()
    return {_INNER: inner, _OUTER: outer}
