"""What a feed computes by definition: its models whose names end in ``_definitions``, which list it in SQL.

A list is one of attributes where the model is ``attribute_definitions``. Its rows are named by the first column of the
key and say in ``is_computed`` whether they are; ``family`` or ``category``, ``definition``, ``reason`` and
``computed_as`` (the name under which another row has it) are told where the model has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from offramp.cli.output import counted, print_table, say
from offramp.domain.quoting import identifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from offramp.cli.invocation import Invocation
    from offramp.domain.exports import Model
    from offramp.sql.project import Project

_SUFFIX = "_definitions"
_COMPUTED = "is_computed"


@dataclass(frozen=True, slots=True)
class Definition:
    """One row. ``computed_as`` is the name of the row that has it, None where it is its own or nobody's."""

    id: str
    family: str | None
    definition: str | None
    is_computed: bool
    reason: str | None
    computed_as: str | None

    @property
    def is_other_name(self) -> bool:
        """True where another row has it."""
        return not self.is_computed and self.computed_as is not None

    @property
    def told(self) -> str:
        """Whether it is computed, and why not."""
        if self.is_computed:
            return "yes"
        return f"as {self.computed_as}" if self.computed_as is not None else self.reason or "no"


@dataclass(frozen=True, slots=True)
class DefinitionList:
    """The rows of one model. ``name`` is what they are, ``attributes``."""

    name: str
    model: str
    rows: tuple[Definition, ...]

    @property
    def computed(self) -> int:
        """How many are computed."""
        return sum(one.is_computed for one in self.rows)

    @property
    def other_names(self) -> int:
        """How many are other names of such."""
        return sum(one.is_other_name for one in self.rows)

    @property
    def total(self) -> int:
        """How many there are, each under one name."""
        return len(self.rows) - self.other_names

    def as_json(self, *, has_rows: bool) -> dict[str, Any]:
        """Return the counts, and the rows where they are asked for."""
        counts = {
            "name": self.name,
            "model": self.model,
            "total": self.total,
            "computed": self.computed,
            "other_names": self.other_names,
        }
        rows = [
            {
                "id": one.id,
                "family": one.family,
                "definition": one.definition,
                "computed": one.is_computed,
                "reason": one.reason,
                "computed_as": one.computed_as,
            }
            for one in self.rows
        ]
        return {**counts, "rows": rows} if has_rows else counts


def definition_lists(invocation: Invocation, feeds: Sequence[str]) -> list[DefinitionList]:
    """Return the lists of some feeds, by the name of their models."""
    models = list(_models(invocation.project, feeds))
    if not models:
        return []
    with invocation.rooms.engine.open(()) as session:
        return [
            DefinitionList(_name(model), model.name, _read(session.rows(_query(invocation.project, model))))
            for model in models
        ]


def print_counts(lists: Sequence[DefinitionList]) -> None:
    """Print how many of each list are computed, on one line."""
    texts = []
    for number, one in enumerate(lists):
        others = f", and {counted(one.other_names, 'other name')}" if one.other_names else ""
        texts.append(f"{one.name}: {one.computed} of {one.total}{'' if number else ' computed'}{others}")
    if texts:
        say("; ".join(texts))


def print_definitions(lists: Sequence[DefinitionList]) -> None:
    """Print the rows of all lists."""
    for one in lists:
        print_table(
            (one.name, "family", "definition", "computed"),
            ((it.id, it.family or "", it.definition or "", it.told) for it in one.rows),
        )
        say()


def _models(project: Project, feeds: Sequence[str]) -> Iterator[Model]:
    for _, loaded in sorted(project.models.items()):
        model = loaded.model
        is_list = model.entity.endswith(_SUFFIX) and _COMPUTED in model.contract.names
        # A list that reads tables is no constant, and would need a landing.
        if model.feed in feeds and is_list and not project.compile(model.name).relations:
            yield model


def _name(model: Model) -> str:
    return counted(2, model.entity.removesuffix(_SUFFIX).replace("_", " ")).removeprefix("2 ")


def _query(project: Project, model: Model) -> str:
    """Return the query: id, family, definition, is_computed, reason, computed_as, in the order of the model."""
    known = model.contract.names
    family = next((one for one in ("family", "category") if one in known), "")
    names = (model.contract.key[0], family, "definition", _COMPUTED, "reason", "computed_as")
    columns = ", ".join(identifier(name) if name in known else "cast(null as varchar)" for name in names)
    return f"select {columns} from ({project.compile(model.name).sql})"


def _read(rows: Sequence[tuple[Any, ...]]) -> tuple[Definition, ...]:
    return tuple(Definition(*row) for row in rows)
