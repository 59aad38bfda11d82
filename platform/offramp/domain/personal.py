"""Personal columns: what a subscription receives of them, and the contract that its files follow."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from offramp.domain.contracts import Contract, DataType, TypeKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import SecretStr

    from offramp.domain.contracts import Column

HASH_NAME = "hmac-sha256"
_HASH = DataType(TypeKind.VARCHAR, length=64)
_BLOCK_BYTES = 64


class Treatment(StrEnum):
    """What becomes of a personal column: as it is, as the hex digits of a keyed hash, or not at all."""

    DELIVERED = "delivered"
    HASHED = "hashed"
    LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True)
class Personal:
    """How a subscription receives personal columns: ``default``, but for ``columns`` by ``entity.column``.

    Equal values have equal hashes under one ``hash_key``, in all entities, so that references still join.
    """

    default: Treatment = Treatment.DELIVERED
    columns: tuple[tuple[str, Treatment], ...] = ()
    hash_key: SecretStr | None = None

    def treatment(self, entity: str, column: Column) -> Treatment:
        """Return what becomes of a column; one that is not personal is delivered."""
        if not column.is_personal:
            return Treatment.DELIVERED
        return dict(self.columns).get(f"{entity}.{column.name}", self.default)

    def of(self, entity: str, contract: Contract, treatment: Treatment) -> tuple[str, ...]:
        """Return the personal columns of an entity that are treated so."""
        personal = [column for column in contract.columns if column.is_personal]
        return tuple(column.name for column in personal if self.treatment(entity, column) is treatment)

    @property
    def key_id(self) -> str | None:
        """What tells one key from another without giving it away; None without a key."""
        if self.hash_key is None:
            return None
        return hmac.new(self.hash_key.get_secret_value().encode(), b"offramp key id", "sha256").hexdigest()[:16]

    def hash_pads(self) -> tuple[bytes, bytes]:
        """Return the inner and outer pads of HMAC-SHA256 (RFC 2104); a ValueError without a key."""
        if self.hash_key is None:
            message = "no hash key"
            raise ValueError(message)
        key = self.hash_key.get_secret_value().encode()
        if len(key) > _BLOCK_BYTES:
            message = f"a hash key has at most {_BLOCK_BYTES} bytes"
            raise ValueError(message)
        block = key.ljust(_BLOCK_BYTES, b"\0")
        return bytes(one ^ 0x36 for one in block), bytes(one ^ 0x5C for one in block)


AS_THEY_ARE = Personal()


@lru_cache(maxsize=4096)
def delivered_contract(contract: Contract, entity: str, personal: Personal) -> Contract:
    """Return the contract of the files: hashed columns are text of 64 digits, those left out are gone."""
    columns = tuple(_delivered(contract.columns, entity, personal))
    return contract if columns == contract.columns else Contract(columns, contract.key, contract.change_column)


def _delivered(columns: Iterable[Column], entity: str, personal: Personal) -> Iterable[Column]:
    for column in columns:
        match personal.treatment(entity, column):
            case Treatment.DELIVERED:
                yield column
            case Treatment.HASHED:
                yield replace(column, type=_HASH, hashed_with=personal.key_id)
            case Treatment.LEFT_OUT:
                pass
