"""A further entity is one .sql and one .yml, and nothing else."""

from __future__ import annotations

import csv
import shutil
from datetime import date
from typing import TYPE_CHECKING, Any

from offramp.domain.windows import DAY, midnight
from offramp.pipeline.verify import verify_folder
from platform_tests.scenarios.scene import LAG, MODELS, Scene, demo_of, manifests, subscription

if TYPE_CHECKING:
    from pathlib import Path

FIRST = date(2026, 10, 23)
SQL = """\
-- One row per tenant and category, as the category is now.
select
    cast(id as bigint) as id,
    cast(parent_id as bigint) as parent_id,
    cast(asset_type_id as bigint) as asset_type_id,
    cast(level_type as varchar) as level_type,
    cast(title as varchar) as title,
    cast(description as varchar) as description,
    cast(external_id as varchar) as external_id,
    cast(sort_index as bigint) as sort_index,
    cast(deleted as boolean) as deleted,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'categories') }}
"""
YML = """\
version: 2

sources:
  - name: media
    tables:
      - name: categories
        description: Categories of all tenants.
        config:
          meta:
            tenant_column: tenant
            key: [id]
            change_column: last_updated

models:
  - name: categories
    description: Tree of genres, channels and shows, one row per tenant and category.
    config:
      contract:
        enforced: true
      meta:
        kind: mutable
        key: [id]
        change_column: last_updated
        tenant_column: tenant
        owners: ["team:content"]
    columns:
      - {name: id, description: Category id., data_type: bigint, data_tests: [not_null]}
      - name: parent_id
        description: Parent of the category; empty at the root.
        data_type: bigint
        config: {meta: {references: categories.id}}
      - name: asset_type_id
        description: Joint to assets.
        data_type: bigint
        config: {meta: {references: asset_types.id}}
      - name: level_type
        description: Level in the tree.
        data_type: varchar(32)
        data_tests: [not_null, {accepted_values: {arguments: {values: [GENRE, CHANNEL, SHOW, SEASON]}}}]
      - {name: title, description: Display title., data_type: varchar(1000), data_tests: [not_null]}
      - {name: description, description: Description., data_type: varchar(4000)}
      - {name: external_id, description: Id in the source content system., data_type: varchar(255)}
      - {name: sort_index, description: Order among siblings., data_type: bigint}
      - {name: deleted, description: True after deletion., data_type: boolean, data_tests: [not_null]}
      - {name: registered, description: Creation time., data_type: timestamp, data_tests: [not_null]}
      - {name: last_updated, description: Last change., data_type: timestamp, data_tests: [not_null]}
      - name: tenant
        description: Tenant whose row it is; never exported.
        data_type: varchar
        config: {meta: {exported: false}}
        data_tests: [not_null]
"""


def test_a_seventh_entity_takes_one_sql_and_one_yml(tmp_path: Path, demo: dict[str, Any]) -> None:
    models = tmp_path / "models"
    shutil.copytree(MODELS, models)
    (models / "models/media/categories.sql").write_text(SQL)
    (models / "models/media/categories.yml").write_text(YML)
    scene = Scene(tmp_path, demo, [subscription("north", initial="none", deletes=True)], FIRST, models=models)
    exports = ["media/delta/categories", "media/snapshot/categories"]
    assert set(exports) == {name for name in scene.rooms.exports if name.endswith("categories")}

    for day in (FIRST, FIRST + DAY):
        scene.deliver(day, exports)

    outbox = scene.outbox("north")
    report = verify_folder(outbox)
    assert report.is_good
    assert not report.unmentioned
    assert len(report.deliveries) == 4
    source = demo_of(demo)
    with source.connect() as connection:
        state = source.select_as_of("categories", midnight(FIRST + 2 * DAY) + LAG)
        wanted = connection.sql(f"select id::varchar, title from ({state}) where tenant = 'aurora' order by id")
        expected = wanted.fetchall()
    with (outbox / "categories_snapshot/categories_snapshot_2026_10_25.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["id"], row["title"]) for row in rows] == expected
    assert len(expected) > 3
    assert list(rows[0]) == [line.rpartition(" as ")[2].strip(",") for line in SQL.splitlines() if "cast(" in line][:-1]
    delta = manifests(outbox)["delta/categories/2026_10_25.r1.json"]
    assert delta["counts"]["adds_up"] is True
    assert delta["window"]["cut_by"] == "last_updated"
