"""FTP without TLS, on pyftpdlib."""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING

from pydantic import SecretStr

from offramp.destinations.ftp.destination import FtpDestination
from offramp.destinations.ftp.place import FtpPlace, refused_name
from platform_tests.servers.pyftpd import PASSWORD, USER, PyftpdServer

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from platform_tests.destinations.places import Place


def ftp_place(server: PyftpdServer, variant: str = "plain", directory: str | None = None) -> FtpPlace:
    """A folder of its own on one of the server's ports. The driver makes it."""
    is_tls = variant in {"tls", "wrong_host", "expired", "no_close_notify"}
    return FtpPlace(
        host="localhost" if is_tls else "::1" if variant == "ipv6" else "127.0.0.1",
        port=server.ports[variant],
        username=USER,
        password=SecretStr(PASSWORD),
        directory=f"/{uuid.uuid4().hex}" if directory is None else directory,
        tls=is_tls,
        ca_file=str(server.certificates.ca) if is_tls else None,
        timeout_seconds=10,
    )


def as_place(kind: str, at: FtpPlace, root: Path) -> Place:
    """What the suites need to know of a place whose files this machine can see."""
    # places.py imports this module, so whoever imports it first must not need the other yet.
    from platform_tests.destinations.places import Place  # noqa: PLC0415

    folder = root / at.directory.lstrip("/")
    return Place(
        kind=kind,
        open=partial(FtpDestination, kind, at),
        write_steps=("store", "size", "read_back", "rename"),
        visible_at="rename",
        delete_steps=("delete",),
        unfinished=lambda: [str(path) for path in folder.rglob(".*.tmp")],
        refuses=refused_name,
    )


def place(request: pytest.FixtureRequest, _folder: Path) -> Place:
    server: PyftpdServer = request.getfixturevalue("pyftpd")
    return as_place("ftp", ftp_place(server), server.root)
