"""Jobs: which variable switches an export, when it is due, and lists of jobs in options. The same for every feed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.domain.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from offramp.domain.exports import Export, TaskSchedule

CRON_PREFIX = "CRON_SCHEDULE_"
EVERYTHING = "all"


def schedule_of(export: Export) -> TaskSchedule | None:
    """Return the variable and default that switch an export, or None where its model has none."""
    return next((one for one in export.model.schedules if export.mode in one.modes), None)


def cron_text(options: Mapping[str, str], schedule: TaskSchedule) -> str:
    """Return what an option or its default says; the empty text is off."""
    return options.get(schedule.variable, schedule.default).strip()


def unknown_jobs(options: Mapping[str, str], exports: Iterable[Export]) -> list[str]:
    """Say which options name no job of the exports."""
    variables = {schedule.variable for export in exports for schedule in export.model.schedules}
    return [
        f"{name} names no job; {nearest(name, variables)}"
        for name in sorted(options)
        if name.startswith(CRON_PREFIX) and name not in variables
    ]


def check_jobs(value: str, exports: Iterable[Export]) -> Iterable[str]:
    """Say which names of a comma list are no jobs."""
    known = {token for export in exports for token in tokens_of(export)}
    for token in sorted(job_tokens(value) - known):
        yield f"holds '{token}', which is no job; {nearest(token.lower(), known)}"


def names(value: str, export: Export) -> bool:
    """Return whether a comma list of jobs names an export, by its job or as mode/entity, or everything."""
    chosen = job_tokens(value)
    return not chosen or not chosen.isdisjoint(tokens_of(export))


def job_tokens(value: str) -> frozenset[str]:
    """Return the jobs of a comma list; none of them means every job: ``all`` and the empty text say so."""
    tokens = frozenset(token.strip() for token in value.split(",") if token.strip())
    return frozenset() if EVERYTHING in tokens else tokens


def tokens_of(export: Export) -> frozenset[str]:
    """Return the names by which a list may name an export: its job's, and mode/entity."""
    schedule = schedule_of(export)
    job = {schedule.variable.removeprefix(CRON_PREFIX).lower()} if schedule else set()
    return frozenset(job | {f"{export.mode}/{export.entity}"})
