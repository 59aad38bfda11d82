"""Names of files below a destination's prefix, and the temporary names of uploads that readers do not see yet."""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from offramp.domain.errors import DestinationRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

COMPONENT_BYTES = 255
_TEMPORARY = re.compile(r"^\.(?P<stem>.+)\.offramp-(?P<token>\d+)\.tmp$", re.DOTALL)
_SURROUND_BYTES = len("..offramp-.tmp") + len(str(2**63))


def check_name(name: str, *, destination: str) -> None:
    """Refuse a name that leaves the destination's prefix, hides among temporary names or fits no file system.

    Names are relative, parted by ``/``; odd characters of keys and tenants (blanks, ``%``, unicode) are fine.
    Raises DestinationRefused.
    """
    fault = _fault(name)
    if fault is not None:
        raise DestinationRefused(
            f"destination '{destination}' cannot take this name: {fault}",
            expected="a relative path, parts of 1 to 255 bytes of UTF-8, none of them '.' or '..'",
            found=repr(name),
            todo="change the option or the tenant that the name is made of",
        )


def _fault(name: str) -> str | None:
    try:
        name.encode()
    except UnicodeEncodeError:
        return "it is not unicode text"
    parts = name.split("/")
    faults = (
        ("\0" in name, "it holds a NUL"),
        (name.startswith("/"), "it is absolute"),
        (any(part in {"", ".", ".."} for part in parts), "a part is empty, '.' or '..'"),
        (any(len(part.encode()) > COMPONENT_BYTES for part in parts), f"a part is longer than {COMPONENT_BYTES} bytes"),
        (is_temporary(parts[-1]), "it looks like the temporary name of an upload"),
    )
    return next((text for is_so, text in faults if is_so), None)


def temporary_name(name: str, token: int) -> str:
    """Return where an upload stands until it is committed: a hidden name in the same folder."""
    path = PurePosixPath(name)
    return str(path.with_name(f".{_stem(path.name)}.offramp-{token}.tmp"))


def is_temporary(basename: str) -> bool:
    """Say whether a file is an upload that was not committed."""
    return _TEMPORARY.match(basename) is not None


def deepest_folder(prefix: str, *, destination: str) -> str:
    """Return the deepest folder that holds every name with a prefix: all before its last ``/``. It may be empty.

    Raises DestinationRefused for one that leaves the destination.
    """
    folder = prefix.rpartition("/")[0]
    if folder or prefix.startswith("/"):
        check_name(folder, destination=destination)
    return folder


def is_stale(temporary: str, prefixes: Iterable[str], below_token: int) -> bool:
    """Say whether a path is an upload of an older token, for a name that begins with one of the prefixes."""
    folder, _, basename = temporary.rpartition("/")
    match = _TEMPORARY.match(basename)
    if match is None or int(match["token"]) >= below_token:
        return False
    path = f"{folder}/{match['stem']}" if folder else match["stem"]
    return any(path.startswith(prefix) or _is_shortened(folder, match["stem"], prefix) for prefix in prefixes)


def _is_shortened(folder: str, stem: str, prefix: str) -> bool:
    wanted_folder, _, wanted = prefix.rpartition("/")
    return folder == wanted_folder and wanted != "" and stem == _stem(wanted)


def _stem(basename: str) -> str:
    """Return the basename, shortened with a hash where the temporary name would be too long for a file system."""
    room = COMPONENT_BYTES - _SURROUND_BYTES
    encoded = basename.encode()
    if len(encoded) <= room:
        return basename
    digest = hashlib.sha256(encoded).hexdigest()[:16]
    return f"{encoded[: room - 17].decode(errors='ignore')}~{digest}"
