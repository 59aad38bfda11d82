"""What the rows of a query are made of, over sqlglot's tree. Imported only by ``lineage``, for sqlglot is slow."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlglot import exp, parse_one

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Origins = frozenset[tuple[str, str]]

UNKNOWN = "?"
"""Stands in the place of a relation before a name that is not known to be a column of any."""

_NONE: Origins = frozenset()


@dataclass(frozen=True, slots=True)
class Rows:
    """What is known of rows: the origins of ``columns`` by lower-case name, and of the rows' being there.

    ``any_of`` is a relation whose columns are not declared: every further name may be one of them.
    """

    columns: Mapping[str, Origins]
    presence: Origins = _NONE
    any_of: str | None = None

    def origins(self, name: str) -> Origins | None:
        """Return what a column is made of; None if the rows have no such column."""
        found = self.columns.get(name.lower())
        if found is None and self.any_of is not None:
            return frozenset({(self.any_of, name)})
        return found

    def renamed(self, names: Iterable[str]) -> Rows:
        """Return the rows with other names for their first columns, in order."""
        given = [name.lower() for name in names]
        left = list(self.columns)[len(given) :]
        return replace(self, columns=dict(zip([*given, *left], self.columns.values(), strict=False)))


@dataclass(frozen=True, slots=True)
class _Scope:
    """What names mean within one SELECT. ``bound`` are names within a lambda, which have no origins of their own."""

    ctes: Mapping[str, Rows]
    outer: _Scope | None = None
    sources: dict[str, Rows] = field(default_factory=dict)
    aliases: dict[str, Origins] = field(default_factory=dict)
    windows: dict[str, exp.Expr] = field(default_factory=dict)
    bound: frozenset[str] = frozenset()

    def resolve(self, parts: tuple[str, ...]) -> Origins | None:
        """Return what ``column``, ``source.column`` or ``column.field`` is made of; None if it is not known."""
        first = parts[0].lower()
        if first in self.bound:
            return _NONE
        if len(parts) > 1 and first in self.sources:
            return self.sources[first].origins(parts[1])
        for rows in self.sources.values():
            if first in rows.columns:
                return rows.columns[first]
        if first in self.aliases:
            return self.aliases[first]
        undeclared = [rows for rows in self.sources.values() if rows.any_of is not None]
        if len(undeclared) == 1 and len(parts) == 1:
            return undeclared[0].origins(parts[0])
        return self.outer.resolve(parts) if self.outer is not None else None


def rows_of(sql: str, relation: Callable[[str], Rows]) -> Rows:
    """Return what the rows of a SELECT are made of. ``relation`` tells of the tables that it reads, by name."""
    return _Reading(relation).query(parse_one(sql, dialect="duckdb"), _Scope({}))


@dataclass(frozen=True, slots=True)
class _Reading:
    relation: Callable[[str], Rows]

    def query(self, node: exp.Expr, scope: _Scope) -> Rows:
        """Return the rows of a query. ``scope`` is what it stands in: its CTEs, and the SELECT around it."""
        inner = replace(scope, ctes=self._ctes(node, scope))
        if isinstance(node, exp.Subquery):
            return self.query(node.this, inner)
        if isinstance(node, exp.SetOperation):
            return _united(self.query(node.this, inner), self.query(node.expression, inner), node)
        if isinstance(node, exp.Select):
            return self._select(node, inner)
        return Rows({})

    def _ctes(self, node: exp.Expr, scope: _Scope) -> Mapping[str, Rows]:
        clause = node.args.get("with_")
        if clause is None:
            return scope.ctes
        known = dict(scope.ctes)
        for cte in clause.expressions:
            rows = self.query(cte.this, replace(scope, ctes=known))
            known[cte.alias.lower()] = rows.renamed(_alias_columns(cte))
        return known

    def _select(self, node: exp.Select, around: _Scope) -> Rows:
        scope = _Scope(around.ctes, around.outer)
        scope.windows.update({one.name.lower(): one for one in node.args.get("windows") or ()})
        presence: set[tuple[str, str]] = set()
        for join, source in _sources(node):
            rows = self._source(source, scope)
            scope.sources[source.alias_or_name.lower() or f" {len(scope.sources)}"] = rows
            if join is None or join.side != "LEFT":
                presence |= rows.presence
        columns, counts = self._projections(node, scope)
        for condition in _conditions(node):
            presence |= self.origins(condition, scope)
        for join in node.args.get("joins") or ():
            for name in join.args.get("using") or () if join.side != "LEFT" else ():
                presence |= scope.resolve((name.name,)) or _NONE
        for name in counts:
            columns[name] = frozenset(presence)
        starred = [one for one in node.expressions if _is_star(one)]
        undeclared = [rows.any_of for rows in scope.sources.values() if rows.any_of is not None]
        return Rows(columns, frozenset(presence), undeclared[0] if starred and len(undeclared) == 1 else None)

    def _projections(self, node: exp.Select, scope: _Scope) -> tuple[dict[str, Origins], list[str]]:
        """Return the origins of the columns, and the names of those that are made of the rows' being there."""
        columns: dict[str, Origins] = {}
        counts = []
        for one in node.expressions:
            if _is_star(one):
                columns |= self._starred(one, scope)
                continue
            name = one.alias_or_name.lower()
            columns[name] = self.origins(one, scope)
            scope.aliases[name] = columns[name]
            if one.find(exp.Column, exp.Query) is None and not _is_null(one):
                counts.append(name)
        return columns, counts

    def _starred(self, node: exp.Expr, scope: _Scope) -> dict[str, Origins]:
        star = node.this if isinstance(node, exp.Column) else node
        own = scope.sources.get(node.table.lower(), Rows({})) if isinstance(node, exp.Column) else None
        chosen = [*scope.sources.values()] if own is None else [own]
        left_out = {one.name.lower() for one in star.args.get("except_") or ()}
        renamed = {one.this.name.lower(): one.alias.lower() for one in star.args.get("rename") or ()}
        columns = {
            renamed.get(name, name): found
            for rows in chosen
            for name, found in rows.columns.items()
            if name not in left_out
        }
        for one in star.args.get("replace") or ():
            columns[one.alias.lower()] = self.origins(one.this, scope)
        return columns

    def _source(self, node: exp.Expr, scope: _Scope) -> Rows:
        """Return the rows of what stands after FROM or JOIN; functions see the sources before them."""
        names = _alias_columns(node)
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            known = scope.ctes.get(node.name.lower())
            return (self.relation(node.name) if known is None else known).renamed(names)
        if isinstance(node, exp.Subquery):
            return self.query(node, _Scope(scope.ctes, scope)).renamed(names)
        if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
            return self.query(node.this, _Scope(scope.ctes, scope)).renamed(names)
        found = self.origins(node, scope)
        return Rows(dict.fromkeys((name.lower() for name in names or (node.alias_or_name,)), found), found)

    def origins(self, node: exp.Expr, scope: _Scope) -> Origins:
        """Return what an expression is made of: all columns that it names."""
        if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
            parts = tuple(one.name for one in node.parts)
            found = scope.resolve(parts)
            return frozenset({(UNKNOWN, ".".join(parts))}) if found is None else found
        if isinstance(node, exp.Query):
            rows = self.query(node, _Scope(scope.ctes, scope))
            return frozenset().union(rows.presence, *rows.columns.values())
        if isinstance(node, exp.Lambda):
            scope = replace(scope, bound=scope.bound | {one.name.lower() for one in node.expressions})
        elif isinstance(node, exp.Comprehension):
            names = (node.expression, node.args.get("position"))
            scope = replace(scope, bound=scope.bound | {one.name.lower() for one in names if one is not None})
        within = list(node.iter_expressions())
        if isinstance(node, exp.Window) and node.alias.lower() in scope.windows:
            within.append(scope.windows[node.alias.lower()])
        return frozenset().union(*(self.origins(one, scope) for one in within))


