"""Compiles models: templates become one SELECT over relations, with the models that they refer to inlined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from offramp.domain.errors import ProjectError
from offramp.domain.quoting import identifier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from offramp.sql.render import Rendered, Template


MODELS = "model"
"""Stands in the place of a source's name where a stored model is read."""


@dataclass(frozen=True, slots=True)
class RelationUse:
    """A source table that compiled SQL reads, and the name under which an engine must hold it.

    A stored model is read as the table of its name (``mobility.moment_rows``) of the source ``model``.
    """

    source: str
    table: str
    name: str

    @property
    def is_landed(self) -> bool:
        """True where it is no stored model."""
        return self.source != MODELS


@dataclass(frozen=True, slots=True)
class Compiled:
    """One SELECT, usable as ``from (<sql>)``; it ends in a line break, so that a comment cannot swallow the bracket."""

    sql: str
    relations: tuple[RelationUse, ...]


class Compiler:
    """Compiles the models of a project; ``templates`` by (feed, entity)."""

    def __init__(
        self,
        templates: Mapping[tuple[str, str], Template],
        tables: Iterable[tuple[str, str]],
        variables: Mapping[str, object],
        stored: Collection[str] = (),
    ) -> None:
        self._templates = {entity: (feed, template) for (feed, entity), template in templates.items()}
        self._tables = tuple(tables)
        self._variables = variables
        self._stored = frozenset(stored)
        self._rendered: dict[tuple[str, str], Rendered] = {}

    def render(self, entity: str, *, prefix: str = "") -> Rendered:
        """Render one model, once; models that it refers to stay names (``model.media.users``)."""
        known = self._rendered.get((entity, prefix))
        if known is not None:
            return known
        _, template = self._templates[entity]
        rendered = template.render(
            relations={one: identifier(f"{prefix}{'.'.join(one)}") for one in self._tables},
            models={one: identifier(self._cte(one, prefix)) for one in self._templates},
            variables=self._variables,
        )
        return self._rendered.setdefault((entity, prefix), rendered)

    def compile(self, entity: str, *, prefix: str = "", is_whole: bool = False) -> Compiled:
        """Compile one model and all that it refers to. A model that refers to itself is a ProjectError.

        Models that are stored are read like tables, unless the ``is_whole`` text is asked for.
        """
        expressions: dict[str, str] = {}
        uses: dict[tuple[str, str], RelationUse] = {}

        def expand(name: str, above: tuple[str, ...]) -> str:
            if name in above:
                circle = " -> ".join((*above[above.index(name) :], name))
                message = f"the model refers to itself: {circle}"
                raise ProjectError(message, file=self._templates[name][1].file, todo="remove one ref()")
            rendered = self.render(name, prefix=prefix)
            for ref in rendered.refs:
                if ref in self._stored and not is_whole:
                    table = f"{self._templates[ref][0]}.{ref}"
                    uses[MODELS, table] = RelationUse(MODELS, table, self._cte(ref, prefix))
                elif ref not in expressions:
                    expressions[ref] = expand(ref, (*above, name))
            for source, table in rendered.sources:
                uses[source, table] = RelationUse(source, table, f"{prefix}{source}.{table}")
            return rendered.sql

        sql = expand(entity, ())
        relations = tuple(uses[key] for key in sorted(uses))
        if not expressions:
            return Compiled(sql + "\n", relations)
        ctes = ",\n".join(
            f"{identifier(self._cte(name, prefix))} as (\n{expression}\n)" for name, expression in expressions.items()
        )
        return Compiled(f"with {ctes}\nselect * from (\n{sql}\n)\n", relations)

    def _cte(self, entity: str, prefix: str) -> str:
        # Not the bare entity: a model's own CTE of that name would refer to itself.
        return f"{prefix}model.{self._templates[entity][0]}.{entity}"
