"""Names of the mobility feed's folders and files (mobility_offloads.md section 2).

A run folder for the tick, below it the app id, below that a folder per file with its parts and the empty marker
``_SUCCESS``, which is written last. Every UUID is made of the delivery's key: the same run gives the same names.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from offramp.domain.exports import FormatName, Mode
from offramp.feeds.mobility import options as mobility_options
from offramp.feeds.mobility.options import DATA_DAY, DAY_AND_UUID, INSTANT

if TYPE_CHECKING:
    from datetime import datetime

    from offramp.domain.deliveries import Delivery

MARKER = "_SUCCESS"
MANIFEST_PATH = "_manifests/{mode}/{entity}/{date}.r{revision}.json"

# A UUID of our own, so that ours are nobody else's.
_NAMESPACE = uuid.UUID("7b0f6a0e-6d0c-5c1e-9a37-1f1f4f3a9a10")


def run_folder(delivery: Delivery) -> str:
    """Return the folder of a run: the same for all exports of a subscription that are due at one tick."""
    chosen = delivery.subscription.options
    style = mobility_options.text(chosen, "OFFLOAD_RUN_FOLDER")
    is_data_day = delivery.export.mode is Mode.DELTA and (
        mobility_options.text(chosen, "OFFLOAD_DRIVING_DATE") == DATA_DAY
    )
    day = delivery.data_day if is_data_day else delivery.tick.date()
    if style == DAY_AND_UUID:
        return f"{day:%Y_%m_%d}_{_uuid(delivery.subscription.id, delivery.tick)}"
    clock = _clock(delivery.tick)
    return f"{day:%Y_%m_%d}_{clock}" if style == INSTANT else f"{day:%m_%d_%Y}_{clock}"


def file_folder(delivery: Delivery, format_name: FormatName) -> str:
    """Return the folder of one file's parts, below the run folder and the app id's."""
    app_id = app_id_of(delivery)
    ending = "json" if format_name is FormatName.NDJSON_GZ else "csv"
    return f"{run_folder(delivery)}/{app_id}/{_file_stem(delivery)}.{app_id}.{ending}"


def part_name(delivery: Delivery, format_name: FormatName, part: int) -> str:
    """Return the name of a part, counted from 1 as the pipeline does and from 0 as the files do."""
    if format_name is FormatName.NDJSON_GZ:
        return f"part-{part - 1:05d}.json.gz"
    return f"part-{part - 1:05d}-{_uuid(delivery.id)}-c000.csv.gz"


def manifest_path(delivery: Delivery) -> str:
    """Return the path of the manifest of the delivery's revision."""
    export = delivery.export
    return MANIFEST_PATH.format(
        mode=export.mode, entity=export.entity, date=f"{delivery.tick:%Y_%m_%d}", revision=delivery.revision
    )


def app_id_of(delivery: Delivery) -> str:
    """Return the app id of a subscription: its one tenant."""
    (app_id,) = delivery.subscription.tenants
    return app_id


def _file_stem(delivery: Delivery) -> str:
    return delivery.export.entity.replace("attributes_", "attributes.")


def _clock(tick: datetime) -> str:
    return f"{tick:%H_%M_%S}_{tick.microsecond // 1000:03d}"


def _uuid(*key: object) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, "|".join(map(str, key)))
