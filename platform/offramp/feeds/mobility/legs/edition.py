"""What changes whenever the same leg would be described otherwise: for the version of the layer that describes legs."""

from __future__ import annotations

import hashlib

from offramp.feeds.mobility.legs import thresholds

# The number of the decision table and of what is measured: raise it with every change to them, or to how legs are cut.
_EDITION = 2


def edition() -> str:
    """Return the edition and a digest of every threshold. Neither numba nor Polars is loaded for it."""
    known = sorted((name, value) for name, value in vars(thresholds).items() if name.isupper())
    return f"{_EDITION}.{hashlib.sha256(repr(known).encode()).hexdigest()[:8]}"
