"""The one claim that each delivery can have, for all its revisions together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from offramp.domain.deliveries import Claim
from offramp.domain.errors import ClaimHeld, ClaimLost
from offramp.ledger.tables import claims

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from sqlalchemy.engine import Connection, Row

    from offramp.domain.deliveries import Delivery

# Statements are built once: building one costs three times as much as running it.
_ROW = select(claims).where(claims.c.delivery_id == bindparam("wanted"))
_INSERT = insert(claims)
_SET = update(claims).where(claims.c.delivery_id == bindparam("wanted"))


def take(
    connection: Connection, delivery: Delivery, *, owner: str, ttl: timedelta, now: datetime, gone: Claim | None
) -> Claim:
    """Claim a delivery with the next token; ClaimHeld while a claim has not ended, unless its holder is ``gone``."""
    row = _row(connection, delivery.id)
    holder = Claim(delivery.id, row.revision, row.token, row.owner, row.expires_at) if row and row.owner else None
    if row is not None and holder is not None and holder.expires_at > now and not _is_same(holder, gone):
        raise ClaimHeld(
            "another run works on this delivery",
            holder=holder,
            where=delivery.label,
            expected="no claim, or one that has ended",
            found=f"revision {row.revision} held by {row.owner} until {row.expires_at:%Y-%m-%dT%H:%M:%SZ}",
            todo="wait for that run; if it died, run again when its claim has ended",
        )
    token = row.token + 1 if row is not None else 1
    claim = Claim(delivery.id, delivery.revision, token, owner, now + ttl)
    if row is None:
        connection.execute(_INSERT, {"delivery_id": claim.delivery_id, **_values(claim)})
    else:
        _update(connection, claim.delivery_id, _values(claim))
    return claim


def _is_same(holder: Claim, gone: Claim | None) -> bool:
    return gone is not None and (holder.token, holder.owner) == (gone.token, gone.owner)


def check(connection: Connection, claim: Claim) -> None:
    """Raise ClaimLost if a later claim exists or this one was given back."""
    row = _row(connection, claim.delivery_id)
    mine = (claim.revision, claim.token, claim.owner)
    if row is None or (row.revision, row.token, row.owner) != mine:
        raise ClaimLost(
            "this run's claim is old",
            where=f"delivery {claim.delivery_id} r{claim.revision}",
            expected=f"token {claim.token} of {claim.owner}",
            found=f"token {row.token} of {row.owner or 'nobody: it was given back'}" if row else "no claim",
            todo="stop this run; a later one does the work",
        )


def extend(connection: Connection, claim: Claim, expires_at: datetime) -> Claim:
    """Move the end of a claim that was checked."""
    extended = replace(claim, expires_at=expires_at)
    _update(connection, claim.delivery_id, _values(extended))
    return extended


def end(connection: Connection, delivery_id: str) -> None:
    """End whatever claim there is. The token stays, so that the next claim counts on."""
    _update(connection, delivery_id, {"owner": None, "expires_at": None})


def _row(connection: Connection, delivery_id: str) -> Row[Any] | None:
    return connection.execute(_ROW, {"wanted": delivery_id}).one_or_none()


def _values(claim: Claim) -> dict[str, object]:
    return {
        "revision": claim.revision,
        "token": claim.token,
        "owner": claim.owner,
        "expires_at": claim.expires_at,
    }


def _update(connection: Connection, delivery_id: str, values: Mapping[str, object]) -> None:
    connection.execute(_SET, {"wanted": delivery_id, **values})
