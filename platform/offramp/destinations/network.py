"""How drivers that open sockets themselves connect, and how any of them read a file of certificate authorities."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from offramp.domain.errors import DestinationClosed

if TYPE_CHECKING:
    import ssl


def connected(host: str, port: int, timeout_seconds: float) -> socket.socket:
    """Return a TCP connection. OSError where there is none; DestinationClosed for a host that nobody can have."""
    try:
        return socket.create_connection((host, port), timeout_seconds)
    except UnicodeError as error:
        # The codec of host names: a label that is empty, or longer than 63 bytes.
        raise DestinationClosed(
            "the host name cannot be one",
            where=f"{host}:{port}",
            expected="labels of 1 to 63 bytes with dots between them",
            found=str(error),
            todo="correct the host in the settings",
        ) from error


def load_authorities(context: ssl.SSLContext, ca_file: str) -> None:
    """Let a context trust the authorities in a file. Raises DestinationClosed."""
    try:
        context.load_verify_locations(ca_file)
    except OSError as error:
        raise DestinationClosed(
            "the file of certificate authorities (ca_file) cannot be read",
            where=ca_file,
            expected="certificates in PEM",
            found=error.strerror or str(error),
            todo="check ca_file",
        ) from error
