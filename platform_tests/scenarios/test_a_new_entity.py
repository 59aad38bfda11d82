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
-- One row per tenant and placement, as the placement is now.
select
    cast(id as bigint) as id,
    cast(asset_id as bigint) as asset_id,
    cast(category_id as bigint) as category_id,
    cast(registered as timestamp) as registered,
    cast(last_updated as timestamp) as last_updated,
    cast(tenant as varchar) as tenant
from {{ source('media', 'asset_categories') }}
"""
YML = """\
version: 2

sources:
  - name: media
    tables:
      - name: asset_categories
        description: Placements of all tenants.
        config:
          meta:
            tenant_column: tenant
            key: [id]
            change_column: last_updated

models:
  - name: asset_categories
    description: Placements of assets in categories, one row per tenant and placement.
    config:
      contract:
        enforced: true
      meta:
        kind: mutable
        key: [id]
        change_column: last_updated
        tenant_column: tenant
    columns:
      - {name: id, description: Id of the placement., data_type: bigint, data_tests: [not_null]}
      - name: asset_id
        description: Asset that is placed.
        data_type: bigint
        config: {meta: {references: assets.id}}
        data_tests: [not_null, {relationships: {arguments: {to: ref('assets'), field: id}}}]
      - {name: category_id, description: Category that it stands in., data_type: bigint, data_tests: [not_null]}
      - {name: registered, description: Creation time., data_type: timestamp, data_tests: [not_null]}
      - {name: last_updated, description: Last change., data_type: timestamp, data_tests: [not_null]}
      - name: tenant
        description: Tenant whose row it is; never exported.
        data_type: varchar
        config: {meta: {exported: false}}
        data_tests: [not_null]
"""


def test_a_new_entity_takes_one_sql_and_one_yml(tmp_path: Path, demo: dict[str, Any]) -> None:
    models = tmp_path / "models"
    shutil.copytree(MODELS, models)
    files = {models / "models/media/asset_categories.sql": SQL, models / "models/media/asset_categories.yml": YML}
    for file in files:
        file.unlink()
    exports = ["media/delta/asset_categories", "media/snapshot/asset_categories"]
    scene = Scene(tmp_path, demo, [subscription("north", initial="none", deletes=True)], FIRST, models=models)
    assert set(exports) & set(scene.rooms.exports) == set()
    for file, text in files.items():
        file.write_text(text)
    scene.reopen()
    assert set(exports) < set(scene.rooms.exports)

    for day in (FIRST, FIRST + DAY):
        scene.deliver(day, exports)

    outbox = scene.outbox("north")
    report = verify_folder(outbox)
    assert report.is_good
    assert not report.unmentioned
    assert len(report.deliveries) == 4
    source = demo_of(demo)
    with source.connect() as connection:
        state = source.select_as_of("asset_categories", midnight(FIRST + 2 * DAY) + LAG)
        wanted = connection.sql(
            f"select id::varchar, asset_id::varchar from ({state}) where tenant = 'aurora' order by id"
        )
        expected = wanted.fetchall()
    with (outbox / "asset_categories_snapshot/asset_categories_snapshot_2026_10_25.csv").open(
        newline="", encoding="utf-8"
    ) as file:
        rows = list(csv.DictReader(file))
    assert [(row["id"], row["asset_id"]) for row in rows] == expected
    assert len(expected) > 3
    assert list(rows[0]) == [line.rpartition(" as ")[2].strip(",") for line in SQL.splitlines() if "cast(" in line][:-1]
    delta = manifests(outbox)["delta/asset_categories/2026_10_25.r1.json"]
    assert delta["counts"]["adds_up"] is True
    assert delta["window"]["cut_by"] == "last_updated"
