"""How found modes stand against the true ones."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def confusion(truth: Sequence[str], found: Sequence[str]) -> dict[str, Counter[str]]:
    """For each true mode how often each mode was found."""
    table: dict[str, Counter[str]] = {}
    for true, other in zip(truth, found, strict=True):
        table.setdefault(true, Counter())[other] += 1
    return table


def right_share(table: dict[str, Counter[str]]) -> float:
    return sum(row[true] for true, row in table.items()) / sum(row.total() for row in table.values())


def text(table: dict[str, Counter[str]]) -> str:
    """The table for people: a line for each true mode."""
    modes = sorted({mode for row in table.values() for mode in row} | set(table))
    lines = ["true \\ found".ljust(18) + "".join(mode[:12].rjust(13) for mode in modes)]
    lines += [true.ljust(18) + "".join(str(row[mode]).rjust(13) for mode in modes) for true, row in table.items()]
    return "\n".join(lines)
