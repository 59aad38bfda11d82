"""A place as a URL: s3://, gs://, sftp:// and ftp://, with what the environment says of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError

from offramp.domain.errors import WrongUse, nearest
from offramp.settings.delivery_options import DELIVERY_NAMES, SFTP_PORT, destinations_in, option_of
from offramp.settings.destinations import DESTINATION, DestinationSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

SCHEMES = ("s3", "gs", "sftp", "ftp", "ftps")


def is_url(text: str) -> bool:
    """Return whether a text is a URL rather than a path."""
    return "://" in text


def destination_at(url: str, variables: Mapping[str, str]) -> tuple[DestinationSettings, str]:
    """Return the settings of a place and its folder.

    ``/~/`` at the beginning of a path is the folder that a login leads to. For SFTP the host key is FTP_HOST_KEY, else
    that of ~/.ssh/known_hosts. Keys, passwords and host keys are the variables of ``delivery_options``; a URL that
    holds a password is refused.
    Raises WrongUse.
    """
    parts, port = _parts(url)
    if parts.scheme not in SCHEMES:
        todo = f"{nearest(parts.scheme, SCHEMES)}; or give the path of a folder"
        raise WrongUse(f"'{parts.scheme}://' is no place that can be read", expected=", ".join(SCHEMES), todo=todo)
    if not parts.hostname:
        expected = "s3://bucket/prefix or sftp://user@host:port/folder"
        raise WrongUse("the URL names no bucket or host", expected=expected, found=url)
    chosen = {name: value for name, value in variables.items() if name in DELIVERY_NAMES}
    settings = next(iter(destinations_in(_of_url(parts, port, chosen)).values()))
    path = parts.path
    if parts.scheme in {"sftp", "ftp", "ftps"}:
        is_relative = path == "/~" or path.startswith("/~/")
        path = path.removeprefix("/~") if is_relative else path
        settings |= {"directory": "" if is_relative else "/"}
    if parts.scheme == "sftp":
        settings |= {"port": port or int(SFTP_PORT)}
        known_hosts = Path.home() / ".ssh" / "known_hosts"
        if "host_key" not in settings and known_hosts.exists():
            settings["known_hosts"] = known_hosts
    try:
        return DESTINATION.validate_python(settings), unquote(path).strip("/")
    except ValidationError as refused:
        fault = refused.errors(include_url=False, include_input=False)[0]
        name = option_of(fault["loc"], str(settings["kind"]))
        raise WrongUse(f"{url} cannot be read: {fault['msg']}", todo=f"set {name} in the environment") from None


def _parts(url: str) -> tuple[SplitResult, int | None]:
    """Take a URL apart, and refuse what it cannot hold. No error repeats what may be a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        expected = "sftp://user@host:port/folder, with a number for the port"
        raise WrongUse("the URL names no host and port", expected=expected) from None
    if parts.password is not None:
        todo = "set FTP_PASSWORD in the environment: what stands in a command line is seen by everybody"
        raise WrongUse("the URL holds a password", todo=todo)
    if "#" in url or "?" in url:
        todo = "write # as %23, ? as %3F"
        raise WrongUse("a # or ? begins what is no part of a URL's path", found=url, todo=todo)
    return parts, port


def _of_url(parts: SplitResult, port: int | None, chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the options of the environment for the URL's scheme, with what the URL says itself."""
    bucket, host = parts.netloc.rpartition("@")[2].partition(":")[0], parts.hostname or ""
    user = {"FTP_USERNAME": unquote(parts.username)} if parts.username else {}
    match parts.scheme:
        case "s3":
            return {**_family(chosen, "S3_"), "S3_BUCKET": bucket}
        case "gs":
            return {**_family(chosen, "GOOGLE_"), "GOOGLE_BUCKET": bucket}
        case "sftp":
            return {**_family(chosen, "FTP_"), **user, "FTP_HOST": host, "FTP_PORT": SFTP_PORT}
        case _:
            return {**_family(chosen, "FTP_"), **user, "FTP_HOST": host, "FTP_PORT": str(port or 21)}


def _family(chosen: Mapping[str, str], start: str) -> dict[str, str]:
    return {name: value for name, value in chosen.items() if name.startswith(start)}
