# ruff: noqa: E501 - a case stands in one line
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from offramp.domain.errors import ProjectError
from offramp.sql.project import load_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

YML = "models/shop/shops.yml"


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "at", "message"),
    [
        ("change_column: changed_at", "change_colum: changed_at", "change_colum:", "did you mean 'change_column'"),
        ("data_type: bigint", "data_typ: bigint", "data_typ:", "did you mean 'data_type'"),
        ("          - not_null", "          - not_nul", "- not_nul", "did you mean 'not_null'"),
        ("          - accepted_values:", "          - accepted_vals:", "- accepted_vals:", "mean 'accepted_values'"),
        ("                values: [", "                value: [", "value: [", "did you mean 'values'"),
        ("            shared: true", "            shard: true", "shard: true", "did you mean 'shared'"),
        ("sources:", "source:", "source:", "did you mean 'sources'"),
        ("kind: mutable", "kind: mutabel", "kind: mutabel", "did you mean 'mutable'"),
        ("enforced: true", "enforced: false", "enforced: false", "enforced"),
        ("data_type: bigint", "data_type: bigin", "data_type: bigin", "'bigin' is not a type"),
        ("Id of the shop.", "Id of the shop", "description: Id of the shop", "sentence"),
        ("      - name: id\n", "      - name: id\n        name: id\n", "        name: id", "stands twice"),
        ("            shared: true\n", "", "meta:\n            key: [code]", "all tenants share it"),
        ("            shared: true", "            shared: true\n            tenant_column: t", "meta:\n            sh",
         "one of two things"),
        ("        key: [id]\n        change", "        key: [ix]\n        change", "key: [ix]", "did you mean 'id'"),
        ("        key: [id]\n        change", "        key: [name]\n        change", "key: [name]", "not_null"),
        ("change_column: changed_at", "change_column: name", "change_column: name", "no instant"),
        ("        change_column: changed_at\n", "", "meta:\n        kind", "something must date its changes"),
        ("        tenant_column: tenant\n    columns", "    columns", "config:\n          meta:\n            exp",
         "and neither tenant, change, order nor window needs it"),
        ("values: [north, south, \"it's\"]", "values: [1, 2]", "- accepted_values", "not of the column's type"),
        ("            key: [code]", "            key: [code]\n            increment: {column: a, overlap: soon}",
         "increment: {column", "no duration"),
        ("kind: mutable", "kind: events", "kind: events", "lands by increments"),
        ("kind: mutable", "kind: mutable\n        schedules: [{variable: CRON_SCHEDULE_X, default: 61 0 * * *, modes: [delta]}]",
         "schedules:", "CRON_SCHEDULE_X"),
        ("kind: mutable", "kind: mutable\n        schedules: [{variable: CRON_SCHEDULE_X, default: '', modes: [delta, delta]}]",
         "schedules:", "each mode stands in one"),
        ("      - name: orders", "      - name: shops", "- name: shops\n        description: Orders", "declared twice"),
        ("  - name: shops\n    description: One", "  - name: shop\n    description: One", "models:",
         "named as the file"),
        ("models:\n", "models:\n\t", "\t", "not YAML"),
    ],
)  # fmt: skip
def test_a_fault_names_file_line_and_remedy(  # noqa: PLR0917 - four are the case, two are fixtures
    write: Callable[..., Path], shops_yml: str, old: str, new: str, at: str, message: str
) -> None:
    wrong = shops_yml.replace(old, new, 1)
    assert wrong != shops_yml
    folder = write({YML: wrong})

    with pytest.raises(ProjectError) as refused:
        load_project(folder)

    assert message in str(refused.value)
    assert (refused.value.file, refused.value.line) == (str(folder / YML), line_of(wrong, at))


