"""All tables of the demo: columns in the order of media_exports.md section 8, then ``tenant``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.sources.demo.tables import acquisition, commerce, content, customers, voucher_service

if TYPE_CHECKING:
    from offramp.sources.demo.table import DemoTable

TENANTS = ("aurora", "borealis")

_GROUPS = (content, customers, commerce, voucher_service, acquisition)
TABLES: dict[str, DemoTable] = {table.name: table for group in _GROUPS for table in group.TABLES}
