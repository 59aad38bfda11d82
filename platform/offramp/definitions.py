"""The Dagster code location. Settings come from OFFRAMP_CONFIG, or from offramp.yaml in the working folder."""

from __future__ import annotations

from offramp.orchestration.code_location import build
from offramp.settings.reading import load_settings

defs = build(load_settings())
