"""Is what stands at a destination what should stand there?"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from offramp.pipeline.rooms import no_news

if TYPE_CHECKING:
    from collections.abc import Callable

    from offramp.domain.contents import Content, Standing
    from offramp.domain.ports import Destination


def holds(
    destination: Destination, standing: Standing, content: Content, *, keep_alive: Callable[[], None] = no_news
) -> bool:
    """Return whether a file is of this content. It is read back only where the size agrees and nothing else tells."""
    same_size = standing.bytes == content.bytes
    return same_size and sha256_of(destination, standing, keep_alive=keep_alive) == content.sha256


def sha256_of(destination: Destination, standing: Standing, *, keep_alive: Callable[[], None] = no_news) -> str:
    """Return the checksum of a file: the one that was written with it, else by reading it back whole.

    ``keep_alive`` is called for each block that is read.
    """
    if standing.sha256 is not None:
        return standing.sha256
    digest = hashlib.sha256()
    for block in destination.read(standing.name):
        digest.update(block)
        keep_alive()
    return digest.hexdigest()
