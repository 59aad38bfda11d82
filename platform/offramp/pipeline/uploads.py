"""How far an upload is: told to whoever watches, and to the claim, which must not end while bytes go out."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from offramp.pipeline.rooms import Report

LONG_BYTES = 8 * 1024 * 1024
"""Uploads of fewer bytes end before anybody could look."""


@dataclass(slots=True)
class Upload:
    """Told the bytes that went out since its last call, from any thread, over all attempts.

    ``moved`` is called each time, ``further`` when it got further than ever. Bytes beyond the file's own were sent
    before, and are none.
    """

    subject: str
    bytes: int
    report: Report
    keep_alive: Callable[[], None]
    moved: Callable[[], None]
    further: Callable[[], None]
    lock: Lock = field(default_factory=Lock)
    _sent: int = 0
    _furthest: int = 0

    def __call__(self, bytes_: int) -> None:
        """Pass on what went out."""
        with self.lock:
            self.keep_alive()
            self.moved()
            self._sent += bytes_
            if self._furthest < self._sent <= self.bytes:
                self._furthest = self._sent
                self.further()
            if bytes_ and self.bytes >= LONG_BYTES:
                self.report("upload", self.subject, bytes_=bytes_, of_bytes=self.bytes)


@dataclass(slots=True)
class _UnderWay:
    began_at: float
    told_at: float
    bytes: int = 0


@dataclass(slots=True)
class Meter:
    """Measures uploads for those who are told of them in lines: one at most every so many seconds, and one at the end.

    Uploads are known by their subject. Rates are over the whole upload.
    """

    every_seconds: float = 10
    clock: Callable[[], float] = time.monotonic
    lock: Lock = field(default_factory=Lock)
    _under_way: dict[str, _UnderWay] = field(default_factory=dict)

    def add(self, subject: str, bytes_: int, of_bytes: int) -> str | None:
        """Count bytes and return how far the upload is, or None where it was told a short while ago."""
        with self.lock:
            now = self.clock()
            one = self._under_way.setdefault(subject, _UnderWay(now, now))
            one.bytes += bytes_
            is_done = one.bytes >= of_bytes
            if is_done:
                del self._under_way[subject]
            elif now - one.told_at < self.every_seconds:
                return None
            one.told_at = now
            seconds = max(now - one.began_at, 0.001)
            rate = one.bytes / seconds
            left = "" if is_done or rate <= 0 else f", {(of_bytes - one.bytes) / rate:,.0f} s left"
            return f"{one.bytes:,} of {of_bytes:,} bytes, {rate / 1e6:,.1f} MB/s{left}"
