from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offramp.domain.contracts import Column, Contract, DataType, TypeKind

unhurried = settings(deadline=None)  # other work on the machine fails no test
plain = st.sampled_from([kind for kind in TypeKind if kind is not TypeKind.DECIMAL]).map(DataType)
texts = st.integers(1, 4000).map(lambda length: DataType(TypeKind.VARCHAR, length=length))
decimals = st.integers(1, 38).flatmap(
    lambda precision: st.integers(0, precision).map(
        lambda scale: DataType(TypeKind.DECIMAL, precision=precision, scale=scale)
    )
)


@unhurried
@given(st.one_of(plain, texts, decimals))
def test_a_type_reads_back_from_its_own_text(type_: DataType) -> None:
    assert DataType.parse(str(type_)) == type_


@pytest.mark.parametrize(
    ("text", "duckdb"),
    [
        ("bigint", "BIGINT"),
        ("int", "INTEGER"),
        ("VARCHAR(255)", "VARCHAR"),
        ("numeric( 12 , 3 )", "DECIMAL(12,3)"),
        ("timestamp with time zone", "TIMESTAMP WITH TIME ZONE"),
        ("bool", "BOOLEAN"),
    ],
)
def test_a_type_is_named_as_duckdb_names_it(text: str, duckdb: str) -> None:
    assert DataType.parse(text).duckdb == duckdb


@pytest.mark.parametrize(
    "text",
    ["", "varchr", "varchar()", "varchar(0)", "bigint(5)", "decimal", "decimal(3)", "decimal(3,4)", "decimal(39,0)",
     "decimal(0,0)", "varchar(1,2)", "enum", "double precision extra"],
)  # fmt: skip
def test_text_that_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"decimal\(p,s\)|varchar"):
        DataType.parse(text)


def test_the_fingerprint_changes_with_name_type_nullability_key_and_order_and_with_nothing_else() -> None:
    one = Column("id", DataType(TypeKind.BIGINT), is_nullable=False)
    two = Column("title", DataType(TypeKind.VARCHAR, length=10), is_nullable=True)
    contract = Contract((one, two), key=("id",), change_column=None)

    others = [
        replace(contract, columns=(two, one)),
        replace(contract, columns=(one, replace(two, name="name"))),
        replace(contract, columns=(one, replace(two, type=DataType(TypeKind.VARCHAR)))),
        replace(contract, columns=(one, replace(two, is_nullable=False))),
        replace(contract, key=("id", "title")),
    ]
    described = replace(contract, columns=(replace(one, description="The id.", is_personal=True), two))

    assert len({contract.fingerprint, *(other.fingerprint for other in others)}) == 6
    assert described.fingerprint == contract.fingerprint


def test_columns_are_found_by_name() -> None:
    column = Column("id", DataType(TypeKind.BIGINT), is_nullable=False, references="users.id")
    contract = Contract((column,), key=("id",))

    assert contract.column("id") is column
    assert contract.names == ("id",)
    assert contract.as_json()[0]["references"] == "users.id"
    with pytest.raises(KeyError):
        contract.column("ID")
