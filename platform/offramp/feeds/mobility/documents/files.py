"""The files of the feed in the words of their readers: names, formats, and when they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from offramp.domain.exports import FormatName, Mode
from offramp.feeds.jobs import schedule_of

if TYPE_CHECKING:
    from offramp.domain.exports import Export


def stem(export: Export) -> str:
    """Return what a file's name begins with: ``attributes.wide``."""
    return export.entity.replace("attributes_", "attributes.")


def ending(export: Export) -> str:
    """Return ``json`` or ``csv``, as the samples have it."""
    return "json" if export.default_format is FormatName.NDJSON_GZ else "csv"


def name_pattern(export: Export) -> str:
    """Return the path of a part below the recipient's prefix (mobility_offloads.md section 2)."""
    part = "part-<number>.json.gz" if ending(export) == "json" else "part-<number>-<uuid>-c000.csv.gz"
    return f"<run folder>/<app id>/{stem(export)}.<app id>.{ending(export)}/{part}"


def format_text(export: Export) -> str:
    """Return how a file is written unless options say otherwise."""
    if ending(export) == "json":
        return "JSON lines in gzip, UTF-8; one object per row, keys in the order of the columns"
    return "CSV in gzip, UTF-8; comma, header in every part, lines end in LF, an empty field where there is no value"


def cadence_text(export: Export) -> str:
    """Return when a file comes, and what of the rows is in it."""
    schedule = schedule_of(export)
    if schedule is None:
        return "never"
    when = f"{schedule.variable}, by default {schedule.default} (cron, UTC)"
    if not schedule.default:
        when = f"{schedule.variable}, by default off"
    match export.mode:
        case Mode.OFFLOAD if export.model.window_column is not None:
            return f"{when}; each time the rows of the last nine weeks"
        case Mode.OFFLOAD:
            return f"{when}; each time all active users as of the data day"
        case Mode.DELTA:
            return f"{when}; each time what was processed in the UTC day before"
        case Mode.SNAPSHOT:
            return f"{when}; each time all rows"
        case _:
            assert_never(export.mode)
