"""A few connections to one FTP server, borrowed per call."""

from __future__ import annotations

import ftplib
import select
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from offramp.destinations.ftp.connection import FtpClient, open_client
from offramp.destinations.uploads import all_in_use
from offramp.domain.errors import DestinationChanged, VerificationFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offramp.destinations.ftp.place import FtpPlace

# Firewalls forget quiet connections without telling; asking costs a round trip.
_TRUSTED_SECONDS = 10.0


class FtpPool:
    """Opens at most ``place.connections`` and keeps those that no error met.

    Whoever finds all in use waits, but not for ever. A transfer under way holds one, also that of a reader that was
    not read to its end.
    """

    def __init__(self, place: FtpPlace, *, where: str) -> None:
        self._where = where
        self._wait_seconds = 2 * place.timeout_seconds
        self._place = place
        self._free = threading.BoundedSemaphore(place.connections)
        self._lock = threading.Lock()
        self._idle: list[tuple[FtpClient, float]] = []
        self._closings = 0

    @contextmanager
    def borrow(self) -> Iterator[FtpClient]:
        """Lend a connection that works, opening one if need be.

        After an error it is dropped, unless the error is a finding of ours after answers that were read to their end.
        Raises DestinationUnreachable where all are in use for long.
        """
        if not self._free.acquire(timeout=self._wait_seconds):
            raise all_in_use(self._where, self._wait_seconds)
        try:
            closings = self._closings
            client = self._take() or open_client(self._place)
            try:
                yield client
            except (DestinationChanged, VerificationFailed):
                self._give_back(client, closings)
                raise
            except BaseException:
                client.drop()
                raise
            self._give_back(client, closings)
        finally:
            self._free.release()

    def close(self) -> None:
        """Close what is idle now and, when they come back, those in use."""
        with self._lock:
            idle, self._idle = self._idle, []
            self._closings += 1
        for client, _ in idle:
            client.leave()

    def _give_back(self, client: FtpClient, closings: int) -> None:
        with self._lock:
            is_kept = closings == self._closings
            if is_kept:
                self._idle.append((client, time.monotonic()))
        if not is_kept:
            client.leave()

    def _take(self) -> FtpClient | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                client, since = self._idle.pop()
            if _still_answers(client, time.monotonic() - since):
                return client
            client.drop()


def _still_answers(client: FtpClient, idle_seconds: float) -> bool:
    """Say whether an idle connection can be used: servers close them with a 421 or without a word."""
    poll = select.poll()
    poll.register(client.sock, select.POLLIN)
    if poll.poll(0):
        return False
    if idle_seconds < _TRUSTED_SECONDS:
        return True
    try:
        client.voidcmd("NOOP")
    except (ftplib.Error, OSError, EOFError):
        return False
    return True