def _united(left: Rows, right: Rows, node: exp.SetOperation) -> Rows:
    if node.args.get("by_name"):
        others: Mapping[str, Origins] = right.columns
    else:
        others = dict(zip(left.columns, right.columns.values(), strict=False))
    names = dict.fromkeys((*left.columns, *others))
    columns = {name: left.columns.get(name, _NONE) | others.get(name, _NONE) for name in names}
    return Rows(columns, left.presence | right.presence)


def _sources(node: exp.Select) -> Iterator[tuple[exp.Join | None, exp.Expr]]:
    clause = node.args.get("from_")
    if clause is not None:
        yield None, clause.this
    for lateral in node.args.get("laterals") or ():
        yield None, lateral
    for join in node.args.get("joins") or ():
        yield join, join.this


def _conditions(node: exp.Select) -> Iterator[exp.Expr]:
    """Yield what decides which rows there are. A LEFT JOIN takes none away."""
    for name in ("where", "group", "having", "qualify"):
        if node.args.get(name) is not None:
            yield node.args[name]
    for join in node.args.get("joins") or ():
        if join.args.get("on") is not None and join.side != "LEFT":
            yield join.args["on"]


def _alias_columns(node: exp.Expr) -> list[str]:
    alias = node.args.get("alias")
    return [one.name for one in alias.args.get("columns") or ()] if isinstance(alias, exp.TableAlias) else []


def _is_star(one: exp.Expr) -> bool:
    return isinstance(one, exp.Star) or (isinstance(one, exp.Column) and isinstance(one.this, exp.Star))


def _is_null(one: exp.Expr) -> bool:
    while isinstance(one, exp.Alias | exp.Cast | exp.Paren):
        one = one.this
    return isinstance(one, exp.Null)
