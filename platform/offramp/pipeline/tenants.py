"""Tenants of a landing: whose rows it holds at all, so that a misspelt tenant is not delivered as an empty success."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.domain.deliveries import DELIVERED, State
from offramp.domain.errors import nearest
from offramp.domain.quoting import identifier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from offramp.domain.deliveries import Delivery
    from offramp.domain.landings import Landing
    from offramp.pipeline.rooms import Rooms

_HAS_PARTS = DELIVERED | {State.STAGED}


def unknown_tenants(rooms: Rooms, delivery: Delivery, landing: Landing) -> str | None:
    """Say which tenants of a delivery's subscription own no row of any table of the landing, or None."""
    if delivery.export.model.tenant_column is None:
        return None
    missing = _missing(rooms, landing, delivery.subscription.tenants)
    if missing:
        # Whose rows were delivered once is no misspelling: that all of them went is said by an empty delivery.
        made = rooms.ledger.find(subscription=delivery.subscription.id, export=delivery.export.name, states=_HAS_PARTS)
        served = {name for one in made for name in rooms.lake.staged.tenants(one.delivery_id, one.revision)}
        missing = [tenant for tenant in missing if tenant not in served]
    if not missing:
        return None
    named = ", ".join(f"'{tenant}'" for tenant in missing)
    known = frozenset().union(*rooms.tenants[landing.source, landing.id].values())
    return (
        f"no table of source '{landing.source}' has a row of tenant {named} in landing {landing.id}; "
        f"{nearest(missing[0], known)} Correct tenants: in offramp.yaml, or let starts_on begin when it has rows"
    )


def _missing(rooms: Rooms, landing: Landing, tenants: Iterable[str]) -> list[str]:
    """Return the tenants that no table has. Tables are read until all are found, small ones first."""
    known = rooms.tenants.setdefault((landing.source, landing.id), {})
    missing = [tenant for tenant in tenants if not any(tenant in found for found in known.values())]
    if not missing:
        return []
    for table, column in _tenant_columns(rooms, landing):
        if table not in known:
            known[table] = _read(rooms, landing, table, column)
            missing = [tenant for tenant in missing if tenant not in known[table]]
            if not missing:
                break
    return missing


def _tenant_columns(rooms: Rooms, landing: Landing) -> list[tuple[str, str]]:
    """Return the tables that name tenants, with that column, those of few rows first."""
    landed = {table.name: table.rows for table in landing.tables}
    specs = [spec for spec in rooms.tables_of(landing.source) if spec.name in landed]
    columns = [(spec.name, spec.tenant_column) for spec in specs if spec.tenant_column is not None]
    return sorted(columns, key=lambda one: landed[one[0]])


def _read(rooms: Rooms, landing: Landing, table: str, column: str) -> frozenset[str]:
    relation = rooms.lake.landings.relation(table, landing, table)
    with rooms.engine.open([relation]) as session:
        rows = session.rows(f"select distinct {identifier(column)} from {identifier(table)}")
    return frozenset(str(row[0]) for row in rows)
