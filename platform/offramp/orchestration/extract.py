"""What an export asset yields to its IO manager: a value without rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from offramp.domain.exports import Export
    from offramp.pipeline.plan import PlanOptions


@dataclass(frozen=True, slots=True)
class Fault:
    """A day that is not delivered, and why."""

    day: date
    message: str

    def __str__(self) -> str:
        return f"{self.day}: {self.message}"


@dataclass(frozen=True, slots=True)
class Extract:
    """The days of one export whose gates have passed, and those that must not be delivered."""

    export: Export
    days: tuple[date, ...]
    options: PlanOptions
    faults: tuple[Fault, ...] = ()