@pytest.mark.parametrize(
    ("sql", "line", "message"),
    [
        ("select 1\nfrom {{ source('core', 'shop') }}", 2, "did you mean 'core.shops'"),
        ("select 1\nfrom {{ ref('shps') }}", 2, "did you mean 'shops'"),
        ("select\n{{ var('x') }}", 2, "no value"),
        ("select\n\n{{ this }}", 3, "'this' is undefined"),
        ("select\n{{ source('core') }}", 2, "cannot be rendered"),
        ("select\n{{ ''.__class__.__mro__ }}", 2, "cannot be rendered"),
        ("{{ config(materialized='table') }}\nselect 1", 1, "models are views"),
        ("{{ config(materialised='view') }}\nselect 1", 1, "config(materialised=...)"),
        ("select\n{% if %}", 2, "not a template"),
        ("select\n{{ 1 / 0 }}", 2, "division by zero"),
    ],
)
def test_a_fault_in_a_template_names_its_line(write: Callable[..., Path], sql: str, line: int, message: str) -> None:
    folder = write({"models/shop/shops.sql": sql})

    with pytest.raises(ProjectError) as refused:
        load_project(folder)

    assert message in str(refused.value)
    assert (refused.value.file, refused.value.line) == (str(folder / "models/shop/shops.sql"), line)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"models/shop/lost.sql": "select 1"}, "the model has no YAML"),
        ({"models/lost.sql": "select 1"}, "folder of their feed"),
        ({"models/shop/more.yaml": ""}, "no place here"),
        ({"models/shop/deep/x.sql": ""}, "no place here"),
        ({"dbt_project.yml": "name: offramp\nprofile: offramp\nmodel-path: [x]\n"}, "did you mean 'model-paths'"),
        ({"dbt_project.yml": "name: offramp\nprofile: offramp\nmodel-paths: [x]\n"}, "does not exist"),
        (
            {"dbt_project.yml": "name: offramp\nprofile: offramp\nmodels: {offramp: {+material: view}}\n"},
            "+materialized",
        ),
        ({"models/shop/_more.yml": "models: [{}]"}, "missing"),
    ],
)
def test_a_misplaced_file_is_refused(write: Callable[..., Path], files: dict[str, str], message: str) -> None:
    folder = write(files)

    with pytest.raises(ProjectError, match="(?i)" + message.replace("+", r"\+").replace("missing", "required")):
        load_project(folder)


def test_a_model_without_sql_is_refused(write: Callable[..., Path], yml_of: Callable[..., str]) -> None:
    with pytest.raises(ProjectError, match="has no SQL"):
        load_project(write({"models/shop/a.yml": yml_of("a")}))


def test_a_file_that_is_not_utf_8_is_refused(write: Callable[..., Path]) -> None:
    folder = write()
    (folder / "models/shop/shops.sql").write_bytes(b"select '\xe6'")

    with pytest.raises(ProjectError, match=r"shops\.sql: the file is not UTF-8"):
        load_project(folder)


def test_two_feeds_cannot_have_models_of_one_name(
    write: Callable[..., Path], shops_sql: str, yml_of: Callable[..., str]
) -> None:
    files = {"models/bakery/shops.yml": yml_of("shops"), "models/bakery/shops.sql": shops_sql}

    with pytest.raises(ProjectError, match="two models have the name 'shops'"):
        load_project(write(files))


def test_a_variable_switches_one_entity_only(write: Callable[..., Path], yml_of: Callable[..., str]) -> None:
    yml = yml_of("a").replace(
        "        key: [id]",
        "        key: [id]\n        schedules: [{variable: CRON_SCHEDULE_SHOPS, default: '', modes: [snapshot]}]",
    )
    files = {"models/shop/a.yml": yml, "models/shop/a.sql": "select id, tenant from {{ ref('shops') }}"}

    with pytest.raises(ProjectError, match="belongs to 'a' already"):
        load_project(write(files))


def test_a_relationship_points_at_a_model_and_a_column(write: Callable[..., Path], yml_of: Callable[..., str]) -> None:
    def files(to: str, field: str) -> dict[str, str]:
        test = f"[not_null, {{relationships: {{arguments: {{to: {to}, field: {field}}}}}}}]"
        return {
            "models/shop/a.yml": yml_of("a").replace("data_tests: [not_null]", f"data_tests: {test}", 1),
            "models/shop/a.sql": "select id, tenant from {{ ref('shops') }}",
        }

    with pytest.raises(ProjectError, match="did you mean 'shops'"):
        load_project(write(files("ref('shps')", "id")))
    with pytest.raises(ProjectError, match="did you mean 'id'"):
        load_project(write(files("ref('shops')", "idx")))
    with pytest.raises(ProjectError, match=r"expected: to: ref\('users'\)"):
        load_project(write(files("shops", "id")))


def test_a_reference_to_an_entity_that_is_no_model_is_only_told(write: Callable[..., Path], shops_yml: str) -> None:
    def referring(to: str) -> str:
        return shops_yml.replace(
            "data_type: bigint", f"data_type: bigint\n        config: {{meta: {{references: {to}}}}}", 1
        )

    project = load_project(write({YML: referring("streets.id")}))

    assert project.models["shop.shops"].model.contract.column("id").references == "streets.id"
    with pytest.raises(ProjectError, match="which is no column"):
        load_project(write({YML: referring("shops.idd")}))
