"""SQL expressions that turn text into values: null where it is none, so that nothing is taken for what it is not."""

from __future__ import annotations

from typing import assert_never

from offramp.domain.quoting import literal
from offramp.sources.tracks.dialect import Times

_ISO = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}(:?\d{2})?)?"
_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
# A phone's clock can be wrong, but seconds taken for milliseconds give January 1970 and the reverse a far future.
_FIRST, _LAST = "timestamp '1990-01-01'", "timestamp '2100-01-01'"

EXPECTED_TIME = {
    Times.ISO_8601: "ISO 8601 such as 2026-11-01T08:15:30Z; without an offset it is UTC",
    Times.EPOCH_SECONDS: "seconds since 1970, between the years 1990 and 2100",
    Times.EPOCH_MILLISECONDS: "milliseconds since 1970, between the years 1990 and 2100",
}


def is_blank(text: str) -> str:
    """Return the condition that there is no value."""
    return f"coalesce(trim({text}), '') = ''"


def time_of(text: str, times: Times) -> str:
    """Return the instant in UTC, to the microsecond."""
    match times:
        case Times.ISO_8601:
            instant = f"cast(try_cast(trim({text}) as timestamptz) as timestamp)"
            return f"case when regexp_full_match(trim({text}), {literal(_ISO)}) then {instant} end"
        case Times.EPOCH_SECONDS:
            return _since_1970(f"try_cast(trim({text}) as decimal(24, 6)) * 1000000")
        case Times.EPOCH_MILLISECONDS:
            return _since_1970(f"try_cast(trim({text}) as decimal(24, 3)) * 1000")
        case _:
            assert_never(times)


def degrees_of(text: str, most: int) -> str:
    """Return an angle from ``-most`` to ``most``."""
    number = _number(text)
    return f"case when abs({number}) <= {most} then {number} end"


def measure_of(text: str) -> str:
    """Return a number that cannot be negative: phones write -1 where they do not know."""
    number = _number(text)
    return f"case when {number} >= 0 then {number} end"


def is_no_measure(text: str) -> str:
    """Return the condition that there is a value, and that it is neither a number nor NaN."""
    return f"not {is_blank(text)} and lower(trim({text})) <> 'nan' and {_number(text)} is null"


def _number(text: str) -> str:
    number = f"try_cast(trim({text}) as double)"
    return f"case when regexp_full_match(trim({text}), {literal(_NUMBER)}) and isfinite({number}) then {number} end"


def _since_1970(microseconds: str) -> str:
    instant = f"make_timestamp(try_cast({microseconds} as bigint))"
    return f"case when {instant} between {_FIRST} and {_LAST} then {instant} end"
