from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offramp.sql.data_tests import Severity
from offramp.sql.project import Project, load_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ORDERS_YML = """\
version: 2
models:
  - name: orders
    description: One row per tenant and order.
    config:
      contract: {enforced: true}
      meta: {kind: reference, key: [id], tenant_column: tenant}
    columns:
      - name: id
        description: Id of the order.
        data_type: bigint
        data_tests: [not_null]
      - name: shop_id
        description: Shop; -1 for none.
        data_type: bigint
        data_tests:
          - relationships:
              arguments: {to: ref('shops'), field: id}
              config:
                where: shop_id <> -1 -- none
                severity: warn
      - name: code
        description: Code of the order.
        data_type: varchar(3)
        data_tests: [unique]
      - name: tenant
        description: Whose row it is.
        data_type: varchar
        config: {meta: {exported: false}}
        data_tests: [not_null]
"""
ORDERS_SQL = "select id, shop_id, code, owner as tenant from {{ source('core', 'orders') }}"


@pytest.fixture
def project(write: Callable[..., Path]) -> Project:
    return load_project(write({"models/shop/orders.yml": ORDERS_YML, "models/shop/orders.sql": ORDERS_SQL}))


def session(shops: str, orders: str = "(1, 1, 'a', 't')") -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute('create table "core.shops" (id bigint, name varchar, changed_at timestamp, tenant varchar)')
    connection.execute('create table "core.orders" (id bigint, shop_id bigint, code varchar, owner varchar)')
    connection.execute(f'insert into "core.shops" values {shops}')
    connection.execute(f'insert into "core.orders" values {orders}')
    return connection


def counts(project: Project, connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, int]:
    """Count failing rows by the gate, and check that it agrees with selecting them."""
    gate = project.gate_sql(name)
    row = connection.sql(gate.sql).fetchone()
    assert row is not None
    compiled = project.compile(name)
    for test, count in zip(gate.tests, row[1:], strict=True):
        failing = connection.sql(test.failing(compiled.sql, project.models[name].model.contract.key))
        assert len(failing.fetchall()) == count, test.name
        assert failing.columns == connection.sql(compiled.sql).columns
    return {test.name: count for test, count in zip(gate.tests, row[1:], strict=True) if count}


@pytest.mark.parametrize(
    ("shops", "expected"),
    [
        ("(1, 'north', now(), 't'), (1, 'south', now(), 'u')", {}),
        ("(1, 'it''s', now(), 't'), (2, null, null, 't')", {}),
        ("(null, 'north', now(), 't'), (null, 'north', now(), 't')", {"not_null_id": 2}),
        ("(1, 'north', now(), null)", {"not_null_tenant": 1}),
        ("(1, 'north', now(), 't'), (1, 'south', now(), 't'), (2, 'south', now(), 't')", {"unique_key": 2}),
        ("(1, 'eastern', now(), 't')", {"accepted_values_name": 1, "max_length_name": 1}),
        ("(1, 'æøåæø', now(), 't')", {"accepted_values_name": 1}),
        ("(1, 'æøåæøå', now(), 't')", {"accepted_values_name": 1, "max_length_name": 1}),
    ],
)
def test_failing_rows_are_counted_by_test(project: Project, shops: str, expected: dict[str, int]) -> None:
    assert counts(project, session(shops), "shop.shops") == expected


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        ("(1, 1, 'a', 't'), (2, -1, 'b', 't'), (3, null, null, 't'), (4, 1, null, 't')", {}),
        ("(1, 2, 'a', 't')", {"relationships_shop_id": 1}),
        ("(1, 1, 'a', 'u')", {"relationships_shop_id": 1}),
        ("(1, 1, 'a', 't'), (2, 1, 'a', 't'), (3, -1, 'a', 'u')", {"unique_code": 2}),
    ],
)
def test_references_and_uniqueness_hold_within_a_tenant(
    project: Project, orders: str, expected: dict[str, int]
) -> None:
    assert counts(project, session("(1, 'north', now(), 't')", orders), "shop.orders") == expected


@given(rows=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["t", "u"])), min_size=1, max_size=12))
def test_unique_key_counts_each_row_of_a_repeated_key(rows: list[tuple[int, str]], shops_project: Project) -> None:
    values = ", ".join(f"({number}, 'north', now(), '{tenant}')" for number, tenant in rows)

    found = counts(shops_project, session(values), "shop.shops")

    assert found.get("unique_key", 0) == sum(rows.count(row) > 1 for row in rows)


@pytest.fixture(scope="module")
def shops_project(tmp_path_factory: pytest.TempPathFactory, shops_files: dict[str, str]) -> Project:
    folder = tmp_path_factory.mktemp("project")
    for name, text in shops_files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return load_project(folder)


def test_a_test_knows_its_severity_and_the_relations_of_its_target(project: Project) -> None:
    tests = {test.name: test for test in project.data_tests("shop.orders", "now_")}

    assert tests["relationships_shop_id"].severity is Severity.WARN
    assert [use.name for use in tests["relationships_shop_id"].relations] == ["now_core.shops"]
    assert tests["unique_key"].severity is Severity.ERROR
    gate = project.gate_sql("shop.orders", "now_")
    assert sorted(use.name for use in gate.relations) == ["now_core.orders", "now_core.shops"]


def test_an_unresolved_relationship_cannot_be_run_by_mistake(project: Project) -> None:
    (test,) = (one for one in project.models["shop.orders"].tests if one.target)

    with pytest.raises(ValueError, match=r"Project\.data_tests"):
        test.failing("select 1")
