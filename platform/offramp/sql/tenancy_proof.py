"""The rules by which rows keep their tenant, over sqlglot's tree. Imported only by ``tenancy``, for sqlglot is slow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_SELECT = {"expressions", "distinct", "from_", "joins", "where", "group", "having", "qualify", "order", "with_"}
_SET_OPERATION = {"this", "expression", "distinct", "order", "with_"}
_CUTS = {"limit", "offset"}
_EXPLICIT = "name the columns one by one"


class Refused(Exception):
    """A proof cannot be given."""

    def __init__(self, what: str, node: exp.Expr | None, todo: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.line = _line(node)
        self.todo = todo


@dataclass(frozen=True, slots=True)
class Rows:
    """What is known of rows. ``columns`` in their order, None where unknown; shared rows have no tenant columns."""

    tenant_columns: frozenset[str]
    is_shared: bool
    columns: tuple[str, ...] | None = None

    @classmethod
    def of(cls, tenant_column: str | None) -> Rows:
        """Return what is known of a source table or of another model."""
        names = frozenset() if tenant_column is None else frozenset({tenant_column.lower()})
        return cls(names, tenant_column is None)


@dataclass(frozen=True, slots=True)
class _Scope:
    """The sources of one SELECT by alias. ``optional`` may be missing for a row, ``hidden`` give no columns."""

    sources: Mapping[str, Rows]
    optional: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()

    @property
    def tenanted(self) -> tuple[str, ...]:
        return tuple(alias for alias, rows in self.sources.items() if not rows.is_shared)

    def owner(self, node: exp.Expr | None) -> str | None:
        """Return the source whose tenant column an expression is, or None. Casts to text keep it."""
        while isinstance(node, exp.Paren | exp.Alias) or _is_text_cast(node):
            node = node.this if node is not None else None
        if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star) or node.args.get("db"):
            return None
        # Without a qualifier a name could be a plain column of another source.
        alias = node.table.lower() or (next(iter(self.sources)) if len(self.sources) == 1 else "")
        rows = self.sources.get(alias)
        return alias if rows is not None and node.name.lower() in rows.tenant_columns else None

    def carries(self, node: exp.Expr | None) -> bool:
        """Return whether an expression is a tenant column that every row has."""
        owner = self.owner(node)
        return owner is not None and owner not in self.optional and owner not in self.hidden


class Proof:
    """Proves one model; ``relations`` are what it may read, by name."""

    def __init__(self, relations: Mapping[str, Rows]) -> None:
        self._relations = relations
        self._seen: set[int] = set()

    def prove(self, statements: Sequence[exp.Expr | None]) -> Rows:
        """Return what is known of the rows of a model's one SELECT; raises Refused."""
        if len(statements) != 1 or not isinstance(statements[0], exp.Query):
            raise Refused("a model is one SELECT", statements[0] if statements else None)
        rows = self._query(statements[0], {})
        for table in statements[0].find_all(exp.Table):
            if id(table) not in self._seen:
                raise Refused(f"'{table.name}' is read in a place that the check does not understand", table)
        return rows

    def _query(self, node: exp.Expr, ctes: Mapping[str, Rows]) -> Rows:
        if isinstance(node, exp.Subquery):
            _only(node, {"this", "alias"})
            return self._query(node.this, ctes)
        if isinstance(node, exp.Select):
            return self._select(node, self._with(node, ctes))
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, self._with(node, ctes))
        raise Refused(f"{_kind(node)} is not understood", node, "write it as a SELECT over source() and ref()")

    def _with(self, node: exp.Expr, ctes: Mapping[str, Rows]) -> Mapping[str, Rows]:
        clause = node.args.get("with_")
        if clause is None:
            return ctes
        if clause.args.get("recursive"):
            raise Refused("a recursive query is not understood", clause.expressions[0])
        known = dict(ctes)
        for cte in clause.expressions:
            _no_renames(cte)
            known[cte.alias.lower()] = self._query(cte.this, known)
        return known

    def _select(self, node: exp.Select, ctes: Mapping[str, Rows]) -> Rows:
        _only(node, _SELECT | _CUTS)
        scope, links = self._sources(node, ctes)
        self._check_nested(node, ctes)
        if not scope.tenanted:
            return Rows(frozenset(), is_shared=True, columns=_names(node))
        _only(node, _SELECT)  # which rows a LIMIT leaves depends on rows of other tenants
        _check_linked(node, scope, links)
        rows = _projected(node, scope)
        _check_groups(node, scope)
        _check_windows(node, scope)
        return rows

    def _sources(self, node: exp.Select, ctes: Mapping[str, Rows]) -> tuple[_Scope, list[tuple[str, str]]]:
        clause = node.args.get("from_")
        if clause is None:
            return _Scope({}), []
        alias, rows = self._source(clause.this, ctes)
        scope = _Scope({alias: rows})
        links: list[tuple[str, str]] = []
        for join in node.args.get("joins") or ():
            _only(join, {"this", "on", "using", "side", "kind"})
            alias, rows = self._source(join.this, ctes)
            if alias in scope.sources:
                raise Refused(f"two sources have the name '{alias}'", join.this, "give one of them an alias")
            is_half = join.kind in {"SEMI", "ANTI"}
            wider = _Scope(
                {**scope.sources, alias: rows},
                scope.optional | ({alias} if join.side == "LEFT" else frozenset()),
                scope.hidden | ({alias} if is_half else frozenset()),
            )
            is_plain = join.kind in {"", "INNER", "CROSS", "OUTER"} and join.side in {"", "LEFT"}
            if not is_plain and not (is_half and not join.side) and wider.tenanted:
                what = f"a {' '.join(one for one in (join.side, join.kind) if one).lower()} join is not understood"
                raise Refused(what, join.this, "use inner, left, cross, semi or anti join")
            links += _join_links(join, scope, wider, alias)
            scope = wider
        where = node.args.get("where")
        if where is not None:
            links += _equalities(where.this, scope)
        return scope, links

    def _source(self, node: exp.Expr, ctes: Mapping[str, Rows]) -> tuple[str, Rows]:
        _no_renames(node)
        if isinstance(node, exp.Subquery):
            return node.alias.lower() or f"subquery {id(node)}", self._query(node, ctes)
        if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
            raise Refused(f"{_kind(node)} is no source() and no ref()", node, "read tables through source() and ref()")
        _only(node, {"this", "alias"})
        self._seen.add(id(node))
        name = node.name.lower()
        rows = ctes.get(name) or self._relations.get(name)
        if rows is None:
            raise Refused(f"'{node.name}' is no source() and no ref()", node, "read tables through source() and ref()")
        return node.alias_or_name.lower(), rows

    def _check_nested(self, node: exp.Select, ctes: Mapping[str, Rows]) -> None:
        for part in _expressions(node):
            for nested in _outermost_queries(part):
                if not self._query(nested, ctes).is_shared:
                    what = "a subquery inside an expression reads rows of tenants"
                    raise Refused(what, nested, "write it as a join that equates the tenant columns")

    def _set_operation(self, node: exp.SetOperation, ctes: Mapping[str, Rows]) -> Rows:
        _only(node, _SET_OPERATION | _CUTS)
        left, right = self._query(node.this, ctes), self._query(node.expression, ctes)
        if left.is_shared and right.is_shared:
            return left
        _only(node, _SET_OPERATION)
        if left.is_shared or right.is_shared:
            raise Refused("one branch of a union has a tenant and the other has none", node)
        if left.columns is None or right.columns is None:
            raise Refused("a branch of a union selects *", node, _EXPLICIT)
        carried = frozenset(
            mine
            for mine, theirs in zip(left.columns, right.columns, strict=False)
            if mine in left.tenant_columns and theirs in right.tenant_columns
        )
        if not carried:
            raise Refused("the branches of a union have their tenant columns in different places", node)
        return Rows(carried, is_shared=False, columns=left.columns)


