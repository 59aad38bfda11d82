"""Renders a model's template. ``ref``, ``source``, ``var`` and ``config`` are all that a template may call."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from offramp.domain.errors import ProjectError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType

_MISSING = object()


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
    environment.globals.clear()  # range, lipsum, cycler: dbt has none of them as such
    return environment


_ENVIRONMENT = _environment()


@dataclass(frozen=True, slots=True)
class Rendered:
    """A model's SQL, and what it read: (source, table) pairs and model names, each once and in order of use."""

    sql: str
    sources: tuple[tuple[str, str], ...]
    refs: tuple[str, ...]


class _Refused(Exception):
    def __init__(self, what: str, todo: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.todo = todo


@dataclass(frozen=True, slots=True)
class Template:
    """A model's template, compiled once."""

    file: str
    code: CodeType = field(repr=False)

    @classmethod
    def parse(cls, text: str, file: str) -> Template:
        """Compile a template; a ProjectError carries file and line."""
        try:
            return cls(file, _ENVIRONMENT.compile(text, name=file, filename=file))
        except TemplateSyntaxError as refused:
            message = f"not a template: {refused.message}"
            raise ProjectError(message, file=file, line=refused.lineno) from refused

    def render(
        self,
        *,
        relations: Mapping[tuple[str, str], str],
        models: Mapping[str, str],
        variables: Mapping[str, object],
    ) -> Rendered:
        """Fill the template.

        ``relations`` and ``models`` give the SQL name of each (source, table) and of each model.
        """
        calls = _Calls(relations, models, variables)
        template = _ENVIRONMENT.template_class.from_code(_ENVIRONMENT, self.code, {})
        try:
            sql = template.render(ref=calls.ref, source=calls.source, var=calls.var, config=calls.config)
        except _Refused as refused:
            raise ProjectError(refused.what, file=self.file, line=self._line(refused), todo=refused.todo) from refused
        except (TemplateError, TypeError, ArithmeticError, LookupError, ValueError) as refused:
            # The last four are what an expression or a call with wrong arguments raises inside a template.
            message = f"the template cannot be rendered: {refused}"
            todo = "a template may use ref, source, var and config"
            raise ProjectError(message, file=self.file, line=self._line(refused), todo=todo) from refused
        return Rendered(sql.strip().removesuffix(";").rstrip(), tuple(calls.sources), tuple(calls.refs))

    def _line(self, error: Exception) -> int | None:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == self.file]
        return lines[-1] if lines else None


class _Calls:
    """What a template may call; notes what it called."""

    def __init__(
        self, relations: Mapping[tuple[str, str], str], models: Mapping[str, str], variables: Mapping[str, object]
    ) -> None:
        self._relations = relations
        self._models = models
        self._variables = variables
        # Dicts keep the order of first use.
        self.sources: dict[tuple[str, str], None] = {}
        self.refs: dict[str, None] = {}

    def source(self, source: str, table: str) -> str:
        if (source, table) not in self._relations:
            what = f"source('{source}', '{table}') is declared in no .yml"
            raise _Refused(what, nearest(f"{source}.{table}", (".".join(one) for one in self._relations)))
        self.sources[source, table] = None
        return self._relations[source, table]

    def ref(self, model: str) -> str:
        if model not in self._models:
            what = f"ref('{model}') is not a model"
            raise _Refused(what, nearest(model, self._models))
        self.refs[model] = None
        return self._models[model]

    def var(self, name: str, default: Any = _MISSING) -> Any:
        value = self._variables.get(name, default)
        if value is _MISSING:
            what = f"var('{name}') has no value: neither a default nor a line under vars: in dbt_project.yml"
            raise _Refused(what, nearest(name, self._variables))
        return value

    def config(self, **settings: object) -> str:
        for name, value in settings.items():
            if name != "materialized":
                what = f"config({name}=...) is not known here"
                raise _Refused(what, "only materialized='view'; the rest stands in the .yml")
            if value != "view":
                what = f"config(materialized={value!r}): models are views"
                raise _Refused(what, "materialized='view'")
        return ""
