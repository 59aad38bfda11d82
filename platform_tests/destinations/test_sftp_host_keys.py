"""The host key is checked before any credential goes out, and the login takes what the server wants."""

from __future__ import annotations

import socket
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from offramp.destinations.sftp.connect import found_host_key
from offramp.destinations.sftp.destination import SftpDestination
from offramp.domain.errors import DestinationDown, DestinationRefused, DestinationUnreachable
from platform_tests.destinations.places import write
from platform_tests.destinations.sftp_place import sftp_place
from platform_tests.servers import sshd as servers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from platform_tests.servers.pyftpd import PyftpdServer
    from platform_tests.servers.sshd import Account, SshServer

OTHER = "SHA256:" + "A" * 43
# Every line that sshd writes once a client began to log in, at LogLevel VERBOSE.
AUTHENTICATION = ("Accepted", "Failed", "Postponed", "authenticating user", "invalid user", "Invalid user")


def reach(place: Any) -> None:
    with closing(SftpDestination("partner", place)) as destination:
        destination.list("")


def refused_without_credentials(server: SshServer, place: Any) -> str:
    begin = len(server.log)
    with pytest.raises(DestinationRefused, match="to do") as refused:
        reach(place)
    written = server.log[begin:]
    assert "Connection from 127.0.0.1" in written
    assert not [word for word in AUTHENTICATION if word in written]
    return str(refused.value)


def test_without_a_host_key_nothing_is_sent_and_the_found_ones_are_told(sshd: SshServer) -> None:
    told = refused_without_credentials(sshd, sftp_place(sshd, sshd.files, host_key=None))

    assert f"ssh-ed25519 {sshd.fingerprint()}" in told
    assert f"ecdsa-sha2-nistp256 {sshd.fingerprint('ecdsa')}" in told
    assert "another channel" in told
    assert "FTP_HOST_KEY" in told


@pytest.mark.parametrize("pin", [OTHER, "public key of another server", "type that the server has not"])
def test_a_wrong_host_key_is_refused_before_any_credential(sshd: SshServer, tmp_path: Path, pin: str) -> None:
    if pin != OTHER:
        servers.new_key(tmp_path / "key", "ed25519" if "public" in pin else "rsa")
        pin = " ".join((tmp_path / "key.pub").read_text().split()[:2])

    told = refused_without_credentials(sshd, sftp_place(sshd, sshd.files, host_key=pin))

    assert "no credential was sent" in told
    assert told.count("SHA256:") >= 2
    assert sshd.fingerprint() in told


def test_a_host_key_that_changed_is_refused() -> None:
    with servers.run() as before:
        place = sftp_place(before, before.files)
        reach(place)
        port = before.port
    with servers.run(port=port) as after:
        told = refused_without_credentials(after, place)

        assert str(place.host_key) in told
        assert after.fingerprint() in told
        reach(sftp_place(after, after.files, host_key=f"{place.host_key}, {after.fingerprint()}"))


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa"])
def test_any_of_the_servers_keys_can_be_pinned_by_fingerprint_or_whole(sshd: SshServer, kind: str) -> None:
    for pin in (sshd.fingerprint(kind), sshd.public_key(kind), sshd.public_key(kind) + " root@host"):
        reach(sftp_place(sshd, sshd.files, host_key=pin))


def test_an_rsa_key_alone_will_do(tmp_path: Path) -> None:
    with servers.run(host_keys=("rsa",)) as server:
        for pin in (server.fingerprint("rsa"), server.public_key("rsa")):
            reach(sftp_place(server, tmp_path, host_key=pin))


@pytest.mark.parametrize("form", ["plain", "hashed", "pattern"])
def test_a_known_hosts_file_will_do(sshd: SshServer, tmp_path: Path, form: str) -> None:
    file = tmp_path / "known_hosts"
    host = "[127.0.0.*]" if form == "pattern" else "[127.0.0.1]"
    file.write_text(f"# our partner\nelsewhere {sshd.public_key('ecdsa')}\n{host}:{sshd.port} {sshd.public_key()}\n")
    if form == "hashed":
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)
        assert "127.0.0.1" not in file.read_text()

    reach(sftp_place(sshd, sshd.files, host_key=None, known_hosts=str(file)))


