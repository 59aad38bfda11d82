"""Accounting: rows read = rows delivered + rows left out, and deltas that add up to the landing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.domain.deliveries import Counts, Cut, LateAges
from offramp.domain.errors import ContractBroken
from offramp.domain.exports import EntityKind, Mode
from offramp.domain.quoting import identifier
from offramp.pipeline.changes import CHANGES, row_key
from offramp.pipeline.cuts import DELIVERED_CUTS, change_instant
from offramp.pipeline.relations import is_computed, is_unchanged, model_base, model_over, model_since
from offramp.pipeline.scan import TENANT, of_tenants

if TYPE_CHECKING:
    from datetime import datetime

    from offramp.domain.deliveries import Delivery
    from offramp.domain.landings import Landing
    from offramp.pipeline.relations import ModelOver
    from offramp.pipeline.rooms import Rooms
    from offramp.pipeline.scan import Scan


def counts_of(delivery: Delivery, scan: Scan) -> Counts:
    """Return what a delivery reads, delivers and leaves out, by the scan's tallies of its tenants."""
    tenants = set(delivery.subscription.tenants)
    is_shared = delivery.export.model.tenant_column is None
    mine = [tally for tally in scan.tallies if is_shared or tally.tenant in tenants]

    def rows(*cuts: str) -> int:
        return sum(tally.rows for tally in mine if tally.cut in cuts)

    def late(age: str) -> int:
        return sum(tally.rows for tally in mine if tally.cut == Cut.LATE and tally.late_age == age)

    has_base = delivery.export.mode is Mode.DELTA and scan.base is not None
    ages = LateAges(*(late(age) for age in ("lt_1h", "lt_1d", "lt_7d", "ge_7d", "undated")))
    return Counts(
        read=sum(tally.rows for tally in mine),
        rows=rows(*DELIVERED_CUTS),
        in_window=rows(Cut.WINDOW),
        catch_up=rows(Cut.CATCH_UP),
        late=ages if has_base else None,
        repeated=sum(tally.rows for tally in mine if tally.is_repeated) if has_base else None,
        pending=rows("pending"),
        unchanged=rows("unchanged"),
    )


def removed(delivery: Delivery, scan: Scan) -> int | None:
    """Return how many keys vanished since the base; None where there is none to tell by."""
    if scan.cut.changes is None:
        return None
    if not scan.cut.changes.uris:  # no table changed
        return 0
    mine = of_tenants(delivery.export.model, delivery.subscription.tenants)
    found = scan.session.rows(
        f"select count(*) from {identifier(scan.cut.changes.name)} where change = 'removed'{mine}"
    )
    return int(str(found[0][0]))


def adds_up(rooms: Rooms, delivery: Delivery, scan: Scan, counts: Counts) -> bool | None:
    """Prove that base + delta + deletes = landing, over all keys that are not pending; None without a base.

    Mutable: rows whose key is in no difference are the same in both landings, by their count and the sum of their
    hashes, and every key that was added or changed and is not pending is among the rows to deliver. Events: what is
    known up to the window's end has grown by exactly the delivered rows. Raises ContractBroken.
    Source: media_exports.md section 7.
    """
    if delivery.export.mode is not Mode.DELTA or scan.base is None or delivery.previous is None:
        return None
    rooms.at_step("stage.add_up")
    if delivery.export.model.kind is EntityKind.EVENTS:
        missing = _grown_events(rooms, delivery, scan, scan.base) - counts.rows
    else:
        missing = _unnoticed_changes(rooms, delivery, scan, scan.base) + _undelivered_changes(delivery, scan)
    if missing:
        raise ContractBroken(
            "the delta does not add up: previous landing + delta + deletes is not the new landing",
            where=delivery.label,
            expected="0 rows missing",
            found=f"{missing:,} rows",
            todo="the change column moves backwards or rows vanish from the landing: compare the two landings",
        )
    return True


