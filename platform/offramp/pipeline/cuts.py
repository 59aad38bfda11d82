"""Cuts: which rows of a landing belong to a delivery, and why, as SQL over the model.

A cut gives every row of the model one class: all, window, catch_up, late (delivered), pending or unchanged (left
out). Deliveries with the same landing, base and window share one cut and so one scan; tenants are chosen
afterwards. Source: the table of delta rules in media_exports.md section 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from offramp.domain.contracts import TypeKind
from offramp.domain.deliveries import Cut
from offramp.domain.exports import EntityKind, Mode
from offramp.domain.quoting import identifier
from offramp.pipeline.changes import changes, row_key
from offramp.pipeline.relations import is_computed, model_over, model_since

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from offramp.domain.deliveries import Delivery
    from offramp.domain.exports import Model
    from offramp.domain.landings import Landing, Relation
    from offramp.pipeline.rooms import Rooms

CUT = "__cut"
LATE_AGE = "__late_age"
REPEATED = "__repeated"
DELIVERED_CUTS = tuple(cut.value for cut in Cut)


@dataclass(frozen=True, slots=True)
class CutRows:
    """Every row of the model with its class, as SQL and the relations it reads.

    ``sql`` yields the model's columns, ``__cut``, ``__late_age`` (a field of LateAges, or NULL) and
    ``__repeated`` (NULL where there is no base). ``changes`` is the relation of changes, None without a base
    or for events.
    """

    sql: str
    relations: tuple[Relation, ...]
    changes: Relation | None = None


def cut_rows(
    rooms: Rooms, delivery: Delivery, landing: Landing, base: Landing | None, compared: Sequence[str]
) -> CutRows:
    """Return the cut of a delivery. ``base`` is the landing of its previous delivery."""
    model = delivery.export.model
    if delivery.export.mode is Mode.OFFLOAD:
        return _offload(rooms, delivery, landing)
    if delivery.export.mode is Mode.SNAPSHOT or (delivery.window is None and model.kind is not EntityKind.EVENTS):
        over = model_over(rooms, model, landing, prefix="now_")
        return CutRows(_classified(over.sql, f"'{Cut.ALL}'"), over.relations)
    if model.kind is EntityKind.EVENTS:
        return _events(rooms, delivery, landing, base)
    return _mutable(rooms, delivery, landing, base, compared)


def _classified(sql: str, cut: str, late_age: str = "null::varchar", repeated: str = "null::boolean") -> str:
    return f"select m.*, {cut} as {CUT}, {late_age} as {LATE_AGE}, {repeated} as {REPEATED} from ({sql}) as m"


def _offload(rooms: Rooms, delivery: Delivery, landing: Landing) -> CutRows:
    """Cut the rows of a sliding window; a model that has none gives its state as it is (mobility_offloads.md 8)."""
    model, window = delivery.export.model, delivery.window
    over = model_over(rooms, model, landing, prefix="now_")
    if model.window_column is None or window is None:
        return CutRows(_classified(over.sql, f"'{Cut.ALL}'"), over.relations)
    instant = f"m.{identifier(model.window_column)}"
    start, end = (f"timestamp '{one:%Y-%m-%d %H:%M:%S.%f}'" for one in (window.start, window.end))
    cut = f"case when {instant} >= {start} and {instant} < {end} then '{Cut.WINDOW}' else 'unchanged' end"
    return CutRows(_classified(over.sql, cut), over.relations)


def change_instant(model: Model, moment: datetime) -> str:
    """Return an instant as a literal of the change column's type; times without a zone are UTC."""
    kind = model.column(_change(model)).type.kind
    text = f"{moment:%Y-%m-%d %H:%M:%S.%f}"
    if kind is TypeKind.DATE:
        return f"date '{moment:%Y-%m-%d}'"
    return f"timestamptz '{text}+00'" if kind is TypeKind.TIMESTAMPTZ else f"timestamp '{text}'"


def _change(model: Model) -> str:
    if model.contract.change_column is None:
        message = f"model {model.name} has a delta and no change column"
        raise AssertionError(message)
    return model.contract.change_column


