"""Deliveries and ledgers for tests, and work on a ledger in processes of its own."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.engine import URL

from offramp.domain.contracts import Column, Contract, DataType
from offramp.domain.deliveries import Counts, Delivery, FileEntry, Kind, Previous, Staged, State
from offramp.domain.errors import ClaimHeld
from offramp.domain.exports import EntityKind, Export, FormatName, Mode, Model
from offramp.domain.subscriptions import Subscription
from offramp.domain.windows import Window
from offramp.ledger.sql_ledger import SqlLedger

if TYPE_CHECKING:
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Barrier

    from offramp.domain.deliveries import Claim

NOW = datetime(2026, 3, 3, 1, 0, 0, 123456, tzinfo=UTC)
DAY = date(2026, 3, 2)
TTL = timedelta(minutes=30)


def postgres_url(conninfo: str) -> str:
    parts = conninfo_to_dict(conninfo)
    url = URL.create(
        "postgresql+psycopg",
        username=str(parts["user"]),
        password=str(parts["password"]),
        host=str(parts["host"]),
        port=int(str(parts["port"])),
        database=str(parts["dbname"]),
    )
    return url.render_as_string(hide_password=False)


def make_delivery(
    day: date = DAY,
    *,
    subscription: str = "acme-media",
    recipient: str = "acme",
    entity: str = "users",
    revision: int = 1,
    supersedes: int | None = None,
    mode: Mode = Mode.DELTA,
) -> Delivery:
    contract = Contract((Column("user_id", DataType.parse("bigint"), is_nullable=False),), ("user_id",))
    model = Model("media", entity, EntityKind.MUTABLE, contract, "tenant", "Users.", (), "users.sql", "f" * 64)
    tick = datetime(day.year, day.month, day.day, 1, tzinfo=UTC) + timedelta(days=1)
    return Delivery(
        subscription=Subscription(subscription, recipient, "media", ("t1",), DAY, ("outbox",)),
        export=Export("media", mode, entity, model, FormatName.CSV),
        data_day=day,
        tick=tick,
        until=tick,
        window=Window(tick - timedelta(days=1), tick),
        landing_id=None,
        kind=Kind.CORRECTION if supersedes else Kind.REGULAR,
        revision=revision,
        previous=Previous("0" * 16, 1, "landing-0", tick - timedelta(days=1)),
        supersedes=supersedes,
        reason="a wrong price" if supersedes else None,
    )


def make_staged(delivery: Delivery, *, landing_id: str = "landing-1") -> Staged:
    files = tuple(FileEntry(f"users_{part}.csv", 10, 1000, {"sha256": str(part) * 64}) for part in (1, 2))
    return Staged(replace(delivery, landing_id=landing_id), files, Counts(read=20, rows=20), {})


def race_for_claims(url: str, worker: int, rounds: int, barrier: Barrier, answers: Queue[tuple[int, int, int]]) -> None:
    """Claim the same delivery as all others at the same moment, round after round; each round is another day."""
    ledger = SqlLedger(url)
    for number in range(rounds):
        delivery = make_delivery(DAY + timedelta(days=number))
        barrier.wait(60)
        try:
            claim = ledger.claim(delivery, owner=f"worker {worker}", ttl=TTL, now=NOW)
        except ClaimHeld:
            continue
        answers.put((number, worker, claim.token))
    ledger.close()


def create_at_once(url: str, barrier: Barrier, answers: Queue[int]) -> None:
    ledger = SqlLedger(url)
    barrier.wait(60)
    answers.put(len(ledger.find()))
    ledger.close()


def _die(_text: str) -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def die_while_writing(url: str, claim: Claim) -> None:
    """Texts are redacted inside the transaction, with its locks held: the process ends there."""
    SqlLedger(url, redact=_die).advance(claim, State.FAILED, now=NOW, error="no source")
