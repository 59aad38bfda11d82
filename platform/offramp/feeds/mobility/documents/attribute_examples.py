"""Example rows of the wide file: a value for each attribute by what its description says that it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.domain.contracts import TypeKind
from offramp.feeds.mobility.documents.examples import APP, IDA, RUI

if TYPE_CHECKING:
    from offramp.domain.contracts import Column, Contract
    from offramp.feeds.mobility.documents.examples import Row, Value

_Pair = tuple["Value", "Value"]
_EMPTY: _Pair = (None, None)

_EXACT: dict[str, _Pair] = {
    "client_id.value": (APP, APP),
    "is_stable.value": ("TRUE", "FALSE"),
    "timezone.value": (3600, 0),
    "hashome.value": (1, 1),
    "haswork.value": (1, 0),
    "semantic.time.working_days.value": ("[0,1,2,3]", None),
    "activity.last.time.value": (18.5, 20.25),
    "activity.last.time.we.value": (21.25, 23.5),
    "transport.commute.work.home.start.value": (17.25, None),
    "stationary.culture.mostcommon.value": ("Museum Zonnehoek", None),
    "stationary.education.mostcommon.value": (None, None),
    "stationary.health.mostcommon.value": (None, "Clínica do Parque"),
    "stationary.sport.mostcommon.value": (None, "Piscina da Foz"),
}
_DAY_PARTS: dict[str, tuple[float, float]] = {
    "morning": (6.5, 7),
    "late_morning": (9.5, 10),
    "lunch": (12, 12.5),
    "afternoon": (13.5, 14),
    "early_evening": (17, 18),
    "evening": (19, 20),
    "night": (22.5, 23.75),
}
"""Local hours at which parts of a day start, ``semantic.time.<part>.start``; on weekends an hour later."""
_BRANDS: _Pair = ("De Groene Hoek", "Sol e Lua")

_BY_DESCRIPTION: tuple[tuple[str, _Pair], ...] = (
    ("Mean of the drives' score", (0.8925, 0.655)),
    ("Mean seconds", (2712.5, 1980)),
    ("Mean metres", (1840.25, 2310.5)),
    ("Mean local hour", (7.75, 8.5)),
    ("Mean of", (12.5, 8.25)),
    ("Share", (0.375, 0.25)),
    ("Time of", (0.62, 1)),
    ("Most seconds", (108000, None)),
    ("Seconds", (5400, 3150)),
    ("Metres", (18240, 4870)),
    ("Number of", (2, 1)),
    ("The city", ("Utrecht", "Porto")),
    ("The size of city", ("CITY", "CITY")),
    ("The country", ("Nederland", "Portugal")),
    ("The region", ("Provincie Utrecht", "Porto")),
    ("Brand, or else name", _BRANDS),
)
"""Beginnings of descriptions; the first that fits counts."""


def attribute_rows(contract: Contract) -> tuple[Row, Row]:
    """Return two rows of the wide file with a value for every attribute that is computed.

    Rui has no workplace, so what tells of one is empty. A KeyError for an attribute that nothing here fits.
    """
    first: Row = {**IDA}
    second: Row = {**RUI}
    for column in contract.columns:
        if column.name not in first:
            first[column.name], second[column.name] = _pair(column)
    return first, second


def _pair(column: Column) -> _Pair:
    if column.name in _EXACT:
        return _EXACT[column.name]
    words = column.name.split(".")
    if words[:2] == ["semantic", "time"]:
        first, second = _DAY_PARTS[words[2]]
        return (first, second) if "we" not in words else (first + 1, second + 1)
    if "Always empty" in column.description:
        return _EMPTY
    found = next((pair for begins, pair in _BY_DESCRIPTION if column.description.startswith(begins)), None)
    if found is None:
        raise KeyError(column.name)
    one, other = found
    if "at work" in column.description or ".work." in column.name or ".commute." in column.name:
        other = None
    is_text = column.type.kind is TypeKind.VARCHAR
    return (one, other) if is_text == isinstance(one, str) else _EMPTY
