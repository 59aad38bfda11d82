"""Makes errors that point at a line of a YAML file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from offramp.domain.errors import ProjectError

if TYPE_CHECKING:
    from offramp.domain.yaml_lines import Located


@dataclass(frozen=True, slots=True)
class Faults:
    """Makes errors of one part of a YAML file."""

    located: Located
    path: tuple[str | int, ...] = ()

    def below(self, *path: str | int) -> Faults:
        """Return the maker of errors of a part of this part."""
        return Faults(self.located, (*self.path, *path))

    def line(self, *path: str | int) -> int:
        """Return the line of a key or item below this part, or of its nearest parent."""
        return self.located.line_of((*self.path, *path))

    def at(
        self, *path: str | int, what: str, expected: object = None, found: object = None, todo: str | None = None
    ) -> ProjectError:
        """Make an error at the line of a key or item below this part."""
        line = self.line(*path)
        return ProjectError(what, file=self.located.file, line=line, expected=expected, found=found, todo=todo)
