"""The places that the suites deliver to: one per kind of destination, on real servers."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from offramp.destinations import local
from offramp.domain.contents import Content, text_content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import pytest

    from offramp.domain.ports import Destination
    from platform_tests.destinations.killing import OpenDestination


@dataclass(frozen=True)
class Place:
    """An empty place of one kind.

    ``open`` gives the destination and can be pickled into another process. ``write_steps`` are the driver's steps,
    in their order, when a file of 12 MB replaces another; from the end of ``visible_at`` on, readers see the new one.
    ``unfinished`` gives the names of uploads that nobody finished, asked of the server and not of the driver.
    ``refuses`` says of a legal name why this place cannot keep it, or None.
    """

    kind: str
    open: OpenDestination
    write_steps: tuple[str, ...]
    visible_at: str
    delete_steps: tuple[str, ...]
    unfinished: Callable[[], Iterable[str]]
    refuses: Callable[[str], str | None] = lambda _name: None


def content_of(source: Path | bytes) -> Content:
    """What the pipeline would hand over."""
    if isinstance(source, bytes):
        return text_content(source)
    told = text_content(source.read_bytes())
    return Content(source, told.bytes, told.sha256, told.md5)


def write(destination: Destination, name: str, source: Path | bytes, token: int = 1) -> None:
    """Put a file in place of whatever stands there."""
    over = destination.stat(name)
    destination.commit(destination.put(name, content_of(source), token=token), over=over)


def read(destination: Destination, name: str) -> bytes | None:
    """Everything under a name, or None."""
    return b"".join(destination.read(name)) if destination.stat(name) is not None else None


def local_place(_request: pytest.FixtureRequest, folder: Path) -> Place:
    root = folder / "outbox"
    return Place(
        kind="local",
        open=partial(local.LocalDestination, "outbox", root),
        write_steps=("write", "fsync", "read_back", "rename", "fsync_dir"),
        visible_at="rename",
        delete_steps=("delete", "fsync_dir"),
        unfinished=lambda: [str(path) for path in root.rglob(".*.tmp")],
    )


_OTHERS = ("s3", "gcs", "gcs_hmac", "sftp", "ftp", "ftps", "vsftpd")


def _place_of(kind: str) -> Callable[[pytest.FixtureRequest, Path], Place]:
    """Return what makes a place; its module is loaded when one is made, for it needs this one."""

    def place(request: pytest.FixtureRequest, folder: Path) -> Place:
        made: Place = importlib.import_module(f"platform_tests.destinations.{kind}_place").place(request, folder)
        return made

    return place


KINDS = {"local": local_place} | {kind: _place_of(kind) for kind in _OTHERS}
