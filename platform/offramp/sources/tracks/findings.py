"""What is wrong with a file: errors that name file, line, what is expected, what is found and what to do."""

from __future__ import annotations

import gzip
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from offramp.domain.errors import SourceRefused, SourceUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from offramp.sources.tracks.folder import TrackFile

REPAIR = "put a whole file in its place, or take it out of the folder"
_SHOWN = 5
_MOST_CHARACTERS = 200


def damaged(
    file: TrackFile, line: int | None, what: str, *, expected: str, found: object = None, todo: str = REPAIR
) -> SourceRefused:
    """Return the error of a file that cannot be taken as it is."""
    where = f"{file.path}:{line}" if line else str(file.path)
    shown = None if found is None else str(found)[:_MOST_CHARACTERS]
    return SourceRefused(what, where=where, expected=expected, found=shown, todo=todo)


def unreadable(path: Path, refused: OSError) -> SourceRefused:
    """Return the error of a file or folder that this process may not read."""
    todo = "give the user that Offramp runs as the right to read it"
    return SourceRefused("it may not be read", where=str(path), found=type(refused).__name__, todo=todo)


@contextmanager
def reading(file: TrackFile) -> Iterator[None]:
    """Tell what is wrong where the bytes of a file cannot be read or unpacked.

    Raises SourceRefused where a retry would fail the same way, SourceUnreachable where it may pass.
    """
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged(file, None, "the file cannot be unpacked", expected="a whole gzip file", found=error) from error
    except PermissionError as refused:
        raise unreadable(file.path, refused) from refused
    except OSError as failed:
        raise SourceUnreachable("the file cannot be read", where=str(file.path), found=str(failed)) from failed


def refuse(files: Sequence[TrackFile], findings: Mapping[int, SourceRefused]) -> None:
    """Raise the finding of the first damaged file, naming the others; nothing without findings."""
    if not findings:
        return
    first, *others = sorted(findings)
    error = findings[first]
    if not others:
        raise error
    names = ", ".join(files[one].name for one in others[:_SHOWN]) + (", ..." if len(others) > _SHOWN else "")
    raise SourceRefused(
        error.what,
        where=error.where,
        expected=error.expected,
        found=error.found,
        todo=f"{error.todo}; {len(others)} more damaged: {names}",
    )
