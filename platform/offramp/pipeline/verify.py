"""Verify: what a receiver can check of a folder of deliveries with nothing but the folder.

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
from offramp.domain.errors import OfframpError, WrongUse
from offramp.domain.exports import FormatName  # noqa: TC001 - pydantic reads annotations
from offramp.domain.manifests import MANIFEST_VERSION
from offramp.pipeline.reading_back import count_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

MANIFESTS = "_manifests"
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

    manifest: Path
    delivery_id: str = ""
    revision: int = 0
    subscription: str = ""
    export: str = ""
    data_day: str = ""
    files: tuple[FileCheck, ...] = ()
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
class FolderReport:
    """What was found below a folder. ``unmentioned`` are files that no manifest lists, ``leftovers`` are uploads
    that were never finished; both are warnings.
    """

    folder: Path
    deliveries: tuple[DeliveryCheck, ...]
    unmentioned: tuple[Path, ...] = ()
    leftovers: tuple[Path, ...] = ()
    problems: tuple[str, ...] = field(default=())

    @property
    def is_good(self) -> bool:
        """True where there is a delivery and none differs from its manifest."""
        return not self.problems and all(one.is_good for one in self.deliveries)


def verify_folder(folder: Path, tell: Callable[[DeliveryCheck], None] | None = None) -> FolderReport:
    """Check every manifest below a folder and the files that it lists. ``tell`` is given each as it is done.

    Raises WrongUse where there is no such folder.
    """
    if not folder.is_dir():
        todo = "give the folder that deliveries arrive in"
        raise WrongUse("there is no such folder", where=str(folder), todo=todo)
    checks = []
    known: set[Path] = set()
    roots: set[Path] = set()
    for manifest in _manifests(folder):
        check = verify_delivery(manifest)
        checks.append(check)
        root = root_of(manifest)
        roots.add(root)
        known |= {manifest, _beside(manifest, "sha256")}
        for file in check.files:
            known |= {root / file.name, _beside(root / file.name, "md5")}
        if tell is not None:
            tell(check)
    others = [path for path in _files(folder) if path not in known]
    leftovers = tuple(path for path in others if is_temporary(path.name))
    unmentioned = tuple(path for path in others if not is_temporary(path.name))
    nothing = () if checks else (f"no manifest stands below it ({MANIFESTS}/**/*.json): nothing was delivered",)
    return FolderReport(folder, tuple(checks), unmentioned, leftovers, nothing)


def root_of(manifest: Path) -> Path:
    """Return the folder that the names in a manifest are relative to: the one that holds ``_manifests``."""
    inner = next(parent for parent in manifest.parents if parent.name == MANIFESTS)
    return inner.parent


def verify_delivery(manifest: Path) -> DeliveryCheck:
    """Check one manifest below a ``_manifests`` folder, the checksum beside it and every file that it lists."""
    try:
        content = manifest.read_bytes()
    except OSError as error:
        return DeliveryCheck(manifest, own_problems=(f"the manifest cannot be read: {error.strerror}",))
    problems = list(_checksum_problems(_beside(manifest, "sha256"), manifest.name, hashlib.sha256(content).hexdigest()))
    try:
        read = _ManifestText.model_validate(json.loads(content))
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc'])) or 'it'}: {fault['msg']}" for fault in error.errors())
        return DeliveryCheck(manifest, own_problems=(*problems, f"it is not a manifest: {'; '.join(faults)}"))
    except ValueError as error:
        return DeliveryCheck(manifest, own_problems=(*problems, f"the manifest is not JSON: {error}"))
    root = root_of(manifest)
    return DeliveryCheck(
        manifest,
        delivery_id=read.delivery_id,
        revision=read.run_key.revision,
        subscription=read.run_key.subscription,
        export=read.export,
        data_day=read.data_day,
        files=tuple(_check_file(root, file, read) for file in read.files),
        own_problems=(*problems, *_inner_problems(read)),
    )


def _manifests(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.json")):
        if MANIFESTS in path.parts[len(folder.parts) :] and not is_temporary(path.name):
            yield path


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}.{suffix}")


def _checksum_problems(sidecar: Path, name: str, found: str, *, is_required: bool = True) -> Iterator[str]:
    """Compare a checksum with the sidecar that holds it, in the format of sha256sum and md5sum."""
    kind = sidecar.suffix
    try:
        match = _CHECKSUM_LINE.match(sidecar.read_bytes())
    except FileNotFoundError:
        if is_required:
            yield f"the {kind} beside it is missing"
        return
    except OSError as error:
        yield f"the {kind} beside it cannot be read: {error.strerror}"
        return
    if match is None or match["name"].decode(errors="replace") != name:
        yield f"the {kind} beside it does not read '<checksum>  {name}'"
    elif match["digest"].decode() != found:
        yield f"the {kind} beside it says {match['digest'].decode()}, the bytes give {found}"


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


def _check_file(root: Path, file: _FileText, read: _ManifestText) -> FileCheck:
    path = root / file.name
    if not path.resolve().is_relative_to(root.resolve()):
        return FileCheck(file.name, None, None, ("its name leads out of the folder",))
    try:
        with path.open("rb") as content:
            sha256, md5, size = _digests(iter(lambda: content.read(1 << 20), b""))
    except FileNotFoundError:
        return FileCheck(file.name, None, None, ("it is missing",))
    except OSError as error:
        return FileCheck(file.name, None, None, (f"it cannot be read: {error.strerror}",))
    problems = []
    if size != file.bytes:
        problems.append(f"{size:,} bytes, the manifest says {file.bytes:,}")
    if sha256 != file.sha256:
        problems.append(f"its sha256 is {sha256}, the manifest says {file.sha256}")
    if file.md5 is not None and md5 != file.md5:
        problems.append(f"its md5 is {md5}, the manifest says {file.md5}")
    problems += _checksum_problems(_beside(path, "md5"), path.name, md5, is_required=False)
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
