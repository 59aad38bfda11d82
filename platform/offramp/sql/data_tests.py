"""Data tests as SQL: the rows that fail one, and one scan that counts the failing rows of all.

A tenant's rows are a world of their own: uniqueness and references hold within a tenant.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from offramp.domain.quoting import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from offramp.sql.compiled import Compiled, RelationUse


CONTRACT = "contract"


class Severity(StrEnum):
    """Whether a failing row stops the export."""

    ERROR = "error"
    WARN = "warn"


class Rule(StrEnum):
    """What a test asks of rows: each row alone, rows among themselves, or rows of another model."""

    ROW = "row"
    UNIQUE = "unique"
    RELATIONSHIP = "relationship"


@dataclass(frozen=True, slots=True)
class Target:
    """The column of another model that must hold a value. ``compiled`` is None until the project resolves it."""

    model: str
    column: str
    tenant_column: str | None
    compiled: Compiled | None = None


@dataclass(frozen=True, slots=True)
class DataTest:
    """A data test of a model. ``condition`` is true for a failing row ``r``; ``columns`` are unique together.

    ``group`` is the check under which it is shown; a test that was given a name is a check of its own.
    """

    name: str
    column: str | None
    description: str
    severity: Severity
    rule: Rule
    condition: str = ""
    columns: tuple[str, ...] = ()
    target: Target | None = None
    tenant_column: str | None = None
    where: str | None = None
    group: str = CONTRACT

    @property
    def relations(self) -> tuple[RelationUse, ...]:
        """The relations that the test reads beside those of its model."""
        return self.target.compiled.relations if self.target and self.target.compiled else ()

    def failing(self, compiled_sql: str, key: Sequence[str] = ()) -> str:
        """Return SQL that selects the failing rows with all their columns, ordered by ``key`` if there is one."""
        order = f"\norder by {', '.join(_r(name) for name in key)}" if key else ""
        return f"with checked as not materialized (\n{compiled_sql}\n)\nselect r.* {self._failing_rows()}{order}\n"

    def count(self) -> str:
        """Return the expression that counts the failing rows, to be selected from ``checked as r``."""
        match self.rule:
            case Rule.ROW:
                return f"count(*) filter (where {self._and(self.condition)})"
            case Rule.UNIQUE:
                return (
                    f"(select cast(coalesce(sum(times), 0) as bigint) from (select count(*) as times {self._twice()}))"
                )
            case Rule.RELATIONSHIP:
                return f"(select count(*) {self._failing_rows()})"
            case _:
                assert_never(self.rule)

    def _failing_rows(self) -> str:
        match self.rule:
            case Rule.ROW:
                return f"from checked as r where {self._and(self.condition)}"
            case Rule.UNIQUE:
                names = ", ".join(_r(name) for name in self.columns)
                same = " and ".join(f"d.{identifier(name)} = {_r(name)}" for name in self.columns)
                return (
                    f"from checked as r semi join (select {names} {self._twice()}) as d on {same} where {self._and()}"
                )
            case Rule.RELATIONSHIP:
                return self._orphans()
            case _:
                assert_never(self.rule)

    def _twice(self) -> str:
        names = [_r(name) for name in self.columns]
        present = " and ".join(f"{name} is not null" for name in names)
        return f"from checked as r where {self._and(present)} group by {', '.join(names)} having count(*) > 1"

    def _orphans(self) -> str:
        target, column = self.target, self.column
        if target is None or target.compiled is None or column is None:
            message = f"{self.name} is not resolved: take it from Project.data_tests"
            raise ValueError(message)
        same = f"t.{identifier(target.column)} = {_r(column)}"
        if target.tenant_column and self.tenant_column:
            same += f" and t.{identifier(target.tenant_column)} = {_r(self.tenant_column)}"
        present = f"{_r(column)} is not null"
        return f"from checked as r anti join (\n{target.compiled.sql}) as t on {same} where {self._and(present)}"

    def _and(self, condition: str = "") -> str:
        # A line break ends a comment in the project's own text.
        parts = [f"({one}\n)" for one in (condition, self.where) if one]
        return " and ".join(parts) or "true"


@dataclass(frozen=True, slots=True)
class GateSql:
    """One query with one row: first the rows read, then the failing rows of each test in their order."""

    sql: str
    tests: tuple[DataTest, ...]
    relations: tuple[RelationUse, ...]


def gate_sql(compiled: Compiled, tests: tuple[DataTest, ...]) -> GateSql:
    """Combine tests into one query; row tests share one scan."""
    counts = [f"{test.count()} as {identifier(test.name)}" for test in tests]
    selected = ",\n    ".join(["count(*) as rows_read", *counts])
    sql = f"with checked as not materialized (\n{compiled.sql})\nselect\n    {selected}\nfrom checked as r\n"
    relations = dict.fromkeys((*compiled.relations, *(one for test in tests for one in test.relations)))
    return GateSql(sql, tests, tuple(relations))


def not_null(column: str) -> str:
    """Return the condition of a row whose value is missing."""
    return f"{_r(column)} is null"


def too_long(column: str, length: int) -> str:
    """Return the condition of a row whose text has more than ``length`` characters."""
    # A text never has more characters than bytes, and its bytes are known without decoding it.
    return f"strlen({_r(column)}) > {length} and length({_r(column)}) > {length}"


def not_accepted(column: str, values: Sequence[str | int]) -> str:
    """Return the condition of a row whose value is none of a list."""
    shown = ", ".join(literal(value) if isinstance(value, str) else str(value) for value in values)
    return f"{_r(column)} not in ({shown})"


def _r(column: str) -> str:
    return f"r.{identifier(column)}"
