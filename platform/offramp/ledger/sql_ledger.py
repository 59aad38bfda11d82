"""The ledger in a SQL database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, insert, select, update

from offramp.domain.deliveries import DELIVERED, State
from offramp.domain.errors import DeliveryRefused
from offramp.ledger import claim_rows
from offramp.ledger.database import Database
from offramp.ledger.records import plan_values, record_of, records_by, transition_of
from offramp.ledger.tables import deliveries, placements, transitions
from offramp.ledger.transitions import ALLOWED, REPLACES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime

    from sqlalchemy import ColumnElement, Table
    from sqlalchemy.engine import Connection

    from offramp.domain.deliveries import Claim, Delivery, DeliveryRecord, PlacementRecord, Staged
    from offramp.ledger.records import Transition

BUSY_TIMEOUT = timedelta(seconds=15)


def _as_is(text: str) -> str:
    return text


class SqlLedger:
    """The ledger on SQLite or PostgreSQL (``postgresql+psycopg://``); both keep the same promises.

    The clock is always the caller's ``now``. ``redact`` takes the secrets out of error texts before they are
    stored. Every method raises LedgerUnreachable where the database is locked for longer than ``busy_timeout``
    or does not answer, and WrongUse where it cannot be used at all.
    """

    def __init__(
        self, url: str, *, redact: Callable[[str], str] = _as_is, busy_timeout: timedelta = BUSY_TIMEOUT
    ) -> None:
        self._database = Database(url, busy_timeout=busy_timeout)
        self._redact = redact

    def __repr__(self) -> str:
        return f"SqlLedger({self._database.where!r})"

    def close(self) -> None:
        """Close idle connections."""
        self._database.close()

    def claim(
        self, delivery: Delivery, *, owner: str, ttl: timedelta, now: datetime, gone: Claim | None = None
    ) -> Claim:
        """Take the right to work on a revision, writing it as planned if it is new.

        One claim holds all revisions of a delivery, also against its own owner. A claim that ended is taken
        over with the next token, and so is that of ``gone``, whose process is known to have ended. The state of a
        known revision stays. Raises ClaimHeld.
        """
        with self._database.write([delivery.id]) as connection:
            claim = claim_rows.take(connection, delivery, owner=owner, ttl=ttl, now=now, gone=gone)
            if _state_of(connection, delivery.id, delivery.revision) is None:
                self._insert(connection, claim, delivery, state=State.PLANNED, covered_by=None, now=now)
        return claim

    def renew(self, claim: Claim, *, ttl: timedelta, now: datetime) -> Claim:
        """Extend a claim, also one that ended while nobody took it over. Raises ClaimLost."""
        with self._database.write([claim.delivery_id]) as connection:
            claim_rows.check(connection, claim)
            return claim_rows.extend(connection, claim, now + ttl)

    def check(self, claim: Claim) -> None:
        """Raise ClaimLost if a later claim exists or this one was given back."""
        with self._database.read() as connection:
            claim_rows.check(connection, claim)

    def release(self, claim: Claim) -> None:
        """Give a claim back; its token is of no use afterwards. Raises ClaimLost."""
        with self._database.write([claim.delivery_id]) as connection:
            claim_rows.check(connection, claim)
            claim_rows.end(connection, claim.delivery_id)

    def stage(self, claim: Claim, staged: Staged, *, now: datetime, missed: Iterable[Delivery] = ()) -> None:
        """Advance to staged, and write what was staged: plan, landing, counts and files.

        ``missed`` deliveries are superseded in the same transaction, covered by this one; delivered ones stay as they
        are. A run that still works on a missed delivery loses its claim: its rows are in this delivery already.
        Raises ClaimLost, and DeliveryRefused for another delivery than the claimed one.
        """
        delivery = staged.delivery
        if (delivery.id, delivery.revision) != (claim.delivery_id, claim.revision):
            raise DeliveryRefused(
                "the staged delivery is not the claimed one",
                where=delivery.label,
                expected=f"{claim.delivery_id} r{claim.revision}",
                found=f"{delivery.id} r{delivery.revision}",
            )
        # The revision's reason was written when it was claimed; a later run that stages it need not know it.
        plan = {name: value for name, value in plan_values(delivery).items() if name not in {"supersedes", "reason"}}
        facts = plan | {
            "landing_id": delivery.landing_id,
            "rows": staged.rows,
            "bytes": staged.bytes,
            "files": [file.name for file in staged.files],
        }
        wanted = tuple(missed)
        with self._database.write([claim.delivery_id, *(one.id for one in wanted)]) as connection:
            claim_rows.check(connection, claim)
            for one in wanted:
                self._cover_one(connection, claim, one, now=now)
            self._step(connection, claim, (claim.delivery_id, claim.revision), State.STAGED, now=now)
            connection.execute(_SET, _revision(claim.delivery_id, claim.revision) | facts)

    def advance(self, claim: Claim, state: State, *, now: datetime, error: str | None = None) -> None:
        """Advance to another state; a correction that gets through supersedes the revision that it names.

        Raises ClaimLost, and DeliveryRefused for a step that is not in ``ALLOWED``.
        """
        with self._database.write([claim.delivery_id]) as connection:
            claim_rows.check(connection, claim)
            record = connection.execute(_STAGED, _revision(claim.delivery_id, claim.revision)).one()
            if state is State.STAGED and record.rows is None:
                raise DeliveryRefused(
                    "this delivery was never staged",
                    where=_name(claim.delivery_id, claim.revision),
                    todo="stage it with its files and counts",
                )
            self._step(connection, claim, (claim.delivery_id, claim.revision), state, now=now, error=error)
            if state in REPLACES and record.supersedes is not None:
                for revision in range(1, claim.revision):
                    self._supersede(connection, claim, revision, now=now)

    def place(self, claim: Claim, placement: PlacementRecord, *, now: datetime) -> None:
        """Write what became of one destination, over what was written of it before.

        Raises ClaimLost, and DeliveryRefused where a superseded revision would count as delivered.
        """
        values = {
            "state": placement.state.value,
            "verified_by": placement.verified_by,
            "error": self._storable(placement.error),
            "updated_at": now,
        }
        key = {
            "delivery_id": claim.delivery_id,
            "revision": claim.revision,
            "destination": placement.destination,
        }
        with self._database.write([claim.delivery_id]) as connection:
            claim_rows.check(connection, claim)
            state = _state_of(connection, claim.delivery_id, claim.revision)
            if state is State.SUPERSEDED and placement.state in DELIVERED:
                raise _impossible(claim.delivery_id, claim.revision, state, placement.state)
            place = _revision(claim.delivery_id, claim.revision) | {"wanted_destination": placement.destination}
            if connection.execute(_SET_PLACEMENT, place | values).rowcount == 0:
                connection.execute(_INSERT_PLACEMENT, key | values)

    def find(
        self,
        *,
        subscription: str | None = None,
        recipient: str | None = None,
        feed: str | None = None,
        export: str | None = None,
        first_day: date | None = None,
        last_day: date | None = None,
        states: Iterable[State] | None = None,
    ) -> tuple[DeliveryRecord, ...]:
        """Return records by data day, subscription, export and revision. Days are inclusive; None is any."""
        asked = {
            "subscription": subscription,
            "recipient": recipient,
            "feed": feed,
            "export": export,
            "first_day": first_day,
            "last_day": last_day,
            "states": None if states is None else [state.value for state in states],
        }
        wanted = {name: value for name, value in asked.items() if value is not None}
        with self._database.read() as connection:
            rows = connection.execute(records_by(frozenset(wanted)), wanted).all()
        records = (record_of(tuple(group)) for _, group in groupby(rows, lambda row: (row.delivery_id, row.revision)))
        # Ordered here, not by the database: collations differ.
        return tuple(sorted(records, key=lambda one: (one.data_day, one.subscription_id, one.export, one.revision)))

    def history(self, delivery_id: str) -> tuple[Transition, ...]:
        """Return the log of a delivery, all revisions, in the order in which it happened."""
        query = select(transitions).where(transitions.c.delivery_id == delivery_id).order_by(transitions.c.id)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return tuple(transition_of(row) for row in rows)

    def _insert(
        self,
        connection: Connection,
        claim: Claim,
        delivery: Delivery,
        *,
        state: State,
        covered_by: str | None,
        now: datetime,
    ) -> None:
        values = plan_values(delivery) | {
            "delivery_id": delivery.id,
            "revision": delivery.revision,
            "subscription_id": delivery.subscription.id,
            "recipient": delivery.subscription.recipient,
            "feed": delivery.export.feed,
            "export": delivery.export.name,
            "landing_id": delivery.landing_id if delivery.supersedes is not None else None,
            "data_day": delivery.data_day,
            "state": state.value,
            "covered_by": covered_by,
            "files": [],
            "updated_at": now,
        }
        connection.execute(_INSERT, values)
        _log(connection, claim, _Step(delivery.id, delivery.revision, None, state), now=now, error=None)

    def _step(
        self,
        connection: Connection,
        claim: Claim,
        key: tuple[str, int],
        state: State,
        *,
        now: datetime,
        error: str | None = None,
        covered_by: str | None = None,
    ) -> None:
        """Take one step of one revision, and log it as the claim's owner's doing."""
        found = _state_of(connection, *key)
        if found is None or state not in ALLOWED[found]:
            raise _impossible(*key, found, state)
        stored = self._storable(error)
        values: dict[str, Any] = {"state": state.value, "error": stored, "updated_at": now}
        if covered_by is not None:
            values["covered_by"] = covered_by
        connection.execute(_SET, _revision(*key) | values)
        _log(connection, claim, _Step(*key, found, state), now=now, error=stored)

    def _supersede(self, connection: Connection, claim: Claim, revision: int, *, now: datetime) -> None:
        """Supersede an earlier revision; one that a restored ledger does not know, or that was, needs nothing."""
        if _state_of(connection, claim.delivery_id, revision) not in {None, State.SUPERSEDED}:
            self._step(connection, claim, (claim.delivery_id, revision), State.SUPERSEDED, now=now)

    def _cover_one(self, connection: Connection, claim: Claim, missed: Delivery, *, now: datetime) -> None:
        state = _state_of(connection, missed.id, missed.revision)
        if state in DELIVERED or state is State.SUPERSEDED:
            return
        by = claim.delivery_id
        if state is None:
            self._insert(connection, claim, missed, state=State.SUPERSEDED, covered_by=by, now=now)
        else:
            key = (missed.id, missed.revision)
            self._step(connection, claim, key, State.SUPERSEDED, now=now, covered_by=by)
        claim_rows.end(connection, missed.id)

    def _storable(self, error: str | None) -> str | None:
        """Take secrets out, and what no text column takes: NUL and lone surrogates."""
        if error is None:
            return None
        return self._redact(error).encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


@dataclass(frozen=True, slots=True)
class _Step:
    delivery_id: str
    revision: int
    from_state: State | None
    to_state: State


def _is_wanted(table: Table) -> ColumnElement[bool]:
    return and_(table.c.delivery_id == bindparam("wanted_id"), table.c.revision == bindparam("wanted_revision"))


def _revision(delivery_id: str, revision: int) -> dict[str, object]:
    return {"wanted_id": delivery_id, "wanted_revision": revision}


# Statements are built once: building one costs three times as much as running it.
_STATE = select(deliveries.c.state).where(_is_wanted(deliveries))
_STAGED = select(deliveries.c.supersedes, deliveries.c.rows).where(_is_wanted(deliveries))
_INSERT = insert(deliveries)
_SET = update(deliveries).where(_is_wanted(deliveries))
_INSERT_PLACEMENT = insert(placements)
_SET_PLACEMENT = update(placements).where(
    _is_wanted(placements), placements.c.destination == bindparam("wanted_destination")
)
_LOG = insert(transitions)


def _name(delivery_id: str, revision: int) -> str:
    return f"delivery {delivery_id} r{revision}"


def _state_of(connection: Connection, delivery_id: str, revision: int) -> State | None:
    found = connection.execute(_STATE, _revision(delivery_id, revision)).scalar_one_or_none()
    return State(found) if found else None


def _log(connection: Connection, claim: Claim, step: _Step, *, now: datetime, error: str | None) -> None:
    values = {
        "delivery_id": step.delivery_id,
        "revision": step.revision,
        "at": now,
        "owner": claim.owner,
        "token": claim.token,
        "from_state": step.from_state.value if step.from_state else None,
        "to_state": step.to_state.value,
        "error": error,
    }
    connection.execute(_LOG, values)


def _impossible(delivery_id: str, revision: int, found: State | None, wanted: State) -> DeliveryRefused:
    allowed = [state.value for state in State if state in ALLOWED[found]] if found else []
    return DeliveryRefused(
        f"this delivery cannot become {wanted.value}",
        where=_name(delivery_id, revision),
        expected=f"from {found.value} to {' or '.join(allowed)}" if found and allowed else "no further step",
        found=found.value if found else "no such revision",
        todo="a correction is a new revision; look at the delivery's history",
    )
