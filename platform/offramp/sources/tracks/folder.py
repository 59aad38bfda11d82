"""The files of a folder of tracks: whose they are, and since when they stand there."""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from offramp.domain.errors import SourceRefused, SourceUnreachable
from offramp.sources.tracks.findings import unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

VENUES = "venues.csv"
_UNFINISHED = (".tmp", ".part")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Kind(StrEnum):
    """How a file is written, as its name says."""

    GPX = "gpx"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class TrackFile:
    """A finished file. ``name`` is its path below the folder, ``user`` the first folder of it (None: there is none).

    ``arrived_at`` is its modification time. ``stood_at`` is when it was written, moved here or changed last, whatever
    its modification time says, for a copy may keep that of the original. Changes after the read point do not count.
    """

    path: Path
    name: str
    kind: Kind
    user: str | None
    is_gzip: bool
    arrived_at: datetime
    stood_at: datetime

    def open(self) -> BinaryIO:
        """Open the bytes, unpacked."""
        return cast("BinaryIO", gzip.open(self.path, "rb")) if self.is_gzip else self.path.open("rb")


def files_of(folder: Path, instant: datetime, *, source: str) -> list[TrackFile]:
    """Return the GPX and CSV files of a folder by name, hidden and unfinished ones and all others left out.

    ``instant`` is the read point.
    Raises SourceRefused where the folder is not there or may not be read, SourceUnreachable where its disk fails.
    """
    if not folder.is_dir():
        raise SourceRefused(
            f"the folder of source '{source}' is not there",
            where=str(folder),
            todo="make it, or correct folder: of the source",
        )
    try:
        found = [one for path in _paths(folder) if (one := _file(folder, path, instant)) is not None]
    except PermissionError as refused:
        raise unreadable(Path(refused.filename or folder), refused) from refused
    except OSError as failed:
        raise SourceUnreachable(
            f"the folder of source '{source}' cannot be listed", where=str(folder), found=str(failed)
        ) from failed
    return sorted(found, key=lambda one: one.name)


def venues_of(folder: Path, instant: datetime) -> TrackFile | None:
    """Return the file of venues, or None where there is none."""
    path = folder / VENUES
    return _described(folder, path, Kind.CSV, instant) if path.is_file() else None


def _paths(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise error

    for root, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [one for one in folders if not one.startswith(".")]
        yield from (Path(root) / one for one in names if not one.startswith("."))


def _file(folder: Path, path: Path, instant: datetime) -> TrackFile | None:
    lowered = path.name.lower()
    if lowered.endswith(_UNFINISHED) or path == folder / VENUES:
        return None
    ending = lowered.removesuffix(".gz").rpartition(".")[2]
    if ending not in set(Kind):
        return None
    try:
        return _described(folder, path, Kind(ending), instant)
    except FileNotFoundError:
        return None  # it was taken away while the folder was listed


def _described(folder: Path, path: Path, kind: Kind, instant: datetime) -> TrackFile:
    facts = path.stat()
    relative = path.relative_to(folder)
    arrived_at, changed_at = _instant(facts.st_mtime_ns), _instant(facts.st_ctime_ns)
    return TrackFile(
        path=path,
        name=relative.as_posix(),
        kind=kind,
        user=relative.parts[0] if len(relative.parts) > 1 else None,
        is_gzip=path.name.lower().endswith(".gz"),
        arrived_at=arrived_at,
        stood_at=max(arrived_at, changed_at) if changed_at <= instant else arrived_at,
    )


def _instant(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)
