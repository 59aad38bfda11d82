"""A checked and logged-in connection: the host key before any credential, then every method the server wants."""

from __future__ import annotations

import logging
import socket
import struct
import threading
from typing import TYPE_CHECKING

from offramp.destinations.network import connected
from offramp.destinations.sftp.errors import sftp_errors
from offramp.destinations.sftp.host_keys import HostKey, TrustedKeys, fingerprint, trusted_keys
from offramp.destinations.sftp.login import log_in, private_key
from offramp.destinations.sftp.packets import Reader
from offramp.destinations.sftp.session import SftpSession, close_transport
from offramp.domain.errors import DestinationClosed, DestinationDown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paramiko import Channel, Transport

    from offramp.destinations.sftp.place import SftpPlace

_KEEPALIVE_SECONDS = 15
_HOST_KEYS = (
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256",
)  # fmt: skip
# What comes first is taken: GCM encrypts and authenticates in one call of OpenSSL.
_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr")
_MACS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
    "hmac-sha1",
)
# A name of its own, so that nobody's settings of paramiko's loggers change; errors are raised, not logged.
_LOGGER = "offramp.sftp.paramiko"
logging.getLogger(_LOGGER).setLevel(logging.CRITICAL)


def connect(place: SftpPlace, *, destination: str) -> SftpSession:
    """Connect, check the host key, log in and open SFTP.

    Raises DestinationClosed for a host key that is not trusted and for a refused login, DestinationUnreachable.
    """
    key = private_key(place, destination=destination)
    transport = _checked(place, trusted_keys(place, destination=destination), destination=destination)
    try:
        log_in(transport, place, key, destination=destination)
        with sftp_errors(destination, "open SFTP", place.address, passing=DestinationDown):
            channel = transport.open_session(timeout=place.timeout_seconds)
            channel.settimeout(place.timeout_seconds)
            _ask_for_sftp(transport, channel, place, destination)
            return SftpSession(transport, channel)
    except BaseException:
        close_transport(transport)
        raise


def _ask_for_sftp(transport: Transport, channel: Channel, place: SftpPlace, destination: str) -> None:
    from paramiko import SSHException  # noqa: PLC0415 - loads cryptography

    is_over = threading.Event()

    def give_up() -> None:
        is_over.set()
        transport.close()

    # paramiko waits for the answer without an end, but wakes up when the connection is closed.
    over = threading.Timer(place.timeout_seconds, give_up)
    over.daemon = True
    over.start()
    try:
        channel.invoke_subsystem("sftp")
    except (SSHException, EOFError, OSError) as error:
        if is_over.is_set():
            raise TimeoutError from error
        if not isinstance(error, SSHException) or not transport.is_active():
            raise
        raise DestinationClosed(
            f"the server of destination '{destination}' lets user '{place.username}' in, but has no SFTP for it",
            where=place.address,
            found=str(error),
            todo="ask the customer to switch SFTP on for this user",
        ) from error
    finally:
        over.cancel()


def found_host_key(place: SftpPlace) -> str:
    """Connect without credentials and return type and fingerprint of every key of the server, one on a line."""
    return "\n".join(map(str, _offered(place, destination=place.address)))


def _checked(place: SftpPlace, trusted: TrustedKeys, *, destination: str) -> Transport:
    if not trusted.keys:
        found = "\n            ".join(map(str, _offered(place, destination=destination)))
        raise DestinationClosed(
            f"destination '{destination}' has no host key to check the server by",
            where=place.address,
            expected="host_key, or a known_hosts file that names this host and port",
            found=found,
            todo="ask the customer for the fingerprint by another channel (phone, signed mail, their documentation); "
            "if it is the one found here, set it as FTP_HOST_KEY (host_key)",
        )
    found_keys: list[HostKey] = []
    for transport, key in _handshakes(place, trusted.algorithms, destination=destination):
        if trusted.accept(key):
            return transport
        close_transport(transport)
        found_keys.append(key)
    found_keys = found_keys or _offered(place, destination=destination)
    is_revoked = any(key.fingerprint in trusted.revoked for key in found_keys)
    raise DestinationClosed(
        f"destination '{destination}' shows another host key than the settings trust; no credential was sent",
        where=place.address,
        expected=" or ".join(map(str, trusted.keys)) + (" (and not a revoked one)" if is_revoked else ""),
        found=", ".join(map(str, found_keys)),
        todo="somebody may stand between; ask the customer by another channel whether the key was changed, and only "
        "then set the new one as FTP_HOST_KEY (host_key)",
    )


def _offered(place: SftpPlace, *, destination: str) -> list[HostKey]:
    found = []
    for transport, key in _handshakes(place, None, destination=destination):
        close_transport(transport)
        found.append(key)
    return found


