"""The shapes of destinations: where files go, with which rights, and how they are proved to be there."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import quote

from pydantic import BeforeValidator, ByteSize, Field, SecretStr, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from offramp.settings.fields import PLACEHOLDERS, Count, Secret, Strict, with_placeholders
from offramp.settings.place_fields import Bucket, Folder, FtpPort, Host, HostKeys, Port, Seconds, Tls, Url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offramp.domain.subscriptions import Subscription

MIB = 1024 * 1024


class _Destination(Strict):
    """What all kinds have. ``delivery`` names the exports that go there: ``all``, or a list of jobs with commas."""

    delivery: str = "all"

    @property
    def has_folders(self) -> bool:
        """True where an empty folder can stay behind: not in a store of objects."""
        return True

    @property
    def authority(self) -> str:
        """What has to be equal for two paths to be of one tree: host and account, or bucket."""
        raise NotImplementedError

    def folder(self, subscription: Subscription) -> str:
        """Return the folder of a subscription, its prefix included, without ``/`` at its ends."""
        raise NotImplementedError

    def shown(self, subscription: Subscription) -> str:
        """Return where the files of a subscription stand, as ``offramp verify`` takes it."""
        raise NotImplementedError

    @property
    def endpoint(self) -> str | None:
        """The store that the place is in, where its URL does not tell it."""
        return None

    def warnings(self) -> Iterator[str]:
        """Yield what is odd about settings that work."""
        yield from ()

    def secrets(self) -> Iterator[SecretStr]:
        """Yield every secret of the settings."""
        return (value for value in vars(self).values() if isinstance(value, SecretStr))


class LocalDestination(_Destination):
    """A folder. ``{recipient}``, ``{feed}`` and ``{subscription}`` in its path stand for a subscription's."""

    kind: Literal["local"]
    path: Annotated[Path, BeforeValidator(with_placeholders)]

    @property
    def authority(self) -> str:
        """All folders of this machine are of one tree."""
        return "file:"

    def folder(self, subscription: Subscription) -> str:
        """Return the folder of a subscription, its prefix included."""
        return str(Path(_filled(str(self.path), subscription)) / subscription.prefix)

    def shown(self, subscription: Subscription) -> str:
        """Return the folder as it is."""
        return self.folder(subscription)


class S3Destination(_Destination):
    """A bucket of S3 or a store that speaks its protocol. Without keys, the machine's own credentials are taken.

    ``assume_role`` is an ARN, ``external_id`` what its trust policy asks for. ``endpoint_url`` is for other stores
    than AWS. ``parallel_parts`` of ``part_bytes`` each are in memory at once.
    """

    kind: Literal["s3"]
    bucket: Bucket
    key_prefix: Folder = ""
    access_key: Secret | None = None
    secret_key: Secret | None = None
    session_token: Secret | None = None
    region: str | None = None
    endpoint_url: Url | None = None
    ca_file: Path | None = None
    assume_role: str | None = None
    external_id: str | None = None
    encryption: Literal["none", "AES256", "aws:kms"] = "none"
    kms_key: str | None = None
    storage_class: str | None = None
    part_bytes: Annotated[ByteSize, Field(ge=5 * MIB, le=1024 * MIB)] = ByteSize(16 * MIB)
    parallel_parts: Annotated[Count, Field(le=64)] = 4
    timeout_seconds: Seconds = 60
    verification: Literal["checksum", "full"] = "checksum"

    @model_validator(mode="after")
    def _together(self) -> S3Destination:
        _both(self.access_key, self.secret_key, "access_key and secret_key")
        if self.kms_key and self.encryption != "aws:kms":
            raise PydanticCustomError("kms", "kms_key goes with encryption: aws:kms")
        if self.external_id and not self.assume_role:
            raise PydanticCustomError("role", "external_id goes with assume_role")
        return self

    @property
    def has_folders(self) -> bool:
        """Return False: names of objects alone hold the slashes."""
        return False

    @property
    def authority(self) -> str:
        """The bucket; names of buckets are unique among all customers of a store."""
        return f"s3://{self.bucket}" if self.endpoint_url is None else f"{self.endpoint_url}/{self.bucket}"

    def folder(self, subscription: Subscription) -> str:
        """Return what the subscription's keys begin with, without ``/`` at its ends."""
        return _below(self.key_prefix, subscription)

    def shown(self, subscription: Subscription) -> str:
        """Return the URL, which names no endpoint."""
        return f"s3://{self.bucket}/{quoted(self.folder(subscription))}"

    @property
    def endpoint(self) -> str | None:
        """The endpoint of another store than AWS."""
        return self.endpoint_url


class GcsDestination(_Destination):
    """A bucket of Google Cloud Storage: by a service account, by HMAC keys, or by the machine's own credentials.

    ``service_account`` is the text of its JSON key, ``service_account_file`` where it stands. With ``access_key`` and
    ``secret_key`` the XML API is spoken.
    """

    kind: Literal["gcs"]
    bucket: Bucket
    key_prefix: Folder = ""
    project: str | None = None
    service_account: Secret | None = None
    service_account_file: Path | None = None
    access_key: Secret | None = None
    secret_key: Secret | None = None
    endpoint_url: Url | None = None
    storage_class: str | None = None
    kms_key: str | None = None
    timeout_seconds: Seconds = 60
    verification: Literal["checksum", "full"] = "checksum"

    @model_validator(mode="after")
    def _together(self) -> GcsDestination:
        _both(self.access_key, self.secret_key, "access_key and secret_key")
        if self.has_hmac_keys and (self.service_account or self.service_account_file):
            raise PydanticCustomError("account", "expected either a service account or access_key and secret_key")
        if self.has_hmac_keys and self.kms_key:
            raise PydanticCustomError("kms", "kms_key needs a service account; with HMAC keys set it at the bucket")
        return self

    @property
    def has_hmac_keys(self) -> bool:
        """True where the XML API is spoken."""
        return self.access_key is not None

    @property
    def has_folders(self) -> bool:
        """Return False: names of objects alone hold the slashes."""
        return False

    @property
    def authority(self) -> str:
        """The bucket; names of buckets are unique."""
        return f"gs://{self.bucket}" if self.endpoint_url is None else f"{self.endpoint_url}/{self.bucket}"

    def folder(self, subscription: Subscription) -> str:
        """Return what the subscription's names begin with, without ``/`` at its ends."""
        return _below(self.key_prefix, subscription)

    def shown(self, subscription: Subscription) -> str:
        """Return the URL, which names no endpoint."""
        return f"gs://{self.bucket}/{quoted(self.folder(subscription))}"

    @property
    def endpoint(self) -> str | None:
        """The endpoint of another store than Google's."""
        return self.endpoint_url


