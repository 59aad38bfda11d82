"""Verify: what a receiver can check of deliveries with nothing but the place where they arrived.

It reads manifests and files, never settings, lake or ledger, so it runs where none of them is. It trusts the
manifest's words only after the checksum beside the manifest has confirmed them.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from offramp.destinations.names import is_temporary
from offramp.domain.deliveries import FileRole
from offramp.domain.errors import OfframpError
from offramp.domain.exports import FormatName  # noqa: TC001 - pydantic reads annotations
from offramp.domain.manifests import MANIFEST_VERSION
from offramp.pipeline.reading_back import count_records
from offramp.pipeline.shelves import FolderShelf, Missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from offramp.pipeline.shelves import Shelf

MANIFESTS = "_manifests"
DOCUMENTATION = "documentation"
_CHECKSUM_LINE = re.compile(rb"^(?P<digest>[0-9a-f]+) [ *](?P<name>[^\r\n]+)\r?\n?$")
_DETECTED_AT = "detected_at"


class _Text(BaseModel):
    """A part of a manifest. Fields that are not read may be there: later versions add some."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _ColumnText(_Text):
    name: str
    type: str
    nullable: bool
    key: bool


class _SchemaText(_Text):
    fingerprint: str
    key: list[str]
    columns: list[_ColumnText] = Field(min_length=1)


class _FileText(_Text):
    name: str = Field(min_length=1)
    role: FileRole
    bytes: int
    rows: int
    sha256: str
    md5: str | None = None


class _FormatText(_Text):
    type: FormatName
    separator: str = ","
    enclosure: str = '"'
    escape: str = '"'
    has_header: bool = True
    gzip: bool = False


class _TotalsText(_Text):
    files: int
    bytes: int
    rows: int


class _RunKeyText(_Text):
    subscription: str
    revision: int


class _ManifestText(_Text):
    manifest_version: int
    delivery_id: str
    run_key: _RunKeyText
    export: str
    data_day: str
    schema_: _SchemaText = Field(alias="schema")
    format: _FormatText
    files: list[_FileText]
    marker: str | None = None
    totals: _TotalsText


@dataclass(frozen=True, slots=True)
class FileCheck:
    """What was found of one file that a manifest lists. ``rows`` and ``bytes`` are those read, None if unreadable."""

    name: str
    rows: int | None
    bytes: int | None
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeliveryCheck:
    """What was found of one manifest and its files. Facts are empty where the manifest cannot be read."""

    manifest: str
    delivery_id: str = ""
    revision: int = 0
    subscription: str = ""
    export: str = ""
    data_day: str = ""
    files: tuple[FileCheck, ...] = ()
    marker: str | None = None
    own_problems: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """All differences, those of files with the file's name in front."""
        return (*self.own_problems, *(f"{file.name}: {problem}" for file in self.files for problem in file.problems))

    @property
    def is_good(self) -> bool:
        """True where nothing differs."""
        return not self.problems

    @property
    def rows(self) -> int:
        """Rows read back over all files, those of deletes too."""
        return sum(file.rows or 0 for file in self.files)

    @property
    def bytes(self) -> int:
        """Bytes read back over all files."""
        return sum(file.bytes or 0 for file in self.files)


@dataclass(frozen=True, slots=True)
class PlaceReport:
    """What was found at a place. ``unmentioned`` are files that no manifest lists, ``leftovers`` are uploads that
    were never finished; both are warnings.
    """

    place: str
    deliveries: tuple[DeliveryCheck, ...]
    unmentioned: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()
    problems: tuple[str, ...] = field(default=())

    @property
    def is_good(self) -> bool:
        """True where there is a delivery and none differs from its manifest."""
        return not self.problems and all(one.is_good for one in self.deliveries)


def verify_folder(folder: Path) -> PlaceReport:
    """Check every manifest below a folder and the files that it lists. Raises WrongUse where there is none."""
    return verify_place(FolderShelf(folder))


