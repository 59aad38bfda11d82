"""Kinds of values that say where a destination is. Errors never repeat their input, which may be secret."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from offramp.settings.fields import with_placeholders

SFTP_PORT = 22
IMPLICIT_TLS_PORT = 990
_HOST_KEY = re.compile(r"^SHA256:\S+$|(?:^|\s)\S+\s+AAAA")


def _remote_folder(value: str) -> str:
    parts = value.strip("/").split("/")
    odd = any(part in {"", ".", ".."} or part != part.strip() for part in parts)
    if value.strip("/") not in {"", "."} and (odd or not value.isprintable() or "\\" in value):
        raise PydanticCustomError("folder", "expected names of folders with / between them, such as acme/production")
    return value


def _bucket(value: str) -> str:
    if not value.isprintable() or set(value) & set("/ :?#"):
        raise PydanticCustomError("bucket", "expected the name of a bucket alone, without s3://, gs:// or folders")
    return value


def _host(value: str) -> str:
    if not value.isprintable() or set(value) & set("/ @?#"):
        raise PydanticCustomError("host", "expected the name or address of a host alone, such as sftp.example.com")
    # More than one colon is an address of IPv6.
    if value.count(":") == 1 or "]:" in value:
        raise PydanticCustomError("host", "expected the host alone: put the port into port (FTP_PORT)")
    return value


def _ftp_port(value: int) -> int:
    if value == IMPLICIT_TLS_PORT:
        raise PydanticCustomError("port", "implicit TLS (990) is not spoken: use explicit TLS on 21")
    if value == SFTP_PORT:
        raise PydanticCustomError("port", "22 is the port of SFTP: say kind: sftp (FTP_PORT 22)")
    return value


def _host_keys(value: str) -> str:
    for one in filter(None, map(str.strip, re.split(r"[,\n]", value))):
        if one.lower().startswith("md5:") or re.fullmatch(r"(?:[0-9A-Fa-f]{2}:){15}[0-9A-Fa-f]{2}", one):
            text = "md5 fingerprints are not taken: ask for the one that begins with SHA256:"
            raise PydanticCustomError("host_key", text)
        if not _HOST_KEY.search(one):
            text = "expected a fingerprint SHA256:..., or a key as known_hosts has it (ssh-ed25519 AAAA...)"
            raise PydanticCustomError("host_key", text)
    return value


def _word_of_flag(value: object) -> object:
    """Give back the word: YAML reads an unquoted off as False."""
    return {True: "required", False: "off"}[value] if isinstance(value, bool) else value


def _url(value: str) -> str:
    if not value.startswith(("http://", "https://")) or "@" in value:
        raise PydanticCustomError("url", "expected a URL such as https://s3.example.com, without user and password")
    return value.rstrip("/")


Folder = Annotated[str, BeforeValidator(with_placeholders), AfterValidator(_remote_folder)]
Bucket = Annotated[str, Field(min_length=1), AfterValidator(_bucket)]
Host = Annotated[str, Field(min_length=1), AfterValidator(_host)]
Port = Annotated[int, Field(ge=1, le=65535)]
HostKeys = Annotated[str, AfterValidator(_host_keys)]
Url = Annotated[str, AfterValidator(_url)]
Seconds = Annotated[int, Field(ge=1, le=3600)]
FtpPort = Annotated[Port, AfterValidator(_ftp_port)]
Tls = Annotated[Literal["required", "off"], BeforeValidator(_word_of_flag)]
