"""What stands on an FTP server: the newer commands where the server has them, else LIST, read with care."""

from __future__ import annotations

import ftplib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offramp.destinations.ftp.connection import FtpClient, retrieve
from offramp.destinations.ftp.errors import code, is_denied

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNKNOWN_COMMAND = {"500", "501", "502", "503", "504"}
# "-rw-r--r--    1 ftp      ftp          3000 Nov 22 14:21  a b": one blank after the date, then the name.
_UNIX = re.compile(
    r"^(?P<kind>[-dlbcps])[-rwxsStTlL]{9}[+.@]?\s+\d+\s+.*?(?P<bytes>\d+)\s+"
    r"(?:[^\W\d]{3,}\.?\s+\d{1,2}|\d{1,2}\s+[^\W\d]{3,}\.?|\d{4}-\d{2}-\d{2})\s+(?:\d{1,2}:\d{2}|\d{4}) (?P<name>.+)$",
    re.DOTALL,
)
# IIS: "11-22-26  02:10PM                 3000 a b", with <DIR> in the place of the size.
_DOS = re.compile(
    r"^\d{2}-\d{2}-(?:\d{4}|\d{2})\s+\d{2}:\d{2}(?:[AP]M)?"
    r"(?:\s+<(?P<kind>DIR|JUNCTION|SYMLINKD?)>\s{10}|\s+(?P<bytes>\d+) )"
    r"(?P<name>.+)$",
    re.DOTALL,
)
_TOTAL = re.compile(r"^total \d+$")


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in a folder. ``bytes`` is None where the server did not tell."""

    name: str
    is_folder: bool
    bytes: int | None


class UnknownLine(ValueError):
    """A line of a listing that is of no known form."""


def look(client: FtpClient, path: str) -> int | None:
    """Return the bytes of a file, or None where no file is: nothing, or a folder."""
    if "MLST" in client.features:
        try:
            reply = client.sendcmd(f"MLST {path}").split("\n")
        except ftplib.error_perm as error:
            if not is_denied(error) and code(error) not in _UNKNOWN_COMMAND:
                return None
        else:
            facts, _ = _facts(reply[min(1, len(reply) - 1)].lstrip(" "))
            if facts.get("type") in {"dir", "cdir", "pdir"}:
                return None
            if facts.get("type") == "file" and (size := _size(facts)) is not None:
                return size
    try:
        return client.size(path)
    except ValueError:
        pass  # a reply that is no number
    except ftplib.error_perm as error:
        if not is_denied(error) and code(error) not in _UNKNOWN_COMMAND:
            return None
    folder, _, basename = path.rpartition("/")
    entries = entries_of(client, folder or "/") or []
    return next((one.bytes for one in entries if one.name == basename and not one.is_folder), None)


def walk(client: FtpClient, folder: str) -> Iterator[str]:
    """Yield the names of all files below a folder (itself a name, or empty), and nothing where it is missing.

    Links are not followed into folders.
    """
    waiting = [folder]
    while waiting:
        parent = waiting.pop()
        for entry in entries_of(client, client.path(parent)) or ():
            name = f"{parent}/{entry.name}" if parent else entry.name
            if entry.is_folder:
                waiting.append(name)
            else:
                yield name


def entries_of(client: FtpClient, folder: str) -> list[Entry] | None:
    """Return what a folder holds, or None where there is none. ftplib.error_perm where it may not be listed."""
    try:
        return _entries(client, folder)
    except ftplib.error_perm:
        # 550 says both "missing" and "not for you".
        if not (_can_enter(client, folder) or _is_in_parent(client, folder)):
            return None
    # Another run may have made it in between.
    return _entries(client, folder)


def _entries(client: FtpClient, folder: str) -> list[Entry]:
    if "MLST" in client.features:
        return list(_of_mlsd(_lines(client, f"MLSD {folder}")))
    # LIST takes blanks, dashes and stars in its argument for something else, so it is given none of the path.
    client.cwd(folder)
    try:
        return _of_list(client)
    except UnknownLine:
        return _of_names(client, folder)


def _can_enter(client: FtpClient, folder: str) -> bool:
    return client.try_command(f"CWD {folder}")


def _is_in_parent(client: FtpClient, folder: str) -> bool:
    parent, _, basename = folder.rpartition("/")
    if not basename:
        return True
    try:
        entries = entries_of(client, parent or "/")
    except ftplib.error_perm:
        return False
    return any(one.name == basename and one.is_folder for one in entries or ())


def _lines(client: FtpClient, command: str) -> list[str]:
    """Return the lines of a listing, those left out that are not in our encoding: they are no names of ours."""
    lines = b"".join(retrieve(client, command)).split(b"\n")
    found = []
    for line in lines:
        try:
            found.append(line.removesuffix(b"\r").decode(client.encoding))
        except UnicodeDecodeError:
            continue
    return [line for line in found if line]


def _facts(line: str) -> tuple[dict[str, str], str]:
    """Split what RFC 3659 fixed: ``type=file;size=3; the name``. Names of facts come in either case."""
    facts, _, name = line.partition(" ")
    pairs = (fact.partition("=") for fact in facts.split(";") if fact)
    return {key.lower(): (value.lower() if key.lower() == "type" else value) for key, _, value in pairs}, name


def _size(facts: dict[str, str]) -> int | None:
    """Return the bytes that facts tell, or None where they tell none or something else than a number."""
    found = facts.get("size", "")
    return int(found) if re.fullmatch(r"[0-9]{1,19}", found) else None


def _of_mlsd(lines: list[str]) -> Iterator[Entry]:
    for line in lines:
        facts, name = _facts(line)
        if facts.get("type") in {"file", "dir"}:
            yield Entry(name, facts["type"] == "dir", _size(facts))


def _of_list(client: FtpClient) -> list[Entry]:
    """List the current folder, hidden files too: those are our uploads."""
    found: dict[str, Entry] = {}
    for command in ("LIST -a", "LIST"):
        try:
            lines = _lines(client, command)
        except ftplib.error_perm:
            if command == "LIST":
                raise
            continue
        entries = [one for one in map(_of_line, lines) if one is not None]
        found |= {one.name: one for one in entries}
        # A server that took "-a" for a name shows no such entry; then the plain form tells.
        if "." in found:
            break
    return [one for one in found.values() if one.name not in {".", ".."}]


def _of_line(line: str) -> Entry | None:
    """Read one line of LIST; None for those that name nothing. Raises UnknownLine."""
    if match := _UNIX.match(line):
        kind, name = match["kind"], match["name"]
        if kind == "l":
            return Entry(name.partition(" -> ")[0], is_folder=False, bytes=None)
        return Entry(name, kind == "d", int(match["bytes"])) if kind in "-d" else None
    if match := _DOS.match(line):
        return Entry(match["name"], match["kind"] is not None, int(match["bytes"]) if match["bytes"] else None)
    if _TOTAL.match(line):
        return None
    raise UnknownLine(line)


def _of_names(client: FtpClient, folder: str) -> list[Entry]:
    """List names alone, and ask of each what it is: LIST was of a form that nobody here knows."""
    try:
        lines = _lines(client, "NLST -a")
    except ftplib.error_perm:
        lines = _lines(client, "NLST")
    names = {line.rpartition("/")[2] for line in lines} - {".", "..", ""}
    parent = folder.rstrip("/")
    return [Entry(name, _can_enter(client, f"{parent}/{name}"), None) for name in sorted(names)]
