"""The layer of drives. What needs Polars is imported when a day is built, so that the layer is quick to describe."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from offramp.feeds.mobility.driving import thresholds
from offramp.feeds.mobility.driving.tables import DRIVES, SCORES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from offramp.domain.layers import LayerTable, LayerWork


# The number of the formulas, queries and texts.
FORMULAS = 2


class DrivingLayer:
    """Computes the drives that a day's build closes or changes, and the scores of their users. It keeps no state."""

    @property
    def name(self) -> str:
        """The layer's name."""
        return "driving"

    @property
    def description(self) -> str:
        """What it computes."""
        return (
            "Trips by car with scores from the phone's sensors and the limits of the roads, their driving events and"
            " waypoints, and the scores of users over nine weeks."
        )

    @property
    def source(self) -> str:
        """The source whose landing it reads."""
        return "mobility"

    @property
    def reads(self) -> tuple[str, ...]:
        """The tables of the landing that it reads."""
        return ("sensor_events", "waypoints")

    @property
    def after(self) -> tuple[str, ...]:
        """The layers that must be built before it."""
        return ("timeline",)

    @property
    def is_carried(self) -> bool:
        """True: sessions and scores go on from earlier drives."""
        return True

    @property
    def tables(self) -> Mapping[str, LayerTable]:
        """What it writes."""
        return {table.name: table for table in (DRIVES, SCORES)}

    @property
    def version(self) -> str:
        """Changes with every threshold; FORMULAS is to be raised with what is done with them."""
        known = {name: value for name, value in vars(thresholds).items() if name.isupper()}
        digest = hashlib.sha256(repr(sorted(known.items())).encode()).hexdigest()
        return f"{FORMULAS}.{digest[:12]}"

    def build(self, work: LayerWork) -> None:
        """Write the drives that are new in the day's build or that it changed, and the scores of users of new ones."""
        from offramp.feeds.mobility.driving.building import build  # noqa: PLC0415 - see the module's docstring

        build(work)
