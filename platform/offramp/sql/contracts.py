"""Builds contracts and data tests from a model's YAML, and compares what SQL gives with a contract."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from offramp.domain.contracts import Column, Contract, DataType, TypeKind
from offramp.domain.errors import nearest
from offramp.sql.data_tests import CONTRACT, DataTest, Rule, Severity, Target, not_accepted, not_null, too_long

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from offramp.domain.exports import Model
    from offramp.sql.project_files import ColumnYaml, DataTestYaml, ModelYaml, TestConfig
    from offramp.sql.yaml_faults import Faults

TENANT = DataType(TypeKind.VARCHAR)
_REF = re.compile(r"^ref\(\s*(?P<quote>['\"])(?P<model>[a-z_][a-z0-9_]*)(?P=quote)\s*\)$")
# Dagster stores three events for each check of each export and day, so the tests without a name share two.
_GROUPS = {
    "not_null": CONTRACT,
    "unique": CONTRACT,
    "accepted_values": CONTRACT,
    "relationships": "references",
}
_TIMES = frozenset({TypeKind.TIMESTAMP, TypeKind.TIMESTAMPTZ})


def build_contract(model: ModelYaml, faults: Faults) -> tuple[Contract, tuple[Column, ...]]:
    """Build the contract of a model, its exported columns in their order, and the columns that it hides."""
    meta = model.config.meta
    names = [column.name for column in model.columns]
    used = {*meta.order, meta.window_column, meta.change_column}
    columns: list[Column] = []
    hidden: list[Column] = []
    for number, column in enumerate(model.columns):
        if column.name in names[:number]:
            raise faults.at("columns", number, what=f"column '{column.name}' stands twice")
        is_tenant = column.name == meta.tenant_column
        built = _column(column, faults.below("columns", number))
        if is_tenant and (column.config.meta.exported or built.is_nullable or built.type != TENANT):
            what = f"the tenant column '{column.name}' is a varchar, has the test not_null and is not exported"
            raise faults.at("columns", number, what=what, todo="data_type: varchar, exported: false, not_null")
        is_hidden = not is_tenant and not column.config.meta.exported
        if is_hidden and column.name not in used:
            what = f"column '{column.name}' is not exported, and neither tenant, change, order nor window needs it"
            raise faults.at("columns", number, "config", what=what, todo="leave the column out of the model")
        if hidden and not is_hidden and not is_tenant:
            what = f"column '{column.name}' stands behind one that is not exported"
            raise faults.at("columns", number, what=what, todo="put exported columns first")
        if not is_tenant:
            (hidden if is_hidden else columns).append(built)
    if meta.tenant_column is not None and names[-1] != meta.tenant_column:
        what = f"the tenant column '{meta.tenant_column}' is the last column"
        raise faults.at("config", "meta", "tenant_column", what=what, expected=meta.tenant_column, found=names[-1])
    contract = Contract(tuple(columns), tuple(meta.key), meta.change_column)
    _check_named(contract, hidden, faults)
    _check_layout(model, contract, hidden, faults)
    return contract, tuple(hidden)


def _check_layout(model: ModelYaml, contract: Contract, hidden: Sequence[Column], faults: Faults) -> None:
    """Check the columns that say order, window and parts."""
    meta = model.config.meta
    known = {column.name: column for column in (*contract.columns, *hidden)}
    for key, named in (("order", meta.order), ("window_column", [meta.window_column]), ("part_key", [meta.part_key])):
        for name in named:
            if name is not None and name not in known:
                what = f"{key} names '{name}', which is no column"
                raise faults.at("config", "meta", key, what=what, todo=nearest(name, known))
    if meta.window_column is not None and known[meta.window_column].type.kind is not TypeKind.TIMESTAMP:
        what = f"the window column '{meta.window_column}' is no timestamp"
        raise faults.at("config", "meta", "window_column", what=what, found=known[meta.window_column].type)
    for name in meta.order:
        if known[name].is_nullable:
            raise faults.at("config", "meta", "order", what=f"'{name}' orders rows and needs the test not_null")


def _column(column: ColumnYaml, faults: Faults) -> Column:
    try:
        data_type = DataType.parse(column.data_type)
    except ValueError as refused:
        raise faults.at("data_type", what=str(refused)) from refused
    return Column(
        column.name,
        data_type,
        is_nullable=not any(_is_plain_not_null(test) for test in column.data_tests),
        description=column.description,
        references=column.config.meta.references,
        is_personal=column.config.meta.personal,
    )


def _is_plain_not_null(test: DataTestYaml) -> bool:
    """Return whether the test makes the column not nullable: for all rows, and stopping the export."""
    if "not_null" not in test.model_fields_set:
        return False
    return test.not_null is None or (test.not_null.config.where is None and test.not_null.config.severity == "error")


def _check_named(contract: Contract, hidden: Sequence[Column], faults: Faults) -> None:
    for name in contract.key:
        if name not in contract.names:
            raise faults.at(
                "config", "meta", "key", what=f"key column '{name}' is no column", todo=nearest(name, contract.names)
            )
        if contract.column(name).is_nullable:
            raise faults.at("config", "meta", "key", what=f"key column '{name}' needs the test not_null")
    change = contract.change_column
    if change is None:
        return
    known = {column.name: column for column in (*contract.columns, *hidden)}
    if change not in known:
        todo = nearest(change, known)
        raise faults.at("config", "meta", "change_column", what=f"change column '{change}' is no column", todo=todo)
    if known[change].type.kind not in _TIMES:
        found = known[change].type
        what = f"change column '{change}' is no instant"
        raise faults.at("config", "meta", "change_column", what=what, expected="timestamp or timestamptz", found=found)


def build_tests(model: ModelYaml, contract: Contract, faults: Faults) -> tuple[DataTest, ...]:
    """Build a model's data tests: those that its YAML names and those that follow from the contract."""
    tenant = model.config.meta.tenant_column
    tests = []
    for number, column in enumerate(model.columns):
        for position, test in enumerate(column.data_tests):
            tests.append(_declared(column, test, tenant, faults.below("columns", number, "data_tests", position)))
        length = DataType.parse(column.data_type).length
        if length:
            tests.append(_row(f"max_length_{column.name}", column.name, f"At most {length} characters.", length))
    key = tuple(name for name in (tenant, *contract.key) if name)
    description = f"Each {', '.join(key)} stands once."
    tests.append(DataTest("unique_key", None, description, Severity.ERROR, Rule.UNIQUE, columns=key))
    names = [test.name for test in tests]
    for name in names:
        if names.count(name) > 1:
            raise faults.at("columns", what=f"two data tests have the name '{name}'", todo="give one of them a name:")
    return tuple(tests)


