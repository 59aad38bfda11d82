# ruff: noqa: E501 - a query and what is said of it stand in one line
from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from offramp.domain.errors import ProjectError
from offramp.sql.project import load_project
from offramp.sql.tenancy import tenancy_problems

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHOPS = "{{ source('core', 'shops') }}"
ORDERS = "{{ source('core', 'orders') }}"
COUNTRIES = "{{ source('core', 'countries') }}"

KEPT = {
    "the tenant column as it is": f"select id, tenant from {SHOPS}",
    "a cast to text": f"select id, cast(tenant as varchar) as tenant from {SHOPS}",
    "another name for it": f"select id, o.owner as tenant from {ORDERS} as o",
    "a common table": f"with s as (select id, tenant from {SHOPS}) select id, tenant from s",
    "a star over a common table": f"with s as (select id, tenant from {SHOPS}) select * from s",
    "a join on the tenant": f"select s.id, s.tenant from {SHOPS} s join {ORDERS} o on o.owner = s.tenant and o.id = s.id",
    "a join whose tenants are equated in where": (
        f"select s.id, s.tenant from {SHOPS} s, {ORDERS} o where (o.owner = s.tenant) and o.id = s.id"
    ),
    "a left join on the tenant": (
        f"select s.id, s.tenant from {SHOPS} s left join {ORDERS} o on o.owner = s.tenant and o.id = s.id"
    ),
    "a semi join on the tenant": f"select s.id, s.tenant from {SHOPS} s semi join {ORDERS} o on o.owner = s.tenant",
    "an anti join on the tenant": f"select s.id, s.tenant from {SHOPS} s anti join {ORDERS} o on o.owner = s.tenant and o.id = s.id",
    "a chain of joins": (
        f"select s.id, p.tenant from {SHOPS} s join {ORDERS} o on o.owner = s.tenant join {SHOPS} p on p.tenant = o.owner"
    ),
    "using": f"select s.id, s.tenant from {SHOPS} s join {SHOPS} p using (id, tenant)",
    "a join with what is shared": f"select s.id, s.tenant from {SHOPS} s cross join {COUNTRIES} c",
    "a subquery over what is shared": f"select id, tenant from {SHOPS} where id in (select code from {COUNTRIES} limit 5)",
    "a group by the tenant": f"select max(id) as id, tenant from {SHOPS} group by tenant",
    "a group by place": f"select max(id) as id, tenant from {SHOPS} group by 2",
    "a group by all": f"select max(id) as id, tenant from {SHOPS} group by all",
    "a window within the tenant": (
        f"select id, tenant from {SHOPS} qualify row_number() over (partition by tenant, name order by id) = 1"
    ),
    "distinct on the tenant": f"select distinct on (tenant, name) id, tenant from {SHOPS} order by id",
    "a union whose branches have it in one place": (
        f"select id, tenant from {SHOPS} union all select id, owner from {ORDERS} union select id, tenant from {SHOPS}"
    ),
}

