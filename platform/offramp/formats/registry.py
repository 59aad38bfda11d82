"""Every format by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.domain.exports import FormatName
from offramp.formats.csv_writer import CsvWriter
from offramp.formats.ndjson_writer import NdjsonWriter
from offramp.formats.parquet_writer import ParquetWriter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from offramp.domain.ports import FormatWriter

FORMATS: Mapping[FormatName, FormatWriter] = {
    FormatName.CSV: CsvWriter(),
    FormatName.PARQUET: ParquetWriter(),
    FormatName.NDJSON_GZ: NdjsonWriter(),
}
