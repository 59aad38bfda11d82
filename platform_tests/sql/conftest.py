"""Projects written for one test, beside the real one."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from offramp.sql.project import Project, load_project

if TYPE_CHECKING:
    from collections.abc import Callable

REAL = Path(__file__).parents[2] / "dbt_like_sql"

PROJECT_YML = "name: offramp\nprofile: offramp\nconfig-version: 2\n"

SHOPS_YML = """\
version: 2

sources:
  - name: core
    tables:
      - name: shops
        description: Shops.
        config:
          meta:
            tenant_column: tenant
            key: [id]
      - name: orders
        description: Orders.
        config:
          meta:
            tenant_column: owner
            key: [id]
      - name: countries
        description: Countries.
        config:
          meta:
            shared: true
            key: [code]

models:
  - name: shops
    description: One row per tenant and shop.
    config:
      contract:
        enforced: true
      meta:
        kind: mutable
        key: [id]
        change_column: changed_at
        tenant_column: tenant
    columns:
      - name: id
        description: Id of the shop.
        data_type: bigint
        data_tests:
          - not_null
      - name: name
        description: Name of the shop.
        data_type: varchar(5)
        data_tests:
          - accepted_values:
              arguments:
                values: [north, south, "it's"]
      - name: changed_at
        description: When the row changed.
        data_type: timestamp
      - name: tenant
        description: Whose row it is.
        data_type: varchar
        config:
          meta:
            exported: false
        data_tests:
          - not_null
"""

SHOPS_SQL = """\
-- One row per tenant and shop.
select
    id,
    name,
    changed_at,
    tenant
from {{ source('core', 'shops') }}
"""


@pytest.fixture(scope="session")
def real_folder() -> Path:
    return REAL


@pytest.fixture(scope="session")
def real() -> Project:
    return load_project(REAL)


@pytest.fixture(scope="session")
def shops_files() -> dict[str, str]:
    return {
        "dbt_project.yml": PROJECT_YML,
        "models/shop/shops.yml": SHOPS_YML,
        "models/shop/shops.sql": SHOPS_SQL,
    }


@pytest.fixture
def write(tmp_path: Path, shops_files: dict[str, str]) -> Callable[..., Path]:
    """Write a project of one model ``shop.shops`` and return its folder; ``files`` replace or add to it."""

    def _write(files: dict[str, str] | None = None) -> Path:
        for name, text in (shops_files | (files or {})).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        return tmp_path

    return _write


def model_yml(name: str, *, tenant: bool = True) -> str:
    """Return the YAML of a model with the columns id and, last, tenant."""
    meta = "\n        tenant_column: tenant" if tenant else ""
    column = (
        """
      - name: tenant
        description: Whose row it is.
        data_type: varchar
        config: {meta: {exported: false}}
        data_tests: [not_null]"""
        if tenant
        else ""
    )
    return f"""\
version: 2
models:
  - name: {name}
    description: One row per id.
    config:
      contract: {{enforced: true}}
      meta:
        kind: reference
        key: [id]{meta}
    columns:
      - name: id
        description: An id.
        data_type: bigint
        data_tests: [not_null]{column}
"""


@pytest.fixture
def yml_of() -> Callable[..., str]:
    return model_yml


@pytest.fixture
def shops_yml() -> str:
    return SHOPS_YML


@pytest.fixture
def shops_sql() -> str:
    return SHOPS_SQL
