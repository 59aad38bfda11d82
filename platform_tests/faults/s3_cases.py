"""The faults of the protocol of S3, for Amazon's dialect and Google's: a proxy before the store, armed for one case."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from platform_tests.destinations.s3_place import PART_BYTES
from platform_tests.faults.answers import (
    ACCESS_DENIED,
    CONFLICT,
    EXPIRED_TOKEN_403,
    INTERNAL_ERROR,
    NO_SUCH_UPLOAD,
    REQUEST_TIMEOUT,
    SLOW_DOWN,
    s3_error,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from platform_tests.faults.http_proxy import HttpProxy
    from platform_tests.servers.seaweedfs import SeaweedfsServer

LARGE_BYTES = 11_500_000
STORE_FULL = s3_error(507, "InsufficientStorage", "There is no space left.")
_LARGE = r"items_snapshot_2026_03_02\.csv"
_CREATE = {"method": "POST", "path": rf"{_LARGE}\?uploads"}
_COMPLETE = {"method": "POST", "path": rf"{_LARGE}\?uploadId="}
_SMALL = {"method": "PUT", "path": r"clicks_2026_03_02\.csv$"}
_MANIFEST = {"method": "PUT", "path": r"snapshot/items/2026_03_02\.r\d\.json$"}
_READ = {"method": "GET", "path": rf"{_LARGE}$"}


def _part(number: int) -> dict[str, Any]:
    return {"method": "PUT", "path": rf"{_LARGE}\?.*partNumber={number}"}


@dataclass(frozen=True)
class HttpCase:
    """How a fault is armed, with which settings of the place, and what the error has to say."""

    arm: Callable[[HttpProxy], object]
    words: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    retries: int = 1


S3_CASES: dict[str, HttpCase] = {
    "cut-at-the-beginning": HttpCase(lambda proxy: proxy.cut_request(1000, **_part(1))),
    "cut-in-the-middle": HttpCase(lambda proxy: proxy.cut_request(PART_BYTES // 2, **_part(2))),
    "cut-near-the-end": HttpCase(lambda proxy: proxy.cut_request(300_000, **_part(3))),
    "cut-of-a-small-file": HttpCase(lambda proxy: proxy.cut_request(500, **_SMALL)),
    "cut-of-an-answer": HttpCase(lambda proxy: proxy.cut_answer(30, **_CREATE)),
    "stall": HttpCase(
        lambda proxy: proxy.stall("request", after_bytes=1_000_000, **_part(2)), settings={"timeout_seconds": 2}
    ),
    "stall-of-an-answer": HttpCase(lambda proxy: proxy.stall("answer", **_COMPLETE), settings={"timeout_seconds": 2}),
    "server-is-down": HttpCase(lambda proxy: proxy.retarget(1), words=("cannot be reached",)),
    "error-500": HttpCase(lambda proxy: proxy.answer(INTERNAL_ERROR, **_part(2))),
    "slow-down": HttpCase(lambda proxy: proxy.answer(SLOW_DOWN, nth=1, times=2, **_part(2)), retries=2),
    "slow-down-for-long": HttpCase(
        lambda proxy: proxy.answer(SLOW_DOWN, method="PUT", path=_LARGE, times=None), words=("SlowDown",)
    ),
    "request-timeout": HttpCase(lambda proxy: proxy.answer(REQUEST_TIMEOUT, **_part(2))),
    "error-in-200": HttpCase(lambda proxy: proxy.error_in_200(INTERNAL_ERROR, **_COMPLETE)),
    "error-in-200-of-done-work": HttpCase(lambda proxy: proxy.error_in_200(INTERNAL_ERROR, forward=True, **_COMPLETE)),
    "done-but-500": HttpCase(lambda proxy: proxy.lose_answer(INTERNAL_ERROR, **_COMPLETE)),
    "done-but-cut": HttpCase(lambda proxy: proxy.lose_answer(**_COMPLETE)),
    "done-but-500-for-a-manifest": HttpCase(lambda proxy: proxy.lose_answer(INTERNAL_ERROR, **_MANIFEST)),
    "begun-but-500": HttpCase(lambda proxy: proxy.lose_answer(INTERNAL_ERROR, **_CREATE)),
    "flipped-bit": HttpCase(lambda proxy: proxy.flip_request(1_000_000, **_part(2))),
    "flipped-bit-of-a-small-file": HttpCase(lambda proxy: proxy.flip_request(100, **_SMALL)),
    "flipped-bit-in-reading-back": HttpCase(
        lambda proxy: proxy.flip_answer(1_000_000, **_READ), settings={"reads_back": True}
    ),
    "upload-is-gone": HttpCase(lambda proxy: proxy.answer(NO_SUCH_UPLOAD, **_COMPLETE)),
    "somebody-else-writes": HttpCase(lambda proxy: proxy.answer(CONFLICT, **_COMPLETE)),
    "credentials-expire": HttpCase(lambda proxy: proxy.answer(EXPIRED_TOKEN_403, **_part(2))),
    "credentials-expire-for-good": HttpCase(
        lambda proxy: proxy.answer(EXPIRED_TOKEN_403, times=None, method="PUT", path=r"partNumber=[23]"),
        words=("ExpiredToken", "renew session_token"),
    ),
    "right-is-taken-away": HttpCase(
        lambda proxy: proxy.answer(ACCESS_DENIED, times=None, method="PUT", path=r"partNumber=[23]"),
        words=("AccessDenied", "s3:PutObject"),
    ),
    "full": HttpCase(
        lambda proxy: proxy.answer(STORE_FULL, method="PUT", path=_LARGE, times=None), words=("InsufficientStorage",)
    ),
}

_CLIENTS: dict[str, Any] = {}


def client_of(server: SeaweedfsServer) -> Any:
    """Return a client that looks past the proxy. It takes as long to make as a small publication."""
    if server.endpoint_url not in _CLIENTS:
        _CLIENTS[server.endpoint_url] = server.client()
    return _CLIENTS[server.endpoint_url]
