"""A folder of an SFTP server, behind a host key that is always checked."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from offramp.destinations.names import check_name, deepest_folder, is_stale, is_temporary, temporary_name
from offramp.destinations.sftp.connect import connect
from offramp.destinations.sftp.errors import sftp_errors
from offramp.destinations.sftp.packets import EXISTS, FAILURE, GONE, PERMISSION_DENIED, UNSUPPORTED, StatusError
from offramp.destinations.sftp.place import SftpPlace, least_rights
from offramp.destinations.sftp.pool import SftpPool
from offramp.destinations.sftp.upload import Source, found_bytes, in_the_way, opened, read_back, target
from offramp.destinations.sftp.walk import walk
from offramp.destinations.uploads import TemporaryUpload, came_meanwhile, gone, shown, upload_gone
from offramp.domain.contents import Content, Standing
from offramp.domain.errors import VerificationFailed
from offramp.domain.steps import around, no_step, nothing_sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from offramp.destinations.sftp.packets import Attributes
    from offramp.destinations.sftp.session import SftpSession
    from offramp.domain.ports import PendingFile


STEPS = ("write", "fsync", "read_back", "rename", "delete")


class SftpDestination:
    """Files below a folder of an SFTP server; a reader there sees each file whole or not at all.

    ``Standing.version`` is the time of change and the size. That time has the grain of a second: a file that somebody
    replaces by another of the same size within the second in which ours was written goes unnoticed. A server whose
    files carry no time gives no version, and sizes alone are compared. ``at_step`` is told "before ..." and
    "after ..." of every one of ``STEPS``; "fsync" is told also where the server cannot be asked for it.
    """

    def __init__(self, name: str, place: SftpPlace, *, at_step: Callable[[str], None] = no_step) -> None:
        self._name = name
        self._where = f"destination '{name}'"
        self._place = place
        self._at_step = at_step
        self._pool = SftpPool(
            partial(connect, place, destination=name),
            place.connections,
            where=self._where,
            wait_seconds=2 * place.timeout_seconds,
        )

    def __repr__(self) -> str:
        return f"SftpDestination({self._name!r}, {self._place.address!r}, {self._place.path('')!r})"

    @property
    def name(self) -> str:
        """The name in offramp.yaml."""
        return self._name

    @property
    def is_conditional(self) -> bool:
        """A rename cannot be held against what was seen; only creating can."""
        return False

    @property
    def verified_by(self) -> str:
        """Every file is read back whole, unless the settings say that its size will do."""
        return "read_back" if self._place.reads_back else "size"

    def stat(self, name: str) -> Standing | None:
        """Return size and time of change of a file, or None if there is none."""
        path = self._path(name)
        with self._session("look at files", path) as session:
            found = session.stat(path)
        return _standing(name, found) if found is not None and found.is_file else None

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a file. Raises DestinationChanged if there is none (any more)."""
        path = self._path(name)
        with self._session("read files", path) as session:
            try:
                with session.reading(path) as handle:
                    yield from session.read(handle)
            except StatusError as error:
                if error.code not in GONE:
                    raise
                raise gone(self._where, name) from error

    def put(
        self, name: str, content: Content, *, token: int, sent: Callable[[int], None] = nothing_sent
    ) -> PendingFile:
        """Write a hidden file beside the final name, or go on with it, and prove that it arrived.

        What an earlier call with this token left is gone on with if its last bytes are those of the content.
        ``sent`` is told what the server says that it has. An upload that does not verify is removed. Raises
        DestinationRefused, DestinationUnreachable (also for a full disk) or VerificationFailed.
        """
        check_name(name, destination=self._name)
        temporary = temporary_name(name, token)
        path = self._place.path(temporary)
        with opened(content) as source, self._session("write files", path) as session:
            count = self._write(session, path, source, sent)
            with around(self._at_step, "read_back"), sftp_errors(self._name, "read files", path):
                found = read_back(session, path, sent) if self._place.reads_back else found_bytes(session, path)
            if found is None or not found.proves(content):
                self._remove(session, path)
                sent(-count)
                raise VerificationFailed(
                    f"{self._where} held other bytes than were sent; they were removed",
                    where=name,
                    expected=shown(content.bytes, content.sha256),
                    found=str(found or "no file"),
                    todo="run again; if it stays so, ask the customer what else works on files in that folder",
                )
        return TemporaryUpload(name, content, temporary, sent)

    def commit(self, pending: PendingFile, *, over: Standing | None) -> None:
        """Rename over the final name. Doing it twice is no error.

        A name that nobody had is taken by SFTP's plain rename, which refuses to replace. Over another file goes
        OpenSSH's posix-rename, in one step, and a moment remains between look and rename. A server without it needs
        the old file removed first: then readers find no file for a moment, and after a kill until the next run.
        Nothing is looked at after the rename, since customers move files away as soon as they see them.
        """
        if not isinstance(pending, TemporaryUpload):
            message = f"a pending file of another destination: {type(pending).__name__}"
            raise TypeError(message)
        final, temporary = self._place.path(pending.name), self._place.path(pending.temporary)
        with self._session("rename files", final) as session:
            with sftp_errors(self._name, "look at files", final):
                current = session.stat(final)
            if current is not None and not current.is_file:
                raise in_the_way(self._name, final)
            if current is not None and (over is None or not _is_same(over, _standing(pending.name, current))):
                self._keep_equal(session, pending)
                return
            try:
                with around(self._at_step, "rename"):
                    is_renamed = _rename(session, temporary, final, is_over=current is not None)
            except StatusError as error:
                if error.code not in GONE:
                    raise
                if not _holds(session, final, pending):
                    raise upload_gone(self._where, pending.name, pending.content) from error
                return
            if not is_renamed:
                self._keep_equal(session, pending)

    def list(self, prefix: str) -> tuple[str, ...]:
        """Return the names that begin with a prefix, sorted, temporary ones left out."""
        folder = deepest_folder(prefix, destination=self._name)
        with self._session("list folders", self._place.path(folder)) as session:
            names = [
                name
                for name in walk(session, self._place, folder, (prefix,))
                if name.startswith(prefix) and not is_temporary(name.rpartition("/")[2])
            ]
        return tuple(sorted(names))

    def delete(self, name: str) -> None:
        """Remove a file; one that is gone is no error."""
        self._delete(self._path(name))

    def sweep(self, prefixes: Iterable[str], *, below_token: int) -> int:
        """Remove uploads of older tokens whose final names begin with one of the prefixes, and return how many."""
        wanted = tuple(prefixes)
        stale: set[str] = set()
        for folder in {deepest_folder(prefix, destination=self._name) for prefix in wanted}:
            with self._session("list folders", self._place.path(folder)) as session:
                names = walk(session, self._place, folder, wanted)
                stale.update(name for name in names if is_stale(name, wanted, below_token))
        for name in stale:
            self._delete(self._place.path(name))
        return len(stale)

    def rights(self) -> str:
        """Return which rights the account needs, for the customer."""
        return least_rights(self._place)

    def close(self) -> None:
        """Close every connection. The next call opens them anew."""
        self._pool.close()

    def _path(self, name: str) -> str:
        check_name(name, destination=self._name)
        return self._place.path(name)

    @contextmanager
    def _session(self, doing: str, path: str) -> Iterator[SftpSession]:
        with sftp_errors(self._name, doing, path), self._pool.borrowed() as session:
            yield session

    def _write(self, session: SftpSession, path: str, source: Source, sent: Callable[[int], None]) -> int:
        """Write what is not there yet and return how many bytes that was."""
        total = 0
        with target(session, self._name, path, source) as (handle, offset):
            with around(self._at_step, "write"):
                for count in session.write(handle, offset, source.blocks(offset, session.block_bytes)):
                    total += count
                    sent(count)
            with around(self._at_step, "fsync"):
                session.sync(handle)
        return total

    def _keep_equal(self, session: SftpSession, pending: TemporaryUpload) -> None:
        """Leave a file that came to stand there if it is this content, and remove the upload."""
        if not _holds(session, self._place.path(pending.name), pending):
            raise came_meanwhile(
                self._where, pending.name, expected="no file of this name, or the one that was there before"
            )
        self._remove(session, self._place.path(pending.temporary))

    def _delete(self, path: str) -> None:
        with self._session("delete files", path) as session:
            self._remove(session, path, told=self._at_step)

    def _remove(self, session: SftpSession, path: str, *, told: Callable[[str], None] = no_step) -> None:
        with sftp_errors(self._name, "delete files", path):
            try:
                with around(told, "delete"):
                    session.remove(path)
            except StatusError as error:
                if error.code not in GONE:
                    raise


