"""The options of the media feed, by the names of the vendor's documentation.

Source: media_exports.md sections 6 and 7; FILE_NAME_PATTERN is our own. Values are text, as they stand behind ``=``
in a shell.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from offramp.domain.errors import WrongUse, nearest
from offramp.domain.exports import Mode
from offramp.domain.windows import check_cron
from offramp.feeds.jobs import (
    CRON_PREFIX,
    EVERYTHING,
    check_jobs,
    cron_text,
    job_tokens,
    names,
    schedule_of,
    tokens_of,
    unknown_jobs,
)
from offramp.feeds.media import naming
from offramp.formats.java_dates import strftime_format

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from offramp.domain.exports import Export

OFF = "0"
# A window of more than ten years is a snapshot; and dates end at the year 1, so some bound is needed.
MOST_DELTA_DAYS = 3650


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its default, and what is wrong with a value (None: nothing)."""

    default: str
    check: Callable[[str], str | None]


def _check_flag(value: str) -> str | None:
    return None if value in {"0", "1"} else f"expected 1 (on) or 0 (off), found '{value}'"


def _check_character(value: str) -> str | None:
    character = _character(value)
    if len(character) == 1 and character.isascii() and not character.isalnum() and character not in "+-.\r\n\0":
        return None
    return f"expected one sign of ASCII that stands in no number, or \\t for a tab, found {value!r}"


def _check_replacement(value: str) -> str | None:
    if not value:
        return "expected 0 (leave line breaks) or the text that replaces one, found nothing"
    return "a line break cannot replace a line break" if set(value) & set("\r\n\0") else None


def _check_date_format(value: str) -> str | None:
    try:
        strftime_format(value)
    except WrongUse as refused:
        return str(refused)
    return "a line break cannot stand in a time" if set(value) & set("\r\n\0") else None


def _check_days(value: str) -> str | None:
    if value.isascii() and value.isdigit() and len(value) <= 4 and 1 <= int(value) <= MOST_DELTA_DAYS:
        return None
    return f"expected whole days from 1 to {MOST_DELTA_DAYS}, found '{value}'"


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


def _check_zone(value: str) -> str | None:
    if value in _zone_names():
        return None
    return f"'{value}' is not a time zone; {nearest(value, _zone_names())}"


def _check_tokens(_: str) -> str | None:
    return None  # which jobs there are is known from the models: check_together


OPTIONS: dict[str, Option] = {
    "CSV_INCLUDE_HEADER": Option("1", _check_flag),
    "CSV_FIELD_SEPARATOR": Option(",", _check_character),
    "CSV_TEXT_ROW_SEPARATOR": Option(OFF, _check_replacement),
    "CSV_TEXT_ENCLOSURE": Option('"', _check_character),
    "CSV_ESCAPE_CHAR": Option('"', _check_character),
    "CSV_DATE_FORMAT": Option("yyyy-MM-dd'T'HH:mm:ssZ", _check_date_format),
    "CSV_MD5": Option("0", _check_flag),
    "CSV_SNAPSHOT": Option(EVERYTHING, _check_tokens),
    "DATA_DELTA_DAYS": Option("1", _check_days),
    "DATA_DELTA_MIDNIGHT_TO_MIDNIGHT": Option("0", _check_flag),
    "DATA_DELTA_TIME_ZONE": Option("UTC", _check_zone),
    "FILE_NAME_PATTERN": Option(naming.DEFAULT_PATTERN, naming.check_pattern),
}


def check_one(name: str, value: str) -> str | None:
    """Say what is wrong with one option's name or value, or None. Values that may be secret are not repeated."""
    if name in OPTIONS:
        return OPTIONS[name].check(value)
    if name.startswith(CRON_PREFIX) and name != CRON_PREFIX:
        return check_cron(value) if value.strip() else None
    return f"is not an option of media; {nearest(name, [*OPTIONS, CRON_PREFIX + '<JOB>'])}"


