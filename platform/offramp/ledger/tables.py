"""The tables of the ledger and its column types, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    TIMESTAMP,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.types import TypeEngine

_TEXT_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


class Instant(TypeDecorator[datetime]):
    """An aware instant in UTC: timestamptz in PostgreSQL; in SQLite text of fixed width, which sorts by time."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(String(27))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | str | None:
        """Refuse naive times; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"an instant needs a zone, found {value!r}"
            raise ValueError(message)
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.strftime(_TEXT_FORMAT)

    def process_result_value(self, value: datetime | str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """Return aware UTC."""
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        return value.astimezone(UTC) if value else None


metadata = MetaData()

ledger_version = Table("ledger_version", metadata, Column("version", Integer, primary_key=True, autoincrement=False))

deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", String(16), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("subscription_id", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("feed", Text, nullable=False),
    Column("export", Text, nullable=False),
    Column("data_day", Date, nullable=False),
    Column("tick", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("window_start", Instant),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("landing_id", Text),
    Column("previous", Text),
    Column("supersedes", Integer),
    Column("reason", Text),
    Column("covered_by", String(16)),
    Column("is_approximate", Boolean, nullable=False),
    Column("rows", BigInteger),
    Column("bytes", BigInteger),
    Column("files", JSON, nullable=False),
    Column("error", Text),
    Column("updated_at", Instant, nullable=False),
    Index("deliveries_by_day", "data_day", "subscription_id"),
    Index("deliveries_by_subscription", "subscription_id", "export", "data_day"),
)

placements = Table(
    "placements",
    metadata,
    Column("delivery_id", String(16), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("destination", Text, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("verified_by", String(16)),
    Column("error", Text),
    Column("updated_at", Instant, nullable=False),
    ForeignKeyConstraint(["delivery_id", "revision"], ["deliveries.delivery_id", "deliveries.revision"]),
)

# One row per delivery, for all its revisions: the token never goes back. Without an owner nobody holds it.
claims = Table(
    "claims",
    metadata,
    Column("delivery_id", String(16), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("owner", Text),
    Column("expires_at", Instant),
)

# Only ever appended to.
transitions = Table(
    "transitions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("delivery_id", String(16), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("owner", Text, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("from_state", String(16)),
    Column("to_state", String(16), nullable=False),
    Column("error", Text),
    ForeignKeyConstraint(["delivery_id", "revision"], ["deliveries.delivery_id", "deliveries.revision"]),
    Index("transitions_by_delivery", "delivery_id", "revision", "id"),
)
