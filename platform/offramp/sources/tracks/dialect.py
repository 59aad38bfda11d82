"""How the CSV files of a folder are written: nothing of it is guessed from the files."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUIRED = ("tracked_at", "latitude", "longitude")
OPTIONAL = ("user_id", "accuracy", "speed", "received_at")


class Times(StrEnum):
    """How instants are written. ISO 8601 without an offset is UTC."""

    ISO_8601 = "iso8601"
    EPOCH_SECONDS = "epoch_seconds"
    EPOCH_MILLISECONDS = "epoch_milliseconds"


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """UTF-8, a header, quotes doubled inside quotes. ``columns`` gives the file's name for each of ours.

    ``REQUIRED`` are always among them, those of ``OPTIONAL`` only where the files have them.
    """

    separator: str = ","
    times: Times = Times.ISO_8601
    columns: Mapping[str, str] = field(default_factory=lambda: {name: name for name in REQUIRED})
