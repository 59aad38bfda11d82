"""Names of the lake's folders and files."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import PurePosixPath
from urllib.parse import quote

_STAMP = "%Y%m%dT%H%M%S%fZ"


def segment(name: str) -> str:
    """Return a name as one path segment: letters, digits, ``_ - . ~ =`` stay, all else is percent-encoded.

    A leading dot is encoded too, so that no name leaves its folder, and so is the mark of temporary folders.
    """
    encoded = quote(name, safe="=").replace(".tmp-", "%2Etmp-")
    if encoded.startswith("."):
        encoded = f"%2E{encoded[1:]}"
    if not encoded:
        message = "an empty name cannot name a file of the lake"
        raise ValueError(message)
    return encoded


def relative(name: str) -> PurePosixPath:
    """Return a name of several segments joined by ``/`` as a relative path."""
    return PurePosixPath(*(segment(part) for part in name.split("/")))


def landing_stamp(data_as_of: datetime) -> str:
    """Return the id of the first landing of a read point: ``20260102T030405678901Z``, sortable."""
    return data_as_of.astimezone(UTC).strftime(_STAMP).rjust(22, "0")


@cache
def landing_order(landing_id: str) -> tuple[datetime, int]:
    """Return read point and number of a landing by its id; landings of one read point count from 1."""
    stamp, _, number = landing_id.partition("-")
    return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC), int(number or 1)
