"""Uploads under a temporary name, their proof by reading back, and what drivers say alike of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from offramp.domain.errors import DeliveryRefused, DestinationChanged, DestinationUnreachable, VerificationFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from offramp.domain.contents import Content


@dataclass(frozen=True, slots=True)
class TemporaryUpload:
    """An upload that was written under its temporary name, and proved there. ``sent`` is whom ``put`` told."""

    name: str
    content: Content
    temporary: str
    sent: Callable[[int], None] = field(repr=False, compare=False)


def shown(size: int | None, sha256: str | None = None) -> str:
    """Return what errors say of bytes that were expected or found."""
    if size is None:
        return "no file"
    return f"{size:,} bytes" if sha256 is None else f"{size:,} bytes, sha256 {sha256}"


def digest_of(blocks: Iterable[bytes], sent: Callable[[int], None]) -> tuple[int, str]:
    """Return size and sha256 of what is read back.

    ``sent`` is told of every block, as of no bytes: whoever keeps a claim alive by it must not lose it meanwhile.
    """
    digest = hashlib.sha256()
    size = 0
    for block in blocks:
        digest.update(block)
        size += len(block)
        sent(0)
    return size, digest.hexdigest()


def gone(where: str, name: str) -> DestinationChanged:
    """Return the error for a file that is not there (any more)."""
    return DestinationChanged(f"the file is gone from {where}", where=name, todo="run again")


def came_meanwhile(where: str, name: str, *, expected: str, found: str | None = None) -> DestinationChanged:
    """Return the error for a file that stands where none, or another, was seen before."""
    return DestinationChanged(
        f"a file came to stand at {where} meanwhile",
        where=name,
        expected=expected,
        found=found,
        todo="run again; if it stays so, move that file away",
    )


def upload_gone(where: str, name: str, content: Content) -> VerificationFailed:
    """Return the error for an upload that somebody removed before it was renamed."""
    return VerificationFailed(
        f"the upload to {where} is gone before it got its final name",
        where=name,
        expected=shown(content.bytes, content.sha256),
        todo="run again; a later run or the recipient removed the temporary file",
    )


def other_bytes(where: str, name: str, content: Content, *, found: str, ask: str) -> VerificationFailed:
    """Return the error for an upload that arrived otherwise than it was sent. ``ask`` is what helps if it stays so."""
    return VerificationFailed(
        f"{where} holds other bytes than were sent",
        where=name,
        expected=shown(content.bytes, content.sha256),
        found=found,
        todo=f"run again; if it stays so, {ask}",
    )


def staged_otherwise(name: str, content: Content, *, size: int, sha256: str) -> DeliveryRefused:
    """Return the error for a file of the lake that was read with other bytes than it was staged with."""
    return DeliveryRefused(
        "the staged file holds other bytes than when it was staged; nothing was published",
        where=name,
        expected=shown(content.bytes, content.sha256),
        found=shown(size, sha256),
        todo="check the lake's disk, then make the delivery anew",
    )


def all_in_use(where: str, seconds: float) -> DestinationUnreachable:
    """Return the error for whoever waited in vain for one of a destination's connections."""
    return DestinationUnreachable(
        f"all connections to {where} are in use",
        found=f"none came free in {seconds:g} seconds",
        todo="run again, or raise connections if the server allows more; the parts stay staged",
    )
