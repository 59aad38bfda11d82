"""All files of a day fit together: what one entity points to is in another's file of the same day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb

from offramp.domain.exports import Mode
from offramp.pipeline.verify import verify_folder
from platform_tests.scenarios.scene import Scene, subscription

if TYPE_CHECKING:
    from pathlib import Path

    from offramp.domain.exports import Export

DAY = date(2026, 10, 25)


def switched_on(exports: dict[str, Export]) -> dict[str, str]:
    """Every schedule at one time, those that the vendor leaves empty too."""
    return {schedule.variable: "10 0 * * *" for export in exports.values() for schedule in export.model.schedules}


def test_every_reference_resolves_within_the_files_of_a_day(tmp_path: Path, demo: dict[str, Any]) -> None:
    probe = Scene(tmp_path / "probe", demo, [subscription("north")], DAY)
    everything = dict(probe.rooms.exports)
    options = switched_on(everything)
    scene = Scene(tmp_path / "scene", demo, [subscription("north", ["borealis"], options=options)], DAY)

    scene.deliver(DAY, sorted(everything))

    outbox = scene.outbox("north")
    report = verify_folder(outbox)
    assert report.is_good
    assert len(report.deliveries) == len(everything) == 97
    with duckdb.connect() as connection:
        for export in everything.values():
            # The baseline of an events entity is all of it; of the others the snapshot is.
            if export.mode is Mode.SNAPSHOT or f"media/snapshot/{export.entity}" not in everything:
                load(connection, outbox, scene, export)
        broken, checked = [], 0
        for entity, column, target, target_column in references(everything):
            signed_in = " and user_id <> '-1'" if (entity, column) == ("assets_views", "user_id") else ""
            row = connection.execute(
                f"select count({column}), count({column}) filter (not exists (from {target} t where t.{target_column}"
                f" = o.{column})) from {entity} o where {column} is not null{signed_in}"
            ).fetchone()
            assert row is not None
            checked += bool(row[0])
            broken += [(entity, column, row)] if row[1] else []
    assert broken == []
    assert checked > 75


def load(connection: duckdb.DuckDBPyConnection, outbox: Path, scene: Scene, export: Export) -> None:
    (file,) = outbox.glob(f"{stem(scene, export)}/*.csv")
    columns = ", ".join(f"'{name}': 'varchar'" for name in export.contract.names)
    connection.execute(
        f"create table {export.entity} as from read_csv('{file}', auto_detect = false, header = true, delim = ',', "
        f"quote = '\"', escape = '\"', strict_mode = true, parallel = false, columns = {{{columns}}}, nullstr = '')"
    )


def stem(scene: Scene, export: Export) -> str:
    (record,) = scene.rooms.ledger.find(export=export.name)
    return record.files[0].partition("/")[0]


def references(exports: dict[str, Export]) -> list[tuple[str, str, str, str]]:
    found = {
        (export.entity, column.name, *column.references.split("."))
        for export in exports.values()
        for column in export.contract.columns
        if column.references
    }
    return sorted(found)  # type: ignore[arg-type]  # four texts each