def _join_links(join: exp.Join, before: _Scope, scope: _Scope, alias: str) -> list[tuple[str, str]]:
    """Return which sources a join binds to one tenant."""
    links = list(_equalities(join.args.get("on"), scope))
    for column in join.args.get("using") or ():
        name = column.name.lower()
        holders = [one for one in before.tenanted if name in before.sources[one].tenant_columns]
        if len(holders) == 1 and name in scope.sources[alias].tenant_columns:
            links.append((holders[0], alias))
    # A left, semi or anti join keeps or drops rows of the left side only by what it says of the right side.
    binds_all = not join.side and join.kind not in {"SEMI", "ANTI"}
    return [link for link in links if binds_all or alias in link]


def _equalities(condition: exp.Expr | None, scope: _Scope) -> Iterator[tuple[str, str]]:
    """Yield pairs of sources whose tenant columns a condition equates, if nothing but AND stands above."""
    if isinstance(condition, exp.Paren):
        yield from _equalities(condition.this, scope)
    elif isinstance(condition, exp.And):
        yield from _equalities(condition.left, scope)
        yield from _equalities(condition.right, scope)
    elif isinstance(condition, exp.EQ):
        left, right = scope.owner(condition.left), scope.owner(condition.right)
        if left is not None and right is not None:
            yield left, right


def _check_linked(node: exp.Select, scope: _Scope, links: Sequence[tuple[str, str]]) -> None:
    first, *others = scope.tenanted
    reached = {first}
    for _ in others:
        reached |= {one for link in links if reached & set(link) for one in link}
    for other in others:
        if other not in reached:
            what = f"'{first}' and '{other}' are joined without equating their tenant columns"
            columns = [f"{one}.{min(scope.sources[one].tenant_columns)}" for one in (first, other)]
            where = next((join for join in node.args.get("joins") or () if join.alias_or_name.lower() == other), node)
            raise Refused(what, where, f"add to the join: {' = '.join(columns)}")


