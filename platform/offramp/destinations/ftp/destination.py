"""A folder on an FTP server, with explicit TLS or plain."""

from __future__ import annotations

import ftplib
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from offramp.destinations.ftp.errors import told
from offramp.destinations.ftp.looks import look, walk
from offramp.destinations.ftp.place import FtpPlace, check_ftp_name, least_rights, refused_name
from offramp.destinations.ftp.pool import FtpPool
from offramp.destinations.ftp.upload import Begun, Upload, content_at, opened, whole
from offramp.destinations.names import deepest_folder, is_stale, is_temporary, temporary_name
from offramp.destinations.uploads import (
    TemporaryUpload,
    came_meanwhile,
    gone,
    other_bytes,
    shown,
    upload_gone,
)
from offramp.domain.contents import Content, Standing
from offramp.domain.errors import DestinationChanged, VerificationFailed
from offramp.domain.steps import around, no_step, nothing_sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from offramp.destinations.ftp.connection import FtpClient
    from offramp.domain.ports import PendingFile


STEPS = ("store", "size", "read_back", "rename", "make_way", "delete")


class FtpDestination:
    """Files below a folder of an FTP server; a reader there sees each file whole or not at all.

    Every upload goes under a hidden name beside the final one, is proved there by its size and, unless the place says
    otherwise, by reading it back, and is renamed. FTP knows no version and no checksum that all servers have, so
    ``stat`` tells the size alone: MDTM counts seconds, too coarse for a version.

    Where a server refuses to rename over a file (IIS and others), the old file is deleted first: for the moment
    between these two commands no file has the name, and after a break there the next run brings the new one.
    """

    def __init__(self, name: str, place: FtpPlace, *, at_step: Callable[[str], None] = no_step) -> None:
        self._name = name
        self._where = f"destination '{name}'"
        self._place = place
        self._at_step = at_step
        self._pool = FtpPool(place, where=self._where)
        self._begun: dict[str, Begun] = {}

    def __repr__(self) -> str:
        return f"FtpDestination({self._name!r}, {self._place!r})"

    @property
    def name(self) -> str:
        """The name in offramp.yaml."""
        return self._name

    @property
    def is_conditional(self) -> bool:
        """Replies tell nothing of a file that a rename could be held against."""
        return False

    @property
    def verified_by(self) -> str:
        """Every file is read back whole, or its size alone is compared where the place says so."""
        return "read_back" if self._place.reads_back else "size"

    def stat(self, name: str) -> Standing | None:
        """Return the size of a file, or None if there is none."""
        self._check(name)
        with self._connection("look at", name) as client:
            size = look(client, client.path(name))
        return None if size is None else Standing(name, size)

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a file. Raises DestinationChanged if there is none, or another one by the end."""
        self._check(name)
        with self._connection("read back", name) as client:
            path, size = client.path(name), 0
            try:
                for block in whole(client, path):
                    size += len(block)
                    yield block
            except ftplib.error_perm as error:
                if look(client, path) is not None:
                    raise
                raise gone(self._where, name) from error
            if (stands := look(client, path)) != size:
                raise DestinationChanged(
                    f"a file at destination '{self._name}' was replaced or cut off while it was read",
                    where=name,
                    expected="nothing there" if stands is None else shown(stands),
                    found=shown(size),
                    todo="run again",
                )

    def put(
        self, name: str, content: Content, *, token: int, sent: Callable[[int], None] = nothing_sent
    ) -> PendingFile:
        """Write a hidden file beside the final name, going on with what an earlier try left, and prove it.

        Raises DestinationRefused, DestinationUnreachable (also for a full disk) or VerificationFailed.
        """
        self._check(name)
        temporary = temporary_name(name, token)
        pending = TemporaryUpload(name, content, temporary, sent)
        known = self._begun.get(temporary)
        begun = self._begun.setdefault(temporary, Begun(content.sha256))
        # What another process began is trusted only where all of it will be read back.
        goes_on = self._place.reads_back or known is not None
        if begun.sha256 != content.sha256:
            begun = self._begun[temporary] = Begun(content.sha256)
            goes_on = False
        is_stuck, begun.is_stuck = begun.is_stuck, False
        # The source is opened outside the fence: a part that is gone from the lake is no fault of the destination.
        with opened(content) as source, self._connection("write", name) as client:
            making = partial(told, self._name, self._place, "make a folder for", name)
            upload = Upload(client, client.path(temporary), begun, sent=sent, making=making)
            if is_stuck:
                self._remove(client, temporary)
            stands = self._look(client, temporary) if goes_on else None
            offset = stands if stands is not None and 0 < stands <= content.bytes else 0
            found = self._bring(client, upload, source, pending, offset=offset)
            if offset and found != (content.bytes, content.sha256):
                # What stood there was of another content: a correction under the same token.
                found = self._bring(client, upload, source, pending, offset=0)
            if found != (content.bytes, content.sha256):
                self._remove(client, temporary)
        self._begun.pop(temporary, None)
        if found != (content.bytes, content.sha256):
            sent(-begun.told_bytes)
            ask = "ask the server's operator what changes files there"
            raise other_bytes(self._where, name, content, found=shown(*found), ask=ask)
        return pending

    def commit(self, pending: PendingFile, *, over: Standing | None) -> None:
        """Rename over the final name. Doing it twice is no error.

        FTP knows no conditional rename, so a moment between look and rename remains; see the class for servers that
        do not rename over a file.
        """
        if not isinstance(pending, TemporaryUpload):
            message = f"a pending file of another destination: {type(pending).__name__}"
            raise TypeError(message)
        with self._connection("rename", pending.name) as client:
            is_there = self._look(client, pending.temporary) is not None
            stands = self._look(client, pending.name)
            is_other = stands is not None and (over is None or stands != over.bytes)
            if (is_other or not is_there) and self._holds(client, pending, stands):
                if is_there:
                    self._remove(client, pending.temporary)
                return
            if not is_there:
                raise upload_gone(self._where, pending.name, pending.content)
            if is_other:
                expected = "no file of this name" if over is None else shown(over.bytes)
                raise came_meanwhile(self._where, pending.name, expected=expected, found=shown(stands))
            self._rename(client, pending)
            self._prove(client, pending)

    def list(self, prefix: str) -> tuple[str, ...]:
        """Return the names that begin with a prefix, sorted, temporary ones left out."""
        names = (name for name in self._walk(prefix) if not is_temporary(name.rpartition("/")[2]))
        return tuple(sorted(name for name in names if name.startswith(prefix)))

    def delete(self, name: str) -> None:
        """Remove a file; one that is gone is no error."""
        self._check(name)
        with self._connection("delete", name) as client:
            self._remove(client, name)

    def sweep(self, prefixes: Iterable[str], *, below_token: int) -> int:
        """Remove uploads of older tokens whose final names begin with one of the prefixes, and return how many."""
        wanted = tuple(prefixes)
        stale = {
            name
            for prefix in {f"{one.rpartition('/')[0]}/" if "/" in one else "" for one in wanted}
            for name in self._walk(prefix)
            if is_stale(name, wanted, below_token)
        }
        for name in stale:
            with self._connection("delete", name) as client:
                self._remove(client, name)
        return len(stale)

    def rights(self) -> str:
        """Return which rights the account needs, in words for the customer's administrator."""
        return least_rights(self._place)

    def close(self) -> None:
        """Close connections. The next call opens them anew."""
        self._pool.close()

    def _bring(
        self, client: FtpClient, upload: Upload, source: BinaryIO, pending: TemporaryUpload, *, offset: int
    ) -> tuple[int | None, str | None]:
        """Send what is missing from an offset on, and return the bytes and the sha256 that arrived.

        The sha256 is None where the bytes are not as many as were sent.
        """
        content = pending.content
        if offset < content.bytes or not offset:
            with around(self._at_step, "store"):
                upload.bring(source, offset)
        with around(self._at_step, "size"):
            size = self._look(client, pending.temporary)
        if size != content.bytes:
            return size, None
        if not self._place.reads_back:
            return size, content.sha256
        with around(self._at_step, "read_back"):
            return self._read_back(client, pending.temporary, pending)

    def _rename(self, client: FtpClient, pending: TemporaryUpload) -> None:
        temporary, final = client.path(pending.temporary), client.path(pending.name)
        client.sendcmd(f"RNFR {temporary}")
        try:
            with around(self._at_step, "rename"):
                client.voidcmd(f"RNTO {final}")
        except ftplib.error_perm:
            # Only where both files are there was it the old one that stood in the way.
            if self._look(client, pending.name) is None or self._look(client, pending.temporary) is None:
                raise
            with told(self._name, self._place, "overwrite", pending.name):
                with around(self._at_step, "make_way"):
                    client.voidcmd(f"DELE {final}")
                client.rename(temporary, final)

    def _prove(self, client: FtpClient, pending: TemporaryUpload) -> None:
        size = self._look(client, pending.name)
        if size != pending.content.bytes:
            raise VerificationFailed(
                f"another file stands at destination '{self._name}' after the upload was renamed",
                where=pending.name,
                expected=shown(pending.content.bytes),
                found=shown(size),
                todo="run again; if it stays so, ask the server's operator what moves files there",
            )

    def _holds(self, client: FtpClient, pending: TemporaryUpload, stands: int | None) -> bool:
        """Say whether the final name has this content already: an earlier commit whose answer was lost."""
        wanted = (pending.content.bytes, pending.content.sha256)
        return stands == wanted[0] and self._read_back(client, pending.name, pending) == wanted

    def _remove(self, client: FtpClient, name: str) -> None:
        path = client.path(name)
        with told(self._name, self._place, "delete", name):
            try:
                with around(self._at_step, "delete"):
                    client.voidcmd(f"DELE {path}")
            except ftplib.error_perm:
                if look(client, path) is not None:
                    raise

    def _look(self, client: FtpClient, name: str) -> int | None:
        with told(self._name, self._place, "look at", name):
            return look(client, client.path(name))

    def _read_back(self, client: FtpClient, name: str, pending: TemporaryUpload) -> tuple[int, str]:
        with told(self._name, self._place, "read back", pending.name):
            return content_at(client, client.path(name), pending.sent)

    def _walk(self, prefix: str) -> tuple[str, ...]:
        """Return the files of the deepest folder that holds every name with this prefix."""
        folder = deepest_folder(prefix, destination=self._name)
        if refused_name(folder, self._place.encoding) is not None:
            return ()
        with self._connection("list", prefix or "/") as client:
            return tuple(walk(client, folder))

    def _check(self, name: str) -> None:
        check_ftp_name(name, destination=self._name, encoding=self._place.encoding)

    @contextmanager
    def _connection(self, doing: str, name: str) -> Iterator[FtpClient]:
        """Lend a connection; what goes wrong in logging in is told as that, all else as what was being done."""
        with ExitStack() as using:
            with told(self._name, self._place, "log in to", name):
                client = using.enter_context(self._pool.borrow())
            with told(self._name, self._place, doing, name):
                yield client
