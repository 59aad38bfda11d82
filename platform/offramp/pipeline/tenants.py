"""Tenants of a landing: whose rows it holds at all, so that a misspelt tenant is not delivered as an empty success."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.domain.deliveries import DELIVERED, State
from offramp.domain.errors import nearest
from offramp.domain.quoting import identifier

if TYPE_CHECKING:
    from offramp.domain.deliveries import Delivery
    from offramp.domain.landings import Landing
    from offramp.pipeline.rooms import Rooms

_HAS_PARTS = DELIVERED | {State.STAGED}


def unknown_tenants(rooms: Rooms, delivery: Delivery, landing: Landing) -> str | None:
    """Say which tenants of a delivery's subscription own no row of any table of the landing, or None."""
    if delivery.export.model.tenant_column is None:
        return None
    known = _tenants(rooms, landing)
    missing = [tenant for tenant in delivery.subscription.tenants if tenant not in known]
    if missing:
        # Whose rows were delivered once is no misspelling: that all of them went is said by an empty delivery.
        made = rooms.ledger.find(subscription=delivery.subscription.id, export=delivery.export.name, states=_HAS_PARTS)
        served = {name for one in made for name in rooms.lake.staged.tenants(one.delivery_id, one.revision)}
        missing = [tenant for tenant in missing if tenant not in served]
    if not missing:
        return None
    named = ", ".join(f"'{tenant}'" for tenant in missing)
    return (
        f"no table of source '{landing.source}' has a row of tenant {named} in landing {landing.id}; "
        f"{nearest(missing[0], known)} Correct tenants: in offramp.yaml, or let starts_on begin when it has rows"
    )


def _tenants(rooms: Rooms, landing: Landing) -> frozenset[str]:
    known = rooms.tenants.get((landing.source, landing.id))
    if known is None:
        known = rooms.tenants[landing.source, landing.id] = _read(rooms, landing)
    return known


def _read(rooms: Rooms, landing: Landing) -> frozenset[str]:
    landed = {table.name for table in landing.tables}
    columns = {
        spec.name: spec.tenant_column
        for spec in rooms.tables_of(landing.source)
        if spec.tenant_column is not None and spec.name in landed
    }
    relations = [rooms.lake.landings.relation(name, landing, name) for name in columns]
    selects = [f"select distinct {identifier(column)} from {identifier(name)}" for name, column in columns.items()]
    with rooms.engine.open(relations) as session:
        rows = session.rows(" union ".join(selects)) if selects else []
    return frozenset(str(row[0]) for row in rows)
