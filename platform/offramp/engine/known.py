"""What an engine learned of files and queries, so that it need not ask again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from offramp.domain.memory import Memory

if TYPE_CHECKING:
    import pyarrow as pa

Columns = tuple[tuple[str, str], ...]
"""Columns as (name, DuckDB type)."""


@dataclass(frozen=True, slots=True)
class Known:
    """``files`` has the columns of files by uri: files of the lake never change.

    ``columns`` and ``schemas`` are those of a query's result, by its text and the declared columns of the relations
    that it can see: these decide them, whatever the files hold.
    """

    files: Memory[Columns] = field(default_factory=Memory)
    columns: Memory[Columns] = field(default_factory=Memory)
    schemas: Memory[pa.Schema] = field(default_factory=Memory)
