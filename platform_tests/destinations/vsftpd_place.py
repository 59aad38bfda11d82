"""FTP with TLS, on vsftpd: session reuse required, no MLSD."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from offramp.destinations.ftp.place import FtpPlace
from platform_tests.destinations.ftp_place import as_place
from platform_tests.servers.vsftpd import WRITABLE, VsftpdServer

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from platform_tests.destinations.places import Place


def vsftpd_place(server: VsftpdServer, *, tls: bool = True) -> FtpPlace:
    """A folder of its own. The driver makes it."""
    return FtpPlace(
        host="localhost",
        port=server.tls_port if tls else server.plain_port,
        directory=f"/{WRITABLE}/{uuid.uuid4().hex}",
        tls=tls,
        ca_file=str(server.certificates.ca) if tls else None,
        timeout_seconds=10,
    )


def place(request: pytest.FixtureRequest, _folder: Path) -> Place:
    server: VsftpdServer = request.getfixturevalue("vsftpd")
    return as_place("vsftpd", vsftpd_place(server), server.root)
