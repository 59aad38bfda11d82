"""The text of ``landing.json``: what a committed landing consists of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from offramp.domain.errors import PermanentError
from offramp.domain.landings import LandedFile, LandedTable, Landing

if TYPE_CHECKING:
    from pathlib import Path

RECORD_NAME = "landing.json"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileRecord(_Record):
    """A file of a table. ``fingerprint`` is kept once it had to be computed."""

    uri: str
    rows: int
    bytes: int
    landing_id: str
    fingerprint: str | None = None

    def as_file(self) -> LandedFile:
        """Return what the other rooms see of it."""
        return LandedFile(self.uri, self.rows, self.bytes, self.landing_id)


class TableRecord(_Record):
    """A table as of a landing. ``key`` holds the columns that tell its rows apart, the tenant's first."""

    name: str
    is_increment: bool
    key: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    files: tuple[FileRecord, ...]

    def as_table(self) -> LandedTable:
        """Return what the other rooms see of it."""
        return LandedTable(self.name, tuple(file.as_file() for file in self.files), self.columns)


class LandingRecord(_Record):
    """A landing. ``version`` rises when this text changes its meaning."""

    version: int = 1
    id: str
    source: str
    data_as_of: AwareDatetime
    tables: tuple[TableRecord, ...]

    def as_landing(self) -> Landing:
        """Return what the other rooms see of it."""
        return Landing(self.id, self.source, self.data_as_of, tuple(table.as_table() for table in self.tables))

    def table(self, name: str) -> TableRecord | None:
        """Return a table, or None if it did not land."""
        return next((table for table in self.tables if table.name == name), None)


def read_record(folder: Path) -> LandingRecord:
    """Read a committed landing's record; an error names the folder whose record is missing or damaged."""
    try:
        return LandingRecord.model_validate_json((folder / RECORD_NAME).read_bytes())
    except (OSError, ValidationError) as error:
        raise PermanentError(
            "a landing's record cannot be read",
            where=str(folder / RECORD_NAME),
            expected="the record that the landing was committed with",
            found=error,
            todo="restore the file from a copy, or remove the landing's folder and land again",
        ) from error
