"""What Google Cloud Storage and its libraries say, as errors that say what to do."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from offramp.domain.errors import (
    DestinationChanged,
    DestinationClosed,
    DestinationDown,
    DestinationRefused,
    DestinationUnreachable,
    OfframpError,
    VerificationFailed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_PERMISSION = re.compile(r"storage\.[a-z]+\.[a-zA-Z]+")
# Reasons of a 403 that pass by themselves.
_LIMITS = {"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"}
AGAIN = "run again; the parts stay staged"
_REFUSED = {
    400: "check the file's name, the storage class and the KMS key",
    401: "check the service account and its key",
    404: "check the bucket's name, or create it",
}


@contextmanager
def translated(what: str, *, where: str, permission: str) -> Iterator[None]:
    """Turn errors of the libraries into those of the domain. ``permission`` is what the call needs."""
    import requests  # noqa: PLC0415 - the libraries take half a second to import
    import urllib3  # noqa: PLC0415
    from google.api_core.exceptions import GoogleAPICallError, GoogleAPIError, from_http_response  # noqa: PLC0415
    from google.auth.exceptions import GoogleAuthError, TransportError  # noqa: PLC0415
    from google.cloud.storage.exceptions import (  # noqa: PLC0415
        DataCorruption,
        InvalidResponse,
    )

    try:
        yield
    except GoogleAPICallError as error:
        raise _of_answer(error, what, where, permission) from error
    except InvalidResponse as error:
        answer = from_http_response(error.response)  # type: ignore[no-untyped-call]
        raise _of_answer(answer, what, where, permission) from error
    except DataCorruption as error:
        raise VerificationFailed(what, where=where, found="bytes that fit no checksum", todo=AGAIN) from error
    except TransportError as error:
        todo = f"check the network and the key's token_uri, then {AGAIN}"
        raise DestinationDown(what, where=where, found=_first_line(error), todo=todo) from error
    except GoogleAuthError as error:
        raise _of_credentials(error, what, where) from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, GoogleAPIError) as error:
        # Not chained: these texts hold the URI of an upload session, with which anybody can write for a week.
        kind = DestinationDown if _never_began(error) else DestinationUnreachable
        raise kind(what, where=where, found=type(error).__name__, todo=AGAIN) from None


def _never_began(error: Exception) -> bool:
    """Say whether not even a connection came about. Others break off under a call."""
    import requests  # noqa: PLC0415 - see above
    import urllib3  # noqa: PLC0415

    told = error.args[0] if error.args else None
    reason = getattr(told, "reason", told)
    never = urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError
    return isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError) or isinstance(reason, never)


def is_bucket_missing(error: Exception) -> bool:
    """Say whether a 404 is about the bucket and not about an object in it."""
    return "bucket does not exist" in str(error)


def google_says(answer: Any) -> tuple[str, set[str]]:
    """Return the message and the reasons of an answer. Errors of the library add the URI, which may be a secret."""
    try:
        error = answer.json()["error"]
        return str(error["message"]), {str(one.get("reason")) for one in error.get("errors", ())}
    except (ValueError, LookupError, TypeError, AttributeError):
        return str(getattr(answer, "text", ""))[:300].partition("\n")[0], set()


def _of_answer(error: Any, what: str, where: str, permission: str) -> OfframpError:
    status = int(error.code or 0)
    message, reasons = google_says(error.response)
    message = message or str(error.message).partition("\n")[0]
    found = f"{status} {message}"
    if status == 403 and not reasons & _LIMITS:
        named = _PERMISSION.search(message)
        missing = named[0] if named else permission
        todo = f"give the service account {missing} on the bucket; offramp destination check prints all that is needed"
        return DestinationRefused(what, where=where, expected=missing, found=found, todo=todo)
    if status == 400 and re.search(r"(?i)crc32c|md5", message):
        return VerificationFailed(what, where=where, found=found, todo=AGAIN)
    if status == 412:
        return DestinationChanged(what, where=where, found=found, todo="run again")
    if status in _REFUSED:
        kind = DestinationRefused if status == 400 else DestinationClosed
        return kind(what, where=where, found=found, todo=_REFUSED[status])
    return DestinationUnreachable(what, where=where, found=found, todo=AGAIN)


def _of_credentials(error: Exception, what: str, where: str) -> OfframpError:
    if getattr(error, "retryable", False):
        return DestinationDown(what, where=where, found=_first_line(error), todo=AGAIN)
    todo = "check that the key is not deleted, that its account is not disabled, and this machine's clock"
    return DestinationClosed(what, where=where, found=_first_line(error), todo=todo)


def _first_line(error: Exception) -> str:
    """Return an error's text without the bodies that some hold as further arguments."""
    text = str(error.args[0]) if error.args else ""
    return f"{type(error).__name__}: {text.partition(chr(10))[0][:300]}"
