"""Somebody who looks at a place all the time, past the driver and the proxy, by the rule of the layout.

What a name gives is always one of the whole contents that are known for it, and while a manifest stands there all its
files stand there too, with its checksums. Names of uploads under way are hidden and looked at by nobody.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import threading
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import quote

from offramp.destinations.names import is_temporary

if TYPE_CHECKING:
    from collections.abc import Mapping


Version = tuple[Hashable, ...]
"""Its last part is a time of change; the others stay as they are unless another file takes the place."""


class Look(Protocol):
    """A way to list and read a place that knows nothing of the driver."""

    pause_seconds: float

    def files(self) -> dict[str, Version]:
        """Return every name, hidden ones too, with what changes whenever its content is written."""

    def read(self, name: str) -> bytes | None:
        """Return what stands under a name, or None if nothing does (any more)."""


class FolderLook:
    """The folder behind a server, or the outbox itself."""

    pause_seconds = 0.004

    def __init__(self, root: Path) -> None:
        self.root = root

    def files(self) -> dict[str, Version]:
        found: dict[str, Version] = {}
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = Path(folder, name)
                try:
                    told = path.stat()
                except FileNotFoundError:
                    continue
                found[path.relative_to(self.root).as_posix()] = (told.st_ino, told.st_size, told.st_mtime_ns)
        return found

    def read(self, name: str) -> bytes | None:
        try:
            return (self.root / name).read_bytes()
        except FileNotFoundError:
            return None


class S3Look:
    """A prefix of a bucket, with a client that the tests made."""

    pause_seconds = 0.06

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client, self._bucket, self._prefix = client, bucket, f"{prefix}/"

    def files(self) -> dict[str, Version]:
        answer = self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix)
        assert not answer["IsTruncated"]
        found = answer.get("Contents", [])
        return {
            one["Key"].removeprefix(self._prefix): (one["ETag"], one["Size"], str(one["LastModified"])) for one in found
        }

    def read(self, name: str) -> bytes | None:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - half a second

        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=f"{self._prefix}{name}")
            content: bytes = answer["Body"].read()
        except (BotoCoreError, ClientError):
            return None  # it was removed, or replaced in the middle: a reader has an error and no part
        return content


class GcsLook:
    """A prefix of a bucket at fake-gcs-server, past the front that asks for tokens."""

    pause_seconds = 0.03

    def __init__(self, port: int, bucket: str, prefix: str) -> None:
        self._port, self._base, self._prefix = port, f"/storage/v1/b/{bucket}/o", f"{prefix}/"

    def files(self) -> dict[str, Version]:
        content = self._get(f"{self._base}?prefix={quote(self._prefix, safe='')}")
        assert content is not None
        items = json.loads(content).get("items", [])
        return {
            one["name"].removeprefix(self._prefix): (one["generation"], one["size"], one.get("updated"))
            for one in items
        }

    def read(self, name: str) -> bytes | None:
        return self._get(f"{self._base}/{quote(self._prefix + name, safe='')}?alt=media")

    def _get(self, target: str) -> bytes | None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request("GET", target)
            answer = connection.getresponse()
            content = answer.read()
            return content if answer.status == 200 else None
        finally:
            connection.close()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Reader:
    """A thread that looks until it is told to stop. ``whole`` has the sha256 of all known contents of each name.

    A version of a file that was read once is not read again.
    """

    def __init__(self, look: Look, whole: Mapping[str, frozenset[str]]) -> None:
        self._look, self._whole = look, whole
        self._read: dict[tuple[str, Version], str] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.looks = 0
        self.faults: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)

    def expect_all_whole(self) -> None:
        """Fail if there ever was a part to be seen, or if nobody looked."""
        assert not self._thread.is_alive()
        assert self.looks > 1
        assert not self.faults

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._once()
                self.looks += 1
                self._stop.wait(self._look.pause_seconds)
            self._once()
        except BaseException as error:
            self.faults.append(f"the reader itself failed: {error!r}")
            raise

    def _once(self) -> None:
        files = {name: version for name, version in self._look.files().items() if not _is_hidden(name)}
        for name, version in files.items():
            found = self._digest(name, version)
            if found is not None and found not in self._whole.get(name, frozenset()):
                self.faults.append(f"{name} {version} is none of the whole files")
        for name in files:
            if name.endswith(".json"):
                self._check(name)

    def _check(self, manifest: str) -> None:
        """Compare the files of a manifest, unless it is taken back meanwhile."""
        content = self._look.read(manifest)
        if content is None:
            return
        claimed = {file["name"]: file["sha256"] for file in json.loads(content)["files"]}
        now = self._look.files()
        found = {name: self._digest(name, now[name]) if name in now else None for name in claimed}
        if found != claimed and self._look.read(manifest) == content:
            found = {name: digest(self._look.read(name) or b"") for name in claimed}
            if found != claimed and self._look.read(manifest) == content:
                self.faults.append(f"{manifest} speaks for files that are not there: {claimed} and not {found}")

    def _digest(self, name: str, version: Version) -> str | None:
        if (name, version) not in self._read:
            content = self._look.read(name)
            if content is None:
                return None
            self._read[name, version] = digest(content)
        return self._read[name, version]


def _is_hidden(name: str) -> bool:
    return is_temporary(name.rpartition("/")[2])
