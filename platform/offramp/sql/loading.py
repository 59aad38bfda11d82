"""Loads the files of a project and checks what they say of each other."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from offramp.domain.errors import ProjectError, nearest
from offramp.domain.exports import EntityKind, Model
from offramp.sql.compiled import Compiler
from offramp.sql.contracts import build_contract, build_tests
from offramp.sql.entities import LoadedModel, build_schedules, build_table
from offramp.sql.project_files import ModelsFile, ProjectFile, read_file, read_text
from offramp.sql.render import Template
from offramp.sql.yaml_faults import Faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from offramp.domain.exports import TaskSchedule
    from offramp.domain.landings import TableSpec
    from offramp.sql.data_tests import DataTest, Target
    from offramp.sql.project_files import ModelYaml


@dataclass(frozen=True, slots=True)
class _Draft:
    """A model before others are known. ``file`` is relative to the project."""

    feed: str
    yaml: ModelYaml
    template: Template
    file: str
    faults: Faults


def load_parts(
    path: Path,
) -> tuple[dict[str, LoadedModel], dict[tuple[str, str], TableSpec], Compiler, dict[str, str]]:
    """Return models by name, tables by (source, table), the compiler of the models, and what is computed from what."""
    project, located = read_file(path / "dbt_project.yml", ProjectFile)
    if len(project.model_paths) != 1:
        raise Faults(located).at("model-paths", what="a project has one folder of models", found=project.model_paths)
    folder = path / project.model_paths[0]
    if not folder.is_dir():
        raise Faults(located).at("model-paths", what="the folder of models does not exist", found=folder)
    drafts: dict[str, _Draft] = {}
    tables: dict[tuple[str, str], TableSpec] = {}
    computed: dict[str, str] = {}
    for feed, file in _files(folder):
        shape, place = read_file(file, ModelsFile)
        faults = Faults(place)
        _add_tables(shape, faults, tables, computed)
        draft = _draft(feed, file, shape, faults, root=path)
        if draft is None:
            continue
        if draft.yaml.name in drafts:
            what = f"two models have the name '{draft.yaml.name}'; dbt's ref() knows no folders"
            raise draft.faults.at("name", what=what, found=drafts[draft.yaml.name].faults.located.file)
        drafts[draft.yaml.name] = draft
    stored = {name for name, one in drafts.items() if one.yaml.config.materialized == "table"}
    compiler = Compiler({(one.feed, name): one.template for name, one in drafts.items()}, tables, project.vars, stored)
    loaded = {name: _load(draft, compiler, tables) for name, draft in sorted(drafts.items())}
    _check_schedules(loaded, drafts)
    resolved = (replace(one, tests=_resolve(one, loaded, drafts[name].faults)) for name, one in loaded.items())
    for name, one in loaded.items():
        _check_tenant(one, loaded, tables, drafts[name].faults)
        _check_references(one, loaded, drafts[name].faults)
    return {one.model.name: one for one in resolved}, dict(sorted(tables.items())), compiler, computed


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield (feed, YAML file) for each YAML file; anything else that dbt would read is refused."""
    for feed in sorted(one for one in folder.iterdir() if not one.name.startswith(".")):
        if not feed.is_dir():
            raise ProjectError("files stand in the folder of their feed", file=feed, expected="models/<feed>/<file>")
        files = sorted(one for one in feed.iterdir() if not one.name.startswith("."))
        for file in files:
            if file.is_dir() or file.suffix not in {".yml", ".sql", ".md"}:
                expected = "<entity>.sql, <entity>.yml, _<name>.yml or a .md beside them"
                raise ProjectError("this has no place here", file=file, expected=expected)
            if file.suffix == ".sql" and not file.with_suffix(".yml").exists():
                raise ProjectError("the model has no YAML", file=file, expected=file.with_suffix(".yml").name)
            if file.suffix == ".yml":
                yield feed.name, file


def _add_tables(
    shape: ModelsFile, faults: Faults, tables: dict[tuple[str, str], TableSpec], computed: dict[str, str]
) -> None:
    for number, source in enumerate(shape.sources):
        if source.config is not None:
            computed[source.name] = source.config.meta.computed_from
        for position, table in enumerate(source.tables):
            below = faults.below("sources", number, "tables", position)
            if (source.name, table.name) in tables:
                raise below.at("name", what=f"table '{source.name}.{table.name}' is declared twice")
            tables[source.name, table.name] = build_table(source.name, table, below)


def _draft(feed: str, file: Path, shape: ModelsFile, faults: Faults, *, root: Path) -> _Draft | None:
    names = [model.name for model in shape.models]
    expected = [] if file.name.startswith("_") else [file.stem]
    if names != expected:
        rule = "a file that starts with _ holds sources only" if not expected else "one model, named as the file"
        raise faults.at("models", what=rule, expected=expected or "no models", found=names or "no models")
    if not expected:
        return None
    sql = file.with_suffix(".sql")
    if not sql.exists():
        raise faults.at("models", 0, "name", what=f"model '{file.stem}' has no SQL", expected=sql.name)
    template = Template.parse(read_text(sql), str(sql))
    return _Draft(feed, shape.models[0], template, sql.relative_to(root).as_posix(), faults.below("models", 0))


