"""What object stores answer when they fail, word for word as clients read it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus

_REQUEST_ID = "4442587FB7D0A2F9"


@dataclass(frozen=True)
class Answer:
    """A whole answer of HTTP."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    def to_wire(self, method: str, *, keep_alive: bool) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {_reason(self.status)}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += [f"Content-Length: {len(self.body)}"] if self.status != HTTPStatus.NO_CONTENT else []
        lines += [] if keep_alive else ["Connection: close"]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + (b"" if method == "HEAD" else self.body)


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def s3_error(status: int, code: str, message: str, *, more: str = "") -> Answer:
    """An error of S3, and of Google's XML API."""
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{more}'
        f"<RequestId>{_REQUEST_ID}</RequestId><HostId>7Qn3cZ0v</HostId></Error>"
    )
    return Answer(status, body.encode(), (("x-amz-request-id", _REQUEST_ID), ("Content-Type", "application/xml")))


SLOW_DOWN = s3_error(503, "SlowDown", "Please reduce your request rate.")
INTERNAL_ERROR = s3_error(500, "InternalError", "We encountered an internal error. Please try again.")
SERVICE_UNAVAILABLE = s3_error(503, "ServiceUnavailable", "Service is unable to handle request.")
REQUEST_TIMEOUT = s3_error(
    400,
    "RequestTimeout",
    "Your socket connection to the server was not read from or written to within the timeout period. "
    "Idle connections will be closed.",
)
EXPIRED_TOKEN = s3_error(400, "ExpiredToken", "The provided token has expired.", more="<Token-0>hidden</Token-0>")
EXPIRED_TOKEN_403 = s3_error(403, "ExpiredToken", "The provided token has expired.", more="<Token-0>hidden</Token-0>")
ACCESS_DENIED = s3_error(403, "AccessDenied", "Access Denied")
INVALID_KEY_ID = s3_error(
    403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."
)
CLOCK_SKEWED = s3_error(
    403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large."
)
CONFLICT = s3_error(
    409, "ConditionalRequestConflict", "A conflicting conditional operation is currently in progress against this"
    " resource. Please try again.",
)  # fmt: skip
NO_SUCH_UPLOAD = s3_error(
    404,
    "NoSuchUpload",
    "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been "
    "aborted or completed.",
)


def google_error(status: int, reason: str, message: str) -> Answer:
    """An error of Google Cloud Storage's JSON API."""
    first = {"message": message, "domain": "global", "reason": reason}
    body = json.dumps({"error": {"code": status, "message": message, "errors": [first]}})
    return Answer(status, body.encode(), (("Content-Type", "application/json; charset=UTF-8"),))


GOOGLE_BACKEND_ERROR = google_error(503, "backendError", "We encountered an internal error. Please try again.")
GOOGLE_INTERNAL_ERROR = google_error(500, "internalError", "We encountered an internal error. Please try again.")
GOOGLE_RATE_LIMIT = google_error(
    429, "rateLimitExceeded", "The object exceeded the rate limit for object mutation operations (create, update, and"
    " delete). Please reduce your request rate.",
)  # fmt: skip
GOOGLE_AUTH_ERROR = google_error(401, "authError", "Invalid Credentials")
GOOGLE_FORBIDDEN = google_error(
    403, "forbidden", "The account does not have storage.objects.create access to the Google Cloud Storage object."
)
GOOGLE_GONE = google_error(410, "uploadBrokenConnection", "Retry uploading the file from the beginning.")
