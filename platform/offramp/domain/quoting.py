"""Quoting of names and texts in SQL for DuckDB. Pure functions."""

from __future__ import annotations


def identifier(name: str) -> str:
    """Quote a name: ``a"b`` becomes ``"a""b"``."""
    return '"' + _sayable(name).replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text: ``it's`` becomes ``'it''s'``."""
    return "'" + _sayable(text).replace("'", "''") + "'"


def _sayable(text: str) -> str:
    # DuckDB's parser ends a statement at NUL, so what follows it would be cut off in silence.
    if "\0" in text:
        message = f"SQL cannot hold a NUL character, found {text!r}"
        raise ValueError(message)
    return text
