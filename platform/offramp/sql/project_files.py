"""The shapes of the project's YAML files. Every key is known: dbt takes misspelt keys in silence, this room does not.

Only what a file says alone is checked here; what files say of each other is checked in ``model_files``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from offramp.domain.errors import ProjectError, nearest
from offramp.domain.yaml_lines import compose

if TYPE_CHECKING:
    from pathlib import Path

    from offramp.domain.yaml_lines import Located

_NAME = r"^[a-z_][a-z0-9_]*$"
# Names that a recipient's documentation fixes hold dots and hyphens too: address.country.
_COLUMN = r"^[a-z_][a-z0-9_]*([.-][a-z0-9_]+)*$"


class _Strict(BaseModel):
    """A mapping whose keys are all known; the error of another key carries the valid ones."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _know_keys(cls, value: Any) -> Any:
        if isinstance(value, dict):
            valid = sorted(field.alias or name for name, field in cls.model_fields.items())
            for key in value:
                if key not in valid:
                    raise PydanticCustomError("unknown_key", "unknown key '{key}'", {"key": key, "valid": valid})
        return value


class ContractConfig(_Strict):
    """dbt builds a model with an enforced contract only if names and types agree."""

    enforced: Literal[True]


class IncrementMeta(_Strict):
    """How an append-only table lands; durations as ``1 day``."""

    column: str | None = None
    overlap: str = "1 day"
    lookback: str = "7 days"


class TableMeta(_Strict):
    """Whose rows a source table holds, its key, and how it lands."""

    tenant_column: str | None = None
    shared: bool = False
    key: list[str] = Field(min_length=1)
    change_column: str | None = None
    increment: IncrementMeta | None = None


class TableConfig(_Strict):
    """dbt's place for meta."""

    meta: TableMeta


class TableYaml(_Strict):
    """A table of a source; its meta stands under ``config`` or, as before dbt 1.10, beside it."""

    name: str = Field(pattern=_NAME)
    description: str
    config: TableConfig | None = None
    meta: TableMeta | None = None


class SourceMeta(_Strict):
    """Where the tables of a source come from that does not land: a feed's layers compute them from another source."""

    computed_from: str = Field(pattern=_NAME)


class SourceConfig(_Strict):
    """dbt's place for meta."""

    meta: SourceMeta


class SourceYaml(_Strict):
    """A source. Several files may name the same one with different tables."""

    name: str = Field(pattern=_NAME)
    description: str | None = None
    config: SourceConfig | None = None
    database: str | None = None
    schema_: str | None = Field(default=None, alias="schema")
    tables: list[TableYaml] = []


class TestConfig(_Strict):
    """What dbt lets a data test say beside its arguments."""

    where: str | None = None
    severity: Literal["error", "warn"] = "error"


class _Test(_Strict):
    name: str | None = Field(default=None, pattern=_NAME)
    description: str | None = None
    config: TestConfig = TestConfig()


class PlainTest(_Test):
    """A data test without arguments."""


class AcceptedValuesArguments(_Strict):
    """The values that a column may hold."""

    values: list[str | int] = Field(min_length=1)


class AcceptedValuesTest(_Test):
    """Each value is one of a list."""

    arguments: AcceptedValuesArguments


class RelationshipsArguments(_Strict):
    """``ref('users')`` and the column that must hold the value."""

    to: str
    field: str


class RelationshipsTest(_Test):
    """Each value stands in another model."""

    arguments: RelationshipsArguments


class DataTestYaml(_Strict):
    """One data test: exactly one of these keys."""

    not_null: PlainTest | None = None
    unique: PlainTest | None = None
    accepted_values: AcceptedValuesTest | None = None
    relationships: RelationshipsTest | None = None


class ColumnMeta(_Strict):
    """What the contract says of a column beside its type."""

    references: str | None = Field(default=None, pattern=r"^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$")
    personal: bool = False
    exported: bool = True


class ColumnConfig(_Strict):
    """dbt's place for meta."""

    meta: ColumnMeta = ColumnMeta()


