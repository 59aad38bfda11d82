from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import duckdb
import pytest

from offramp.domain.errors import ProjectError
from offramp.domain.exports import Mode
from offramp.sql.compiled import RelationUse
from offramp.sql.project import Project, load_project
from offramp.sql.tenancy import tenancy_problems

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REGIONS_YML = """\
version: 2

sources:
  - name: media
    tables:
      - name: regions
        description: Genres, channels and shows of all tenants.
        config:
          meta:
            tenant_column: tenant
            key: [id]
            change_column: last_updated

models:
  - name: regions
    description: Tree of genres, channels and shows, one row per tenant and region.
    config:
      contract:
        enforced: true
      meta:
        kind: mutable
        key: [id]
        change_column: last_updated
        tenant_column: tenant
    columns:
      - name: id
        description: Id of the region.
        data_type: bigint
        data_tests: [not_null]
      - name: parent_id
        description: Category above; empty at the root.
        data_type: bigint
        config: {meta: {references: regions.id}}
        data_tests:
          - relationships:
              arguments: {to: ref('regions'), field: id}
      - name: level_type
        description: Level of the region in the tree.
        data_type: varchar(32)
        data_tests:
          - not_null
          - accepted_values:
              arguments: {values: [GENRE, CHANNEL, SHOW, SEASON]}
      - name: last_updated
        description: When the row last changed.
        data_type: timestamp
        data_tests: [not_null]
      - name: tenant
        description: Tenant whose row it is; never exported.
        data_type: varchar
        config: {meta: {exported: false}}
        data_tests: [not_null]
"""

REGIONS_SQL = """\
-- One row per tenant and region, as the region is now.
select
    cast(id as bigint) as id,
    cast(parent_id as bigint) as parent_id,
    cast(level_type as varchar) as level_type,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'regions') }}
"""


def test_one_sql_and_one_yml_make_an_entity(real_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(real_folder, folder)
    (folder / "models/media/regions.yml").write_text(REGIONS_YML, encoding="utf-8")
    (folder / "models/media/regions.sql").write_text(REGIONS_SQL, encoding="utf-8")

    project = load_project(folder)

    model = project.models["media.regions"].model
    assert len([name for name in project.models if name.startswith("media.")]) == 58
    assert "regions" in {table.name for table in project.tables("media")}
    (schedule,) = model.schedules
    assert (schedule.variable, schedule.default) == ("CRON_SCHEDULE_REGIONS", "10 0 * * *")
    assert schedule.modes == (Mode.DELTA, Mode.SNAPSHOT)
    assert tenancy_problems(project) == ()


def test_two_prefixes_put_two_landings_into_one_query(write: Callable[..., Path]) -> None:
    project = load_project(write())
    connection = duckdb.connect()
    connection.execute("""create table "now_core.shops" as
        select 1::bigint as id, 'a' as name, now()::timestamp as changed_at, 't' as tenant""")
    connection.execute("""create table "base_core.shops" as from "now_core.shops" where false""")
    now, base = (project.compile("shop.shops", prefix=prefix) for prefix in ("now_", "base_"))

    added = connection.sql(f"select id from ({now.sql}) except select id from ({base.sql})").fetchall()

    assert added == [(1,)]
    assert now.relations == (RelationUse("core", "shops", "now_core.shops"),)


def test_a_referred_model_is_inlined_with_its_own_with_clause(
    write: Callable[..., Path], yml_of: Callable[..., str]
) -> None:
    files = {
        "models/shop/big_shops.yml": yml_of("big_shops"),
        "models/shop/big_shops.sql": """\
            with shops as (select s.id, s.tenant from {{ ref('shops') }} as s where s.id > 1)
            select id, tenant from shops -- the end""",
        "models/shop/huge_shops.yml": yml_of("huge_shops"),
        "models/shop/huge_shops.sql": """\
            select b.id, b.tenant from {{ ref('big_shops') }} as b
            join {{ ref('shops') }} as s on s.id = b.id and s.tenant = b.tenant
            where b.id > {{ var('least', 2) }};""",
    }
    project = load_project(write(files))
    connection = duckdb.connect()
    connection.execute("""create table "now_core.shops" as select i as id, 'a' as name, null::timestamp as changed_at,
        't' as tenant from range(6) as r(i)""")

    huge = project.compile("shop.huge_shops", prefix="now_")
    files["dbt_project.yml"] = "name: offramp\nprofile: offramp\nconfig-version: 2\nvars:\n  least: 4\n"
    few = load_project(write(files)).compile("shop.huge_shops", prefix="now_")

    assert connection.sql(f"select id from ({huge.sql}) order by id").fetchall() == [(3,), (4,), (5,)]
    assert connection.sql(f"select id, tenant from ({few.sql}) as f").fetchall() == [(5, "t")]
    assert tenancy_problems(project) == ()


def test_models_that_refer_to_each_other_are_refused(write: Callable[..., Path], yml_of: Callable[..., str]) -> None:
    files = {
        "models/shop/a.yml": yml_of("a"),
        "models/shop/a.sql": "select id, tenant from {{ ref('b') }}",
        "models/shop/b.yml": yml_of("b"),
        "models/shop/b.sql": "select id, tenant from {{ ref('a') }}",
    }

    with pytest.raises(ProjectError, match="a -> b -> a"):
        load_project(write(files))


def test_the_fingerprint_follows_the_sql_of_referred_models(
    write: Callable[..., Path], yml_of: Callable[..., str], shops_sql: str
) -> None:
    above = {"models/shop/a.yml": yml_of("a"), "models/shop/a.sql": "select id, tenant from {{ ref('shops') }}"}
    before = load_project(write(above))
    after = load_project(write(above | {"models/shop/shops.sql": shops_sql + "where id > 0\n"}))

    assert before.models["shop.a"].model.fingerprint != after.models["shop.a"].model.fingerprint
    assert before.models["shop.a"].model.contract.fingerprint == after.models["shop.a"].model.contract.fingerprint


def test_wrong_names_name_the_nearest(real: Project) -> None:
    with pytest.raises(ProjectError, match=r"did you mean 'media\.users'"):
        real.compile("media.user")
    with pytest.raises(ProjectError, match="did you mean 'media'"):
        real.tables("medai")


def test_increments_default_to_a_day_and_a_week(write: Callable[..., Path], shops_yml: str) -> None:
    changed = shops_yml.replace(
        "            key: [code]",
        "            key: [code]\n            increment: {column: seen_at, lookback: 12 hours}",
    )

    (countries, *_) = load_project(write({"models/shop/shops.yml": changed})).tables("core")

    assert countries.increment is not None
    assert countries.increment.overlap == timedelta(days=1)
    assert countries.increment.lookback == timedelta(hours=12)


def test_describe_is_compared_in_names_order_and_types(write: Callable[..., Path]) -> None:
    project = load_project(write())
    right = (("id", "BIGINT"), ("name", "VARCHAR"), ("changed_at", "TIMESTAMP"), ("tenant", "VARCHAR"))

    assert project.type_problems("shop.shops", right) == ()
    (order,) = project.type_problems("shop.shops", right[::-1])
    assert "another order" in order
    (missing,) = project.type_problems("shop.shops", right[1:])
    assert "'id' is missing" in missing
    (kind,) = project.type_problems("shop.shops", (("id", "INTEGER"), *right[1:]))
    assert "INTEGER" in kind
    (extra,) = project.type_problems("shop.shops", (*right, ("nam", "VARCHAR")))
    assert "did you mean 'name'" in extra
