"""Names of the media feed's files (media_exports.md section 6).

The folder is always the file's stem, so that a loader of ``assets/*.csv`` never mixes snapshots into deltas. The
date is the UTC date of the tick, not of the data. A customer whose loader wants other names sets FILE_NAME_PATTERN.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from string import Formatter
from typing import TYPE_CHECKING

from offramp.domain.errors import WrongUse, nearest
from offramp.domain.exports import EntityKind, Mode
from offramp.formats.java_dates import strftime_format

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from offramp.domain.deliveries import Delivery
    from offramp.domain.exports import Export

DEFAULT_PATTERN = "{stem}/{stem}_{date}{part}.csv{compression}"
MANIFEST_PATH = "_manifests/{mode}/{entity}/{date}.r{revision}.json"
DELETES = "deletes"

_DATE = "yyyy_MM_dd"
_MANIFESTS = MANIFEST_PATH.partition("/")[0]
_TOKENS = ("stem", "entity", "mode", "date", "part", "compression")
# What a time would add to a date is no day any more: a run again would have another name.
_DAY_LETTERS = frozenset("yMdDE")
_PROBE_DAYS = tuple(date(2026, 1, 1) + timedelta(days=number) for number in range(3 * 366))
# A stem may have 50 letters, a name of a file 255 bytes, and an upload's temporary name some more.
_MOST_BYTES = 150


def stem_of(export: Export) -> str:
    """Return the folder and start of the name of an export's files.

    An entity whose delta and snapshot have a variable each names both; else only a snapshot that stands beside a
    delta is marked.
    """
    schedules = export.model.schedules
    modes = {mode for schedule in schedules for mode in schedule.modes}
    if {Mode.DELTA, Mode.SNAPSHOT} <= modes and all(len(schedule.modes) == 1 for schedule in schedules):
        return f"{export.entity}_{export.mode}"
    has_delta = Mode.DELTA in modes or export.model.kind is not EntityKind.REFERENCE
    return f"{export.entity}_{export.mode}" if export.mode is Mode.SNAPSHOT and has_delta else export.entity


def rows_path(pattern: str, delivery: Delivery, part: int, parts: int, *, is_gzip: bool) -> str:
    """Return the path of a part, counted from 1; a single part has no number."""
    number = f"_part_{part:04d}" if parts > 1 else ""
    return _path(pattern, rows_tokens(delivery.export), delivery.tick.date(), number, is_gzip=is_gzip)


def deletes_path(pattern: str, delivery: Delivery, *, is_gzip: bool) -> str:
    """Return the path of the file of deletes."""
    return _path(pattern, deletes_tokens(delivery.export), delivery.tick.date(), "", is_gzip=is_gzip)


def manifest_path(delivery: Delivery) -> str:
    """Return the path of the manifest of the delivery's revision."""
    export = delivery.export
    return MANIFEST_PATH.format(
        mode=export.mode, entity=export.entity, date=f"{delivery.tick:%Y_%m_%d}", revision=delivery.revision
    )


def md5_line(path: str, md5: str) -> bytes:
    """Return what ``md5sum`` writes and checks: 32 digits, two blanks, the name without its folder, a line feed."""
    return f"{md5}  {path.rpartition('/')[2]}\n".encode()


def check_pattern(pattern: str) -> str | None:
    """Say what is wrong with a pattern by itself, or None."""
    try:
        path = _path(pattern, {"stem": "s", "entity": "e", "mode": "m"}, _PROBE_DAYS[0], "", is_gzip=False)
    except (WrongUse, ValueError) as refused:
        return str(refused)
    parts = path.split("/")
    odd = any(part in {"", ".", ".."} or part != part.strip() or part.endswith(".") for part in parts)
    if odd or not path.isprintable() or set(path) & set('\\:*?"<>|'):
        return f"gives {path!r}, which is no relative path of named parts"
    if max(len(part.encode()) for part in parts) > _MOST_BYTES:
        return f"gives names of more than {_MOST_BYTES} bytes beside the entity's"
    if parts[0].casefold() == _MANIFESTS:
        return f"must not begin with {_MANIFESTS}/, where the manifests stand"
    if path.casefold().endswith((".md5", ".sha256", ".tmp")):
        return f"gives {path!r}, whose ending is that of a checksum or an upload"
    days = {_path(pattern, {"stem": "s", "entity": "e", "mode": "m"}, day, "", is_gzip=False) for day in _PROBE_DAYS}
    return None if len(days) == len(_PROBE_DAYS) else "gives different days the same name: it needs {date}"


def check_distinct(pattern: str, exports: Iterable[Export]) -> str | None:
    """Say which two exports a pattern gives the same name, or None. The files of deletes count too."""
    named: dict[str, str] = {}
    for label, tokens in _all_tokens(exports):
        path = _path(pattern, tokens, _PROBE_DAYS[0], "", is_gzip=False).casefold()
        if path in named:
            return f"gives {named[path]} and {label} the same name: use {{stem}}, or both {{entity}} and {{mode}}"
        named[path] = label
    return None


def rows_tokens(export: Export) -> dict[str, str]:
    """Return what the tokens of a pattern stand for in an export's files of rows."""
    return {"stem": stem_of(export), "entity": export.entity, "mode": export.mode.value}


def deletes_tokens(export: Export) -> dict[str, str]:
    """Return what the tokens of a pattern stand for in an export's files of deletes."""
    return {"stem": f"{export.entity}_{DELETES}", "entity": export.entity, "mode": DELETES}


def _all_tokens(exports: Iterable[Export]) -> Iterator[tuple[str, dict[str, str]]]:
    for export in exports:
        yield export.name, rows_tokens(export)
        if export.mode is Mode.DELTA and export.model.kind is EntityKind.MUTABLE:
            yield f"the deletes of {export.entity}", deletes_tokens(export)


def _path(pattern: str, tokens: Mapping[str, str], day: date, part: str, *, is_gzip: bool) -> str:
    texts = {**tokens, "part": part, "compression": ".gz" if is_gzip else ""}
    return "".join(
        text if name is None else day.strftime(detail) if name == "date" else texts[name]
        for text, name, detail in _pieces(pattern)
    )


@cache
def _pieces(pattern: str) -> tuple[tuple[str, str | None, str], ...]:
    """Read a pattern as (text, None, "") and ("", token, format of a date). Raises WrongUse or ValueError."""
    pieces: list[tuple[str, str | None, str]] = []
    for text, name, detail, conversion in Formatter().parse(pattern):
        pieces.append((text, None, ""))
        if name is None:
            continue
        if name not in _TOKENS or conversion:
            raise WrongUse(f"'{{{name}}}' stands for nothing in a file name", todo=nearest(name, _TOKENS))
        if detail and (name != "date" or not _is_day(detail)):
            todo = "{date:...} takes letters of year, month and day, as {date:yyyyMMdd}"
            raise WrongUse(f"'{{{name}:{detail}}}' cannot be in a file name", todo=todo)
        pieces.append(("", name, strftime_format(detail or _DATE) if name == "date" else ""))
    return tuple(pieces)


def _is_day(pattern: str) -> bool:
    return {letter for letter in pattern if letter.isalpha()} <= _DAY_LETTERS