class ColumnYaml(_Strict):
    """A column of a model."""

    name: str = Field(pattern=_COLUMN)
    description: str
    data_type: str
    config: ColumnConfig = ColumnConfig()
    data_tests: list[DataTestYaml] = []

    @field_validator("description")
    @classmethod
    def _be_a_sentence(cls, text: str) -> str:
        return _sentence(text)

    @field_validator("data_tests", mode="before")
    @classmethod
    def _name_tests(cls, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        tests = [{test: None} if isinstance(test, str) else test for test in value]
        for test in tests:
            if isinstance(test, dict) and len(test) != 1:
                raise PydanticCustomError("one_test", "a data test is a mapping with one key, the test's name")
        return tests


class ScheduleMeta(_Strict):
    """The variable that switches tasks of an entity, with its default cron; empty is off."""

    variable: str = Field(pattern=r"^CRON_SCHEDULE_[A-Z0-9_]+$")
    default: str
    modes: list[Literal["delta", "snapshot", "offload"]] = Field(min_length=1)
    shared: bool = False


class ModelMeta(_Strict):
    """What the platform must know of a model beside dbt's own words."""

    kind: Literal["mutable", "reference", "events", "computed"]
    key: list[str] = Field(min_length=1)
    change_column: str | None = None
    tenant_column: str | None = None
    owners: list[str] = []
    schedules: list[ScheduleMeta] | None = None
    exported: bool = True
    delivered_once: bool = False
    order: list[str] = []
    window_column: str | None = None
    part_key: str | None = None


class ModelConfig(_Strict):
    """dbt's config of a model. A view is computed where it is read; a table is kept in the lake, once per landing."""

    contract: ContractConfig
    meta: ModelMeta
    materialized: Literal["view", "table"] = "view"


class ModelYaml(_Strict):
    """A model: its grain, its meta and its columns in the order in which they are exported."""

    name: str = Field(pattern=_NAME)
    description: str
    config: ModelConfig
    columns: list[ColumnYaml] = Field(min_length=1)

    @field_validator("description")
    @classmethod
    def _be_a_sentence(cls, text: str) -> str:
        return _sentence(text)


class ModelsFile(_Strict):
    """A YAML file below ``models/``."""

    version: Literal[2] = 2
    sources: list[SourceYaml] = []
    models: list[ModelYaml] = []


class ModelDefaults(_Strict):
    """Config of all models of the project."""

    materialized: Literal["view"] = Field(default="view", alias="+materialized")


class ProjectFile(_Strict):
    """``dbt_project.yml``; keys that only dbt reads are known here, so that a misspelt one is found."""

    name: str
    version: str = ""
    config_version: Literal[2] = Field(default=2, alias="config-version")
    profile: str
    model_paths: list[str] = Field(default=["models"], alias="model-paths", min_length=1)
    macro_paths: list[str] = Field(default=["macros"], alias="macro-paths")
    target_path: str = Field(default="target", alias="target-path")
    clean_targets: list[str] = Field(default=[], alias="clean-targets")
    require_dbt_version: str | list[str] = Field(default="", alias="require-dbt-version")
    flags: dict[str, bool | str | int] = {}
    vars: dict[str, Any] = {}
    models: dict[str, ModelDefaults] = {}


FileShape = TypeVar("FileShape", ModelsFile, ProjectFile)


def read_file(path: Path, shape: type[FileShape]) -> tuple[FileShape, Located]:
    """Read a YAML file into its shape; a ProjectError names the line of the first fault."""
    located = compose(read_text(path), str(path))
    try:
        return shape.model_validate({} if located.value is None else located.value), located
    except ValidationError as refused:
        raise _first_fault(refused, located) from refused


def read_text(path: Path) -> str:
    """Read a file of the project; a ProjectError says why it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as refused:
        raise ProjectError("the file is not UTF-8", file=path, found=refused) from refused
    except OSError as refused:
        raise ProjectError("the file cannot be read", file=path, found=refused.strerror) from refused


def _first_fault(refused: ValidationError, located: Located) -> ProjectError:
    faults = []
    for fault in refused.errors(include_url=False):
        context = fault.get("ctx", {})
        path = fault["loc"]
        todo = None
        if fault["type"] == "unknown_key":
            path = (*path, context["key"])
            todo = nearest(context["key"], context["valid"])
        elif fault["type"] == "literal_error" and isinstance(fault["input"], str):
            valid = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
            todo = nearest(fault["input"], valid)
        faults.append((located.line_of(path), path, fault, context, todo))
    line, path, fault, context, todo = min(faults, key=lambda one: one[0])
    name = ".".join(str(step) for step in path) or "the file"
    is_absent = fault["type"] in {"missing", "unknown_key"}
    return ProjectError(
        f"{name}: {fault['msg']}" + (f" ({len(faults)} faults in this file)" if len(faults) > 1 else ""),
        file=located.file,
        line=line,
        expected=", ".join(context["valid"]) if "valid" in context else context.get("expected"),
        found=None if is_absent else repr(fault["input"]),
        todo=todo,
    )


def _sentence(text: str) -> str:
    if not text.strip().endswith((".", "?", "!")):
        raise PydanticCustomError("sentence", "a description is a sentence and ends with a full stop")
    return " ".join(text.split())
