"""The dialect of CSV: its options, and which of them cannot stand together (media_exports.md section 7)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self, TypeAlias

from offramp.domain.errors import WrongUse
from offramp.formats.java_dates import strftime_format
from offramp.formats.options import option_problems, refuse_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TYPES: Mapping[str, tuple[type, ...]] = {
    "separator": (str,),
    "enclosure": (str,),
    "escape": (str,),
    "has_header": (bool,),
    "date_format": (str,),
    "line_break_replacement": (str, type(None)),
    "enclose": (str,),
    "line_end": (str,),
    "gzip": (bool,),
    "md5": (bool,),
}
_ENCLOSE = ("necessary", "all")
_LINE_ENDS = ("\r\n", "\n")
# Digits, signs, points and letters stand in numbers and dates, which are written without a look at their text.
_IN_VALUES = "+-."

_Plain: TypeAlias = str | bool | None


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """How rows become CSV. The defaults are the seed's and follow RFC 4180.

    ``escape`` equal to ``enclosure`` doubles it; another one stands before the enclosure and before itself.
    ``line_break_replacement`` takes the place of each CRLF, CR or LF inside text; None leaves them.
    ``enclose`` is ``necessary`` or ``all``. Blanks at the ends of a field are part of it (RFC 4180) and need no
    enclosure. NULL is an empty field in both; empty text is always enclosed.
    """

    separator: str = ","
    enclosure: str = '"'
    escape: str = '"'
    has_header: bool = True
    date_format: str = "yyyy-MM-dd'T'HH:mm:ssZ"
    line_break_replacement: str | None = None
    enclose: str = "necessary"
    line_end: str = "\r\n"
    gzip: bool = False
    md5: bool = False

    @classmethod
    def read(cls, options: Mapping[str, object]) -> Self:
        """Read options; WrongUse lists everything that is wrong with them."""
        refuse_problems("csv", check(options))
        known: dict[str, _Plain] = {name: value for name, value in options.items() if isinstance(value, _Plain)}
        return cls(**known)  # type: ignore[arg-type]  # check() has compared each value with its type

    @property
    def is_plain(self) -> bool:
        """True where the encoder can write the dialect as it is, without building the fields first."""
        return self.escape == self.enclosure and self.enclose == "necessary"

    @property
    def specials(self) -> tuple[str, ...]:
        """What makes a field need its enclosure, beside being empty text."""
        return tuple(dict.fromkeys((self.separator, self.enclosure, self.escape, "\r", "\n")))

    def field(self, text: str) -> str:
        """Return the field of a text, for the header."""
        if self.enclose == "necessary" and text and not any(special in text for special in self.specials):
            return text
        if self.escape != self.enclosure:
            text = text.replace(self.escape, self.escape * 2)
        return self.enclosure + text.replace(self.enclosure, self.escape + self.enclosure) + self.enclosure

    def problems(self) -> Iterator[str]:
        """Say which options cannot be used, alone or together."""
        for name in ("separator", "enclosure", "escape"):
            mark = getattr(self, name)
            if not _is_mark(mark):
                yield f"{name} is {mark!r}; it must be one ASCII sign, no letter or digit or + - . or line break"
        if self.separator in (self.enclosure, self.escape):
            yield f"separator is {self.separator!r} and so is the enclosure or the escape; they must differ"
        replacement = self.line_break_replacement
        if replacement is not None and ("\r" in replacement or "\n" in replacement):
            yield "line_break_replacement has a line break itself"
        if replacement in (self.separator, self.enclosure, self.escape):
            yield f"line_break_replacement is {replacement!r}, which separates, encloses or escapes; it must differ"
        if self.enclose not in _ENCLOSE:
            yield f"enclose is {self.enclose!r}; valid: {', '.join(_ENCLOSE)}"
        if self.line_end not in _LINE_ENDS:
            yield f"line_end is {self.line_end!r}; valid: {', '.join(map(repr, _LINE_ENDS))}"
        try:
            strftime_format(self.date_format)
        except WrongUse as error:
            yield str(error)

    def facts(self) -> Mapping[str, object]:
        """Return the dialect for the manifest. ``md5`` is no fact of the bytes."""
        facts = asdict(self)
        del facts["md5"]
        return facts


def _is_mark(text: str) -> bool:
    return len(text) == 1 and text.isascii() and not text.isalnum() and text not in f"{_IN_VALUES}\r\n\0"


def check(options: Mapping[str, object]) -> tuple[str, ...]:
    """Say what is wrong with CSV options, alone or taken together; nothing if they can be used."""
    problems = option_problems(options, _TYPES)
    if problems:
        return problems
    return tuple(CsvDialect(**options).problems())  # type: ignore[arg-type]  # names and types are known to be right
