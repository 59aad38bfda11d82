"""The one place where settings become sources, engines, encoders, destinations and a ledger."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, assert_never

from pydantic import SecretStr

from offramp.destinations.local import LocalDestination
from offramp.domain.errors import DestinationClosed, WrongUse, nearest
from offramp.domain.steps import no_step
from offramp.engine.duckdb_engine import DuckDBEngine
from offramp.feeds.registry import FEEDS, layers_of
from offramp.formats.registry import FORMATS
from offramp.lake.landings import FolderLandingStore
from offramp.lake.layers import LayerStore
from offramp.lake.manifests import ManifestStore
from offramp.lake.models import ModelStore
from offramp.lake.parts import PartStore
from offramp.lake.rejects import RejectStore
from offramp.lake.staged import StagedStore
from offramp.ledger.owners import has_ended, this_process
from offramp.ledger.sql_ledger import SqlLedger
from offramp.pipeline.rooms import Lake, Rooms
from offramp.settings.destinations import FtpDestination as FtpDestinationSettings
from offramp.settings.destinations import GcsDestination as GcsDestinationSettings
from offramp.settings.destinations import LocalDestination as LocalDestinationSettings
from offramp.settings.destinations import S3Destination as S3DestinationSettings
from offramp.settings.destinations import SftpDestination as SftpDestinationSettings
from offramp.settings.offers import offered_exports
from offramp.settings.shapes import DemoSource as DemoSettings
from offramp.settings.shapes import PhonesSource as PhonesSettings
from offramp.settings.shapes import PostgresSource as PostgresSettings
from offramp.settings.shapes import TracksSource as TracksSettings
from offramp.settings.values import utc_now
from offramp.sources.demo.beginning import begins_on
from offramp.sources.demo.source import DemoSource
from offramp.sources.phones.source import PhonesSource
from offramp.sources.postgres.source import PostgresSource
from offramp.sources.tracks.dialect import CsvDialect
from offramp.sources.tracks.source import TracksSource
from offramp.sql.project import load_project

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from offramp.domain.ports import Destination, Source
    from offramp.domain.subscriptions import Subscription
    from offramp.settings.destinations import DestinationSettings
    from offramp.settings.values import Settings
    from offramp.sql.project import Project

_VERSIONED = ("offramp", "duckdb", "polars", "pyarrow")


_LIBRARIES = {"s3": ("dagster_aws", "s3"), "gcs": ("dagster_gcp", "gcs"), "sftp": ("paramiko", "sftp")}
"""By kind of destination: the library that it needs, and the extra of ours that brings it."""


@cache
def versions() -> Mapping[str, str]:
    """Return the versions that the bytes of a delivery depend on."""
    return {"version" if name == "offramp" else name: version(name) for name in _VERSIONED}


@dataclass(frozen=True, slots=True)
class _Opening:
    """What every part that is opened needs."""

    settings: Settings
    clock: Callable[[], datetime]

    def source(self, name: str) -> Source:
        settings = self.settings.sources[name]
        match settings:
            case DemoSettings():
                return DemoSource(
                    name=name,
                    folder=settings.folder,
                    seed=settings.seed,
                    start_on=begins_on(settings.folder, settings.start_on, self.clock().date()),
                    days=settings.days,
                    scale=settings.scale,
                    clock=self.clock,
                    threads=self.settings.limits.threads,
                    memory_bytes=self.settings.limits.memory_bytes,
                )
            case PhonesSettings():
                return PhonesSource(
                    name=name,
                    folder=settings.folder,
                    seed=settings.seed,
                    start_on=begins_on(settings.folder, settings.start_on, self.clock().date()),
                    days=settings.days,
                    scale=settings.scale,
                    clock=self.clock,
                    threads=self.settings.limits.threads,
                    memory_bytes=self.settings.limits.memory_bytes,
                )
            case TracksSettings():
                return TracksSource(
                    name=name,
                    folder=settings.folder,
                    app_id=settings.app_id,
                    clock=self.clock,
                    dialect=CsvDialect(settings.csv.separator, settings.csv.times, settings.csv.columns.named()),
                    memory_bytes=self.settings.limits.memory_bytes,
                )
            case PostgresSettings():
                return PostgresSource(
                    name=name,
                    dsn=settings.url.get_secret_value(),
                    schema=settings.schema_name,
                    readers=settings.readers,
                    read_point_sql=settings.read_point_sql,
                    memory_bytes=self.settings.limits.memory_bytes,
                )
            case _:
                assert_never(settings)

    def destination(self, name: str, subscription: Subscription) -> Destination:
        settings = self.settings.destinations.get(name)
        if settings is None:
            raise WrongUse(f"'{name}' is not a destination", todo=nearest(name, self.settings.destinations))
        return open_destination(name, settings, settings.folder(subscription))


@dataclass(slots=True)
class _Destinations:
    """The destinations that were given out, each opened once, so that its connections serve a whole run."""

    opening: _Opening
    opened: dict[tuple[str, str], Destination] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def get(self, name: str, subscription: Subscription) -> Destination:
        with self.lock:
            key = (name, subscription.id)
            if key not in self.opened:
                self.opened[key] = self.opening.destination(name, subscription)
            return self.opened[key]

    def close(self) -> None:
        with self.lock:
            opened = list(self.opened.values())
        with ExitStack() as stack:
            for one in opened:
                stack.callback(one.close)


def _proof(settings: DestinationSettings) -> str:
    """Return how uploads are proved, as the drivers do it; a driver that cannot be opened is not asked."""
    match settings:
        case LocalDestinationSettings():
            return "read_back"
        case S3DestinationSettings() | GcsDestinationSettings():
            return "read_back" if settings.verification == "full" else "checksum"
        case SftpDestinationSettings() | FtpDestinationSettings():
            return "read_back" if settings.verification == "full" else "size"
        case _:
            assert_never(settings)


def open_destination(name: str, settings: DestinationSettings, folder: str) -> Destination:
    """Open a destination at one of its folders. Nothing is connected yet.

    Libraries of kinds that nobody uses are not loaded. Raises DestinationClosed where a file of a key cannot be read
    or a library is not installed: that keeps no other destination from its files.
    """
    is_hmac = isinstance(settings, GcsDestinationSettings) and settings.has_hmac_keys
    needed = _LIBRARIES.get("s3" if is_hmac else settings.kind)
    if needed is not None and find_spec(needed[0]) is None:
        what = f"destination '{name}' needs a library that is not installed"
        raise DestinationClosed(what, expected=needed[0], todo=f"pip install 'offramp[{needed[1]}]'")
    match settings:
        case LocalDestinationSettings():
            return LocalDestination(name, Path(folder))
        case S3DestinationSettings():
            return _s3(name, settings, folder)
        case GcsDestinationSettings() if settings.has_hmac_keys:
            return _gcs_by_hmac(name, settings, folder)
        case GcsDestinationSettings():
            return _gcs(name, settings, folder)
        case SftpDestinationSettings():
            return _sftp(name, settings, folder)
        case FtpDestinationSettings():
            return _ftp(name, settings, folder)
        case _:
            assert_never(settings)


def _s3(name: str, settings: S3DestinationSettings, folder: str) -> Destination:
    from offramp.destinations.s3.destination import S3Destination  # noqa: PLC0415 - see open_destination
    from offramp.destinations.s3.place import S3Place  # noqa: PLC0415 - see open_destination

    place = S3Place(
        bucket=settings.bucket,
        prefix=folder,
        access_key=settings.access_key,
        secret_key=settings.secret_key,
        session_token=settings.session_token,
        region=settings.region,
        endpoint_url=settings.endpoint_url,
        ca_file=_text(settings.ca_file),
        assume_role=settings.assume_role,
        external_id=settings.external_id,
        encryption=settings.encryption,
        kms_key=settings.kms_key,
        storage_class=settings.storage_class,
        part_bytes=settings.part_bytes,
        parallel_parts=settings.parallel_parts,
        timeout_seconds=settings.timeout_seconds,
        reads_back=settings.verification == "full",
    )
    return S3Destination(name, place)


def _gcs_by_hmac(name: str, settings: GcsDestinationSettings, folder: str) -> Destination:
    from offramp.destinations.s3.destination import S3Destination  # noqa: PLC0415 - see open_destination
    from offramp.destinations.s3.place import S3Place  # noqa: PLC0415 - see open_destination

    place = S3Place(
        bucket=settings.bucket,
        prefix=folder,
        access_key=settings.access_key,
        secret_key=settings.secret_key,
        endpoint_url=settings.endpoint_url,
        storage_class=settings.storage_class,
        timeout_seconds=settings.timeout_seconds,
        reads_back=settings.verification == "full",
        dialect="gcs",
    )
    return S3Destination(name, place)


def _gcs(name: str, settings: GcsDestinationSettings, folder: str) -> Destination:
    from offramp.destinations.gcs.destination import GcsDestination  # noqa: PLC0415 - see open_destination
    from offramp.destinations.gcs.place import GcsPlace  # noqa: PLC0415 - see open_destination

    place = GcsPlace(
        bucket=settings.bucket,
        prefix=folder,
        project=settings.project,
        service_account=settings.service_account or _secret(name, settings.service_account_file),
        endpoint_url=settings.endpoint_url,
        storage_class=settings.storage_class,
        kms_key=settings.kms_key,
        timeout_seconds=settings.timeout_seconds,
        reads_back=settings.verification == "full",
    )
    return GcsDestination(name, place)


def _sftp(name: str, settings: SftpDestinationSettings, folder: str) -> Destination:
    from offramp.destinations.sftp.destination import SftpDestination  # noqa: PLC0415 - see open_destination
    from offramp.destinations.sftp.place import SftpPlace  # noqa: PLC0415 - see open_destination

    place = SftpPlace(
        host=settings.host,
        port=settings.port,
        username=settings.username,
        password=settings.password,
        private_key=settings.private_key or _secret(name, settings.private_key_file),
        private_key_passphrase=settings.private_key_passphrase,
        host_key=settings.host_key,
        known_hosts=_text(settings.known_hosts),
        directory=_remote_folder(settings.directory, folder),
        timeout_seconds=settings.timeout_seconds,
        reads_back=settings.verification == "full",
        connections=settings.connections,
    )
    return SftpDestination(name, place)


def _ftp(name: str, settings: FtpDestinationSettings, folder: str) -> Destination:
    from offramp.destinations.ftp.destination import FtpDestination  # noqa: PLC0415 - see open_destination
    from offramp.destinations.ftp.place import FtpPlace  # noqa: PLC0415 - see open_destination

    place = FtpPlace(
        host=settings.host,
        port=settings.port,
        username=settings.username,
        password=settings.password,
        directory=_remote_folder(settings.directory, folder),
        tls=settings.tls == "required",
        ca_file=_text(settings.ca_file),
        is_passive=settings.mode == "passive",
        active_address=settings.active_address,
        timeout_seconds=settings.timeout_seconds,
        reads_back=settings.verification == "full",
        connections=settings.connections,
    )
    return FtpDestination(name, place)


def _remote_folder(directory: str, folder: str) -> str:
    """Return a folder from the account's root, or from where the login leads if the setting does not begin with /."""
    return f"/{folder}" if directory.startswith("/") else folder


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _secret(name: str, path: Path | None) -> SecretStr | None:
    if path is None:
        return None
    try:
        return SecretStr(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        what = f"the key of destination '{name}' cannot be read"
        todo = "correct its path in the settings, or give this user the right to read it"
        raise DestinationClosed(what, where=str(path), found=type(error).__name__, todo=todo) from error


def open_rooms(
    settings: Settings,
    *,
    project: Project | None = None,
    clock: Callable[[], datetime] = utc_now,
    at_step: Callable[[str], None] = no_step,
) -> Rooms:
    """Open everything that a run needs. Nothing is read from a source or written to a destination yet.

    ``project`` is the settings' own if it was loaded before. ``at_step`` is told each named step before it happens.
    """
    project = project or load_project(settings.models)
    limits = settings.limits
    root = settings.lake
    parts = PartStore(root)
    opening = _Opening(settings, clock)
    destinations = _Destinations(opening)
    return Rooms(
        project=project,
        feeds=FEEDS,
        exports=offered_exports(settings, project),
        subscriptions=settings.subscriptions,
        sources={name: opening.source(name) for name in settings.sources},
        lake=Lake(
            landings=FolderLandingStore(root, memory_bytes=limits.memory_bytes, threads=limits.threads),
            models=ModelStore(root),
            layers=LayerStore(root),
            parts=parts,
            staged=StagedStore(root, parts),
            rejects=RejectStore(root),
            manifests=ManifestStore(root),
        ),
        engine=DuckDBEngine(settings.scratch, memory_bytes=limits.memory_bytes, threads=limits.threads),
        formats=FORMATS,
        destination=destinations.get,
        hang_up=destinations.close,
        proof=lambda name: _proof(settings.destinations[name]),
        ledger=SqlLedger(settings.ledger.get_secret_value(), redact=settings.redact),
        clock=clock,
        owner=this_process(),
        has_ended=has_ended,
        safety_lag=settings.safety_lag,
        claim_ttl=settings.claim_ttl,
        publish_parallel=limits.publish_parallel,
        versions=versions(),
        memory_bytes=limits.memory_bytes,
        layers=layers_of(FEEDS),
        at_step=at_step,
    )
