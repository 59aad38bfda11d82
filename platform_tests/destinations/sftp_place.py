"""A folder of its own on the shared OpenSSH server."""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from offramp.destinations.sftp.destination import SftpDestination
from offramp.destinations.sftp.place import SftpPlace

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from platform_tests.destinations.places import Place
    from platform_tests.servers.sshd import SshServer


def sftp_place(server: SshServer, folder: Path, **others: Any) -> SftpPlace:
    """What opens a folder of the server; ``others`` replace settings."""
    settings = {
        "host": "127.0.0.1", "port": server.port, "username": server.username,
        "private_key": SecretStr(server.private_key), "host_key": server.fingerprint(), "directory": str(folder),
        "timeout_seconds": 20,
    }  # fmt: skip
    return SftpPlace(**(settings | others))


def place(request: pytest.FixtureRequest, _folder: Path) -> Place:
    """An empty folder; not even the folder is there yet."""
    from platform_tests.destinations.places import Place  # noqa: PLC0415 - it imports this module

    server: SshServer = request.getfixturevalue("sshd")
    root = server.files / uuid.uuid4().hex
    return Place(
        kind="sftp",
        open=partial(SftpDestination, "partner", sftp_place(server, root)),
        write_steps=("write", "fsync", "read_back", "rename"),
        visible_at="rename",
        delete_steps=("delete",),
        unfinished=lambda: [str(path) for path in root.rglob(".*.tmp")],
    )
