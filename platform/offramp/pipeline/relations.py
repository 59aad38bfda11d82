"""Relations of a model over a landing: which files an engine reads when it runs the model's SQL."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from offramp.domain.exports import Model
    from offramp.domain.landings import Landing, Relation
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
    relations = tuple(rooms.lake.landings.relation(use.name, landing, use.table) for use in compiled.relations)
    return ModelOver(compiled.sql, relations)


def model_since(rooms: Rooms, model: Model, landing: Landing, base: Landing | None, *, prefix: str) -> ModelOver:
    """Return an events model over the increments that landed after ``base``; other tables are read whole."""
    compiled = rooms.compiled(model, prefix=prefix)
    store = rooms.lake.landings
    relations = tuple(
        store.relation_since(use.name, landing, use.table, base)
        if (use.source, use.table) == model.event_source
        else store.relation(use.name, landing, use.table)
        for use in compiled.relations
    )
    return ModelOver(compiled.sql, relations)


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


def files_read(landing: Landing, uses: Iterable[RelationUse]) -> str:
    """Return a hash that two landings share only where relations have the same files and columns in both.

    Tables of events have a file for each landing, so that their names are too long to be kept.
    """
    tables = sorted({use.table: landing.table(use.table) for use in uses}.items())
    return hashlib.sha256(repr(tables).encode()).hexdigest()


def is_unchanged(rooms: Rooms, model: Model, landing: Landing, base: Landing) -> bool:
    """Return True where every table of the model refers to the same files in both landings."""
    tables = {use.table for use in rooms.compiled(model).relations}
    return all(landing.table(name).files == base.table(name).files for name in tables)
