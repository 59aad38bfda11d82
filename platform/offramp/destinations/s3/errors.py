"""What S3, STS and the network say, as the house's errors."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from offramp.domain.errors import (
    DestinationClosed,
    DestinationDown,
    DestinationRefused,
    DestinationUnreachable,
    OfframpError,
    VerificationFailed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.exceptions import BotoCoreError, ClientError

_RIGHTS = {
    "HeadObject": "s3:GetObject (and s3:ListBucket, without which a missing object looks like a forbidden one)",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "ListParts": "s3:ListMultipartUploadParts",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "ListObjectsV2": "s3:ListBucket",
    "DeleteObject": "s3:DeleteObject",
}
_KEYS = "check access_key, secret_key and session_token of the destination"
_REFUSED = {
    "InvalidAccessKeyId": _KEYS,
    "SignatureDoesNotMatch": _KEYS,
    "InvalidToken": _KEYS,
    "InvalidClientTokenId": _KEYS,
    "UnrecognizedClientException": _KEYS,
    "InvalidSecurity": _KEYS,
    "AccountProblem": "the account is closed or not paid for: ask its owner",
    "AllAccessDisabled": "the bucket's owner disabled it: ask them",
    "NoSuchBucket": "create the bucket, or correct its name",
    "InvalidBucketName": "correct the bucket's name",
    "PermanentRedirect": "set the region of the bucket",
    "AuthorizationHeaderMalformed": "set the region of the bucket",
    "IllegalLocationConstraintException": "set the region of the bucket",
    "301": "set the region of the bucket",
    "400": "check the keys, the region and the bucket's name",
    "RequestTimeTooSkewed": "set this machine's clock",
    "KeyTooLongError": "shorten the prefix or the name",
    "InvalidStorageClass": "correct storage_class",
    "InvalidEncryptionAlgorithmError": "correct encryption",
    "InvalidArgument": "check encryption, kms_key and storage_class",
    "InvalidRequest": "check encryption, kms_key and storage_class",
    "NotImplemented": "check encryption and storage_class: this store does not know one of them",
    "EntityTooLarge": "the store takes no object of this size",
    "MethodNotAllowed": "check endpoint_url: what answers there is no S3 store",
    "ValidationError": "check assume_role, external_id and role_session_seconds",
}
# What the file itself is refused for; all others of _REFUSED keep every file out.
_OF_THE_FILE = {"KeyTooLongError", "EntityTooLarge", "InvalidArgument", "InvalidRequest"}
_DENIED = {"AccessDenied", "AccessDeniedException", "Forbidden", "403"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_OTHER_BYTES = {"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"}
_KMS_PASSES = {"KMS.ThrottlingException", "KMS.InternalException", "KMS.KMSInternalException"}


def code_of(error: ClientError) -> str:
    """Return the code of an answer: a word, or the status where the answer has no body."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: ClientError) -> int:
    """Return the HTTP status of an answer."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


@contextmanager
def errors(where: str, name: str, *, assumes_role: bool, forget: Callable[[], None]) -> Iterator[None]:
    """Turn what boto3 says into an error that says what to do. ``forget`` drops credentials that ended."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - half a second at the first call
    from botocore.parsers import ResponseParserError  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        if code_of(error) in _EXPIRED:
            forget()
        raise _answered(error, where, name, assumes_role=assumes_role) from error
    except BotoCoreError as error:
        if "Invalid header" in str(error):
            raise _not_a_header(where, name) from None
        raise _failed(error, where, name) from error
    except ResponseParserError as error:
        raise DestinationUnreachable(
            f"{where} answers what no S3 store would: no S3 store answers there",
            where=name,
            expected="XML of the S3 protocol",
            found=str(error).partition("\n")[0][:200],
            todo="check endpoint_url, and whether a proxy answers in the store's place; then run again",
        ) from error
    # botocore wraps what breaks before a body and cuts of one, but not TLS that fails within it.
    except HTTPError as error:
        todo = "run again; if it stays so, check the network"
        raise DestinationUnreachable(f"{where} broke off", where=name, found=str(error), todo=todo) from error


