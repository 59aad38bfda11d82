from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from offramp.domain.contracts import Column, Contract, DataType, TypeKind
from offramp.domain.personal import AS_THEY_ARE, Personal, Treatment, delivered_contract

TEXT, DAY, NUMBER = DataType(TypeKind.VARCHAR, length=255), DataType(TypeKind.DATE), DataType(TypeKind.BIGINT)
USERS = Contract(
    (
        Column("id", NUMBER, is_nullable=False),
        Column("email", TEXT, is_nullable=True, is_personal=True),
        Column("born_on", DAY, is_nullable=False, is_personal=True),
        Column("country", TEXT, is_nullable=True),
    ),
    key=("id",),
)
KEY = SecretStr("0123456789abcdef")


def test_columns_are_delivered_hashed_or_left_out_by_name_before_default() -> None:
    personal = Personal(Treatment.LEFT_OUT, (("users.born_on", Treatment.HASHED),), KEY)
    contract = delivered_contract(USERS, "users", personal)

    assert contract.names == ("id", "born_on", "country")
    assert str(contract.column("born_on").type) == "varchar(64)"
    assert contract.column("born_on").hashed_with == personal.key_id
    assert not contract.column("born_on").is_nullable
    assert contract.fingerprint != USERS.fingerprint
    assert personal.of("users", USERS, Treatment.LEFT_OUT) == ("email",)
    assert personal.of("users", USERS, Treatment.HASHED) == ("born_on",)


def test_a_column_of_the_same_name_in_another_entity_keeps_the_default() -> None:
    personal = Personal(columns=(("guests.email", Treatment.LEFT_OUT),))
    assert delivered_contract(USERS, "users", personal) is USERS
    assert delivered_contract(USERS, "users", AS_THEY_ARE) is USERS
    assert "email" not in delivered_contract(USERS, "guests", personal).names


@given(st.text(min_size=1, max_size=16), st.binary(max_size=200))
def test_the_pads_are_those_of_hmac_sha256(key: str, value: bytes) -> None:
    inner, outer = Personal(hash_key=SecretStr(key)).hash_pads()
    found = hashlib.sha256(outer + hashlib.sha256(inner + value).digest()).hexdigest()
    assert found == hmac.new(key.encode(), value, hashlib.sha256).hexdigest()


def test_a_key_is_needed_fits_a_block_and_is_never_shown() -> None:
    with pytest.raises(ValueError, match="no hash key"):
        AS_THEY_ARE.hash_pads()
    with pytest.raises(ValueError, match="at most 64 bytes"):
        Personal(hash_key=SecretStr("Å" * 33)).hash_pads()
    assert "0123456789abcdef" not in repr(Personal(hash_key=KEY))