class SftpDestination(_Destination):
    """A folder of an SFTP server, whose host key is known: ``host_key`` or a ``known_hosts`` file.

    ``host_key`` is a fingerprint (SHA256:...) or a key as known_hosts has it; several with commas between them.
    """

    kind: Literal["sftp"]
    host: Host
    port: Port = 22
    username: Annotated[str, Field(min_length=1)]
    password: Secret | None = None
    private_key: Secret | None = None
    private_key_file: Path | None = None
    private_key_passphrase: Secret | None = None
    host_key: HostKeys | None = None
    known_hosts: Path | None = None
    directory: Folder = "/"
    connections: Annotated[Count, Field(le=64)] = 4
    timeout_seconds: Seconds = 30
    verification: Literal["full", "size"] = "full"

    @model_validator(mode="after")
    def _together(self) -> SftpDestination:
        if not (self.password or self.private_key or self.private_key_file):
            raise PydanticCustomError("credentials", "expected password, private_key or private_key_file")
        return self

    def warnings(self) -> Iterator[str]:
        """Warn of a host whose key is not known: nothing is delivered there."""
        if not (self.host_key or self.known_hosts):
            yield (
                "no host key is set, so nothing is delivered: run offramp destination check, confirm the key that it"
                " finds with the customer, and set host_key (FTP_HOST_KEY)"
            )

    @property
    def authority(self) -> str:
        """The account: what it sees may begin anywhere on the host."""
        return f"sftp://{self.username}@{self.host.lower()}:{self.port}"

    def folder(self, subscription: Subscription) -> str:
        """Return the folder of a subscription below the account's root."""
        return _below(self.directory, subscription)

    def shown(self, subscription: Subscription) -> str:
        """Return the URL; ``/~/`` begins a folder below the one that the login leads to."""
        return _server_url("sftp", self, self.folder(subscription))


class FtpDestination(_Destination):
    """A folder of an FTP server. ``tls`` off sends password and files in clear."""

    kind: Literal["ftp"]
    host: Host
    port: FtpPort = 21
    username: str = "anonymous"
    password: Secret | None = None
    directory: Folder = "/"
    tls: Tls = "required"
    ca_file: Path | None = None
    mode: Literal["passive", "active"] = "passive"
    active_address: str | None = None
    connections: Annotated[Count, Field(le=64)] = 2
    timeout_seconds: Seconds = 30
    verification: Literal["full", "size"] = "full"

    def warnings(self) -> Iterator[str]:
        """Warn of passwords that travel in clear."""
        if self.tls == "off":
            yield "tls is off: the password and all files travel in clear, and nothing proves that the host is the host"

    @property
    def authority(self) -> str:
        """The account: what it sees may begin anywhere on the host."""
        return f"ftp://{self.username}@{self.host.lower()}:{self.port}"

    def folder(self, subscription: Subscription) -> str:
        """Return the folder of a subscription below the account's root."""
        return _below(self.directory, subscription)

    def shown(self, subscription: Subscription) -> str:
        """Return the URL; ``/~/`` begins a folder below the one that the login leads to."""
        return _server_url("ftp", self, self.folder(subscription))


DestinationSettings = Annotated[
    LocalDestination | S3Destination | GcsDestination | SftpDestination | FtpDestination, Field(discriminator="kind")
]


DESTINATION: TypeAdapter[DestinationSettings] = TypeAdapter(DestinationSettings)
"""Reads a destination of any kind from plain values."""


def quoted(name: str) -> str:
    """Return a path as URLs that people copy have it: what a URL would take for something else is encoded."""
    return quote(name, safe="/=@,+:!")


def _server_url(scheme: str, settings: SftpDestination | FtpDestination, folder: str) -> str:
    user = quote(settings.username, safe="")
    is_absolute = settings.directory.startswith("/")
    path = quoted(folder) if is_absolute else f"~/{quoted(folder)}"
    if is_absolute and path.startswith("~"):
        path = f"%7E{path[1:]}"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host.lower()
    return f"{scheme}://{user}@{host}:{settings.port}/{path}"


def _both(one: object, other: object, names: str) -> None:
    if (one is None) != (other is None):
        raise PydanticCustomError("pair", "expected both {names}, or neither", {"names": names})


def _filled(text: str, subscription: Subscription) -> str:
    own = (subscription.recipient, subscription.feed, subscription.id)
    for placeholder, value in zip(PLACEHOLDERS, own, strict=True):
        text = text.replace(placeholder, value)
    return text


def _below(folder: str, subscription: Subscription) -> str:
    below = str(PurePosixPath(_filled(folder, subscription).strip("/")) / subscription.prefix)
    return "" if below == "." else below