def _handshakes(
    place: SftpPlace, algorithms: frozenset[str] | None, *, destination: str
) -> Iterator[tuple[Transport, HostKey]]:
    """Yield a connection for every type of host key that the server has, or for those of some algorithms.

    A server shows one key per connection, so each further one leaves out the types that were shown already.
    """
    wanted = [one for one in _HOST_KEYS if algorithms is None or one in algorithms]
    while wanted:
        transport = _handshake(place, wanted, destination=destination)
        if transport is None:
            return
        server_key = transport.get_remote_server_key()
        key = HostKey(fingerprint(server_key.asbytes()), server_key.get_name())
        wanted = [one for one in wanted if one not in key.algorithms]
        yield transport, key


def _handshake(place: SftpPlace, host_keys: list[str], *, destination: str) -> Transport | None:
    """Return a connection whose keys are agreed, or None if the server has no host key of these types."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - slow to load
    from paramiko import SSHException, Transport  # noqa: PLC0415 - loads cryptography
    from paramiko.ssh_exception import IncompatiblePeer  # noqa: PLC0415

    with sftp_errors(destination, "connect to the server", place.address, passing=DestinationDown):
        transport = Transport(_connected(place))
        transport.set_log_channel(_LOGGER)
        # Ours, of start_client, ends first: paramiko's own tell silence like a lost connection.
        transport.banner_timeout = transport.handshake_timeout = place.timeout_seconds + 1
        transport.auth_timeout = transport.channel_timeout = place.timeout_seconds
        options = transport.get_security_options()
        options.key_types, options.ciphers, options.digests = host_keys, _CIPHERS, _MACS
        try:
            transport.start_client(timeout=place.timeout_seconds)
            # It returns without a word when the time is over; this raises then.
            transport.get_remote_server_key()
        except IncompatiblePeer as error:
            close_transport(transport)
            if len(host_keys) < len(_HOST_KEYS) and "host key" in str(error):
                return None
            raise _nothing_in_common(place, error, destination) from error
        # All but the first are what paramiko makes of a byte that was damaged on the way.
        except (SSHException, InvalidTag, ValueError, struct.error) as error:
            close_transport(transport)
            raise _without_handshake(place, error, destination) from error
        except BaseException:
            close_transport(transport)
            raise
        transport.set_keepalive(_KEEPALIVE_SECONDS)
    return transport


def _connected(place: SftpPlace) -> socket.socket:
    found = connected(place.host, place.port, place.timeout_seconds)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # paramiko goes on for ever to send to a server that takes nothing any more; the kernel of Linux can give up.
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(place.timeout_seconds * 1000))
    return found


def _without_handshake(place: SftpPlace, error: Exception, destination: str) -> DestinationDown:
    """Return the error for a server that says nothing, hangs up, or says something else than SSH."""
    found, todo = str(error) or "a message that was damaged on the way", "run again; the parts stay staged"
    if "No existing session" in found:
        found = "no answer in time"
        todo = f"check the network and the server's load, or raise timeout_seconds, then {todo}"
    elif "banner" in found and isinstance(error.__context__, EOFError):
        found = "it closed the connection without a greeting"
        todo = f"check that this address is let in and how many connections are, then {todo}"
    elif "banner" in found or "protocol version" in found:
        found = "what answers there speaks no SSH"
        todo = f"check host and port: is it the port of an FTP server? Then {todo}"
    return DestinationDown(
        f"destination '{destination}' cannot connect to the server", where=place.address, found=found, todo=todo
    )


def _nothing_in_common(place: SftpPlace, error: Exception, destination: str) -> DestinationClosed:
    names = zip(("key exchange", "host keys", "ciphers", "MACs"), _offer(place), strict=False)
    return DestinationClosed(
        f"destination '{destination}' and its server have no algorithm in common: {error}",
        where=place.address,
        expected=f"host keys {', '.join(_HOST_KEYS)}; ciphers {', '.join(_CIPHERS)}; MACs {', '.join(_MACS)}",
        found="; ".join(f"{word} {offered}" for word, offered in names),
        todo="ask the customer to switch on a current algorithm; those that only old servers have are not safe",
    )


def _offer(place: SftpPlace) -> list[str]:
    """Ask for the algorithms of a server (RFC 4253, section 7.1), which paramiko keeps to itself when none fits."""
    with _connected(place) as sock, sock.makefile("rb") as stream:
        sock.sendall(b"SSH-2.0-offramp\r\n")
        while (line := stream.readline(1000)) and not line.startswith(b"SSH-"):
            pass
        length = int.from_bytes(stream.read(4), "big")
        # After the length of the padding, the type of the packet and a cookie of 16 bytes come the lists.
        lists = Reader(stream.read(min(length, 35_000)), 18)
    return [lists.text().decode(errors="replace").replace(",", ", ") for _ in range(4 if length else 0)]