LOST = {
    "a constant for a tenant": (f"select id, 'acme' as tenant from {SHOPS}", "gives out no tenant column"),
    "another column under its name": (f"select id, name as tenant from {SHOPS}", "gives out no tenant column"),
    "a computed tenant": (f"select id, lower(tenant) as tenant from {SHOPS}", "gives out no tenant column"),
    "a tenant that may become empty": (f"select id, try_cast(tenant as varchar) as tenant from {SHOPS}", "no tenant column"),
    "another name than the model says": (f"select tenant, tenant as whose, 1 as tenant from {SHOPS}", "two columns"),
    "the model's column is not it": (f"select id, tenant as whose, name as tenant from {SHOPS}", "is not the tenant"),
    "a cross join": (f"select s.id, s.tenant from {SHOPS} s cross join {ORDERS} o", "without equating"),
    "a join on other columns": (f"select s.id, s.tenant from {SHOPS} s join {ORDERS} o on o.id = s.id", "s.tenant = o.owner"),
    "tenants equated or something else": (
        f"select s.id, s.tenant from {SHOPS} s join {ORDERS} o on o.owner = s.tenant or o.id = s.id", "without equating"
    ),
    "tenants equated with nothing": (
        f"select s.id, s.tenant from {SHOPS} s join {ORDERS} o on s.tenant = s.tenant", "without equating"
    ),
    "tenants not equated": (
        f"select s.id, s.tenant from {SHOPS} s join {ORDERS} o on not (o.owner = s.tenant)", "without equating"
    ),
    "a semi join on other columns": (f"select s.id, s.tenant from {SHOPS} s semi join {ORDERS} o using (id)", "equating"),
    "an equation in another left join": (
        f"select s.id, s.tenant from {SHOPS} s join {ORDERS} o on o.id = s.id left join {COUNTRIES} c on o.owner = s.tenant",
        "without equating",
    ),
    "a third table": (
        f"select s.id, s.tenant from {SHOPS} s join {ORDERS} o on o.owner = s.tenant join {SHOPS} p on p.id = o.id",
        "'s' and 'p'",
    ),
    "the tenant of a left join's right": (
        f"select s.id, o.owner as tenant from {SHOPS} s left join {ORDERS} o on o.owner = s.tenant", "no tenant column"
    ),
    "a shared table's column": (
        f"select s.id, c.tenant from {SHOPS} s cross join {COUNTRIES} c", "gives out no tenant column"
    ),
    "an unqualified tenant over a join": (f"select s.id, tenant from {SHOPS} s cross join {COUNTRIES} c", "qualified"),
    "a full join": (f"select s.id, s.tenant from {SHOPS} s full join {ORDERS} o on o.owner = s.tenant", "full join"),
    "a right join": (f"select s.id, s.tenant from {SHOPS} s right join {COUNTRIES} c on true", "right join"),
    "a natural join": (f"select s.id, s.tenant from {SHOPS} s natural join {ORDERS} o", "'method'"),
    "a positional join": (f"select s.id, s.tenant from {SHOPS} s positional join {ORDERS} o", "'method'"),
    "a subquery over tenants": (
        f"select id, tenant from {SHOPS} where id in (select id from {ORDERS})", "gives out no tenant column"
    ),
    "a subquery that has a tenant": (
        f"select id, tenant from {SHOPS} where (id, 't') in (select id, owner from {ORDERS})", "inside an expression"
    ),
    "a scalar subquery in the columns": (
        f"select (select max(o.id) from {ORDERS} o) as id, tenant from {SHOPS}", "gives out no tenant column"
    ),
    "a group over tenants": (f"select id, any_value(tenant) as tenant from {SHOPS} group by id", "no tenant column"),
    "a group by something else": (f"select id, tenant from {SHOPS} group by id", "several tenants together"),
    "grouping sets": (f"select id, tenant from {SHOPS} group by grouping sets ((id, tenant), (id))", "several tenants together"),
    "a rollup": (f"select id, tenant from {SHOPS} group by rollup (id, tenant)", "several tenants together"),
    "a window over all": (f"select row_number() over (order by id) as id, tenant from {SHOPS}", "several tenants"),
    "a named window": (
        f"select max(id) over w as id, tenant from {SHOPS} window w as (partition by id)", "'windows'"
    ),
    "distinct on something else": (f"select distinct on (id) id, tenant from {SHOPS}", "DISTINCT ON"),
    "a limit": (f"select id, tenant from {SHOPS} limit 5", "'limit'"),
    "a sample": (f"select id, tenant from {SHOPS} using sample 5", "'sample'"),
    "a common table that drops it": (f"with s as (select id from {SHOPS}) select id, 't' as tenant from s", "no tenant"),
    "a union with a constant": (
        f"select id, tenant from {SHOPS} union all select id, 'acme' from {ORDERS}", "gives out no tenant column"
    ),
    "a union in another order": (
        f"select id, tenant from {SHOPS} union all select owner, id from {ORDERS}", "different places"
    ),
    "a union with what is shared": (
        f"select id, tenant from {SHOPS} union all select code, 'acme' from {COUNTRIES}", "the other has none"
    ),
    "a union by name": (f"select id, tenant from {SHOPS} union all by name select id, tenant from {SHOPS}", "'by name'"),
    "a star over a join": (f"select * from {SHOPS} s join {ORDERS} o on o.owner = s.tenant", "* beside other"),
    "a star with replacements": (f"select * replace (name as tenant) from {SHOPS}", "* beside other"),
    "columns by pattern": (f"select columns('id|tenant') from {SHOPS}", "* beside other"),
    "renamed columns": (f"select id, tenant from {SHOPS} as s (tenant, id)", "renames columns"),
    "a recursive query": (f"with recursive s as (select id, tenant from {SHOPS}) select id, tenant from s", "recursive"),
    "a file": (f"select s.id, s.tenant from {SHOPS} s cross join read_parquet('x.parquet') f", "no source()"),
    "a quoted file": ("select id, tenant from 'x.parquet'", "no source()"),
    "a table by its own name": ("select id, tenant from core.shops", "is not understood"),
    "a lateral subquery": (f"select s.id, s.tenant from {SHOPS} s, lateral (select 1)", "LATERAL"),
    "a pivot": (f"select * from {SHOPS} pivot (max(id) for name in ('a'))", "'pivots'"),
    "two statements": (f"select id, tenant from {SHOPS}; select 1", "one SELECT"),
    "another statement": ("create table x as select 1 as id, 't' as tenant", "one SELECT"),
    "no SQL": ("select from where", "one SELECT"),
}  # fmt: skip