def _row(name: str, column: str, description: str, length: int) -> DataTest:
    return DataTest(name, column, description, Severity.ERROR, Rule.ROW, condition=too_long(column, length))


def _declared(column: ColumnYaml, test: DataTestYaml, tenant: str | None, faults: Faults) -> DataTest:
    (kind,) = test.model_fields_set
    body = getattr(test, kind)
    config: TestConfig | None = body.config if body else None
    rule, condition, target = Rule.ROW, "", None
    columns: tuple[str, ...] = ()
    if test.accepted_values is not None:
        values = test.accepted_values.arguments.values
        condition = not_accepted(column.name, values)
        description = f"One of {', '.join(map(str, values))}."
        is_text = DataType.parse(column.data_type).kind is TypeKind.VARCHAR
        if any(isinstance(value, str) != is_text for value in values):
            what = f"the accepted values are not of the column's type {column.data_type}"
            raise faults.at("accepted_values", what=what, found=values, todo="quote texts that look like numbers")
    elif test.relationships is not None:
        arguments = test.relationships.arguments
        match = _REF.match(arguments.to)
        if match is None:
            what = "relationships point at a model"
            raise faults.at("relationships", what=what, expected="to: ref('users')", found=arguments.to)
        rule, target = Rule.RELATIONSHIP, Target(match["model"], arguments.field, None)
        description = f"Stands in {match['model']}.{arguments.field}."
    elif kind == "unique":
        rule, columns = Rule.UNIQUE, tuple(name for name in (tenant, column.name) if name)
        description = f"Each {', '.join(columns)} stands once."
    else:
        condition = not_null(column.name)
        description = "Never empty."
    return DataTest(
        (body and body.name) or f"{kind}_{column.name}",
        column.name,
        (body and body.description) or description,
        Severity(config.severity) if config else Severity.ERROR,
        rule,
        condition=condition,
        columns=columns,
        target=target,
        tenant_column=tenant,
        where=config.where if config else None,
        group=(body and body.name) or _GROUPS[kind],
    )


def expected_columns(model: Model) -> tuple[tuple[str, DataType], ...]:
    """Return what a model's SQL must give: the contract's columns, those that it hides, then the tenant column."""
    columns = [(column.name, column.type) for column in (*model.contract.columns, *model.hidden)]
    return (*columns, (model.tenant_column, TENANT)) if model.tenant_column else tuple(columns)


def type_problems(model: Model, described: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Say how a DESCRIBE of a model's SQL, as (name, DuckDB type), differs from its contract."""
    expected = expected_columns(model)
    found = dict(described)
    return tuple(_differences(expected, found, [name for name, _ in described]))


def _differences(expected: Iterable[tuple[str, DataType]], found: dict[str, str], order: list[str]) -> Iterator[str]:
    types = dict(expected)
    for name, data_type in types.items():
        allowed = {data_type.duckdb, "VARCHAR"} if data_type.kind is TypeKind.JSON else {data_type.duckdb}
        if name not in found:
            yield f"column '{name}' is missing: the contract has it, the SQL does not"
        elif found[name] not in allowed:
            yield f"column '{name}' has type {found[name]}, the contract says {data_type} ({data_type.duckdb})"
    for name in order:
        if name not in types:
            yield f"column '{name}' is in no contract: {nearest(name, types)}"
    if set(order) == set(types) and order != list(types):
        yield f"the columns are in another order: expected {', '.join(types)}; found {', '.join(order)}"
    if len(set(order)) != len(order):
        yield f"a column stands twice: {', '.join(order)}"
