"""Translates Java SimpleDateFormat patterns into DuckDB's strftime. The value is in UTC, so a zone is a constant."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from offramp.domain.errors import WrongUse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DIRECTIVES: Mapping[str, str] = {
    "yyyy": "%Y", "yy": "%y",
    "M": "%-m", "MM": "%m", "MMM": "%b", "MMMM": "%B",
    "d": "%-d", "dd": "%d",
    "D": "%-j", "DDD": "%j",
    "H": "%-H", "HH": "%H",
    "h": "%-I", "hh": "%I",
    "m": "%-M", "mm": "%M",
    "s": "%-S", "ss": "%S",
    "SSS": "%g",
    "a": "%p",
    "E": "%a", "EE": "%a", "EEE": "%a", "EEEE": "%A",
    "Z": "+0000",
    "X": "Z", "XX": "Z", "XXX": "Z",
}  # fmt: skip


def strftime_format(pattern: str) -> str:
    """Return the strftime format that gives the text of a SimpleDateFormat pattern for an instant in UTC.

    Text stands between quotes or is no letter; ``''`` is a quote. Names of months and days are English.
    Raises WrongUse with the position of what has no equal (media_exports.md section 7, CSV_DATE_FORMAT).
    """
    if not pattern:
        raise WrongUse("the date format is empty", expected="a SimpleDateFormat pattern like yyyy-MM-dd'T'HH:mm:ssZ")
    return "".join(_pieces(pattern))


def _pieces(pattern: str) -> Iterator[str]:
    at = 0
    while at < len(pattern):
        letter = pattern[at]
        if letter == "'":
            text, at = _quoted(pattern, at)
            yield text.replace("%", "%%")
        elif letter.isascii() and letter.isalpha():
            run = "".join(next(groupby(pattern[at:]))[1])
            yield _directive(pattern, at, run)
            at += len(run)
        else:
            yield "%%" if letter == "%" else letter
            at += 1


def _quoted(pattern: str, start: int) -> tuple[str, int]:
    """Return the text of the quotes that open at ``start``, and where the pattern goes on."""
    if pattern.startswith("''", start):
        return "'", start + 2
    text = ""
    at = start + 1
    while at < len(pattern):
        if pattern.startswith("''", at):
            text += "'"
            at += 2
        elif pattern[at] == "'":
            return text, at + 1
        else:
            text += pattern[at]
            at += 1
    raise WrongUse(
        f"the date format {pattern!r} opens a quote at position {start + 1} that is never closed",
        todo="close it, or write '' for the character itself",
    )


def _directive(pattern: str, start: int, run: str) -> str:
    directive = _DIRECTIVES.get(run)
    if directive is None:
        raise WrongUse(
            f"the date format {pattern!r} has '{run}' at position {start + 1}, which is not carried",
            expected=f"one of {' '.join(_DIRECTIVES)}",
            todo=f"write '{run}' in quotes if it is meant as text",
        )
    return directive
