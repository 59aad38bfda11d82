"""Relations of a model over a landing: which files an engine reads when it runs the model's SQL."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from offramp.pipeline.layers import layer_relation, layer_relation_since
from offramp.pipeline.stored import stored_relation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from offramp.domain.exports import Model
    from offramp.domain.landings import LandedTable, Landing, Relation
    from offramp.pipeline.rooms import Rooms
    from offramp.sql.compiled import RelationUse


@dataclass(frozen=True, slots=True)
class ModelOver:
    """A model's SQL, ready to select from, and the relations it reads."""

    sql: str
    relations: tuple[Relation, ...]


def model_over(rooms: Rooms, model: Model, landing: Landing, *, prefix: str = "") -> ModelOver:
    """Return a model over all rows of a landing. ``prefix`` keeps two landings apart in one query."""
    compiled = rooms.compiled(model, prefix=prefix)
    return ModelOver(compiled.sql, tuple(relation_of(rooms, use, landing) for use in compiled.relations))


def relation_of(rooms: Rooms, use: RelationUse, landing: Landing) -> Relation:
    """Return what a model reads as of a landing: a landed table, one that a layer computes, or a stored model."""
    if not use.is_landed:
        model = rooms.project.model(use.table).model
        return stored_relation(rooms, model, model_over(rooms, model, landing), use.name)
    if use.source in rooms.layers:
        return layer_relation(rooms, use.source, use.table, landing, use.name)
    return rooms.lake.landings.relation(use.name, landing, use.table)


def model_since(rooms: Rooms, model: Model, landing: Landing, base: Landing | None, *, prefix: str) -> ModelOver:
    """Return an events model over the increments that landed after ``base``; other tables are read whole."""
    compiled = rooms.compiled(model, prefix=prefix)
    relations = tuple(
        _relation_since(rooms, use, landing, base)
        if (use.source, use.table) == model.event_source
        else relation_of(rooms, use, landing)
        for use in compiled.relations
    )
    return ModelOver(compiled.sql, relations)


def _relation_since(rooms: Rooms, use: RelationUse, landing: Landing, base: Landing | None) -> Relation:
    if use.source in rooms.layers:
        return layer_relation_since(rooms, use.source, use.table, landing, base, relation=use.name)
    return rooms.lake.landings.relation_since(use.name, landing, use.table, base)


def model_base(rooms: Rooms, model: Model, base: Landing, now: ModelOver, *, prefix: str) -> ModelOver:
    """Return a model over an earlier landing; columns that its files lack read as NULL."""
    over = model_over(rooms, model, base, prefix=prefix)
    relations = []
    # Both compile the same model, so their tables stand in the same order.
    for older, newer in zip(over.relations, now.relations, strict=True):
        has = {name for name, _type in older.schema}
        missing = tuple(column for column in newer.schema if column[0] not in has)
        relations.append(replace(older, schema=older.schema + missing))
    return ModelOver(over.sql, tuple(relations))


def is_computed(rooms: Rooms, model: Model) -> bool:
    """Return True where the events of a model are those of a layer, which builds them day by day."""
    return model.event_source is not None and model.event_source[0] in rooms.layers


def files_read(rooms: Rooms, landing: Landing, uses: Iterable[RelationUse]) -> str:
    """Return a hash that two landings share only where relations have the same files and columns in both.

    Tables of events have a file for each landing, so that their names are too long to be kept.
    """
    tables = sorted({(use.source, use.table): _read(rooms, landing, use) for use in uses}.items())
    return hashlib.sha256(repr(tables).encode()).hexdigest()


def _read(rooms: Rooms, landing: Landing, use: RelationUse) -> LandedTable | str:
    """Return what a landing has of a table. What is computed is computed anew for each landing."""
    is_computed = not use.is_landed or use.source in rooms.layers
    return landing.id if is_computed else landing.table(use.table)


def is_unchanged(rooms: Rooms, model: Model, landing: Landing, base: Landing) -> bool:
    """Return True where every table of the model refers to the same files in both landings."""
    uses = rooms.compiled(model).relations
    if any(not use.is_landed or use.source in rooms.layers for use in uses):
        return landing.id == base.id
    return all(landing.table(use.table).files == base.table(use.table).files for use in uses)
