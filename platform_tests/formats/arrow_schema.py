"""The Arrow schema of a contract: what a FormatWriter is given as ``schema``."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import pyarrow as pa

from offramp.domain.contracts import TypeKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from offramp.domain.contracts import Column, DataType


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """Return names, types and nullability of a contract's columns; times are microseconds in UTC."""
    return pa.schema(
        [pa.field(column.name, _arrow_type(column.type), nullable=column.is_nullable) for column in columns]
    )


def _arrow_type(kind: DataType) -> pa.DataType:  # noqa: PLR0911  one return per type
    match kind.kind:
        case TypeKind.BIGINT:
            return pa.int64()
        case TypeKind.INTEGER:
            return pa.int32()
        case TypeKind.DOUBLE:
            return pa.float64()
        case TypeKind.DECIMAL:
            return pa.decimal128(kind.precision, kind.scale)
        case TypeKind.VARCHAR | TypeKind.UUID | TypeKind.JSON:
            return pa.string()
        case TypeKind.BOOLEAN:
            return pa.bool_()
        case TypeKind.TIMESTAMP | TypeKind.TIMESTAMPTZ:
            return pa.timestamp("us", tz="UTC")
        case TypeKind.DATE:
            return pa.date32()
        case TypeKind.BLOB:
            return pa.binary()
        case _:
            assert_never(kind.kind)
