"""Says of each column of a model which columns of landed tables, layers' tables and stored models it is made of.

A column is made of the columns that its expression names, in values, filters and windows alike. An expression that
names none, such as a constant or ``count(*)``, is made of what decides which rows there are: conditions, joins and
groups. sqlglot is imported when a lineage is asked for: it costs more than loading the project.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from offramp.sql.compiled import MODELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from offramp.domain.layers import Layer
    from offramp.sql.lineage_rows import Rows
    from offramp.sql.project import Project

Origin = tuple[str, str]
"""A relation, ``mobility.payloads`` or ``mobility_layers.visits`` or ``model.mobility.moment_rows``, and its column."""


@dataclass(frozen=True, slots=True)
class ColumnLineage:
    """What the columns of a model are made of.

    ``columns`` has those of the contract, the hidden ones and the tenant column, in their order; without origins where
    a column is constant. ``unresolved`` has the names that no relation is known to have, by the column that uses them;
    where the SQL is not understood, every column has itself there.
    """

    columns: Mapping[str, tuple[Origin, ...]]
    unresolved: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Lineages:
    """The lineage of all models of a project, each SQL parsed once.

    ``schema`` has the columns of source tables where they are known, by relation. Of the others every name that can be
    nothing else is taken for a column.
    """

    project: Project
    schema: Mapping[str, Sequence[str]]
    _rows: dict[str, Rows] = field(default_factory=dict, repr=False, compare=False)

    def of(self, name: str) -> ColumnLineage:
        """Return the lineage of a model; models that are not stored are followed to what they read."""
        from offramp.sql.lineage_rows import UNKNOWN  # noqa: PLC0415 - see the module's docstring

        rows = self._made(name)
        columns: dict[str, tuple[Origin, ...]] = {}
        unresolved: dict[str, tuple[str, ...]] = {}
        for column in self._names(name):
            found = rows.origins(column)
            if found is None:
                found = frozenset({(UNKNOWN, column)})
            columns[column] = tuple(sorted(one for one in found if one[0] != UNKNOWN))
            if missing := tuple(sorted(one for relation, one in found if relation == UNKNOWN)):
                unresolved[column] = missing
        return ColumnLineage(columns, unresolved)

    def _made(self, name: str) -> Rows:
        """Return what a model's own SQL gives."""
        if name not in self._rows:
            self._rows[name] = self._read(name)
        return self._rows[name]

    def _read(self, name: str) -> Rows:
        from sqlglot.errors import SqlglotError  # noqa: PLC0415 - see the module's docstring

        from offramp.sql.lineage_rows import Rows, rows_of  # noqa: PLC0415 - see the module's docstring

        rendered = self.project.render(name)
        if not rendered.refs and not rendered.sources:
            # Lists of definitions: 190 kB of text, which take seconds to parse and read nothing.
            return Rows(dict.fromkeys(self._names(name), frozenset()))
        try:
            return rows_of(rendered.sql, self._relation)
        except SqlglotError:
            # DuckDB understands more than sqlglot: no lineage is no reason not to deliver.
            return Rows({})

    def _relation(self, relation: str) -> Rows:
        from offramp.sql.lineage_rows import Rows  # noqa: PLC0415 - see the module's docstring

        source, _, table = relation.partition(".")
        if source == MODELS and not self.project.model(table).model.is_stored:
            return self._made(table)
        names = self._names(table) if source == MODELS else self.schema.get(relation)
        if names is None:
            return Rows({}, any_of=relation)
        return Rows({one.lower(): frozenset({(relation, one)}) for one in names})

    def _names(self, name: str) -> tuple[str, ...]:
        model = self.project.model(name).model
        tenant = () if model.tenant_column is None else (model.tenant_column,)
        return tuple(dict.fromkeys((*model.contract.names, *(one.name for one in model.hidden), *tenant)))


def lineages_of(project: Project, layers: Mapping[str, Mapping[str, Layer]]) -> Lineages:
    """Return the lineage of all models, of which some read what ``layers`` write; those are by source and name."""
    written = ((source, one) for source, some in layers.items() for it in some.values() for one in it.tables.values())
    return Lineages(project, {f"{source}.{one.name}": [name for name, _ in one.columns] for source, one in written})


def column_lineage(project: Project, name: str, schema: Mapping[str, Sequence[str]] | None = None) -> ColumnLineage:
    """Return the lineage of one model; ``Lineages`` is quicker for several."""
    return Lineages(project, schema or {}).of(name)
