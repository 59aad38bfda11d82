"""FTP with TLS, on pyftpdlib."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_tests.destinations.ftp_place import as_place, ftp_place

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from platform_tests.destinations.places import Place
    from platform_tests.servers.pyftpd import PyftpdServer


def place(request: pytest.FixtureRequest, _folder: Path) -> Place:
    server: PyftpdServer = request.getfixturevalue("pyftpd")
    return as_place("ftps", ftp_place(server, "tls"), server.root)
