"""Connections of one SFTP destination: opened when needed, lent to one caller at a time."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from offramp.destinations.uploads import all_in_use

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from offramp.destinations.sftp.session import SftpSession


class SftpPool:
    """At most so many connections; whoever comes later waits, but not for ever."""

    def __init__(self, connect: Callable[[], SftpSession], most: int, *, where: str, wait_seconds: float) -> None:
        self._where = where
        self._wait_seconds = wait_seconds
        self._connect = connect
        self._free = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._idle: list[SftpSession] = []
        self._closings = 0

    @contextmanager
    def borrowed(self) -> Iterator[SftpSession]:
        """Lend a connection. One that broke, or that answers are outstanding on, is not lent again.

        Raises DestinationUnreachable where all are in use for long.
        """
        if not self._free.acquire(timeout=self._wait_seconds):
            raise all_in_use(self._where, self._wait_seconds)
        try:
            with self._lock:
                begun = self._closings
            session = self._usable_idle() or self._connect()
            try:
                yield session
            finally:
                self._give_back(session, begun)
        finally:
            self._free.release()

    def close(self) -> None:
        """Close every connection: the idle ones now, the others when they come back."""
        with self._lock:
            self._closings += 1
            idle, self._idle = self._idle, []
        for session in idle:
            session.close()

    def _usable_idle(self) -> SftpSession | None:
        while True:
            with self._lock:
                session = self._idle.pop() if self._idle else None
            if session is None or session.is_usable:
                return session
            session.close()

    def _give_back(self, session: SftpSession, begun: int) -> None:
        with self._lock:
            is_kept = session.is_usable and begun == self._closings
            if is_kept:
                self._idle.append(session)
        if not is_kept:
            session.close()
