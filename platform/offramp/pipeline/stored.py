"""Stored models: results of a model over a landing, kept in the lake because several others read them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from offramp.domain.errors import ContractBroken
from offramp.domain.landings import Relation
from offramp.domain.quoting import identifier
from offramp.pipeline.layers import landing_of_day
from offramp.sql.contracts import expected_columns

if TYPE_CHECKING:
    from datetime import date

    from offramp.domain.exports import Model
    from offramp.pipeline.relations import ModelOver
    from offramp.pipeline.rooms import Report, Rooms


def stored_relation(rooms: Rooms, model: Model, over: ModelOver, relation: str) -> Relation:
    """Return a stored model as a relation, computed where it is missing.

    It is known by its fingerprint and the files that it reads, so the same landing gives the same result once.
    """
    schema = tuple((name, kind.duckdb) for name, kind in expected_columns(model))
    name, key = f"{model.feed}/stored/{model.entity}", _key(model, over)
    store = rooms.lake.models
    if not store.has(name, key):
        rooms.at_step("model")
        with rooms.engine.open(over.relations) as session:
            problems = rooms.project.type_problems(model.name, session.describe(over.sql))
            if problems:
                todo = "correct its SQL or its YAML"
                raise ContractBroken(f"model {model.name} differs from its YAML", found="; ".join(problems), todo=todo)
            order = [*model.sort, *([model.tenant_column] if model.tenant_column else [])]
            with store.writing(name, key) as path:
                session.store(f"select * from ({over.sql}) order by {', '.join(map(identifier, order))}", path)
    return Relation(relation, (str(store.path_for(name, key)),), schema)


def store_day(rooms: Rooms, model: Model, day: date, report: Report) -> int:
    """Compute a stored model for a data day, and return its rows."""
    from offramp.pipeline.relations import model_over  # noqa: PLC0415 - it reads stored models itself

    source = rooms.project.source_of(model.name)
    landing = landing_of_day(rooms, source, day, report)
    relation = stored_relation(rooms, model, model_over(rooms, model, landing), "stored")
    with rooms.engine.open((relation,)) as session:
        return int(str(session.rows("select count(*) from stored")[0][0]))


def _key(model: Model, over: ModelOver) -> str:
    """Return a hash of the model and of the files that it reads; a lake that was moved keeps its results."""
    files = ["/".join(Path(uri).parts[-4:]) for relation in over.relations for uri in relation.uris]
    return hashlib.sha256("\n".join((model.fingerprint, *files)).encode()).hexdigest()[:24]
