"""Ports for the data connections of an FTP server, few and known, so that a proxy can stand before each of them."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

# Below the ports that Linux hands out by itself, which would collide at any time.
_FIRST, _LAST = 15_000, 32_000
_ADDRESSES = ("127.0.0.1", "127.0.0.2")


def free_passive_ports(count: int = 12) -> tuple[int, ...]:
    """Return a range of ports that are free here, and at the address where a proxy listens."""
    while True:
        first = random.randrange(_FIRST, _LAST, count)  # noqa: S311 - no secret
        ports = tuple(range(first, first + count))
        if all(_is_free(address, port) for address in _ADDRESSES for port in ports):
            return ports


def _is_free(address: str, port: int) -> bool:
    with ExitStack() as stack:
        probe = stack.enter_context(socket.socket())
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
