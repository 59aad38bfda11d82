"""The options of the mobility feed. The vendor's page names none, so the names are our own (mobility_offloads.md 2).

Values are text, as they stand behind ``=`` in a shell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from offramp.domain.errors import nearest
from offramp.domain.windows import check_cron
from offramp.feeds.jobs import CRON_PREFIX, cron_text, schedule_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from offramp.domain.exports import Export

INSTANT, INSTANT_2018, DAY_AND_UUID = "yyyy_MM_dd_HH_mm_ss_SSS", "MM_dd_yyyy_HH_mm_ss_SSS", "yyyy_MM_dd_UUID"
AS_SAMPLED, CSV, JSON = "as_sampled", "csv", "json"
TICK, DATA_DAY = "tick", "data_day"
LONGEST_WINDOW_WEEKS = 9
"""The layers look back so far."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its default, and what is wrong with a value (None: nothing)."""

    default: str
    check: Callable[[str], str | None]


def _one_of(*values: str) -> Callable[[str], str | None]:
    def check(value: str) -> str | None:
        return None if value in values else f"expected {' or '.join(values)}, found '{value}'"

    return check


def _whole(least: int, most: int, what: str) -> Callable[[str], str | None]:
    def check(value: str) -> str | None:
        if value.isascii() and value.isdigit() and len(value) <= 7 and least <= int(value) <= most:
            return None
        return f"expected {what} from {least} to {most}, found '{value}'"

    return check


def _check_cron(value: str) -> str | None:
    return check_cron(value) if value.strip() else None


OPTIONS: dict[str, Option] = {
    f"{CRON_PREFIX}LIFESTYLE": Option("0 3 * * 1", _check_cron),
    f"{CRON_PREFIX}DRIVING": Option("15 1 * * *", _check_cron),
    f"{CRON_PREFIX}USER_LINKING": Option("", _check_cron),
    "OFFLOAD_WINDOW_WEEKS": Option("9", _whole(1, LONGEST_WINDOW_WEEKS, "whole weeks")),
    "OFFLOAD_USERS_PER_PART": Option("5000", _whole(1, 1_000_000, "users")),
    "OFFLOAD_CSV_SEPARATOR": Option(",", _one_of(",", ";")),
    "OFFLOAD_DRIVING_FORMAT": Option(AS_SAMPLED, _one_of(AS_SAMPLED, CSV, JSON)),
    "OFFLOAD_RUN_FOLDER": Option(INSTANT, _one_of(INSTANT, INSTANT_2018, DAY_AND_UUID)),
    "OFFLOAD_DRIVING_DATE": Option(TICK, _one_of(TICK, DATA_DAY)),
}


def check_one(name: str, value: str) -> str | None:
    """Say what is wrong with one option's name or value, or None."""
    if name in OPTIONS:
        return OPTIONS[name].check(value)
    return f"is not an option of mobility; {nearest(name, OPTIONS)}"


def text(options: Mapping[str, str], name: str) -> str:
    """Return an option's text, or its default."""
    return options.get(name, OPTIONS[name].default)


def cron_of(options: Mapping[str, str], export: Export) -> str | None:
    """Return when an export is due, or None where its schedule is empty."""
    schedule = schedule_of(export)
    return (cron_text(options, schedule) or None) if schedule is not None else None
