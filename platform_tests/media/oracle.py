"""What CSV and windows must be, worked out from media_exports.md section 7 without the product's code.

Slow and plain on purpose: values are Python's own, times are spelled by hand for each pattern that the tests use.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

DEFAULTS = {
    "CSV_INCLUDE_HEADER": "1",
    "CSV_FIELD_SEPARATOR": ",",
    "CSV_TEXT_ROW_SEPARATOR": "0",
    "CSV_TEXT_ENCLOSURE": '"',
    "CSV_ESCAPE_CHAR": '"',
    "CSV_DATE_FORMAT": "yyyy-MM-dd'T'HH:mm:ssZ",
    "CSV_MD5": "0",
}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
TIMES: Mapping[str, Callable[[datetime], str]] = {
    "yyyy-MM-dd'T'HH:mm:ssZ": lambda t: f"{t.isoformat(timespec='seconds')}+0000",
    "yyyy-MM-dd HH:mm:ss": lambda t: t.isoformat(" ", "seconds"),
    "yyyyMMdd'T'HHmmss.SSSXXX": lambda t: re.sub("[-:]", "", t.isoformat(timespec="milliseconds")) + "Z",
    "EEE, d MMM yy; h:mm a": lambda t: (
        f"{_DAYS[t.weekday()]}, {t.day} {_MONTHS[t.month - 1]} {t.year % 100:02}; "
        f"{t.hour % 12 or 12}:{t.minute:02} {'PM' if t.hour > 11 else 'AM'}"
    ),
    "HH'h'''mm\\\"|~\tdd.MM.yyyy": lambda t: f"{t.hour:02}h'{t.minute:02}\\\"|~\t{t.day:02}.{t.month:02}.{t.year:04}",
    "''D/yyyy% '%Y'''": lambda t: f"'{t.timetuple().tm_yday}/{t.year:04}% %Y'",
}


@dataclass(frozen=True)
class Told:
    """A dialect as a customer tells it to a reader."""

    separator: str
    enclosure: str
    escape: str
    has_header: bool
    replacement: str | None
    time: str

    @classmethod
    def by(cls, options: Mapping[str, str]) -> Told:
        """The dialect that options ask for."""
        chosen = {**DEFAULTS, **options}
        row_separator = chosen["CSV_TEXT_ROW_SEPARATOR"]
        return cls(
            separator={"\\t": "\t"}.get(chosen["CSV_FIELD_SEPARATOR"], chosen["CSV_FIELD_SEPARATOR"]),
            enclosure=chosen["CSV_TEXT_ENCLOSURE"],
            escape=chosen["CSV_ESCAPE_CHAR"],
            has_header=chosen["CSV_INCLUDE_HEADER"] == "1",
            replacement=None if row_separator == "0" else row_separator,
            time=chosen["CSV_DATE_FORMAT"],
        )

    def clashes(self) -> list[set[str]]:
        """The options that cannot stand together, two by two."""
        marks = {
            "CSV_FIELD_SEPARATOR": self.separator,
            "CSV_TEXT_ENCLOSURE": self.enclosure,
            "CSV_ESCAPE_CHAR": self.escape,
        }
        found = [
            {"CSV_FIELD_SEPARATOR", other}
            for other in ("CSV_TEXT_ENCLOSURE", "CSV_ESCAPE_CHAR")
            if marks[other] == self.separator
        ]
        return found + [{"CSV_TEXT_ROW_SEPARATOR", name} for name, mark in marks.items() if mark == self.replacement]

    def text(self, value: object) -> str | None:  # noqa: PLR0911  one return per type
        """What a reader must find in the field of a value; None is NULL."""
        match value:
            case None:
                return None
            case bool():
                return "1" if value else "0"
            case str() if self.replacement is not None:
                return self.replacement.join(re.split("\r\n|\r|\n", value))
            case datetime():
                return TIMES[self.time](value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value)
            case date():
                return value.isoformat()
            case Decimal():
                return f"{value:f}"
            case _:
                return str(value)

    def written(self, text: str | None) -> str:
        """The field as it stands in the file."""
        if text is None:
            return ""
        specials = {self.separator, self.enclosure, self.escape, "\r", "\n"}
        if text and specials.isdisjoint(text):
            return text
        escaped = {self.enclosure, self.escape}
        return self.enclosure + "".join(self.escape * (sign in escaped) + sign for sign in text) + self.enclosure

    def file(self, names: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
        """The whole file."""
        lines = [[self.written(name) for name in names]] if self.has_header else []
        lines += [[self.written(self.text(value)) for value in row] for row in rows]
        return "".join(self.separator.join(line) + "\r\n" for line in lines).encode()
