"""Builds source tables and models from their YAML: schedules, kinds, increments and who refers to whom."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from offramp.domain.exports import EntityKind, Mode, TaskSchedule
from offramp.domain.landings import Increment, TableSpec
from offramp.domain.windows import check_cron

if TYPE_CHECKING:
    from offramp.domain.contracts import Contract
    from offramp.domain.exports import Model
    from offramp.sql.data_tests import DataTest
    from offramp.sql.project_files import ModelYaml, TableYaml
    from offramp.sql.yaml_faults import Faults

DEFAULT_CRON = "10 0 * * *"
_MODES = {
    EntityKind.MUTABLE: (Mode.DELTA, Mode.SNAPSHOT),
    EntityKind.REFERENCE: (Mode.SNAPSHOT,),
    EntityKind.EVENTS: (Mode.DELTA,),
    EntityKind.COMPUTED: (Mode.OFFLOAD,),
}
_DURATION = re.compile(r"^(?P<number>[1-9]\d{0,5}) (?P<unit>second|minute|hour|day)s?$")


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model with what only this room needs of it. ``tests`` are unresolved: take them from the project to run them.

    ``sources`` and ``refs`` are what its own SQL reads.
    """

    model: Model
    tests: tuple[DataTest, ...]
    sources: tuple[tuple[str, str], ...]
    refs: tuple[str, ...]
    sql_file: str
    yaml_file: str
    yaml_line: int


def build_table(source: str, table: TableYaml, faults: Faults) -> TableSpec:
    """Build a source table; it must say whose rows it holds."""
    if (table.config is None) == (table.meta is None):
        what = f"table '{table.name}' needs one meta, with its key and whose rows it holds"
        todo = "config: {meta: {tenant_column: tenant, key: [id]}}"
        raise faults.at(what=what, todo=todo)
    meta = table.config.meta if table.config else table.meta
    path = ("config", "meta") if table.config else ("meta",)
    assert meta is not None  # noqa: S101 - narrows the type: one of the two is there
    if meta.shared == (meta.tenant_column is not None):
        what = f"table '{table.name}' says one of two things: its tenant column, or that all tenants share it"
        raise faults.at(*path, what=what, expected="tenant_column: <column>, or shared: true")
    increment = None
    if meta.increment is not None:
        below = faults.below(*path, "increment")
        increment = Increment(
            meta.increment.column,
            _duration(meta.increment.overlap, "overlap", below),
            _duration(meta.increment.lookback, "lookback", below),
        )
    return TableSpec(source, table.name, tuple(meta.key), meta.tenant_column, meta.change_column, increment)


def _duration(text: str, name: str, faults: Faults) -> timedelta:
    match = _DURATION.match(text)
    if match is None:
        raise faults.at(name, what=f"{name} is no duration", expected="1 day, 12 hours, 30 minutes", found=text)
    return timedelta(**{match["unit"] + "s": int(match["number"])})


def build_schedules(model: ModelYaml, contract: Contract, faults: Faults) -> tuple[TaskSchedule, ...]:
    """Build the schedules of an entity: what its YAML says, or one variable for the modes of its kind."""
    if not model.config.meta.exported:
        if model.config.meta.schedules is not None:
            raise faults.at(
                "config", "meta", "schedules", what=f"'{model.name}' is not exported, so nothing schedules it"
            )
        return ()
    kind = EntityKind(model.config.meta.kind)
    declared = model.config.meta.schedules
    schedules: tuple[TaskSchedule, ...]
    if declared is None:
        schedules = (TaskSchedule(f"CRON_SCHEDULE_{model.name.upper()}", DEFAULT_CRON, _MODES[kind]),)
    else:
        schedules = tuple(
            TaskSchedule(one.variable, one.default, tuple(map(Mode, one.modes)), is_shared=one.shared)
            for one in declared
        )
    modes = [mode for schedule in schedules for mode in schedule.modes]
    place = ("config", "meta", "schedules")
    for number, schedule in enumerate(schedules):
        fault = check_cron(schedule.default) if schedule.default else None
        if fault:
            raise faults.at(*place, number, "default", what=f"{schedule.variable}: {fault}", found=schedule.default)
    if len(set(modes)) != len(modes) or not modes:
        what = "each mode stands in one schedule, and there is at least one"
        raise faults.at(*place, what=what, found=", ".join(modes) or "none")
    if contract.change_column is None and (Mode.DELTA in modes or kind is EntityKind.EVENTS):
        what = f"'{model.name}' has a delta, so something must date its changes"
        raise faults.at("config", "meta", what=what, todo="add change_column, or leave the mode delta out")
    return schedules
