"""Gate: data tests over the lake, before anything is delivered. No pass, no delivery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from offramp.domain.errors import GateFailed
from offramp.pipeline.relations import files_read, model_over, relation_of
from offramp.sql.data_tests import Severity

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from offramp.domain.exports import Export
    from offramp.domain.landings import Landing
    from offramp.pipeline.rooms import Rooms


@dataclass(frozen=True, slots=True)
class GateResult:
    """One data test: how many rows fail it, and where they are kept. A test that does not block only warns."""

    test: str
    column: str | None
    description: str
    failing: int
    kept: Path | None = None
    is_blocking: bool = True

    @property
    def has_passed(self) -> bool:
        """True where no row fails."""
        return self.failing == 0


@dataclass(frozen=True, slots=True)
class GateReport:
    """The results of all data tests of a model over one landing."""

    export: str
    landing_id: str
    results: tuple[GateResult, ...]

    @property
    def has_passed(self) -> bool:
        """True where every blocking test passed; one of severity ``warn`` only warns."""
        return not self._failed()

    def _failed(self) -> tuple[GateResult, ...]:
        return tuple(result for result in self.results if result.is_blocking and not result.has_passed)

    def raise_if_failed(self) -> None:
        """Raise GateFailed, naming each test that did not pass."""
        failed = self._failed()
        if failed:
            raise GateFailed(
                f"{len(failed)} data test(s) failed, so nothing is delivered",
                where=f"{self.export} over landing {self.landing_id}",
                expected="no failing rows",
                found="; ".join(f"{result.test}: {result.failing:,} rows" for result in failed),
                todo="look at the kept rows: " + ", ".join(str(result.kept) for result in failed if result.kept),
            )


def gate(rooms: Rooms, export: Export, data_day: date, landing: Landing) -> GateReport:
    """Run a model's data tests over a landing. Results are kept for the exports that share the model.

    Tables that did not change since an earlier landing passed are not read again.
    """
    by_landing = (export.model.name, landing.id)
    by_files = (export.model.name, files_read(rooms, landing, rooms.gate_sql(export.model, prefix="now_").relations))
    known = rooms.gates.get(by_landing) or rooms.gates.get(by_files)
    if known is not None:
        if known.landing_id != landing.id:
            rooms.lake.rejects.clear(export.name, data_day, (result.test for result in known.results))
        return GateReport(export.name, landing.id, known.results)
    rooms.at_step("gate")
    report = _run(rooms, export, data_day, landing)
    rooms.gates.put(by_landing, report)
    # Rows that fail are kept under their own day.
    if all(result.has_passed for result in report.results):
        rooms.gates.put(by_files, report)
    return report


def _run(rooms: Rooms, export: Export, data_day: date, landing: Landing) -> GateReport:
    project, model = rooms.project, export.model
    gate_sql = rooms.gate_sql(model, prefix="now_")
    over = model_over(rooms, model, landing, prefix="now_")
    relations = {use.name: relation_of(rooms, use, landing) for use in gate_sql.relations}
    with rooms.engine.open(relations.values()) as session:
        problems = project.type_problems(model.name, session.describe(over.sql))
        if problems:
            broken = GateResult("contract", None, "; ".join(problems), len(problems), is_blocking=True)
            return GateReport(export.name, landing.id, (broken,))
        counts = [int(str(count)) for count in session.rows(gate_sql.sql)[0][1:]]
        results = [GateResult("contract", None, "Columns and types are the contract's.", 0, is_blocking=True)]
        for test, failing in zip(gate_sql.tests, counts, strict=True):
            kept = None
            if failing:
                with rooms.lake.rejects.writing(export.name, data_day, test.name) as path:
                    session.store(test.failing(over.sql, model.contract.key), path)
                kept = rooms.lake.rejects.path_for(export.name, data_day, test.name)
            is_blocking = test.severity is Severity.ERROR
            results.append(GateResult(test.name, test.column, test.description, failing, kept, is_blocking=is_blocking))
    rooms.lake.rejects.clear(export.name, data_day, (result.test for result in results if result.has_passed))
    return GateReport(export.name, landing.id, tuple(results))
