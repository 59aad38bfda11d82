"""One fault of a TCP connection, as the cases of SFTP and FTP have it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class WireCase:
    """How a fault is armed, with which settings of the place, and what the error has to say."""

    arm: Callable[[Any], object]
    words: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    retries: int = 1
