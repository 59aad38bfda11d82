"""Finished bytes on their way to a destination, and what stands there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes to deliver: a finished file of the lake, or a small text such as a manifest.

    ``sha256`` and ``md5`` are hexadecimal; ``md5`` is None where nobody computed it yet.
    """

    source: Path | bytes = field(repr=False)
    bytes: int
    sha256: str
    md5: str | None = None


def text_content(content: bytes) -> Content:
    """Return a small text as what is delivered."""
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return Content(content, len(content), hashlib.sha256(content).hexdigest(), md5)


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands under a name at a destination.

    ``sha256`` is what was written beside the bytes when they came; None where only reading them tells. ``version``
    (an ETag, a generation) changes whenever the content does; None where the place has no such thing.
    """

    name: str
    bytes: int
    sha256: str | None = None
    version: str | None = None
