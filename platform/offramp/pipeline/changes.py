"""Changes: the difference of two landings of an entity, computed once and stored as ``<feed>/changes/<entity>``.

Deltas, deletes, the add-up check and erasure read it. Grain: one row per tenant and key that was added,
changed or removed. Source: media_exports.md section 7.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from offramp.domain.landings import Relation
from offramp.domain.quoting import identifier, literal
from offramp.pipeline.relations import is_unchanged, model_base, model_over

if TYPE_CHECKING:
    from collections.abc import Sequence

    from offramp.domain.contracts import Contract
    from offramp.domain.exports import Model
    from offramp.domain.landings import Landing
    from offramp.pipeline.rooms import Rooms

CHANGES = "changes"


def row_key(model: Model) -> tuple[str, ...]:
    """Return the columns that name a row over all tenants."""
    return (*((model.tenant_column,) if model.tenant_column else ()), *model.contract.key)


def changes_schema(model: Model) -> tuple[tuple[str, str], ...]:
    """Return the columns of the changes model: tenant and key, ``change`` and the newer ``changed_at``."""
    contract = model.contract
    columns = [(model.tenant_column, "VARCHAR")] if model.tenant_column else []
    columns += [(name, contract.column(name).type.duckdb) for name in contract.key]
    columns.append(("change", "VARCHAR"))
    if contract.change_column:
        columns.append(("changed_at", model.column(contract.change_column).type.duckdb))
    return tuple(columns)


def changes(rooms: Rooms, model: Model, landing: Landing, base: Landing, *, compared: Sequence[str]) -> Relation:
    """Return the changes from ``base`` to ``landing`` as a relation, computing them if they are not stored.

    ``compared`` are the contract columns that both deliveries have; after a schema change only these count.
    """
    rooms.at_step("changes")
    schema = changes_schema(model)
    if is_unchanged(rooms, model, landing, base):
        return Relation(CHANGES, (), schema)
    name = f"{model.feed}/changes/{model.entity}"
    key = "__".join((base.id, landing.id, model.fingerprint[:12], _short(compared)))
    store = rooms.lake.models
    if not store.has(name, key):
        now = model_over(rooms, model, landing, prefix="now_")
        then = model_base(rooms, model, base, now, prefix="base_")
        sql = _difference(model, now.sql, then.sql, compared)
        with rooms.engine.open((*now.relations, *then.relations)) as session, store.writing(name, key) as path:
            session.store(sql, path)
    return Relation(CHANGES, (str(store.path_for(name, key)),), schema)


def _short(compared: Sequence[str]) -> str:
    return hashlib.sha256(",".join(compared).encode()).hexdigest()[:8]


def _difference(model: Model, now_sql: str, base_sql: str, compared: Sequence[str]) -> str:
    key = row_key(model)
    contract: Contract = model.contract
    on = " and ".join(f"n.{identifier(name)} is not distinct from b.{identifier(name)}" for name in key)
    keys = ", ".join(f"coalesce(n.{identifier(name)}, b.{identifier(name)}) as {identifier(name)}" for name in key)
    facts = [name for name in compared if name not in contract.key]
    differs = " or ".join(f"n.{identifier(name)} is distinct from b.{identifier(name)}" for name in facts) or "false"
    first = identifier(contract.key[0])
    changed_at = f", n.{identifier(contract.change_column)} as changed_at" if contract.change_column else ""
    order = ", ".join(identifier(name) for name in key)
    return (
        f"select {keys}, case when b.{first} is null then {literal('added')} when n.{first} is null "
        f"then {literal('removed')} else {literal('changed')} end as change{changed_at} "
        f"from ({now_sql}) as n full join ({base_sql}) as b on {on} "
        f"where b.{first} is null or n.{first} is null or {differs} order by {order}"
    )
