from __future__ import annotations

import pytest

from offramp.domain.errors import WrongUse
from offramp.formats.csv_dialect import CsvDialect, check


def test_no_options_are_the_defaults_of_the_seed() -> None:
    dialect = CsvDialect.read({})

    assert (dialect.separator, dialect.enclosure, dialect.escape, dialect.line_end) == (",", '"', '"', "\r\n")
    assert dialect.has_header
    assert dialect.line_break_replacement is None
    assert dialect.date_format == "yyyy-MM-dd'T'HH:mm:ssZ"
    assert dialect.is_plain


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"seperator": ";"}, "did you mean 'separator'"),
        ({"has_header": "1"}, "must be true or false"),
        ({"separator": ";;"}, "one ASCII sign"),
        ({"separator": "é"}, "one ASCII sign"),
        ({"separator": ""}, "one ASCII sign"),
        ({"separator": "\n"}, "one ASCII sign"),
        ({"separator": "-"}, "one ASCII sign"),
        ({"separator": "."}, "one ASCII sign"),
        ({"separator": "1"}, "one ASCII sign"),
        ({"enclosure": "x", "escape": "x"}, "one ASCII sign"),
        ({"separator": '"'}, "must differ"),
        ({"separator": "\\", "escape": "\\"}, "must differ"),
        ({"line_break_replacement": ","}, "must differ"),
        ({"line_break_replacement": '"'}, "must differ"),
        ({"line_break_replacement": "a\nb"}, "line break itself"),
        ({"enclose": "never"}, "valid: necessary, all"),
        ({"line_end": "\r"}, "valid:"),
        ({"date_format": "yyyy-QQ"}, "position 6"),
    ],
)
def test_options_that_clash_are_refused(options: dict[str, object], part: str) -> None:
    problems = check(options)

    assert any(part in problem for problem in problems)
    with pytest.raises(WrongUse, match="csv"):
        CsvDialect.read(options)


@pytest.mark.parametrize(
    "options",
    [
        {"separator": "\t"},
        {"separator": ";", "enclosure": "'", "escape": "'"},
        {"escape": "\\"},
        {"line_break_replacement": " "},
        {"line_break_replacement": ""},
        {"enclose": "all", "gzip": True, "md5": True, "line_end": "\n"},
    ],
)
def test_options_that_stand_together_are_taken(options: dict[str, object]) -> None:
    assert check(options) == ()
