"""What the demo knows of a table: its columns, its key, and which of them dates a change."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoTable:
    """A table of the demo. ``columns`` are (name, DuckDB type); ``is_log`` marks rows that are only added."""

    name: str
    columns: tuple[tuple[str, str], ...]
    change_column: str | None
    key: tuple[str, ...] = ("id",)
    ingestion_column: str | None = None

    @property
    def is_log(self) -> bool:
        """True for events: a row is written once and never changes."""
        return self.ingestion_column is not None


def columns(text: str) -> tuple[tuple[str, str], ...]:
    """Read columns, one a line: the name, a blank, the DuckDB type."""
    pairs = (line.split(maxsplit=1) for line in text.strip().splitlines())
    return tuple((name, kind.strip()) for name, kind in pairs)