def _not_a_header(where: str, name: str) -> DestinationClosed:
    """Return the error for a setting that cannot be sent; the library's quotes it whole, a session token too."""
    return DestinationClosed(
        f"{where} cannot be asked: a setting cannot be sent in a header of HTTP",
        where=name,
        todo="check access_key, session_token and storage_class for a line break: files with a secret often end in one",
    )


def _answered(error: ClientError, where: str, name: str, *, assumes_role: bool) -> OfframpError:
    code, operation = code_of(error), error.operation_name
    told = str(error.response.get("Error", {}).get("Message", ""))
    kind, todo = _judged(code, operation, told, status_of(error), assumes_role=assumes_role)
    return kind(
        f"{where} answers {operation} with {code or status_of(error)}", where=name, found=told or None, todo=todo
    )


def _judged(code: str, operation: str, told: str, status: int, *, assumes_role: bool) -> tuple[type[OfframpError], str]:
    """Return the kind of error and what to do."""
    judged: tuple[type[OfframpError], str] = (DestinationUnreachable, "run again; parts that were uploaded are kept")
    if code in _EXPIRED and assumes_role:
        judged = DestinationUnreachable, "run again: the role is assumed anew"
    elif code in _EXPIRED:
        judged = DestinationClosed, "renew session_token and its keys, or let a role be assumed"
    elif operation == "AssumeRole" and status in {400, 403}:
        judged = (
            DestinationClosed,
            "check assume_role, external_id, the role's trust policy and the right sts:AssumeRole",
        )
    elif code in _OTHER_BYTES:
        judged = VerificationFailed, "run again; if it stays so, the staged file or the network is broken"
    elif code in _DENIED and "kms:" in told.lower():
        judged = DestinationRefused, "grant the rights kms:GenerateDataKey and kms:Decrypt on the key"
    elif code in _DENIED:
        judged = DestinationRefused, f"grant the right {_RIGHTS.get(operation, f's3:{operation}')}"
    elif code.startswith("KMS.") and code not in _KMS_PASSES:
        judged = DestinationRefused, "check kms_key, its state and its region"
    elif code in _REFUSED and status < 500:
        judged = DestinationRefused if code in _OF_THE_FILE else DestinationClosed, _REFUSED[code]
    return judged


def _failed(error: BotoCoreError, where: str, name: str) -> OfframpError:
    from botocore import exceptions as told  # noqa: PLC0415 - half a second at the first call

    said: dict[str, Any] = {"what": f"{where} cannot be reached", "where": name, "found": str(error)}
    if isinstance(error, told.SSLError) and "CERTIFICATE" in str(error).upper():
        return DestinationClosed(**said, todo="check ca_file, and that the endpoint is the one you mean")
    if isinstance(error, told.NoCredentialsError | told.PartialCredentialsError):
        return DestinationClosed(**said, todo="set access_key and secret_key, or give this machine a role")
    if isinstance(error, told.ParamValidationError | told.NoRegionError | told.InvalidRegionError):
        return DestinationClosed(**said, todo="correct the setting that this speaks of")
    if isinstance(error, told.ProfileNotFound | told.ConfigNotFound | told.ConfigParseError):
        return DestinationClosed(**said, todo="correct the AWS configuration of this machine")
    # Those of a call that was under way, also within TLS, are of other classes.
    never_began = told.EndpointConnectionError | told.ConnectTimeoutError | told.ProxyConnectionError
    no_login = told.CredentialRetrievalError | told.MetadataRetrievalError
    kind = DestinationDown if isinstance(error, never_began | no_login) else DestinationUnreachable
    return kind(**said, todo="check endpoint_url and the network, then run again")