def _load(draft: _Draft, compiler: Compiler, tables: Mapping[tuple[str, str], TableSpec]) -> LoadedModel:
    meta = draft.yaml.config.meta
    contract, hidden = build_contract(draft.yaml, draft.faults)
    schedules = build_schedules(draft.yaml, contract, draft.faults)
    rendered = compiler.render(draft.yaml.name)
    compiled = compiler.compile(draft.yaml.name)
    # What is stored is made of the models above it, which its own text only names.
    whole = compiler.compile(draft.yaml.name, is_whole=True).sql
    layout = (*meta.order, meta.window_column or "", meta.part_key or "")
    facts = "\n".join(
        (whole, contract.fingerprint, meta.kind, meta.change_column or "", *contract.key, *filter(None, layout))
    )
    kind = EntityKind(meta.kind)
    growing = [
        one for one in compiled.relations if one.is_landed and tables[one.source, one.table].increment is not None
    ]
    if kind is EntityKind.EVENTS and len(growing) != 1:
        what = "a model of events reads exactly one table that lands by increments"
        found = ", ".join(f"{one.source}.{one.table}" for one in growing) or "none"
        raise draft.faults.at("config", "meta", "kind", what=what, found=found, todo="say increment: at its source")
    model = Model(
        feed=draft.feed,
        entity=draft.yaml.name,
        kind=kind,
        contract=contract,
        tenant_column=meta.tenant_column,
        description=draft.yaml.description,
        schedules=schedules,
        file=draft.file,
        fingerprint=hashlib.sha256(facts.encode()).hexdigest(),
        event_source=(growing[0].source, growing[0].table) if kind is EntityKind.EVENTS else None,
        owners=tuple(meta.owners),
        hidden=hidden,
        order=tuple(meta.order),
        window_column=meta.window_column,
        part_key=meta.part_key,
        is_stored=draft.yaml.config.materialized == "table",
        is_exported=meta.exported,
        is_delivered_once=meta.delivered_once,
    )
    return LoadedModel(
        model=model,
        tests=build_tests(draft.yaml, contract, draft.faults),
        sources=rendered.sources,
        refs=rendered.refs,
        sql_file=draft.template.file,
        yaml_file=draft.faults.located.file,
        yaml_line=draft.faults.line(),
    )


def _check_schedules(loaded: Mapping[str, LoadedModel], drafts: Mapping[str, _Draft]) -> None:
    owners: dict[str, tuple[str, TaskSchedule]] = {}
    for name, one in loaded.items():
        for schedule in one.model.schedules:
            owner, first = owners.setdefault(schedule.variable, (name, schedule))
            is_shared = schedule.is_shared and first.is_shared
            if first is not schedule and not (is_shared and schedule.default == first.default):
                what = f"{schedule.variable} belongs to '{owner}' already"
                todo = "give each its own, or say shared: true at both, with one default"
                raise drafts[name].faults.at("config", "meta", "schedules", what=what, todo=todo)


def _resolve(one: LoadedModel, loaded: Mapping[str, LoadedModel], faults: Faults) -> tuple[DataTest, ...]:
    return tuple(
        replace(test, target=_target(test.target, loaded, faults)) if test.target else test for test in one.tests
    )


def _target(target: Target, loaded: Mapping[str, LoadedModel], faults: Faults) -> Target:
    if target.model not in loaded:
        what = f"relationships to ref('{target.model}'), which is no model"
        raise faults.at("columns", what=what, todo=f"{nearest(target.model, loaded)} Or leave `references` alone")
    model = loaded[target.model].model
    if target.column not in model.contract.names:
        what = f"relationships to {target.model}.{target.column}, which is no column"
        raise faults.at("columns", what=what, todo=nearest(target.column, model.contract.names))
    return replace(target, model=model.name, tenant_column=model.tenant_column)


def _check_references(one: LoadedModel, loaded: Mapping[str, LoadedModel], faults: Faults) -> None:
    for number, column in enumerate(one.model.contract.columns):
        entity, _, field = (column.references or "").partition(".")
        # A reference to an entity that is no model yet is only told to readers.
        if entity in loaded and field not in loaded[entity].model.contract.names:
            what = f"column '{column.name}' references {column.references}, which is no column"
            todo = nearest(field, loaded[entity].model.contract.names)
            raise faults.at("columns", number, "config", "meta", "references", what=what, todo=todo)


def _check_tenant(
    one: LoadedModel,
    loaded: Mapping[str, LoadedModel],
    tables: Mapping[tuple[str, str], TableSpec],
    faults: Faults,
) -> None:
    """Refuse a model without a tenant over sources with one, at every start; ``tenancy`` proves the rest."""
    names = [f"{source}.{table}" for source, table in one.sources if not tables[source, table].is_shared]
    names += [ref for ref in one.refs if loaded[ref].model.tenant_column is not None]
    if names and one.model.tenant_column is None:
        what = f"'{one.model.name}' reads {names[0]}, whose rows belong to tenants, and has no tenant column"
        raise faults.at("config", "meta", what=what, todo="output the tenant column and name it: tenant_column: tenant")
    if not names and one.model.tenant_column is not None:
        what = f"'{one.model.name}' has a tenant column, and all that it reads is shared"
        raise faults.at(
            "config", "meta", "tenant_column", what=what, todo="remove it, or say tenant_column at the source"
        )
