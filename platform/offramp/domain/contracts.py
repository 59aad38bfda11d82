"""Contracts: the columns of an export, their types, key and meaning."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from enum import StrEnum


class TypeKind(StrEnum):
    """The closed set of column types. Their text in files is fixed per format (media_exports.md section 4)."""

    BIGINT = "bigint"
    INTEGER = "integer"
    DOUBLE = "double"
    DECIMAL = "decimal"
    VARCHAR = "varchar"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    DATE = "date"
    UUID = "uuid"
    JSON = "json"
    BLOB = "blob"


_MOST_DIGITS = 38  # DuckDB and Arrow hold decimals in 128 bits
_TYPE = re.compile(r"^(?P<kind>[a-z]+)\s*(?:\(\s*(?P<a>\d+)\s*(?:,\s*(?P<b>\d+)\s*)?\))?$")
_ALIASES = {
    "text": "varchar", "string": "varchar", "int": "integer", "numeric": "decimal", "bool": "boolean",
    "timestamp with time zone": "timestamptz",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DataType:
    """A column's type; ``length`` in characters for text, ``precision`` and ``scale`` in digits for decimals."""

    kind: TypeKind
    length: int | None = None
    precision: int | None = None
    scale: int | None = None

    @classmethod
    def parse(cls, text: str) -> DataType:
        """Read ``bigint``, ``varchar(255)``, ``decimal(12,3)`` ...; a ValueError names what is valid."""
        lowered = " ".join(text.lower().split())
        match = _TYPE.match(_ALIASES.get(lowered, lowered))
        kind = _ALIASES.get(match["kind"], match["kind"]) if match else ""
        if match is None or kind not in set(TypeKind):
            message = f"'{text}' is not a type; valid: {', '.join(TypeKind)}, varchar(n), decimal(p,s)"
            raise ValueError(message)
        first, second = match["a"], match["b"]
        if kind == TypeKind.DECIMAL:
            if first is None or second is None:
                message = f"'{text}' needs precision and scale: decimal(p,s)"
                raise ValueError(message)
            if not 1 <= int(first) <= _MOST_DIGITS or int(second) > int(first):
                message = f"'{text}' is not possible: decimal(p,s) has 1 to {_MOST_DIGITS} digits, s of them at most p"
                raise ValueError(message)
            return cls(TypeKind.DECIMAL, precision=int(first), scale=int(second))
        if second is not None or (first is not None and kind != TypeKind.VARCHAR):
            message = f"'{text}': only varchar(n) and decimal(p,s) take numbers"
            raise ValueError(message)
        if first is not None and int(first) == 0:
            message = f"'{text}' holds no character: varchar(n) has one at least"
            raise ValueError(message)
        return cls(TypeKind(kind), length=int(first) if first else None)

    @property
    def duckdb(self) -> str:
        """The type as DuckDB prints it; text lengths are a data test and not part of it."""
        if self.kind is TypeKind.DECIMAL:
            return f"DECIMAL({self.precision},{self.scale})"
        if self.kind is TypeKind.TIMESTAMPTZ:
            return "TIMESTAMP WITH TIME ZONE"
        return self.kind.value.upper()

    def __str__(self) -> str:
        if self.kind is TypeKind.DECIMAL:
            return f"decimal({self.precision},{self.scale})"
        return f"{self.kind}({self.length})" if self.length else self.kind.value


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a contract. ``references`` is ``entity.column``.

    ``hashed_with`` is the id of the key under which files hold its hash, None where they hold the value.
    """

    name: str
    type: DataType
    is_nullable: bool
    description: str = ""
    references: str | None = None
    is_personal: bool = False
    hashed_with: str | None = None

    @property
    def is_hashed(self) -> bool:
        """True where files hold the hash."""
        return self.hashed_with is not None


@dataclass(frozen=True, slots=True)
class Contract:
    """The columns of an export in their order, its key, and the column that dates a change (None: nothing does)."""

    columns: tuple[Column, ...]
    key: tuple[str, ...]
    change_column: str | None = None
    _by_name: dict[str, Column] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        """Index the columns by name."""
        object.__setattr__(self, "_by_name", {column.name: column for column in self.columns})

    def column(self, name: str) -> Column:
        """Return a column by its name; a KeyError if there is none."""
        return self._by_name[name]

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in their order."""
        return tuple(column.name for column in self.columns)

    def as_json(self) -> list[dict[str, object]]:
        """Return the columns as the schema that is published beside the data."""
        return [
            {
                "name": column.name,
                "type": str(column.type),
                "nullable": column.is_nullable,
                "key": column.name in self.key,
                "references": column.references,
                "description": column.description,
            }
            for column in self.columns
        ]

    @property
    def hashed(self) -> dict[str, str]:
        """The columns that files hold hashed, each with the id of its hash key.

        The fingerprint does not tell: a hash is text of 64 digits, which other columns are too.
        """
        return {column.name: column.hashed_with for column in self.columns if column.hashed_with is not None}

    @property
    def fingerprint(self) -> str:
        """The sha256 of the canonical JSON of names, types, nullability and key (promises.md section 5)."""
        facts = [[c.name, str(c.type), c.is_nullable, c.name in self.key] for c in self.columns]
        return hashlib.sha256(json.dumps(facts, separators=(",", ":")).encode()).hexdigest()
