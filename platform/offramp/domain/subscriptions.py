"""Subscriptions: what one recipient takes of one feed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from offramp.domain.personal import AS_THEY_ARE, Personal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date


class Initial(StrEnum):
    """Whether a subscription begins with a baseline (everything so far) or with its first window."""

    FULL = "full"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one recipient takes of one feed.

    ``tenants`` names whose rows it receives; it is never empty. ``entities`` empty means every entity of the
    feed. ``options`` hold the feed's own options as the vendor's documentation names them; the feed's room
    reads them. ``destinations`` are names in the settings; ``prefix`` is the folder below them that all of its
    files stand in. ``deliveries`` are, by destination, lists of the exports that go there, as the feed reads them.
    """

    id: str
    recipient: str
    feed: str
    tenants: tuple[str, ...]
    starts_on: date
    destinations: tuple[str, ...]
    entities: tuple[str, ...] = ()
    initial: Initial = Initial.FULL
    sends_deletes: bool = False
    prefix: str = ""
    personal: Personal = AS_THEY_ARE
    options: Mapping[str, str] = field(default_factory=dict, hash=False)
    deliveries: Mapping[str, str] = field(default_factory=dict, hash=False)

    def takes(self, entity: str) -> bool:
        """Return whether an entity of the feed is among those that the subscription names, or it names none."""
        return not self.entities or entity in self.entities
