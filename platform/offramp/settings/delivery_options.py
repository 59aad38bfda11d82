"""Destinations as the vendor's documentation names their options: S3_*, FTP_* and GOOGLE_*.

Source: media_exports.md section 7. A subscription whose options name a bucket or a host has a destination of its own:
``<subscription>:s3``, ``<subscription>:ftp`` or ``<subscription>:google``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SFTP_PORT = "22"

_S3 = {
    "S3_BUCKET": "bucket",
    "S3_ACCESS_KEY": "access_key",
    "S3_SECRET_KEY": "secret_key",
    "S3_KEY_PREFIX": "key_prefix",
    "S3_DELIVERY": "delivery",
    "S3_ASSUME_ROLE": "assume_role",
    "S3_EXTERNAL_ID": "external_id",
    "S3_ENDPOINT_URL": "endpoint_url",
    "S3_REGION": "region",
}
_FTP = {
    "FTP_HOST": "host",
    "FTP_PORT": "port",
    "FTP_USERNAME": "username",
    "FTP_PASSWORD": "password",
    "FTP_REMOTE_DIRECTORY": "directory",
    "FTP_DELIVERY": "delivery",
}
_FTP_ONLY = {"FTP_TLS": "tls"}
_SFTP_ONLY = {"FTP_HOST_KEY": "host_key", "FTP_PRIVATE_KEY": "private_key"}
_GOOGLE = {
    "GOOGLE_BUCKET": "bucket",
    "GOOGLE_ACCESS_KEY": "access_key",
    "GOOGLE_SECRET_KEY": "secret_key",
    "GOOGLE_DELIVERY": "delivery",
    "GOOGLE_KEY_PREFIX": "key_prefix",
    "GOOGLE_ENDPOINT_URL": "endpoint_url",
}
_LEADING = {"S3_BUCKET": "s3", "FTP_HOST": "ftp", "GOOGLE_BUCKET": "google"}

DELIVERY_NAMES = (*_S3, *_FTP, *_FTP_ONLY, *_SFTP_ONLY, *_GOOGLE)
"""Every name of an option that says where files go."""

SECRET_NAMES = frozenset(
    {
        "S3_ACCESS_KEY", "S3_SECRET_KEY", "FTP_PASSWORD", "FTP_PRIVATE_KEY", "GOOGLE_ACCESS_KEY", "GOOGLE_SECRET_KEY",
    }
)  # fmt: skip
"""Those whose values are never shown."""


def inherited(outer: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Return the options of the environment that count below a subscription's own.

    One that names a bucket or host itself, or says by an empty text that it has none, takes nothing of that family:
    the environment's keys and passwords are for the environment's place.
    """
    left = tuple(_family(leading) for leading in _LEADING if leading in own)
    return {name: value for name, value in outer.items() if not (name in DELIVERY_NAMES and name.startswith(left))}


def _family(leading: str) -> str:
    return leading.split("_", maxsplit=1)[0] + "_"


def option_of(loc: Sequence[object], kind: str) -> str:
    """Return the option that a fault is about, from where pydantic found it in a destination's settings."""
    names = {"s3": _S3, "gcs": _GOOGLE, "ftp": _FTP | _FTP_ONLY, "sftp": _FTP | _SFTP_ONLY}[kind]
    return next((option for option, key in names.items() if key == loc[-1]), next(iter(names)))


def destinations_in(options: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """Return the settings of the destinations that options name, by ``s3``, ``ftp`` or ``google``. Not validated.

    Empty options count as absent: the documentation gives an empty text as their default.
    """
    chosen = {name: value for name, value in options.items() if value != "" and name in DELIVERY_NAMES}
    is_sftp = chosen.get("FTP_PORT", "").strip() == SFTP_PORT
    kinds = {
        "s3": ("s3", _S3),
        "ftp": ("sftp", _FTP | _SFTP_ONLY) if is_sftp else ("ftp", _FTP | _FTP_ONLY),
        "google": ("gcs", _GOOGLE),
    }
    found: dict[str, dict[str, object]] = {}
    for leading, name in _LEADING.items():
        if leading in chosen:
            kind, names = kinds[name]
            settings: dict[str, object] = {key: chosen[option] for option, key in names.items() if option in chosen}
            found[name] = {"kind": kind, **settings}
    return found


def faults(options: Mapping[str, str]) -> Iterator[str]:
    """Say what is wrong with options of delivery taken together. Each message begins with an option's name."""
    chosen = {name for name, value in options.items() if value != "" and name in DELIVERY_NAMES}
    for leading in _LEADING:
        others = sorted(name for name in chosen if name.startswith(_family(leading)) and not name.endswith("_DELIVERY"))
        if others and leading not in chosen:
            yield f"{others[0]} is set and {leading} is not: nothing is delivered there"
    is_sftp = options.get("FTP_PORT", "").strip() == SFTP_PORT
    if "FTP_HOST" in chosen:
        for name in sorted(chosen & set(_FTP_ONLY if is_sftp else _SFTP_ONLY)):
            yield f"{name} is for {'FTP' if is_sftp else 'SFTP'}, and FTP_PORT {SFTP_PORT} alone means SFTP"