def check_together(options: Mapping[str, str], exports: Iterable[Export]) -> tuple[str, ...]:
    """Say what is wrong with options taken together and with the jobs that exports have; no exports: jobs unknown.

    Each message begins with the name of the option it is about. Values that are wrong alone are passed over.
    """
    known = tuple(exports)
    found = list(_check_characters(options))
    if known:
        found += unknown_jobs(options, known)
        pattern = text(options, "FILE_NAME_PATTERN")
        if naming.check_pattern(pattern) is None and (same := naming.check_distinct(pattern, known)):
            found.append(f"FILE_NAME_PATTERN {same}")
        found += [f"CSV_SNAPSHOT {fault}" for fault in _check_snapshots(text(options, "CSV_SNAPSHOT"), known)]
    return tuple(found)


def _check_characters(options: Mapping[str, str]) -> Iterable[str]:
    separator, enclosure = character(options, "CSV_FIELD_SEPARATOR"), character(options, "CSV_TEXT_ENCLOSURE")
    escape, replacement = character(options, "CSV_ESCAPE_CHAR"), line_break_replacement(options)
    if separator == enclosure:
        yield f"CSV_FIELD_SEPARATOR and CSV_TEXT_ENCLOSURE must differ, both are {separator!r}"
    elif separator == escape:
        yield f"CSV_ESCAPE_CHAR and CSV_FIELD_SEPARATOR must differ, both are {separator!r}"
    others = {"CSV_FIELD_SEPARATOR": separator, "CSV_TEXT_ENCLOSURE": enclosure, "CSV_ESCAPE_CHAR": escape}
    same = [name for name, sign in others.items() if sign == replacement]
    if same:
        yield f"CSV_TEXT_ROW_SEPARATOR must differ from {' and '.join(same)}, it is {replacement!r} too"


def _check_snapshots(value: str, exports: Iterable[Export]) -> Iterable[str]:
    known = tuple(exports)
    yield from check_jobs(value, known)
    jobs = {token for export in known for token in tokens_of(export)}
    writing = {token for export in known if export.mode is Mode.SNAPSHOT for token in tokens_of(export)}
    for token in sorted((job_tokens(value) & jobs) - writing):
        yield f"holds '{token}', which writes no snapshot"


def text(options: Mapping[str, str], name: str) -> str:
    """Return an option's text, or its default."""
    return options.get(name, OPTIONS[name].default)


def is_on(options: Mapping[str, str], name: str) -> bool:
    """Return whether a flag is 1."""
    return text(options, name) == "1"


def character(options: Mapping[str, str], name: str) -> str:
    """Return a character; backslash and t are a tab."""
    return _character(text(options, name))


def _character(value: str) -> str:
    return "\t" if value == "\\t" else value


def line_break_replacement(options: Mapping[str, str]) -> str | None:
    """Return what replaces a line break inside a field, or None where it stays."""
    value = text(options, "CSV_TEXT_ROW_SEPARATOR")
    return None if value == OFF else value


def delta_days(options: Mapping[str, str]) -> int:
    """Return the length of a delta's window in days."""
    return int(text(options, "DATA_DELTA_DAYS"))


def zone(options: Mapping[str, str]) -> ZoneInfo:
    """Return the zone of midnight."""
    return ZoneInfo(text(options, "DATA_DELTA_TIME_ZONE"))


def cron_of(options: Mapping[str, str], export: Export) -> str | None:
    """Return when an export is due, or None where its schedule is empty or its snapshot is not asked for."""
    schedule = schedule_of(export)
    if schedule is None or off_reason(options, export) is not None:
        return None
    return cron_text(options, schedule)


def off_reason(options: Mapping[str, str], export: Export) -> str | None:
    """Say which option switches an export off, or None where it is due.

    CSV_SNAPSHOT speaks of jobs that write both; a snapshot with a variable of its own obeys that alone
    (media_exports.md section 12, 8).
    """
    schedule = schedule_of(export)
    if schedule is None:
        return "it has no schedule"
    if not cron_text(options, schedule):
        return f"{schedule.variable} is empty"
    has_both = {Mode.DELTA, Mode.SNAPSHOT} <= set(schedule.modes)
    if has_both and export.mode is Mode.SNAPSHOT and not names(text(options, "CSV_SNAPSHOT"), export):
        return "CSV_SNAPSHOT does not name it"
    return None
