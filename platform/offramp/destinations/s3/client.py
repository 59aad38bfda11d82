"""The boto3 client of a place. Imported at the first call only: dagster and boto3 take two seconds."""

from __future__ import annotations

import logging
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import BotoCoreError, NoCredentialsError
from dagster_aws.s3 import S3Resource

from offramp.destinations.network import load_authorities
from offramp.destinations.s3.dialects import dialect_of
from offramp.domain.errors import DestinationClosed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import SecretStr

    from offramp.destinations.s3.place import S3Place

_CONNECT_SECONDS = 10
_CONNECTIONS = 64
# At DEBUG they write down session tokens, and the secret keys that STS answers.
_TELLTALES = ("botocore.auth", "botocore.endpoint", "botocore.parsers")


class _TunedS3Resource(S3Resource):
    """Dagster's resource, whose own client knows neither timeouts nor an assumed role nor a file of authorities."""

    def client_of(self, place: S3Place) -> Any:
        session = boto3.session.Session(
            aws_access_key_id=self.aws_access_key_id,
            aws_secret_access_key=self.aws_secret_access_key,
            aws_session_token=self.aws_session_token,
            profile_name=self.profile_name,
            region_name=self.region_name,
        )
        if place.assume_role:
            session = _assumed(session, place)
        return session.client(
            "s3", endpoint_url=self.endpoint_url, use_ssl=self.use_ssl, verify=_verify(place), config=_config(place)
        )


def connect(place: S3Place) -> Any:
    """Return a thread-safe client. Does no I/O but that of the credentials' chain and of ``ca_file``."""
    if place.ca_file:
        load_authorities(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), place.ca_file)
    for name in _TELLTALES:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.INFO))
    dialect = dialect_of(place.dialect)
    resource = _TunedS3Resource(
        aws_access_key_id=_text(place.access_key),
        aws_secret_access_key=_text(place.secret_key),
        aws_session_token=_text(place.session_token),
        region_name=place.region or dialect.default_region,
        endpoint_url=place.endpoint_url or dialect.default_endpoint,
        max_attempts=1,
    )
    with _endpoint_errors(place):
        client = resource.client_of(place)
    unsigned = client.meta.config.merge(_config(place, payload_signing_enabled=False))

    def leave_to_its_checksum(params: dict[str, Any], **_: Any) -> None:
        """Sign the header of the checksum in place of the body, which then is hashed once."""
        params["context"]["client_config"] = unsigned

    for operation in ("PutObject", "UploadPart"):
        client.meta.events.register(f"before-call.s3.{operation}", leave_to_its_checksum)
    dialect.teach(client)
    return client


@contextmanager
def _endpoint_errors(place: S3Place) -> Iterator[None]:
    """Tell an address that is none; its text is kept back, for people write passwords into addresses."""
    try:
        # Only when it signs would botocore find a port that is no number.
        _ = urlsplit(place.endpoint_url or "").port
        yield
    except ValueError as error:
        if isinstance(error, BotoCoreError):
            raise
        raise DestinationClosed(
            f"the endpoint of bucket {place.bucket} is no address",
            expected="endpoint_url as in https://host or https://host:port",
            todo="correct endpoint_url",
        ) from None


def _config(place: S3Place, **s3: Any) -> Config:
    """Return what every client has: each call is tried once, since whole steps are repeated further up."""
    return Config(
        connect_timeout=min(_CONNECT_SECONDS, place.timeout_seconds),
        read_timeout=place.timeout_seconds,
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=_CONNECTIONS,
        tcp_keepalive=True,
        signature_version="s3v4",
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3=s3,
    )


def _assumed(session: Any, place: S3Place) -> Any:
    """Return a session of the role, which renews its credentials before they end, also between two parts."""
    options = {"region_name": session.region_name or "us-east-1", "verify": _verify(place)}
    # A store of one's own answers for STS at its one address; at Amazon it is another service.
    if place.endpoint_url:
        options["endpoint_url"] = place.endpoint_url
    config = Config(
        connect_timeout=min(_CONNECT_SECONDS, place.timeout_seconds),
        read_timeout=place.timeout_seconds,
        retries={"total_max_attempts": 1, "mode": "standard"},
    )

    def sts(service: str, **keys: Any) -> Any:
        return session.client(service, config=config, **options, **keys)

    extra: dict[str, Any] = {"DurationSeconds": place.role_session_seconds, "RoleSessionName": "offramp"}
    if place.external_id:
        extra["ExternalId"] = place.external_id
    source = session.get_credentials()
    if source is None:
        raise NoCredentialsError
    fetcher = AssumeRoleCredentialFetcher(sts, source, place.assume_role, extra_args=extra)
    renewing = botocore.session.get_session()
    renewing._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")  # noqa: SLF001
    return boto3.session.Session(botocore_session=renewing, region_name=session.region_name)


def _verify(place: S3Place) -> str | bool | None:
    return place.ca_file or None


def _text(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None
