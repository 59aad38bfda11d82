"""Walking the folders of an SFTP server."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from offramp.destinations.sftp.packets import GONE, StatusError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offramp.destinations.sftp.packets import Attributes
    from offramp.destinations.sftp.place import SftpPlace
    from offramp.destinations.sftp.session import SftpSession


def walk(session: SftpSession, place: SftpPlace, folder: str, prefixes: tuple[str, ...]) -> Iterator[str]:
    """Yield every file of a folder, and of the folders below whose names begin with one of the prefixes.

    A link to a file counts as a file; one to a folder is not followed, so that no loop can be. A folder that vanishes
    meanwhile, or was never there, is empty.
    """
    folders = [folder]
    while folders:
        current = folders.pop()
        try:
            for entry, attributes in session.folder(place.path(current)):
                name = f"{current}/{entry}" if current else entry
                if attributes.is_folder:
                    if name.startswith(prefixes):
                        folders.append(name)
                elif attributes.is_file or _leads_to_file(session, place.path(name), attributes):
                    yield name
        except StatusError as error:
            if error.code not in GONE:
                raise


def _leads_to_file(session: SftpSession, path: str, attributes: Attributes) -> bool:
    if attributes.mode is None or not stat.S_ISLNK(attributes.mode):
        return False
    found = session.stat(path)
    return found is not None and found.is_file