def verify_place(shelf: Shelf, tell: Callable[[int, int], None] | None = None) -> PlaceReport:
    """Check every manifest at a place and the files that it lists.

    ``tell`` is given how many manifests were checked, and of how many.
    """
    names = shelf.names()
    manifests = [name for name in names if _is_manifest(name)]
    checks = []
    known: set[str] = set()
    for number, manifest in enumerate(manifests, start=1):
        check = verify_delivery(shelf, manifest)
        checks.append(check)
        root = root_of(manifest)
        known |= {manifest, f"{manifest}.sha256"}
        known |= {f"{root}{check.marker}"} if check.marker else set()
        for file in check.files:
            known |= {f"{root}{file.name}", f"{root}{file.name}.md5"}
        if tell is not None:
            tell(number, len(manifests))
    others = [name for name in names if name not in known and DOCUMENTATION not in name.split("/")[:-1]]
    leftovers = tuple(shelf.path_of(name) for name in others if _is_leftover(name))
    unmentioned = tuple(shelf.path_of(name) for name in others if not _is_leftover(name))
    nothing = () if checks else (f"no manifest stands below it ({MANIFESTS}/**/*.json): nothing was delivered",)
    return PlaceReport(shelf.shown, tuple(checks), unmentioned, leftovers, nothing)


def _is_manifest(name: str) -> bool:
    return name.endswith(".json") and MANIFESTS in name.split("/")[:-1] and not _is_leftover(name)


def _is_leftover(name: str) -> bool:
    return is_temporary(name.rpartition("/")[2])


def root_of(manifest: str) -> str:
    """Return what the names in a manifest are relative to: all before the last ``_manifests/`` of its name."""
    parts = manifest.split("/")[:-1]
    inner = len(parts) - 1 - parts[::-1].index(MANIFESTS)
    return "".join(f"{part}/" for part in parts[:inner])


def verify_delivery(shelf: Shelf, manifest: str) -> DeliveryCheck:
    """Check one manifest below a ``_manifests`` folder, the checksum beside it and every file that it lists."""
    shown = shelf.path_of(manifest)
    content, fault = _small(shelf, manifest)
    if content is None:
        return DeliveryCheck(shown, own_problems=(f"the manifest {fault}",))
    problems = list(_checksum_problems(shelf, f"{manifest}.sha256", hashlib.sha256(content).hexdigest()))
    try:
        read = _ManifestText.model_validate(json.loads(content))
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc'])) or 'it'}: {fault['msg']}" for fault in error.errors())
        return DeliveryCheck(shown, own_problems=(*problems, f"it is not a manifest: {'; '.join(faults)}"))
    except ValueError as error:
        return DeliveryCheck(shown, own_problems=(*problems, f"the manifest is not JSON: {error}"))
    root = root_of(manifest)
    return DeliveryCheck(
        shown,
        delivery_id=read.delivery_id,
        revision=read.run_key.revision,
        subscription=read.run_key.subscription,
        export=read.export,
        data_day=read.data_day,
        files=tuple(_check_file(shelf, root, file, read) for file in read.files),
        marker=read.marker,
        own_problems=(*problems, *_inner_problems(read), *_marker_problems(shelf, root, read.marker)),
    )


def _small(shelf: Shelf, name: str) -> tuple[bytes | None, str]:
    """Return a small file, or None and why not."""
    try:
        return shelf.small(name), ""
    except Missing:
        return None, "is missing"
    except OSError as error:
        return None, f"cannot be read: {error.strerror}"
    except OfframpError as error:
        return None, f"cannot be read: {error.what}"


def _checksum_problems(shelf: Shelf, sidecar: str, found: str, *, is_required: bool = True) -> Iterator[str]:
    """Compare a checksum with the sidecar that holds it, in the format of sha256sum and md5sum."""
    file, _, kind = sidecar.rpartition(".")
    content, fault = _small(shelf, sidecar)
    if content is None:
        if is_required or fault != "is missing":
            yield f"the .{kind} beside it {fault}"
        return
    match = _CHECKSUM_LINE.match(content)
    if match is None or match["name"].decode(errors="replace") != file.rpartition("/")[2]:
        yield f"the .{kind} beside it does not read '<checksum>  {file.rpartition('/')[2]}'"
    elif match["digest"].decode() != found:
        yield f"the .{kind} beside it says {match['digest'].decode()}, the bytes give {found}"