def _late_age(changed_at: str, start: str) -> str:
    age = f"({start} - {changed_at})"
    return (
        f"case when {changed_at} is null then 'undated' when {age} <= interval 1 hour then 'lt_1h' "
        f"when {age} <= interval 1 day then 'lt_1d' when {age} <= interval 7 days then 'lt_7d' else 'ge_7d' end"
    )


def _mutable(
    rooms: Rooms, delivery: Delivery, landing: Landing, base: Landing | None, compared: Sequence[str]
) -> CutRows:
    model = delivery.export.model
    over = model_over(rooms, model, landing, prefix="now_")
    changed_at = f"m.{identifier(_change(model))}"
    window = delivery.window
    assert window is not None  # noqa: S101 - deltas without a window are baselines, see cut_rows
    start, end = change_instant(model, window.start), change_instant(model, window.end)
    in_window = f"{changed_at} >= {start} and {changed_at} < {end}"
    if base is None or delivery.previous is None:
        cut = (
            f"case when {in_window} then '{Cut.WINDOW}' when {changed_at} >= {end} then 'pending' else 'unchanged' end"
        )
        return CutRows(_classified(over.sql, cut), over.relations)
    difference = changes(rooms, model, landing, base, compared=compared)
    key = row_key(model)
    on = " and ".join(f"m.{identifier(name)} is not distinct from d.{identifier(name)}" for name in key)
    since = change_instant(model, delivery.previous.until)
    differs = "d.change is not null"
    cut = (
        f"case when {in_window} then '{Cut.WINDOW}' when {changed_at} >= {end} then 'pending' "
        f"when {changed_at} >= {since} and {changed_at} < {start} then '{Cut.CATCH_UP}' "
        f"when {differs} then '{Cut.LATE}' else 'unchanged' end"
    )
    is_old = f"({changed_at} < least({start}, {since}) or {changed_at} is null)"
    late = f"case when {differs} and {is_old} then {_late_age(changed_at, start)} end"
    repeated = f"({in_window} and {changed_at} < {since} and not ({differs}))"
    present = f"select * from {identifier(difference.name)} where change <> 'removed'"
    sql = (
        f"select m.*, {cut} as {CUT}, {late} as {LATE_AGE}, {repeated} as {REPEATED} "
        f"from ({over.sql}) as m left join ({present}) as d on {on}"
    )
    return CutRows(sql, (*over.relations, difference), difference)


def _events(rooms: Rooms, delivery: Delivery, landing: Landing, base: Landing | None) -> CutRows:
    """Cut events by ingestion order: what landed after the base, and what was held back then."""
    model = delivery.export.model
    changed_at = f"m.{identifier(_change(model))}"
    end = change_instant(model, delivery.until)
    if delivery.window is None:
        over = model_over(rooms, model, landing, prefix="now_")
        return CutRows(
            _classified(over.sql, f"case when {changed_at} < {end} then '{Cut.ALL}' else 'pending' end"), over.relations
        )
    start = change_instant(model, delivery.window.start)
    if base is None or delivery.previous is None:
        over = model_over(rooms, model, landing, prefix="now_")
        cut = (
            f"case when {changed_at} >= {end} then 'pending' when {changed_at} >= {start} then '{Cut.WINDOW}' "
            "else 'unchanged' end"
        )
        return CutRows(_classified(over.sql, cut), over.relations)
    since = change_instant(model, delivery.previous.until)
    fresh = model_since(rooms, model, landing, base, prefix="now_")
    cut = (
        f"case when {changed_at} >= {end} then 'pending' when {changed_at} >= {start} then '{Cut.WINDOW}' "
        f"when {changed_at} >= {since} then '{Cut.CATCH_UP}' else '{Cut.LATE}' end"
    )
    late = f"case when {changed_at} < least({start}, {since}) then {_late_age(changed_at, start)} end"
    sql = _classified(fresh.sql, cut, late, "false")
    if is_computed(rooms, model):
        # A build holds nothing of a later day, and under a new version of its layer the base's day is not built.
        return CutRows(sql, fresh.relations)
    known = model_over(rooms, model, base, prefix="base_")
    held = f"select * from ({known.sql}) as m where {changed_at} >= {since}"
    return CutRows(
        f"{sql} union all {_classified(held, cut, 'null::varchar', 'false')}", (*fresh.relations, *known.relations)
    )
