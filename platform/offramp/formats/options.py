"""Checks the options of a format: every name is known and every value has its type, or a message says what is valid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.domain.errors import WrongUse, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORDS: Mapping[type, str] = {str: "text", bool: "true or false", type(None): "nothing"}


def option_problems(options: Mapping[str, object], valid: Mapping[str, tuple[type, ...]]) -> tuple[str, ...]:
    """Say which options have an unknown name or a value of the wrong type."""
    problems = []
    for name, value in options.items():
        if name not in valid:
            problems.append(f"'{name}' is no option of this format; {nearest(name, valid)}")
        elif not isinstance(value, valid[name]):
            kinds = " or ".join(_WORDS[kind] for kind in valid[name])
            problems.append(f"{name} is {value!r}; it must be {kinds}")
    return tuple(problems)


def refuse_problems(format_name: str, problems: tuple[str, ...]) -> None:
    """Raise WrongUse that lists all problems, if there are any."""
    if problems:
        raise WrongUse(f"the options of {format_name} cannot be used: {'; '.join(problems)}")
