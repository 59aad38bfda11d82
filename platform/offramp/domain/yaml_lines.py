"""YAML text to plain values that know their lines.

Pure: the text comes in, nothing is opened. What the values mean, and which keys may stand where, is said by the
rooms that read them (settings, sql).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import yaml

from offramp.domain.errors import ProjectError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE = re.compile(r"\$\$|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\})?")
ErrorType = type[SettingsError] | type[ProjectError]
Path = tuple[str | int, ...]

# libyaml reads a project of sixty files about ten times as fast as the Python parser; both give the same marks.
_Loader = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@dataclass(frozen=True, slots=True)
class Located:
    """Plain values of one YAML text: dicts with text keys, lists, scalars as YAML 1.1 reads them.

    Paths are keys and list positions from the root: ``("columns", 0, "name")``.
    """

    value: Any
    file: str
    lines: Mapping[Path, int]
    texts: Mapping[Path, str]

    def line_of(self, path: Path) -> int:
        """Return the line of a key or list item, counted from 1; for a path that is absent, its nearest parent's."""
        for length in range(len(path), -1, -1):
            line = self.lines.get(path[:length])
            if line is not None:
                return line
        return 1

    def text_of(self, path: Path) -> str:
        """Return a scalar as it was written, quotes removed: ``01`` stays ``01``. A KeyError if there is none."""
        return self.texts[path]

    def filled(self, variables: Mapping[str, str], *, as_written: frozenset[str], error: ErrorType) -> Any:
        """Return the value with ``${NAME}`` and ``${NAME:-default}`` replaced inside its texts; ``$$`` is ``$``.

        The default stands for a variable that is unset or empty. Scalars directly below a key of ``as_written``
        stay the text of the file. Raises ``error`` with file, line and name for a variable that is not set.
        """

        def fill(value: Any, path: Path) -> Any:
            if isinstance(value, dict):
                return {key: fill(item, (*path, key)) for key, item in value.items()}
            if isinstance(value, list):
                return [fill(item, (*path, number)) for number, item in enumerate(value)]
            if len(path) > 1 and path[-2] in as_written:
                value = self.text_of(path)
            return _VARIABLE.sub(lambda found: put(found, path), value) if isinstance(value, str) else value

        def put(found: re.Match[str], path: Path) -> str:
            name, default = found["name"], found["default"]
            if found[0] == "$$":
                return "$"
            if name is None:
                what, todo = "'${' begins no variable", "write ${NAME}, or $${ where the text is meant"
                raise error(what, file=self.file, line=self.line_of(path), todo=todo)
            value = variables.get(name)
            if value is None and default is None:
                todo = f"set it, or write a default: ${{{name}:-...}}"
                raise error(f"the variable {name} is not set", file=self.file, line=self.line_of(path), todo=todo)
            return value or default or ""

        return fill(self.value, ())


def compose(text: str, file: str, *, error: ErrorType = ProjectError) -> Located:
    """Read one YAML document.

    Anchors, aliases and merge keys work. Raises ``error`` with file and line for text that is not YAML, a key
    that stands twice in one mapping, a key that is not text, and an alias inside itself. Empty text is None.
    """
    reader = _Reader(text, file, error)
    try:
        return reader.read()
    except yaml.MarkedYAMLError as refused:
        mark = refused.problem_mark or refused.context_mark
        what = f"this is not YAML: {refused.problem or refused.context}"
        # The cause is cut off: its text may quote the line, and the line may hold a secret.
        raise error(what, file=file, line=mark.line + 1 if mark else None) from None
    except yaml.YAMLError as refused:
        raise error("this is not YAML: it holds bytes that no text has", file=file, found=refused) from refused


class _Reader:
    def __init__(self, text: str, file: str, error: ErrorType) -> None:
        self._text = text
        self._file = file
        self._error = error
        self._lines: dict[Path, int] = {}
        self._texts: dict[Path, str] = {}
        self._checked: set[int] = set()

    def read(self) -> Located:
        self._loader = _Loader(self._text)
        try:
            node = self._loader.get_single_node()
            value = self._build(node, (), ()) if node is not None else None
        finally:
            self._loader.dispose()
        return Located(value, self._file, self._lines, self._texts)

    def _build(self, node: yaml.Node, path: Path, parents: tuple[int, ...]) -> Any:
        line = node.start_mark.line + 1
        self._lines.setdefault(path, line)
        if id(node) in parents:
            raise self._error("an alias stands inside what it repeats", file=self._file, line=line)
        inner = (*parents, id(node))
        if isinstance(node, yaml.MappingNode):
            self._check_keys(node)
            values: dict[str, Any] = {}
            for key, item in node.value:
                here = (*path, key.value)
                self._lines[here] = key.start_mark.line + 1
                values[key.value] = self._build(item, here, inner)
            return values
        if isinstance(node, yaml.SequenceNode):
            return [self._build(item, (*path, number), inner) for number, item in enumerate(node.value)]
        self._texts[path] = node.value
        try:
            return self._loader.construct_object(node)
        except ValueError as refused:  # a date such as 2026-02-30
            raise self._error(f"'{node.value}' is not a value: {refused}", file=self._file, line=line) from refused

    def _check_keys(self, node: yaml.MappingNode) -> None:
        if id(node) in self._checked:
            return
        self._checked.add(id(node))
        first_lines: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise self._error("a key must be text", file=self._file, line=line)
            if key.value in first_lines:
                raise self._error(
                    f"'{key.value}' stands twice",
                    file=self._file,
                    line=line,
                    todo=f"keep one of them; the first is in line {first_lines[key.value]}",
                )
            first_lines[key.value] = line
        # Merge keys are put in front, so a mapping's own keys win. A second visit would take them for duplicates.
        self._loader.flatten_mapping(node)
