"""Facts about exports and deliveries as Dagster shows them: columns, counts, tables of files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import dagster as dg

from offramp.domain.deliveries import DELIVERED, DeliveryRecord, State
from offramp.pipeline.plan import latest_revision

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from offramp.domain.contracts import Contract
    from offramp.domain.exports import Export
    from offramp.domain.landings import Landing
    from offramp.pipeline.rooms import Rooms

_WITH_PARTS = DELIVERED | {State.STAGED}


def column_schema(contract: Contract) -> dg.TableSchema:
    """Return a contract's columns for the asset page."""
    is_alone = len(contract.key) == 1
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=str(column.type),
                description=column.description or None,
                constraints=dg.TableColumnConstraints(
                    nullable=column.is_nullable,
                    # Within a tenant, whose column is never exported.
                    unique=is_alone and column.name in contract.key,
                    other=[
                        *(["key"] if column.name in contract.key else []),
                        *(["dates a change"] if column.name == contract.change_column else []),
                        *([f"references {column.references}"] if column.references else []),
                    ],
                ),
                tags={"personal": ""} if column.is_personal else {},
            )
            for column in contract.columns
        ]
    )


def records_of(rooms: Rooms, export: Export, day: date) -> tuple[DeliveryRecord, ...]:
    """Return the newest revision of each subscription's delivery of an export on a day."""
    found = rooms.ledger.find(feed=export.feed, export=export.name, first_day=day, last_day=day)
    by_subscription: dict[str, list[DeliveryRecord]] = {}
    for record in found:
        by_subscription.setdefault(record.subscription_id, []).append(record)
    newest = (latest_revision(records, day) for records in by_subscription.values())
    return tuple(record for record in newest if record is not None)


def day_metadata(rooms: Rooms, export: Export, day: date) -> dict[str, Any]:
    """Return what an export delivered on a day, from the ledger and the manifests, whichever run did it."""
    records = records_of(rooms, export, day)
    held = [record for record in records if record.state in _WITH_PARTS]
    manifests = [_manifest(rooms, record) for record in held]
    counts = [manifest["counts"] for manifest in manifests]
    late = [sum(one["late"].values()) for one in counts if one["late"] is not None]
    metadata: dict[str, Any] = {
        "dagster/partition_row_count": sum(record.rows or 0 for record in held),
        "bytes": sum(record.bytes or 0 for record in held),
        "pending": sum(one["pending"] for one in counts),
        "landing": ", ".join(sorted({record.landing_id for record in held if record.landing_id})) or "none",
        "files": files_table(zip(held, manifests, strict=True)) if held else dg.MetadataValue.md("nothing was owed"),
    }
    if late:
        metadata["late"] = sum(late)
    return metadata


def _manifest(rooms: Rooms, record: DeliveryRecord) -> Mapping[str, Any]:
    content = rooms.lake.manifests.content(record.delivery_id, record.revision)
    if content is None:
        # Killed between staging and publishing: the manifest is written first thing when it is published.
        return {"files": [], "counts": {"late": None, "pending": 0}}
    manifest: Mapping[str, Any] = json.loads(content)
    return manifest


def files_table(deliveries: Iterable[tuple[DeliveryRecord, Mapping[str, Any]]]) -> dg.MarkdownMetadataValue:
    """Return the files of deliveries: recipient, file, rows, bytes and how each destination was checked."""
    return table(
        ["recipient", "file", "rows", "bytes", "check"],
        [
            [record.recipient, file["name"], file["rows"], file["bytes"], placements_text(record)]
            for record, manifest in deliveries
            for file in manifest["files"]
        ],
    )


def placements_text(record: DeliveryRecord) -> str:
    """Return each destination of a delivery with how it was verified, or why it has not got it."""
    return ", ".join(
        f"{one.destination}: {one.verified_by or one.state.value}"
        if one.error is None
        else f"{one.destination}: failed"
        for one in record.placements
    )


def landing_metadata(landings: Sequence[Landing]) -> dict[str, Any]:
    """Return the rows of each table, and when the landings were read."""
    if not landings:
        return {"landing": "none was needed"}
    newest = landings[-1]
    return {
        "landing": ", ".join(landing.id for landing in landings),
        "data_as_of": dg.MetadataValue.timestamp(newest.data_as_of),
        "dagster/partition_row_count": sum(one.rows for one in newest.tables),
        "tables": table(
            ["landing", "table", "rows", "files"],
            [[one.id, it.name, it.rows, len(it.files)] for one in landings for it in one.tables],
        ),
    }


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> dg.MarkdownMetadataValue:
    """Return a table of few rows as Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return dg.MetadataValue.md("\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines))


def _cell(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