def _projected(node: exp.Select, scope: _Scope) -> Rows:
    if any(_has_star(one) for one in node.expressions):
        # Where a * stands beside others, or spans two sources, a name may stand for two columns.
        if len(node.expressions) > 1 or len(scope.sources) > 1 or not _is_plain_star(node.expressions[0]):
            raise Refused("a * beside other columns, or over a join, is not understood", node, _EXPLICIT)
        (rows,) = scope.sources.values()
        return rows
    names = _names(node) or ()
    carried = {name for name, one in zip(names, node.expressions, strict=True) if scope.carries(one)}
    for name in carried:
        if names.count(name) > 1:
            raise Refused(f"two columns have the name '{name}'", node)
    if not carried:
        tenants = [f"{one}.{min(scope.sources[one].tenant_columns)}" for one in scope.tenanted]
        todo = (
            f"select {' or '.join(tenants)}, by its qualified name where there is a join, not from a left join's right"
        )
        raise Refused("a SELECT over rows of tenants gives out no tenant column", node, todo)
    return Rows(frozenset(carried), is_shared=False, columns=names)


def _check_groups(node: exp.Select, scope: _Scope) -> None:
    group = node.args.get("group")
    if group is not None:
        _only(group, {"expressions", "all"})
        # GROUP BY ALL groups by the tenant column, for it is selected as it is.
        if not group.args.get("all") and not any(_groups_by_tenant(one, node, scope) for one in group.expressions):
            raise Refused("GROUP BY puts rows of several tenants together", group, "group by the tenant column too")
    distinct = node.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        on = distinct.args["on"]
        if not any(scope.carries(one) for one in (on.expressions if isinstance(on, exp.Tuple) else [on])):
            raise Refused("DISTINCT ON leaves one row for several tenants", on, "add the tenant column to it")


def _groups_by_tenant(one: exp.Expr, node: exp.Select, scope: _Scope) -> bool:
    if isinstance(one, exp.Literal) and not one.is_string:
        position = int(one.name)
        return 0 < position <= len(node.expressions) and scope.carries(node.expressions[position - 1])
    return scope.carries(one)


def _check_windows(node: exp.Select, scope: _Scope) -> None:
    for part in _expressions(node):
        for window in part.find_all(exp.Window):
            if not any(scope.carries(one) for one in window.args.get("partition_by") or ()):
                raise Refused("a window spans several tenants", window, "partition it by the tenant column too")


def _expressions(node: exp.Select) -> Iterator[exp.Expr]:
    """Yield every part of a SELECT that is computed, sources left out."""
    yield from node.expressions
    for name in ("distinct", "where", "group", "having", "qualify", "order"):
        part = node.args.get(name)
        if part is not None:
            yield part
    for join in node.args.get("joins") or ():
        if join.args.get("on") is not None:
            yield join.args["on"]


def _outermost_queries(node: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(node, exp.Query):
        yield node
    else:
        for child in node.iter_expressions():
            yield from _outermost_queries(child)


def _names(node: exp.Select) -> tuple[str, ...] | None:
    if any(_has_star(one) for one in node.expressions):
        return None
    return tuple(one.alias_or_name.lower() for one in node.expressions)


def _has_star(one: exp.Expr) -> bool:
    inner = one.unalias()
    is_star = isinstance(inner, exp.Star | exp.Columns) or (
        isinstance(inner, exp.Column) and isinstance(inner.this, exp.Star)
    )
    return is_star or one.find(exp.Columns) is not None


def _is_plain_star(one: exp.Expr) -> bool:
    star = one.this if isinstance(one, exp.Column) else one
    return isinstance(star, exp.Star) and not any(star.args.values())


def _is_text_cast(node: exp.Expr | None) -> bool:
    # Not try_cast: it may turn two tenants into one NULL. A length in varchar(n) cuts nothing off in DuckDB.
    return type(node) is exp.Cast and bool(node.to.is_type(exp.DType.TEXT, exp.DType.VARCHAR))


def _only(node: exp.Expr, known: set[str]) -> None:
    for name, value in node.args.items():
        if value and name not in known:
            shown = name.rstrip("_").replace("_", " ")
            raise Refused(f"'{shown}' in {_kind(node)} is not understood over rows of tenants", node)


def _no_renames(node: exp.Expr) -> None:
    alias = node.args.get("alias")
    if isinstance(alias, exp.TableAlias) and alias.args.get("columns"):
        raise Refused(f"'{alias.name}' renames columns by their place", alias, "name columns with as")


def _kind(node: exp.Expr) -> str:
    return f"{type(node).__name__.upper()}"


def _line(node: exp.Expr | None) -> int | None:
    if node is None:
        return None
    lines: Iterable[int] = (one.meta["line"] for one in node.walk() if "line" in one.meta)
    return min(lines, default=None)
