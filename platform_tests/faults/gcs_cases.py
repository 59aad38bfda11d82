"""The faults of Google's JSON API: a proxy before the store, armed for one case."""

from __future__ import annotations

from typing import Any

from platform_tests.faults.answers import (
    GOOGLE_AUTH_ERROR,
    GOOGLE_BACKEND_ERROR,
    GOOGLE_FORBIDDEN,
    GOOGLE_GONE,
    GOOGLE_INTERNAL_ERROR,
    GOOGLE_RATE_LIMIT,
    google_error,
)
from platform_tests.faults.s3_cases import HttpCase

CHUNK_BYTES = 1024 * 1024
LARGE_BYTES = 3_900_000
CHUNKS = 4
_TIMEOUT = google_error(408, "uploadBrokenConnection", "The request timed out.")
_CHUNK: dict[str, Any] = {"method": "PUT", "path": r"upload_id="}
_LAST = {**_CHUNK, "nth": CHUNKS}
_BEGIN = {"method": "POST", "path": r"uploadType=resumable"}
# Of the files that one request carries: clicks, their checksum, their manifest's checksum, their manifest.
_SMALL: dict[str, Any] = {"method": "POST", "path": r"uploadType=multipart"}
_LOOK = {"method": "GET", "path": r"/o/.*items_snapshot_2026_03_02\.csv\?"}
_READ = {"method": "GET", "path": r"^/download/.*items_snapshot_2026_03_02\.csv"}

GCS_CASES: dict[str, HttpCase] = {
    "cut-at-the-beginning": HttpCase(lambda proxy: proxy.cut_request(1000, **_CHUNK)),
    "cut-in-the-middle": HttpCase(lambda proxy: proxy.cut_request(CHUNK_BYTES // 2, nth=2, **_CHUNK)),
    "cut-near-the-end": HttpCase(lambda proxy: proxy.cut_request(500_000, **_LAST)),
    "cut-of-a-small-file": HttpCase(lambda proxy: proxy.cut_request(500, **_SMALL)),
    "cut-of-an-answer": HttpCase(lambda proxy: proxy.cut_answer(50, nth=2, **_LOOK)),
    "stall": HttpCase(
        lambda proxy: proxy.stall("request", after_bytes=500_000, nth=2, **_CHUNK), settings={"timeout_seconds": 2}
    ),
    "stall-of-an-answer": HttpCase(lambda proxy: proxy.stall("answer", **_LAST), settings={"timeout_seconds": 2}),
    "server-is-down": HttpCase(lambda proxy: proxy.retarget(1)),
    "error-500": HttpCase(lambda proxy: proxy.answer(GOOGLE_INTERNAL_ERROR, nth=2, **_CHUNK)),
    "slow-down": HttpCase(lambda proxy: proxy.answer(GOOGLE_RATE_LIMIT, nth=2, times=2, **_CHUNK), retries=2),
    "slow-down-for-long": HttpCase(
        lambda proxy: proxy.answer(GOOGLE_BACKEND_ERROR, times=None, **_CHUNK), words=("503",)
    ),
    "request-timeout": HttpCase(lambda proxy: proxy.answer(_TIMEOUT, nth=2, **_CHUNK)),
    "done-but-500": HttpCase(lambda proxy: proxy.lose_answer(GOOGLE_INTERNAL_ERROR, **_LAST)),
    "done-but-cut": HttpCase(lambda proxy: proxy.lose_answer(**_LAST)),
    "done-but-500-for-a-manifest": HttpCase(lambda proxy: proxy.lose_answer(GOOGLE_INTERNAL_ERROR, nth=4, **_SMALL)),
    "begun-but-500": HttpCase(lambda proxy: proxy.lose_answer(GOOGLE_INTERNAL_ERROR, **_BEGIN)),
    "flipped-bit": HttpCase(lambda proxy: proxy.flip_request(100_000, nth=2, **_CHUNK)),
    # The body is the metadata, some 400 bytes, and then the content.
    "flipped-bit-of-a-small-file": HttpCase(lambda proxy: proxy.flip_request(1000, **_SMALL)),
    "flipped-bit-in-reading-back": HttpCase(
        lambda proxy: proxy.flip_answer(500_000, **_READ), settings={"reads_back": True}
    ),
    "upload-is-gone": HttpCase(lambda proxy: proxy.answer(GOOGLE_GONE, nth=3, **_CHUNK)),
    # The library renews its token by itself and sends the chunk again.
    "credentials-expire": HttpCase(lambda proxy: proxy.answer(GOOGLE_AUTH_ERROR, nth=2, **_CHUNK), retries=0),
    "credentials-expire-for-good": HttpCase(
        lambda proxy: proxy.answer(GOOGLE_AUTH_ERROR, nth=2, times=None, **_CHUNK),
        words=("401", "check the service account"),
    ),
    "right-is-taken-away": HttpCase(
        lambda proxy: proxy.answer(GOOGLE_FORBIDDEN, nth=2, times=None, **_CHUNK), words=("storage.objects.create",)
    ),
}
