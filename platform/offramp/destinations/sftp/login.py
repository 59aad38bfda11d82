"""Logging in to an SSH server: a key, a password, questions at a keyboard, or several where the server wants them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from offramp.destinations.sftp.errors import sftp_errors
from offramp.domain.errors import DestinationClosed, DestinationDown

if TYPE_CHECKING:
    from collections.abc import Callable

    from paramiko import PKey, Transport

    from offramp.destinations.sftp.place import SftpPlace


def private_key(place: SftpPlace, *, destination: str) -> PKey | None:
    """Read the private key of the settings: OpenSSH, PKCS#8 or PKCS#1 text. Raises DestinationClosed."""
    if place.private_key is None:
        return None
    # Loaded here, since other destinations need none of it.
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    given_text = place.private_key.get_secret_value()
    data = given_text.strip().encode() + b"\n"
    given = place.private_key_passphrase
    passphrase = given.get_secret_value().encode() if given else None
    load = serialization.load_ssh_private_key if b"OPENSSH" in data[:40] else serialization.load_pem_private_key
    try:
        loaded = load(data, passphrase)
        text = loaded.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        ).decode()
        return _as_paramiko(text)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        todo = "give the whole file with its first and last line; check private_key_passphrase"
        if "\\n" in given_text:
            todo = "its line breaks are written as \\n: give the file's own lines, for one by private_key_file"
        # What the library says may quote the key, so it is neither shown nor chained.
        raise DestinationClosed(
            f"destination '{destination}' has a private key that cannot be read",
            where="private_key",
            expected="the text of an OpenSSH or PEM key (ed25519, ECDSA or RSA), and its passphrase if it has one",
            found=type(error).__name__,
            todo=todo,
        ) from None


def _as_paramiko(text: str) -> PKey:
    from paramiko import ECDSAKey, Ed25519Key, RSAKey, SSHException  # noqa: PLC0415

    for kind in (Ed25519Key, ECDSAKey, RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text))
        except SSHException:
            continue
    raise ValueError("neither ed25519, ECDSA nor RSA")


def log_in(transport: Transport, place: SftpPlace, key: PKey | None, *, destination: str) -> None:
    """Try what the settings have among what the server offers, until the server is content.

    Raises DestinationClosed that names the methods, DestinationUnreachable.
    """
    from paramiko import AuthenticationException, BadAuthenticationType  # noqa: PLC0415

    methods = _methods(transport, place, key)
    tried: list[str] = []
    refused: AuthenticationException | None = None
    with sftp_errors(destination, "log in", place.address, passing=DestinationDown):
        try:
            offered = transport.auth_none(place.username)
        except BadAuthenticationType as error:
            offered = error.allowed_types
        while not transport.is_authenticated():
            method = next((one for one in methods if one in offered and one not in tried), None)
            if method is None:
                raise _refused(destination, place, offered, tried) from refused
            tried.append(method)
            try:
                offered = methods[method]() or offered
            except AuthenticationException as error:
                if not transport.is_active() or "timeout" in str(error):
                    raise
                refused = error
                if method == "password":
                    # The same text as an answer to a question would be a second wrong password: accounts are locked.
                    methods.pop("keyboard-interactive", None)


def _methods(transport: Transport, place: SftpPlace, key: PKey | None) -> dict[str, Callable[[], list[str]]]:
    """Return how to log in by each method that the settings allow, keys first."""
    methods: dict[str, Callable[[], list[str]]] = {}
    if key is not None:
        methods["publickey"] = lambda: transport.auth_publickey(place.username, key)
    if place.password is not None:
        password = place.password.get_secret_value()
        methods["password"] = lambda: transport.auth_password(place.username, password, fallback=False)
        methods["keyboard-interactive"] = lambda: transport.auth_interactive(
            place.username, lambda _title, _instructions, prompts: [password for _ in prompts]
        )
    return methods


def _refused(destination: str, place: SftpPlace, offered: list[str], tried: list[str]) -> DestinationClosed:
    given = [word for word, one in (("a private key", place.private_key), ("a password", place.password)) if one]
    return DestinationClosed(
        f"destination '{destination}' does not let user '{place.username}' in",
        where=place.address,
        expected=f"one of the methods that the server offers: {', '.join(offered)}",
        found=f"the settings have {' and '.join(given) or 'neither password nor key'}; "
        f"refused: {', '.join(tried) or 'nothing was tried'}",
        todo="check user name, password and key with the customer, and that this address may log in there",
    )
