"""The layer ``timeline`` as the pipeline sees it: its tables and its version. What it does is in ``builds``."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from offramp.feeds.mobility.legs.edition import edition
from offramp.feeds.mobility.timeline.rule import PRODUCT
from offramp.feeds.mobility.timeline.written import LEFT_OUT, LEGS, OPEN_STAYS, REBUILDS, STAYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from offramp.domain.layers import LayerTable, LayerWork

# Rises when the same fixes would give other rows for a reason that no number of the rule tells.
_EDITION = 3


class TimelineLayer:
    """Folds fixes into stays and legs, day by day, as if each day folded all that had arrived."""

    @property
    def name(self) -> str:
        """The layer's name."""
        return "timeline"

    @property
    def description(self) -> str:
        """What it computes."""
        return "Stays, and the legs between them in one mode each, from the fixes of phones."

    @property
    def source(self) -> str:
        """The source whose landing it reads."""
        return "mobility"

    @property
    def reads(self) -> tuple[str, ...]:
        """The tables of the landing that it reads."""
        return ("fixes", "sdk_events", "venues")

    @property
    def after(self) -> tuple[str, ...]:
        """The layers that it reads: none."""
        return ()

    @property
    def is_carried(self) -> bool:
        """A build goes on from that of the day before."""
        return True

    @property
    def tables(self) -> Mapping[str, LayerTable]:
        """What it writes, by name."""
        return {table.name: table for table in (STAYS, LEGS, REBUILDS, OPEN_STAYS, LEFT_OUT)}

    @property
    def version(self) -> str:
        """The edition, a digest of the rule's numbers, and the edition of what describes legs."""
        return f"{_EDITION}-{hashlib.sha256(repr(PRODUCT).encode()).hexdigest()[:8]}-{edition()}"

    def build(self, work: LayerWork) -> None:
        """Write the five tables of a data day."""
        from offramp.feeds.mobility.timeline.builds import build  # noqa: PLC0415  numba and polars load in a second

        build(work, PRODUCT)