def _inner_problems(read: _ManifestText) -> Iterator[str]:
    """Say where a manifest does not agree with itself."""
    if read.manifest_version != MANIFEST_VERSION:
        yield f"its manifest_version is {read.manifest_version}, this program knows {MANIFEST_VERSION}"
    facts = [[column.name, column.type, column.nullable, column.key] for column in read.schema_.columns]
    fingerprint = hashlib.sha256(json.dumps(facts, separators=(",", ":")).encode()).hexdigest()
    if fingerprint != read.schema_.fingerprint:
        yield f"its schema gives the fingerprint {fingerprint}, it states {read.schema_.fingerprint}"
    rows = sum(file.rows for file in read.files if file.role is FileRole.ROWS)
    found = _TotalsText(files=len(read.files), bytes=sum(file.bytes for file in read.files), rows=rows)
    if found != read.totals:
        yield f"its files give the totals {found}, it states {read.totals}"


def _marker_problems(shelf: Shelf, root: str, marker: str | None) -> Iterator[str]:
    """Say what is wrong with the empty file that tells readers that a folder is complete."""
    if marker is None:
        return
    content, fault = _small(shelf, f"{root}{marker}")
    if content is None:
        yield f"its marker {marker} {fault}"
    elif content:
        yield f"its marker {marker} holds {len(content):,} bytes, and should be empty"


def _check_file(shelf: Shelf, root: str, file: _FileText, read: _ManifestText) -> FileCheck:
    if file.name.startswith("/") or ".." in file.name.split("/"):
        return FileCheck(file.name, None, None, ("its name leads out of the folder",))
    name = f"{root}{file.name}"
    try:
        with shelf.fetched(name) as path:
            return _check_content(shelf, name, path, file, read)
    except Missing:
        return FileCheck(file.name, None, None, ("it is missing",))
    except OSError as error:
        return FileCheck(file.name, None, None, (f"it cannot be read: {error.strerror}",))
    except OfframpError as error:
        return FileCheck(file.name, None, None, (f"it cannot be read: {error.what}",))


def _check_content(shelf: Shelf, name: str, path: Path, file: _FileText, read: _ManifestText) -> FileCheck:
    with path.open("rb") as content:
        sha256, md5, size = _digests(iter(lambda: content.read(1 << 20), b""))
    problems = []
    if size != file.bytes:
        problems.append(f"{size:,} bytes, the manifest says {file.bytes:,}")
    if sha256 != file.sha256:
        problems.append(f"its sha256 is {sha256}, the manifest says {file.sha256}")
    if file.md5 is not None and md5 != file.md5:
        problems.append(f"its md5 is {md5}, the manifest says {file.md5}")
    problems += _checksum_problems(shelf, f"{name}.md5", md5, is_required=False)
    rows, row_problems = _rows(path, file, read)
    return FileCheck(file.name, rows, size, (*problems, *row_problems))


def _digests(blocks: Iterable[bytes]) -> tuple[str, str, int]:
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    for block in blocks:
        sha256.update(block)
        md5.update(block)
        size += len(block)
    return sha256.hexdigest(), md5.hexdigest(), size


def _rows(path: Path, file: _FileText, read: _ManifestText) -> tuple[int | None, tuple[str, ...]]:
    names = [column.name for column in read.schema_.columns]
    if file.role is FileRole.DELETES:
        names = [*read.schema_.key, _DETECTED_AT]
    try:
        found = count_records(path, read.format.type, names, read.format.model_dump())
    except OfframpError as error:
        return None, (str(error),)
    problems = []
    if found.names is not None and list(found.names) != names:
        problems.append(f"its columns are {', '.join(found.names) or 'none'}; the manifest says {', '.join(names)}")
    if found.rows != file.rows:
        problems.append(f"{found.rows:,} rows, the manifest says {file.rows:,}")
    return found.rows, tuple(problems)
