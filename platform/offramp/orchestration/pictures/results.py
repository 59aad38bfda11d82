"""Values of small query results as numbers: sessions give them as objects, some of them decimals."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def number(value: object) -> float:
    """Return a value of a result as a number."""
    return float(str(value))


def pairs(rows: Iterable[tuple[object, ...]], column: int = 1) -> list[tuple[str, float]]:
    """Return the label of each row with the number of a column."""
    return [(str(row[0]), number(row[column])) for row in rows]


def whole(found: Mapping[str, object]) -> dict[str, int]:
    """Return counts as whole numbers, as they plot over the days."""
    return {name: int(number(value)) for name, value in found.items()}
