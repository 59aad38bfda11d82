"""What a compiled function is made of, as one number.

numba notices a change of the file that a cached function stands in only, not of what it calls or of constants in other
files. What a function closes over is part of its key in the cache: so one that closes over this number, and uses it, is
compiled anew whenever any of the sources changes. Functions that only compiled ones call are not cached themselves.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


def stamp_of(*modules: ModuleType) -> int:
    """Return a number of 56 bits that changes with the source of any of the modules."""
    sources = b"".join(Path(str(module.__file__)).read_bytes() for module in modules)
    return int.from_bytes(hashlib.sha256(sources).digest()[:7], "big")