def problems_of(write: Callable[..., Path], yml: str, sql: str) -> tuple[ProjectError, ...]:
    # A ref keeps the loader's own check satisfied where the SQL under test names no source at all.
    return tenancy_problems(load_project(write({"models/shop/a.yml": yml, "models/shop/a.sql": sql})))


@pytest.mark.parametrize("sql", KEPT.values(), ids=KEPT.keys())
def test_rows_keep_their_tenant_through(write: Callable[..., Path], yml_of: Callable[..., str], sql: str) -> None:
    assert problems_of(write, yml_of("a"), sql) == ()


def rows_of(sql: str, tenants: str) -> list[tuple[object, ...]]:
    """Run a query over rows of some tenants; ids and names repeat between tenants."""
    connection = duckdb.connect()
    shops = "select i as id, 'n' || (i % 3) as name, t as tenant from range(7) as r(i), (values ('t'), ('u')) as v(t)"
    orders = "select i * 2 as id, t as owner from range(5) as r(i), (values ('t'), ('u'), ('w')) as v(t)"
    connection.execute(f'create view "core.shops" as select * from ({shops}) where tenant in ({tenants})')
    connection.execute(f'create view "core.orders" as select * from ({orders}) where owner in ({tenants})')
    connection.execute('create view "core.countries" as select i as code from range(4) as r(i)')
    return connection.sql(f"from ({sql}) order by all").fetchall()


@pytest.mark.parametrize("sql", KEPT.values(), ids=KEPT.keys())
def test_a_tenant_gets_what_it_would_get_alone(
    write: Callable[..., Path], yml_of: Callable[..., str], sql: str
) -> None:
    project = load_project(write({"models/shop/a.yml": yml_of("a"), "models/shop/a.sql": sql}))
    compiled = project.compile("shop.a").sql

    together = rows_of(compiled, "'t', 'u', 'w'")

    assert together
    for tenant in ("t", "u", "w"):
        assert [row for row in together if row[1] == tenant] == rows_of(compiled, f"'{tenant}'")


@pytest.mark.parametrize(("sql", "message"), LOST.values(), ids=LOST.keys())
def test_what_cannot_be_proven_is_refused(
    write: Callable[..., Path], yml_of: Callable[..., str], sql: str, message: str
) -> None:
    # The comment reads a source with tenants, so that loading itself has nothing to say.
    (problem,) = problems_of(write, yml_of("a"), f"-- {SHOPS}\n\n{sql}")

    assert message in str(problem)
    assert problem.file.endswith("models/shop/a.sql")


def test_a_problem_names_the_line_of_the_join(write: Callable[..., Path], yml_of: Callable[..., str]) -> None:
    sql = f"-- One row per id.\nselect s.id, s.tenant\nfrom {SHOPS} s\njoin {ORDERS} o\n  on o.id = s.id\n"

    (problem,) = problems_of(write, yml_of("a"), sql)

    assert problem.line == 4
    assert problem.todo == "add to the join: s.tenant = o.owner"


def test_a_model_over_tenants_without_a_tenant_column_does_not_even_load(
    write: Callable[..., Path], yml_of: Callable[..., str]
) -> None:
    files = {"models/shop/a.yml": yml_of("a", tenant=False), "models/shop/a.sql": f"select id from {SHOPS}"}

    with pytest.raises(ProjectError, match=r"core\.shops, whose rows belong to tenants"):
        load_project(write(files))


def test_a_model_of_shared_sources_has_no_tenant(write: Callable[..., Path], yml_of: Callable[..., str]) -> None:
    sql = f"select code as id from {COUNTRIES} order by code limit 10"

    assert problems_of(write, yml_of("a", tenant=False), sql) == ()
    with pytest.raises(ProjectError, match="all that it reads is shared"):
        problems_of(write, yml_of("a"), f"select code as id, 't' as tenant from {COUNTRIES}")


def test_tenants_of_referred_models_count_like_those_of_sources(
    write: Callable[..., Path], yml_of: Callable[..., str]
) -> None:
    shops = "{{ ref('shops') }}"

    kept = problems_of(
        write, yml_of("a"), f"select s.id, s.tenant from {shops} s join {ORDERS} o on o.owner = s.tenant"
    )
    (lost,) = problems_of(write, yml_of("a"), f"select s.id, s.tenant from {shops} s join {ORDERS} o on o.id = s.id")

    assert kept == ()
    assert "without equating" in str(lost)