def _unnoticed_changes(rooms: Rooms, delivery: Delivery, scan: Scan, base: Landing) -> int:
    """Return by how many rows the landings differ beside the stored difference; -1 where only the hashes do.

    Asked of the two landings themselves, so that a difference that is wrong is found.
    """
    model = delivery.export.model
    if scan.cut.changes is None or is_unchanged(rooms, model, scan.landing, base):
        return 0
    now = model_over(rooms, model, scan.landing, prefix="now_")
    then = model_base(rooms, model, base, now, prefix="base_")
    hashed = ", ".join(f"m.{identifier(name)}" for name in scan.compared)
    same = " and ".join(f"m.{identifier(name)} is not distinct from c.{identifier(name)}" for name in row_key(model))
    mine = of_tenants(model, delivery.subscription.tenants)

    def beside(sql: str, gone: str) -> str:
        known = f"select * from {identifier(CHANGES)} where change <> '{gone}'"
        rows = f"select m.* from ({sql}) as m anti join ({known}) as c on {same}"
        return f"select count(*), sum(hash({hashed})::hugeint) from ({rows}) as m where true{mine}"

    both = f"select * from ({beside(now.sql, 'removed')}) as newer, ({beside(then.sql, 'added')}) as older"
    with rooms.engine.open((*now.relations, *then.relations, scan.cut.changes)) as session:
        [(rows, hashes, earlier_rows, earlier_hashes)] = session.rows(both)
    return 0 if (rows, hashes) == (earlier_rows, earlier_hashes) else int(str(rows)) - int(str(earlier_rows)) or -1


def _undelivered_changes(delivery: Delivery, scan: Scan) -> int:
    model = delivery.export.model
    if scan.cut.changes is None or not scan.cut.changes.uris:
        return 0
    # Without a tenant column the scan holds one tenant's rows, and the changes are filtered to it.
    names = {name: TENANT if name == model.tenant_column else name for name in row_key(model)}
    same = " and ".join(
        f"e.{identifier(extract)} is not distinct from c.{identifier(name)}"
        for name, extract in names.items()
        if scan.has_tenant or extract != TENANT
    )
    found = scan.session.rows(
        f"select count(*) from {identifier(scan.cut.changes.name)} as c where c.change <> 'removed' "
        f"and (c.changed_at is null or c.changed_at < {change_instant(model, delivery.until)})"
        f"{of_tenants(model, delivery.subscription.tenants)} "
        f"and not exists (select 1 from ({scan.sql}) as e where {same})"
    )
    return int(str(found[0][0]))


def _grown_events(rooms: Rooms, delivery: Delivery, scan: Scan, base: Landing) -> int:
    """Return by how many events what is known up to the window's end has grown since the base's end.

    A layer keeps no more than some days of builds at hand, so there the builds since the base are counted.
    """
    model, until = delivery.export.model, delivery.until
    if is_computed(rooms, model):
        fresh = model_since(rooms, model, scan.landing, base, prefix="now_")
        return _count_events(rooms, delivery, fresh, until)
    assert delivery.previous is not None  # noqa: S101 - there is a base
    known = _events_up_to(rooms, delivery, base, delivery.previous.until)
    return _events_up_to(rooms, delivery, scan.landing, until) - known


def _events_up_to(rooms: Rooms, delivery: Delivery, landing: Landing, until: datetime) -> int:
    return _count_events(rooms, delivery, model_over(rooms, delivery.export.model, landing), until)


def _count_events(rooms: Rooms, delivery: Delivery, over: ModelOver, until: datetime) -> int:
    model = delivery.export.model
    changed_at = identifier(model.contract.change_column or "")
    with rooms.engine.open(over.relations) as session:
        found = session.rows(
            f"select count(*) from ({over.sql}) where {changed_at} < {change_instant(model, until)}"
            f"{of_tenants(model, delivery.subscription.tenants)}"
        )
    return int(str(found[0][0]))