def _standing(name: str, found: Attributes) -> Standing:
    return Standing(name, found.bytes, version=None if found.mtime is None else f"{found.mtime}-{found.bytes}")


def _is_same(one: Standing, other: Standing) -> bool:
    return (one.bytes, one.version) == (other.bytes, other.version)


def _holds(session: SftpSession, path: str, pending: TemporaryUpload) -> bool:
    found = found_bytes(session, path)
    if found is None or not found.proves(pending.content):
        return False
    return read_back(session, path, pending.sent).proves(pending.content)


def _rename(session: SftpSession, old: str, new: str, *, is_over: bool) -> bool:
    """Rename, and say whether that was done; False where a file came to stand there that must not be replaced."""
    try:
        (session.rename_over if is_over else session.rename)(old, new)
    except StatusError as error:
        if error.code in GONE:
            raise
        if is_over and error.code in {UNSUPPORTED, PERMISSION_DENIED}:
            _rename_plainly_over(session, old, new)
        elif is_over:
            raise
        elif session.stat(new) is not None:
            return False
        else:
            # A file system without links, or an administrator who allows one of the two requests.
            _rename_after(error, session, old, new)
    return True


def _rename_plainly_over(session: SftpSession, old: str, new: str) -> None:
    """Rename where one step over another file is not to be had, the old file removed where that is all that helps."""
    try:
        session.rename(old, new)
    except StatusError as error:
        if error.code not in {FAILURE, EXISTS} or session.stat(new) is None:
            raise
        session.remove(new)
        session.rename(old, new)


def _rename_after(first: StatusError, session: SftpSession, old: str, new: str) -> None:
    try:
        session.rename_over(old, new)
    except StatusError as error:
        raise (first if error.code == UNSUPPORTED else error) from first
