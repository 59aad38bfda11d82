"""The trail of what staff, services and users change: rows that name what they touched, and its values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from offramp.sources.demo.chapter import logged
from offramp.sources.demo.draw import HOUR, addresses, instants, spoil
from offramp.sources.demo.moments import Part
from offramp.sources.demo.versions import REMOVED
from offramp.sources.demo.words import REMARKS, SERVICES, STAFF

if TYPE_CHECKING:
    from offramp.sources.demo.chapter import Beginning, First, Shift, Versions

_A_DAY = 320


@dataclass(frozen=True, slots=True)
class _Trail:
    """What is noted of an entity: ``shown`` are the values, ``before`` is what one of them was before an UPDATE.

    ``made`` dates a row's beginning, which is noted as CREATE, and ``owner`` is its user. Only rows ``among`` are
    touched again: those for which ``is_gone`` holds were DELETEd, with the others one of ``actions`` happened.
    """

    entity: str
    share: float
    shown: tuple[str, ...]
    actions: tuple[str, ...]
    before: pl.Expr
    key: str = "id"
    made: str = "registered"
    owner: str | None = None
    is_gone: pl.Expr = field(default_factory=lambda: pl.lit(value=False))
    among: pl.Expr = field(default_factory=lambda: pl.lit(value=True))


_DELETED = pl.col("deleted")
_EDITS = ("UPDATE",) * 3
_RELEASES = ("PUBLISH", "PUBLISH", "UNPUBLISH")
_TRAILS = (
    _Trail(
        "assets",
        0.25,
        ("title", "archive", "drm_protected"),
        _EDITS + _RELEASES,
        ~pl.col("archive"),
        made="create_time",
        is_gone=_DELETED,
        # Drafts are removed for good some day.
        among=pl.col("published_date").is_not_null(),
    ),
    _Trail(
        "users",
        0.2,
        ("enabled", "email_status", "country"),
        (*_EDITS, *("LOGIN",) * 4),
        ~pl.col("enabled"),
        made="registration_date",
        owner="id",
        is_gone=_DELETED,
    ),
    _Trail(
        "categories",
        0.08,
        ("title", "sort_index"),
        _EDITS + _RELEASES,
        pl.col("sort_index").fill_null(0) + 1,
        is_gone=_DELETED,
    ),
    _Trail(
        "users_access",
        0.2,
        ("status_id", "autorenew_errors", "price", "currency"),
        _EDITS,
        pl.col("autorenew_errors") + 1,
        owner="user_id",
    ),
    _Trail(
        "users_payment_methods",
        0.07,
        ("user_payment_method_status", "allow_one_click_buy"),
        _EDITS,
        ~pl.col("allow_one_click_buy"),
        owner="user_id",
        is_gone=pl.col("user_payment_method_status") == "REMOVED",
    ),
    _Trail(
        "payment_transactions",
        0.05,
        ("amount", "currency"),
        ("REFUND",),
        pl.col("amount"),
        # Purchases and renewals.
        among=pl.col("payment_transaction_type_id") <= 2,
    ),
    _Trail("products", 0.05, ("name", "price", "enabled"), _EDITS, ~pl.col("enabled")),
    _Trail("vouchers", 0.07, ("pool", "available"), _EDITS, ~pl.col("available"), key="code"),
    _Trail("acquisition_manager_contracts", 0.03, ("title", "status"), _EDITS, pl.col("title") + pl.lit(" (draft)")),
)


def begin(_: Beginning) -> First:
    """Return nothing: the trail is a log, which begins with the first day."""
    return {}


def live(shift: Shift) -> Versions:
    """Return the trail of a part of a day. Half of the entities are touched in a part, the others in the next one."""
    turn = shift.number * len(Part) + list(Part).index(shift.part)
    touched = [_touched(shift, trail) for place, trail in enumerate(_TRAILS) if (place + turn) % 2 == 0]
    rows = pl.concat([rows for rows in touched if rows is not None])
    # The entities' rows are mixed.
    rows = shift.choose(rows, len(rows))
    return {"audits": [_noted(shift, rows)]}


def _touched(shift: Shift, trail: _Trail) -> pl.DataFrame | None:
    """Return rows of an entity that were touched, and with what; None while there is no such table."""
    table = shift.state.tables.get(trail.entity)
    if table is None or not len(table):
        return None
    draw = shift.draw
    n = shift.count(max(_A_DAY * shift.scale, 20) * trail.share * 2)
    among = trail.among & ~pl.col(REMOVED)
    old = table[draw.whole(0, len(table), n)].filter(among)
    # What was made in the part before: this entity's turn comes again after the next one.
    start, made = shift.midnight + shift.part.value[0] * HOUR, pl.col(trail.made).cast(pl.Int64)
    new = shift.choose(table.filter((made >= start - 7 * HOUR) & (made < start) & among), n // 4)
    action = pl.concat([draw.pick(trail.actions, len(old)), draw.pick(("CREATE",), len(new))])
    rows = pl.concat([old, new]).with_columns(action.alias("_action"))
    is_gone = trail.is_gone & (pl.col("_action") != "CREATE")
    what = pl.when(is_gone).then(pl.lit("DELETE")).otherwise("_action")
    owner = pl.lit(None, pl.String) if trail.owner is None else pl.col(trail.owner).cast(pl.String)
    changed = trail.before.meta.root_names()[0]
    after = pl.struct(*trail.shown)
    before = pl.struct(*(trail.before.alias(name) if name == changed else pl.col(name) for name in trail.shown))
    return rows.select(
        pl.lit(trail.entity).alias("entity"),
        pl.col(trail.key).cast(pl.String).alias("entity_id"),
        what.alias("action"),
        owner.alias("owner"),
        pl.col(trail.made).alias("made"),
        before.struct.json_encode().alias("before"),
        after.struct.json_encode().alias("after"),
        "tenant",
    )


def _noted(shift: Shift, rows: pl.DataFrame) -> pl.DataFrame:
    """Return log rows: who did it, from where, the values before and after, and a remark."""
    draw, n = shift.draw, len(rows)
    when = shift.moments(n)
    lot = draw.rng.random(n)
    is_user = pl.Series(lot < 0.3) & rows.get_column("owner").is_not_null()
    is_service = pl.Series(lot > 0.65) & (rows.get_column("action") != "LOGIN")
    staff = spoil(draw.pick(STAFF, n), draw.chance(0.02, n))
    actor = draw.pick(SERVICES, n).zip_with(is_service, rows.get_column("owner").zip_with(is_user, staff))
    kind = spoil(
        spoil(pl.Series(["ADMIN"]).new_from_index(0, n), is_user.to_numpy(), "USER"), is_service.to_numpy(), "SERVICE"
    )
    ip = spoil(addresses(draw, n), is_service.to_numpy() | draw.chance(0.02, n))
    action = pl.col("action")
    released = pl.lit('{"published":true}')
    withdrawn = pl.lit('{"published":false}')
    old = (
        pl.when(action == "PUBLISH").then(withdrawn).when(action == "UNPUBLISH").then(released)
        .when(action == "UPDATE").then("before").when(action == "DELETE").then("after")
    )  # fmt: skip
    new = (
        pl.when(action == "PUBLISH").then(released).when(action == "UNPUBLISH").then(withdrawn)
        .when(action.is_in(["CREATE", "UPDATE", "REFUND"])).then("after")
    )  # fmt: skip
    changed = pl.max_horizontal("made", instants(when.changed))
    noted = rows.select(
        pl.when(action == "CREATE").then("made").otherwise(changed).alias("registered"),
        kind.alias("actor_type"),
        actor.alias("actor_id"),
        "action",
        "entity",
        "entity_id",
        ip.alias("ip"),
        old.alias("old_value"),
        new.alias("new_value"),
        draw.text(REMARKS, n, odd=0.1, null=0.5, empty=0.02).alias("comment"),
        "tenant",
    )
    return logged(noted, when)
