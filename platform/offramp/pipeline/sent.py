"""Sent: an index of the keys that went out, for exports whose rows are delivered once and never again.

A delivery that holds a key of another data day is refused, so that nothing goes out twice whatever the model says. That
nothing is lost is proved by ``accounting.adds_up``. Source: mobility_offloads.md section 8, rule 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.domain.deliveries import DELIVERED, State
from offramp.domain.errors import ContractBroken
from offramp.domain.landings import Relation
from offramp.domain.quoting import identifier
from offramp.pipeline.scan import TENANT, of_tenants

if TYPE_CHECKING:
    from offramp.domain.deliveries import Delivery, DeliveryRecord
    from offramp.pipeline.rooms import Rooms
    from offramp.pipeline.scan import Scan

_HAS_PARTS = DELIVERED | {State.STAGED}
_MINE, _OTHERS = "sent.mine", "sent.others"


def index_sent(rooms: Rooms, delivery: Delivery, scan: Scan) -> None:
    """Write down which keys a delivery holds, and refuse one that another data day's delivery holds already.

    Raises ContractBroken, naming the first such key.
    """
    model = delivery.export.model
    if not model.is_delivered_once:
        return
    rooms.at_step("stage.sent")
    keys = ", ".join(identifier(name) for name in model.contract.key)
    mine = of_tenants(model, delivery.subscription.tenants, TENANT) if scan.has_tenant else ""
    name, own = _name(delivery), _key(delivery.data_day.isoformat(), delivery.revision)
    store = rooms.lake.models
    with store.writing(name, own) as path:
        scan.session.store(f"select {keys} from ({scan.sql}) where true{mine} order by {keys}", path)
    schema = tuple((one, model.column(one).type.duckdb) for one in model.contract.key)
    # What was delivered before there was an index, or whose index was pruned, is not looked at.
    there = [_key(day, one.revision) for day, one in _others(rooms, delivery).items()]
    others = tuple(str(store.path_for(name, one)) for one in there if store.has(name, one))
    relations = (
        Relation(_MINE, (str(store.path_for(name, own)),), schema),
        Relation(_OTHERS, others, schema),
    )
    with rooms.engine.open(relations) as session:
        known = f"select * from {identifier(_MINE)} semi join {identifier(_OTHERS)} using ({keys})"
        twice = session.rows(f"select count(*) over (), * from ({known}) limit 1")
    if twice:
        raise ContractBroken(
            "rows were delivered before, for another data day",
            where=delivery.label,
            expected="each key in one delivery",
            found=f"{twice[0][0]:,} keys, the first {tuple(twice[0][1:])}",
            todo="look in the ledger for a delivery of a later day, or for a layer that was built anew since",
        )


def _others(rooms: Rooms, delivery: Delivery) -> dict[str, DeliveryRecord]:
    """Return the newest delivered or staged revision of each other data day."""
    records = rooms.ledger.find(subscription=delivery.subscription.id, export=delivery.export.name, states=_HAS_PARTS)
    return {one.data_day.isoformat(): one for one in records if one.data_day != delivery.data_day}


def _name(delivery: Delivery) -> str:
    return f"{delivery.export.feed}/sent/{delivery.export.entity}/{delivery.subscription.id}"


def _key(day: str, revision: int) -> str:
    return f"{day}.r{revision}"