@pytest.mark.parametrize(
    "line",
    ["elsewhere {key}", "[127.0.0.1]:1 {key}", "127.0.0.1 {key}", "!{host},* {key}", "@cert-authority {host} {key}"],
)
def test_a_known_hosts_file_without_this_host_and_port_is_refused(sshd: SshServer, tmp_path: Path, line: str) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(line.format(key=sshd.public_key(), host=f"[127.0.0.1]:{sshd.port}"))

    told = refused_without_credentials(sshd, sftp_place(sshd, sshd.files, host_key=None, known_hosts=str(file)))

    assert "no host key to check" in told


def test_a_revoked_key_is_refused(sshd: SshServer, tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    host = f"[127.0.0.1]:{sshd.port}"
    file.write_text(f"{host} {sshd.public_key()}\n@revoked {host} {sshd.public_key()}\n")

    told = refused_without_credentials(sshd, sftp_place(sshd, sshd.files, host_key=None, known_hosts=str(file)))

    assert "revoked" in told


@pytest.mark.parametrize(
    "pin", ["MD5:16:27:ac", "SHA256:short", "ssh-ed25519", "ssh-ed25519 AAAA====", "ssh-rsa {ed25519}"]
)
def test_text_that_is_no_key_is_refused_with_what_is_expected(sshd: SshServer, pin: str) -> None:
    pin = pin.format(ed25519=sshd.public_key().split()[1])
    with pytest.raises(DestinationRefused, match="expected: a fingerprint SHA256"):
        reach(sftp_place(sshd, sshd.files, host_key=pin))


def test_the_found_host_keys_are_told_without_credentials(sshd: SshServer) -> None:
    place = sftp_place(sshd, sshd.files, host_key=None, private_key=None)

    assert found_host_key(place).splitlines() == [
        f"ssh-ed25519 {sshd.fingerprint()}", f"ecdsa-sha2-nistp256 {sshd.fingerprint('ecdsa')}",
    ]  # fmt: skip


def test_nothing_in_common_is_refused_with_what_the_server_offers() -> None:
    with servers.run("Ciphers aes256-cbc") as server, pytest.raises(DestinationRefused, match="ciphers aes256-cbc"):
        reach(sftp_place(server, server.files))


@pytest.mark.parametrize(("kind", "passphrase", "form"), [
    ("ed25519", "", "RFC4716"), ("ed25519", "hunter 2", "RFC4716"), ("ecdsa", "hunter 2", "PKCS8"), ("rsa", "", "PEM"),
])  # fmt: skip
def test_keys_of_every_form_log_in(tmp_path: Path, kind: str, passphrase: str, form: str) -> None:
    with servers.run() as server:
        text = servers.new_key(tmp_path / "key", kind, passphrase, form)
        (server.folder / "authorized_keys").write_text((tmp_path / "key.pub").read_text())
        secret = SecretStr(passphrase) if passphrase else None
        reach(sftp_place(server, server.files, private_key=SecretStr(text), private_key_passphrase=secret))


@pytest.mark.parametrize("fault", ["no key", "cut", "wrong passphrase", "no passphrase"])
def test_a_private_key_that_cannot_be_read_is_refused_and_not_shown(
    sshd: SshServer, tmp_path: Path, fault: str
) -> None:
    text = servers.new_key(tmp_path / "key", passphrase="hunter 2" if "pass" in fault else "")
    text = {"no key": "secret words", "cut": text[:120]}.get(fault, text)
    passphrase = SecretStr("hunter 3") if fault == "wrong passphrase" else None

    with pytest.raises(DestinationRefused, match="private_key_passphrase") as refused:
        reach(sftp_place(sshd, sshd.files, private_key=SecretStr(text), private_key_passphrase=passphrase))

    for secret in ("secret words", "hunter", text.splitlines()[-1][:20] if fault != "cut" else text[60:80]):
        assert secret not in str(refused.value).replace("hunter 2", "")


def test_a_key_that_is_not_let_in_is_refused_with_the_methods_of_the_server(sshd: SshServer, tmp_path: Path) -> None:
    stranger = SecretStr(servers.new_key(tmp_path / "key"))

    with pytest.raises(DestinationRefused, match=r"offers: publickey\n.*refused: publickey"):
        reach(sftp_place(sshd, sshd.files, private_key=stranger))
    with pytest.raises(DestinationRefused, match="have a password; refused: nothing was tried") as refused:
        reach(sftp_place(sshd, sshd.files, private_key=None, password=SecretStr("hunter 2")))
    assert "hunter 2" not in str(refused.value)


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with servers.account() as made:
        yield made


@pytest.mark.parametrize(
    ("methods", "settings"),
    [
        ("password", ("PasswordAuthentication yes",)),
        ("keyboard-interactive", ("KbdInteractiveAuthentication yes", "UsePAM yes")),
        ("publickey,password", ("PasswordAuthentication yes",)),
        ("publickey,keyboard-interactive", ("KbdInteractiveAuthentication yes", "UsePAM yes")),
    ],
)
def test_passwords_and_questions_log_in_with_or_without_a_key(
    account: Account, methods: str, settings: tuple[str, ...]
) -> None:
    with servers.run(*settings, f"AuthenticationMethods {methods}") as server:
        server.files.chmod(0o777)
        password = SecretStr(account.password)
        others = {"username": account.name, "password": password}
        if "publickey" not in methods:
            others["private_key"] = None
        with closing(SftpDestination("partner", sftp_place(server, server.files, **others))) as destination:
            write(destination, "media/users.csv", b"content")
        wrong = others | {"password": SecretStr("hunter 2")}
        with pytest.raises(DestinationRefused, match=methods.rpartition(",")[2]) as refused:
            reach(sftp_place(server, server.files, **wrong))

        assert "hunter 2" not in str(refused.value)
        assert (server.files / "media/users.csv").read_bytes() == b"content"


def test_a_user_in_a_cage_delivers_to_its_root(account: Account) -> None:
    # sshd wants every folder above a cage to be root's alone, which the one for temporary files is not.
    with tempfile.TemporaryDirectory(prefix="offramp-cage-", dir="/run") as folder:
        cage = Path(folder)
        cage.chmod(0o755)
        (cage / "in").mkdir()
        (cage / "in").chmod(0o777)
        settings = ("PasswordAuthentication yes", f"ChrootDirectory {cage}", "ForceCommand internal-sftp")
        others = {"username": account.name, "password": SecretStr(account.password), "private_key": None}
        with servers.run(*settings) as server:
            with closing(SftpDestination("partner", sftp_place(server, cage, **others | {"directory": "/in"}))) as good:
                write(good, "media/users.csv", b"content")
            bad = SftpDestination("partner", sftp_place(server, cage, **others | {"directory": "/"}))
            with closing(bad), pytest.raises(DestinationRefused, match="right to create folders"):
                write(bad, "media/users.csv", b"content")

        assert (cage / "in/media/users.csv").read_bytes() == b"content"


def test_a_host_that_is_not_there_or_says_nothing_can_be_tried_again(sshd: SshServer) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        with pytest.raises(DestinationDown, match=rf"127.0.0.1:{port}[\s\S]*no answer in time"):
            reach(sftp_place(sshd, sshd.files, port=port, timeout_seconds=0.5))
    with pytest.raises(DestinationDown, match="refused"):
        reach(sftp_place(sshd, sshd.files, port=port))
    with pytest.raises(DestinationDown, match=r"nowhere\.invalid"):
        reach(sftp_place(sshd, sshd.files, host="nowhere.invalid"))


def test_a_server_of_another_protocol_is_told_as_such(sshd: SshServer, pyftpd: PyftpdServer) -> None:
    with pytest.raises(DestinationDown, match=r"speaks no SSH[\s\S]*port of an FTP server"):
        reach(sftp_place(sshd, sshd.files, port=pyftpd.ports["plain"]))


def test_a_private_key_on_one_line_is_refused_with_its_reason(sshd: SshServer) -> None:
    folded = SecretStr(sshd.private_key.replace("\n", "\\n"))

    with pytest.raises(DestinationRefused, match=r"line breaks are written as \\n"):
        reach(sftp_place(sshd, sshd.files, private_key=folded))


def test_a_wrong_password_is_sent_once(account: Account) -> None:
    settings = ("PasswordAuthentication yes", "KbdInteractiveAuthentication yes", "UsePAM yes")
    with servers.run(*settings) as server:
        others = {"username": account.name, "password": SecretStr("hunter 2"), "private_key": None}
        with pytest.raises(DestinationRefused, match=r"refused: password\n"):
            reach(sftp_place(server, server.files, **others))

        assert server.log.count("Failed password") == 1
        assert "keyboard-interactive" not in server.log


def test_an_account_without_sftp_is_told_from_a_lost_connection() -> None:
    script = "ForceCommand echo Welcome, this is a login script"
    with servers.run(script) as server, pytest.raises(DestinationUnreachable, match="login scripts"):
        reach(sftp_place(server, server.files))


def test_an_account_that_may_not_use_sftp_is_refused() -> None:
    with servers.run(sftp=None) as server, pytest.raises(DestinationRefused, match="switch SFTP on"):
        reach(sftp_place(server, server.files))
