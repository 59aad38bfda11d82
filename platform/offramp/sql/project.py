"""The project in ``dbt_like_sql``: its source tables, and its models as contracts, SQL and data tests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from offramp.domain.errors import ProjectError, nearest
from offramp.sql.contracts import type_problems
from offramp.sql.data_tests import GateSql, gate_sql
from offramp.sql.loading import load_parts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from offramp.domain.landings import TableSpec
    from offramp.sql.compiled import Compiled, Compiler
    from offramp.sql.data_tests import DataTest
    from offramp.sql.entities import LoadedModel
    from offramp.sql.render import Rendered


@dataclass(frozen=True, slots=True)
class Project:
    """A loaded project. ``models`` by name (``media.users``), ``source_tables`` by (source, table)."""

    path: Path
    models: Mapping[str, LoadedModel]
    source_tables: Mapping[tuple[str, str], TableSpec]
    compiler: Compiler
    computed: Mapping[str, str] = field(default_factory=dict)
    """By source whose tables a feed's layers compute: the source that they are computed from."""

    def sources(self) -> tuple[str, ...]:
        """Return the names of the sources that have tables to land, sorted."""
        return tuple(sorted({source for source, _ in self.source_tables} - set(self.computed)))

    def tables(self, source: str) -> tuple[TableSpec, ...]:
        """Return the tables of a source, by name; a ProjectError if no file declares it."""
        if source not in self.sources():
            what = f"no source '{source}' is declared"
            raise ProjectError(what, file=self.path, todo=nearest(source, self.sources()))
        return tuple(self.source_tables[key] for key in sorted(self.source_tables) if key[0] == source)

    def model(self, name: str) -> LoadedModel:
        """Return a model by name; a ProjectError if there is none."""
        if name not in self.models:
            raise ProjectError(f"no model '{name}'", file=self.path, todo=nearest(name, self.models))
        return self.models[name]

    def source_of(self, model: str) -> str:
        """Return the one source whose tables a model reads; a ProjectError where there are several.

        A delivery is made of one landing, and a landing is of one source.
        """
        uses = self.compiler.compile(self.model(model).model.entity, is_whole=True).relations
        names = sorted({self.computed.get(use.source, use.source) for use in uses})
        if len(names) != 1:
            raise ProjectError(
                f"model '{model}' reads tables of {len(names)} sources",
                file=self.model(model).sql_file,
                expected="tables of one source, since a delivery is made of one landing",
                found=", ".join(names) or "none",
                todo="split the model",
            )
        return names[0]

    def compile(self, model: str, *, prefix: str = "") -> Compiled:
        """Compile a model to one SELECT over relations named ``<prefix><source>.<table>``.

        Its columns are those of the contract, then the tenant column. Two prefixes let one query hold the same
        model over two landings.
        """
        return self.compiler.compile(self.model(model).model.entity, prefix=prefix)

    def render(self, model: str) -> Rendered:
        """Render a model with the models that it refers to left as names."""
        return self.compiler.render(self.model(model).model.entity)

    def data_tests(self, name: str, prefix: str = "") -> tuple[DataTest, ...]:
        """Return a model's data tests, ready to run over relations with a prefix."""
        return tuple(self._resolve(test, prefix) for test in self.model(name).tests)

    def gate_sql(self, name: str, prefix: str = "") -> GateSql:
        """Return one query whose one row holds the rows read and the failing rows of each test."""
        return gate_sql(self.compile(name, prefix=prefix), self.data_tests(name, prefix))

    def type_problems(self, name: str, described: Sequence[tuple[str, str]]) -> tuple[str, ...]:
        """Say how a DESCRIBE of the compiled SQL differs from the contract in names, order and types."""
        return type_problems(self.model(name).model, described)

    def _resolve(self, test: DataTest, prefix: str) -> DataTest:
        if test.target is None:
            return test
        return replace(test, target=replace(test.target, compiled=self.compile(test.target.model, prefix=prefix)))


def load_project(path: Path) -> Project:
    """Load a project from its folder; a ProjectError names file and line of the first fault."""
    models, tables, compiler, computed = load_parts(path)
    return Project(path, models, tables, compiler, computed)
