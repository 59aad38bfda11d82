"""The documents by the names under which they are published: a new content has a new name."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

from offramp.feeds.mobility.documents.data_model import data_model
from offramp.feeds.mobility.documents.samples import samples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from offramp.domain.exports import Export

FOLDER = "documentation"
_DIGITS = 12


@lru_cache(maxsize=2)
def documents(exports: tuple[Export, ...]) -> Mapping[str, bytes]:
    """Return the bytes of each document by its path below the recipient's prefix. They are made once."""
    model, zipped = data_model(exports), samples(exports)
    return {
        f"{FOLDER}/mobility_data_model_{_digest(model)}.xlsx": model,
        f"{FOLDER}/mobility_samples_{_digest(zipped)}.zip": zipped,
    }


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGITS]
