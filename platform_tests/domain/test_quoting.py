from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offramp.domain.quoting import identifier, literal

SAYABLE = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@given(text=SAYABLE)
def test_a_literal_comes_back_as_it_was(text: str) -> None:
    assert duckdb.sql(f"select {literal(text)}").fetchone() == (text,)


@given(name=SAYABLE.filter(bool))
def test_a_quoted_name_names_exactly_that_column(name: str) -> None:
    assert duckdb.sql(f"select 1 as {identifier(name)}").columns == [name]


def test_a_nul_is_refused_since_duckdb_would_end_the_statement_there() -> None:
    with pytest.raises(ValueError, match="NUL"):
        literal("a\0b")
