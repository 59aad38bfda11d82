"""Names of the media feed's files (media_exports.md section 6).

The folder is always the file's stem, so that a loader of ``assets/*.csv`` never mixes snapshots into deltas. The
date is the UTC date of the tick, not of the data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.domain.exports import EntityKind, Mode

if TYPE_CHECKING:
    from offramp.domain.deliveries import Delivery
    from offramp.domain.exports import Export

PATH = "{stem}/{stem}_{date}{part}.csv{compression}"
MANIFEST_PATH = "_manifests/{mode}/{entity}/{date}.r{revision}.json"


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


def rows_path(delivery: Delivery, part: int, parts: int, *, is_gzip: bool) -> str:
    """Return the path of a part, counted from 1; a single part has no number."""
    number = f"_part_{part:04d}" if parts > 1 else ""
    return _path(delivery, stem_of(delivery.export), number, is_gzip=is_gzip)


def deletes_path(delivery: Delivery, *, is_gzip: bool) -> str:
    """Return the path of the file of deletes."""
    return _path(delivery, f"{delivery.export.entity}_deletes", "", is_gzip=is_gzip)


def manifest_path(delivery: Delivery) -> str:
    """Return the path of the manifest of the delivery's revision."""
    export = delivery.export
    return MANIFEST_PATH.format(
        mode=export.mode, entity=export.entity, date=_date(delivery), revision=delivery.revision
    )


def md5_line(path: str, md5: str) -> bytes:
    """Return what ``md5sum`` writes and checks: 32 digits, two blanks, the name without its folder, a line feed."""
    return f"{md5}  {path.rpartition('/')[2]}\n".encode()


def _path(delivery: Delivery, stem: str, part: str, *, is_gzip: bool) -> str:
    return PATH.format(stem=stem, date=_date(delivery), part=part, compression=".gz" if is_gzip else "")


def _date(delivery: Delivery) -> str:
    return f"{delivery.tick:%Y_%m_%d}"
