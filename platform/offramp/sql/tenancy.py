"""Proves that a model's rows keep their tenant, or says why it cannot.

Kept: each SELECT over rows of tenants gives out their tenant column, and joins, groups, windows and unions stay within
one tenant. What this room does not understand is refused, for a wrong proof would send rows to another tenant.
sqlglot is imported when a proof is asked for: it costs more than loading the project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.domain.errors import ProjectError

if TYPE_CHECKING:
    from offramp.sql.entities import LoadedModel
    from offramp.sql.project import Project


def tenancy_problems(project: Project) -> tuple[ProjectError, ...]:
    """Return a problem with file and line for each model whose rows cannot be proven to stay with their tenant."""
    found = (_problem(project, model) for model in project.models.values())
    return tuple(one for one in found if one is not None)


def _problem(project: Project, loaded: LoadedModel) -> ProjectError | None:
    from sqlglot import parse  # noqa: PLC0415 - see the module's docstring
    from sqlglot.errors import SqlglotError  # noqa: PLC0415

    from offramp.sql.tenancy_proof import Proof, Refused, Rows  # noqa: PLC0415

    relations = {f"{source}.{table}": spec.tenant_column for (source, table), spec in project.source_tables.items()}
    relations |= {f"model.{name}": one.model.tenant_column for name, one in project.models.items()}
    proof = Proof({name: Rows.of(tenant) for name, tenant in relations.items()})
    model = loaded.model
    try:
        statements = parse(project.render(model.name).sql, dialect="duckdb")
        rows = proof.prove(statements)
    except SqlglotError as refused:
        return ProjectError(f"'{model.name}' is not one SELECT: {refused}", file=loaded.sql_file)
    except Refused as refused:
        what = f"'{model.name}': {refused.what}"
        return ProjectError(what, file=loaded.sql_file, line=refused.line, todo=refused.todo)
    if model.tenant_column is None and not rows.is_shared:
        what = f"'{model.name}' gives rows of tenants and names no tenant column"
        return ProjectError(what, file=loaded.yaml_file, line=loaded.yaml_line, todo="name it: tenant_column: tenant")
    if model.tenant_column is not None and model.tenant_column not in rows.tenant_columns:
        what = f"'{model.name}': column '{model.tenant_column}' is not the tenant column of what it reads"
        found = ", ".join(sorted(rows.tenant_columns)) or "no tenant column"
        return ProjectError(what, file=loaded.sql_file, found=found, todo="pass the source's tenant column on as it is")
    return None
