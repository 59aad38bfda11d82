"""What the shapes of offramp.yaml are made of: kinds of values, and mappings that take only keys that they know.

Errors never repeat their input, which may be secret.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Any, ClassVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ByteSize, ConfigDict, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

PLACEHOLDERS = ("{recipient}", "{feed}", "{subscription}")
_DURATION = re.compile(r"^(?P<number>\d{1,6})\s*(?P<unit>second|minute|hour|day)s?$")


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.match(value) if isinstance(value, str) else None
    if match is None:
        raise PydanticCustomError("duration", "expected a length of time such as '5 minutes'")
    return timedelta(**{f"{match['unit']}s": int(match["number"])})


def _no_number(value: object) -> object:
    if isinstance(value, int | float):  # pydantic would count seconds since 1970
        raise PydanticCustomError("date", "expected a date such as 2026-11-01")
    return value


def _no_flag(value: object) -> object:
    if isinstance(value, bool):  # pydantic would take yes for 1
        raise PydanticCustomError("number", "expected a number")
    return value


def with_placeholders(value: object) -> object:
    """Refuse placeholders that stand for nothing."""
    unknown = [one for one in re.findall(r"\{[^}]*\}?", str(value)) if one not in PLACEHOLDERS]
    if unknown:
        text = "'{found}' stands for nothing here; valid: {valid}"
        raise PydanticCustomError("placeholder", text, {"found": unknown[0], "valid": ", ".join(PLACEHOLDERS)})
    return value


def folder_names(value: str) -> str:
    """Refuse what is no path of folders on every kind of destination."""
    parts = value.split("/")
    odd = any(part in {"", ".", ".."} or part != part.strip() or len(part.encode()) > 200 for part in parts)
    if value and (odd or not value.isprintable() or set(value) & set("{}\\:")):
        raise PydanticCustomError("prefix", "expected names of folders with / between them, such as acme/production")
    return value


def _hash_key(value: object) -> object:
    if not isinstance(value, str) or not 16 <= len(value) <= 64 or not value.isprintable():
        raise PydanticCustomError("secret", "a secret of 16 to 64 printable characters")
    return value


def _without_line_end(value: object) -> object:
    # Files that orchestrators keep secrets in often end in one; keys of several lines keep theirs.
    if isinstance(value, str) and len(value.strip().splitlines()) == 1:
        return value.strip("\r\n")
    return value


def _each_once(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise PydanticCustomError("twice", "expected each name once")
    return values


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Day = Annotated[date, BeforeValidator(_no_number)]
Count = Annotated[int, BeforeValidator(_no_flag), Field(ge=1)]
Memory = Annotated[ByteSize, BeforeValidator(_no_flag), Field(ge=64 * 1024 * 1024)]
# Names become folders and asset keys; a '|' would also blur the ids of deliveries.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)]
Secret = Annotated[SecretStr, BeforeValidator(_without_line_end), Field(min_length=1)]
HashKey = Annotated[SecretStr, BeforeValidator(_hash_key)]
Prefix = Annotated[str, AfterValidator(folder_names)]
Names = Annotated[list[Annotated[str, Field(min_length=1)]], AfterValidator(_each_once)]


class Strict(BaseModel):
    """A mapping of the file. Errors never repeat its input, which may be secret."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _only_known_keys(cls, value: Any) -> Any:
        known = [info.alias or name for name, info in cls.model_fields.items()]
        if not isinstance(value, dict):
            return value
        kinds = list(get_args(cls.model_fields["kind"].annotation)) if "kind" in known else []
        if kinds and "kind" in value and value["kind"] not in kinds:
            raise PydanticCustomError("unknown_kind", "", {"valid": kinds})
        unknown = [key for key in value if key not in known]
        if unknown:
            raise PydanticCustomError("unknown_key", "", {"key": unknown[0], "valid": known})
        return value
