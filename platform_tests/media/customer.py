"""A customer of the media feed: a database with hand-made rows, and options pasted as text into a house.

The options reach the house as they do at a customer's: through the environment of the process, where a shell has
read the text, or under ``options:`` of the subscription.
"""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import psycopg
import yaml
from psycopg import sql

from offramp.domain.contracts import DataType, TypeKind
from offramp.pipeline.deliver import deliver_day
from offramp.settings.checking import check_subscriptions
from offramp.settings.reading import load_settings
from offramp.sql.project import load_project
from offramp.wiring import open_rooms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from offramp.pipeline.rooms import Rooms

Way = Literal["environment", "options"]

HERE = Path(__file__).parent
MODELS = HERE.parents[1] / "dbt_like_sql"
_POSTGRES = {TypeKind.VARCHAR: "text", TypeKind.DOUBLE: "double precision", TypeKind.BLOB: "bytea"}


def create_source(dsn: str) -> None:
    """Create the tables that the models read, empty but for the rows of ``source_rows.sql``."""
    project = load_project(MODELS)
    extra = {
        spec.name: spec.increment.column
        for spec in project.tables("media")
        if spec.increment is not None and spec.increment.column is not None
    }
    with psycopg.connect(dsn) as connection:
        for loaded in project.models.values():
            model = loaded.model
            name = model.entity
            types = {column.name: _server_type(column.type) for column in model.contract.columns}
            types |= {model.tenant_column: "text"} if model.tenant_column else {}
            types |= {extra[name]: "timestamp"} if name in extra else {}
            columns = sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in types.items()
            )
            connection.execute(sql.SQL("create table {} ({})").format(sql.Identifier(name), columns))
        connection.execute("create table source_clock (as_of timestamptz)")
        connection.execute((HERE / "source_rows.sql").read_bytes())


def _server_type(kind: DataType) -> str:
    if kind.kind is TypeKind.DECIMAL:
        return f"numeric({kind.precision},{kind.scale})"
    return _POSTGRES.get(kind.kind, kind.kind.value)


def change_source(dsn: str, *statements: str) -> None:
    """Run statements on the customer's database."""
    with psycopg.connect(dsn) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def pasted(name: str) -> Path:
    """The text that the customer pastes: lines of NAME="value"."""
    return HERE / "pasted" / f"{name}.env"


def as_shell_reads(text: Path) -> dict[str, str]:
    """The variables that a shell exports to a process that it starts, and no others."""
    done = subprocess.run(
        ["env", "-i", "bash", "-c", 'set -eua; . "$1"; env -0', "-", str(text)],
        check=True,
        capture_output=True,
    )
    found = dict(line.split("=", 1) for line in done.stdout.decode().split("\0") if line)
    return {name: value for name, value in found.items() if name not in {"PWD", "SHLVL", "_"}}


def as_options(text: Path) -> dict[str, str]:
    """The same text word by word, as it is copied under ``options:``."""
    words = shlex.split(text.read_text(encoding="utf-8"), comments=True)
    return dict(word.split("=", 1) for word in words)


@dataclass
class House:
    """offramp.yaml over the customer's database, with options that came one way or the other."""

    folder: Path
    dsn: str
    first_day: date
    subscriptions: list[dict[str, Any]]
    environment: Mapping[str, str] = field(default_factory=dict)
    now: datetime | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        text = {
            "models": str(MODELS),
            "lake": "lake",
            "ledger": "sqlite:///ledger.db",
            "scratch": "scratch",
            "first_day": self.first_day,
            "sources": {
                "media": {"kind": "postgres", "url": self.dsn, "read_point_sql": "select as_of from source_clock"}
            },
            "destinations": {"outbox": {"kind": "local", "path": "outbox/{subscription}"}},
            "recipients": {one["id"]: {"subscriptions": [one]} for one in self.subscriptions},
        }
        self.file.write_text(yaml.safe_dump(text, sort_keys=False), encoding="utf-8")
        self.rooms = self._open()

    @property
    def file(self) -> Path:
        return self.folder / "offramp.yaml"

    def _open(self) -> Rooms:
        settings = load_settings(self.file, environment=self.environment)
        rooms = open_rooms(settings, clock=self._clock)
        self.warnings = check_subscriptions(settings, rooms.exports.values())
        return rooms

    def _clock(self) -> datetime:
        assert self.now is not None
        return self.now

    def deliver(self, day: date, *, at: datetime) -> None:
        """Deliver a data day at an instant: every export of the entities that anybody takes, due or not."""
        self.now = at
        taken = {entity for one in self.subscriptions for entity in one["entities"]}
        for _, export in sorted(self.rooms.exports.items()):
            if not taken or export.entity in taken:
                deliver_day(self.rooms, export, day).raise_if_incomplete()

    def outbox(self, subscription: str) -> Path:
        return self.folder / "outbox" / subscription


def subscription(name: str, entities: Iterable[str] = (), options: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A subscription to the rows of the tenant aurora, without a baseline."""
    return {
        "id": name,
        "feed": "media",
        "tenants": ["aurora"],
        "destinations": ["outbox"],
        "initial": "none",
        "entities": list(entities),
        "options": dict(options or {}),
    }


def customer_house(
    folder: Path, dsn: str, first_day: date, *, paste: str, way: Way, entities: Iterable[str] = ()
) -> House:
    """A house of one subscription whose options were pasted one way or the other."""
    text = pasted(paste)
    environment = as_shell_reads(text) if way == "environment" else {}
    options = as_options(text) if way == "options" else {}
    return House(folder, dsn, first_day, [subscription("north", entities, options)], environment)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
