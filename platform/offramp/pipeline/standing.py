"""Is what stands at a destination what should stand there?"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from offramp.domain.contents import Standing
    from offramp.domain.ports import Destination


def holds(destination: Destination, standing: Standing, bytes_: int, sha256: str) -> bool:
    """Return whether a file is of this content. It is read back only where the size agrees and nothing else tells."""
    return standing.bytes == bytes_ and sha256_of(destination, standing) == sha256


def sha256_of(destination: Destination, standing: Standing) -> str:
    """Return the checksum of a file: the one that was written with it, else by reading it back whole."""
    if standing.sha256 is not None:
        return standing.sha256
    digest = hashlib.sha256()
    for block in destination.read(standing.name):
        digest.update(block)
    return digest.hexdigest()
