"""Which host keys a server may show: pinned ones, or those of a known_hosts file."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from offramp.domain.errors import DestinationClosed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from offramp.destinations.sftp.place import SftpPlace

_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?")
# RSA keys are one type with two ways of signing.
_SIGNATURES = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}


@dataclass(frozen=True, slots=True)
class HostKey:
    """A key by its SHA-256 fingerprint, as OpenSSH prints it; ``type`` is None where only the fingerprint is known."""

    fingerprint: str
    type: str | None = None

    def __str__(self) -> str:
        return f"{self.type} {self.fingerprint}" if self.type else self.fingerprint

    @property
    def algorithms(self) -> tuple[str, ...]:
        """What to negotiate so that the server shows this key; empty where the type is not known."""
        return _SIGNATURES.get(self.type, (self.type,)) if self.type else ()


@dataclass(frozen=True, slots=True)
class TrustedKeys:
    """The keys that are accepted, and those that never are."""

    keys: tuple[HostKey, ...]
    revoked: frozenset[str] = frozenset()

    def accept(self, found: HostKey) -> bool:
        """Say whether a key is one of them."""
        return found.fingerprint not in self.revoked and any(key.fingerprint == found.fingerprint for key in self.keys)

    @property
    def algorithms(self) -> frozenset[str] | None:
        """Every key's way of signing, or None where one key's type is not known."""
        if not all(key.type for key in self.keys):
            return None
        return frozenset(algorithm for key in self.keys for algorithm in key.algorithms)


def trusted_keys(place: SftpPlace, *, destination: str) -> TrustedKeys:
    """Return the keys of the settings; there may be none. Raises DestinationClosed for text that is no key."""
    pinned = tuple(_pinned(place.host_key or "", destination=destination))
    if place.known_hosts is None:
        return TrustedKeys(pinned)
    known = list(_known(place, destination=destination))
    revoked = frozenset(key.fingerprint for key, marker in known if marker == "@revoked")
    return TrustedKeys((*pinned, *(key for key, marker in known if marker is None)), revoked)


def _pinned(text: str, *, destination: str) -> Iterator[HostKey]:
    for one in filter(None, map(str.strip, re.split(r"[,\n]", text))):
        key = HostKey(one.rstrip("=")) if _FINGERPRINT.fullmatch(one) else _public_key(one.split())
        if key is None:
            raise DestinationClosed(
                f"destination '{destination}' has a host key that cannot be read",
                where="host_key",
                expected="a fingerprint SHA256:<43 characters>, or a line such as 'ssh-ed25519 AAAA...'",
                found=one,
                todo="ask the customer for the SHA256 fingerprint of the server's key (ssh-keygen -lf)",
            )
        yield key


def _public_key(fields: list[str]) -> HostKey | None:
    """Read ``<type> <base64> [comment]``, with or without a host before it."""
    for name, encoded in pairwise(fields):
        if encoded.startswith("AAAA"):
            try:
                blob = base64.b64decode(encoded, validate=True)
            except binascii.Error:
                return None
            length = int.from_bytes(blob[:4], "big")
            return HostKey(fingerprint(blob), name) if blob[4 : 4 + length] == name.encode() else None
    return None


def fingerprint(blob: bytes) -> str:
    """Return what ``ssh-keygen -l`` prints of a public key."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _known(place: SftpPlace, *, destination: str) -> Iterator[tuple[HostKey, str | None]]:
    """Yield the keys of a known_hosts file that belong to this host and port, with the marker before the line."""
    path = Path(place.known_hosts or "")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DestinationClosed(
            f"destination '{destination}' cannot read its known_hosts file",
            where=str(path),
            found=str(error),
            todo="correct the path, or give the key as host_key (FTP_HOST_KEY)",
        ) from error
    host = place.host.lower() if place.port == 22 else f"[{place.host.lower()}]:{place.port}"
    for line in lines:
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        marker = fields.pop(0) if fields[0].startswith("@") else None
        key = _public_key(fields[1:])
        if key is not None and _matches(fields[0].split(","), host):
            yield key, marker


def _matches(patterns: Iterable[str], host: str) -> bool:
    """Match as sshd(8) says: hashed names, ``*`` and ``?``, and ``!`` before a name that is left out."""
    is_match = False
    for pattern in patterns:
        if pattern.startswith("|1|"):
            is_match = is_match or _is_hash_of(host, pattern)
            continue
        plain = re.escape(pattern.removeprefix("!").lower()).replace(r"\*", ".*").replace(r"\?", ".")
        if re.fullmatch(plain, host):
            if pattern.startswith("!"):
                return False
            is_match = True
    return is_match


def _is_hash_of(host: str, pattern: str) -> bool:
    """Compare with a hashed name, ``|1|<salt>|<HMAC-SHA1>``."""
    salt, _, digest = pattern.removeprefix("|1|").partition("|")
    try:
        return hmac.digest(base64.b64decode(salt), host.encode(), "sha1") == base64.b64decode(digest)
    except binascii.Error:
        return False
