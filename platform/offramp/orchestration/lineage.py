"""What columns are made of, as Dagster keeps it, and as a table for people: the open source UI has no view of it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import dagster as dg

from offramp.orchestration.describe import table
from offramp.orchestration.keys import landing_key, layer_key, model_key
from offramp.sql.compiled import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from offramp.domain.exports import Model
    from offramp.domain.layers import Layer
    from offramp.orchestration.workplace import Workplace

Origin = tuple[str, str]

# A table that people still read: a layer has up to 90 columns. Wider files are told by the first part of their names.
_MOST_ROWS = 150


def model_lineage(workplace: Workplace, model: Model, columns: Iterable[str] | None = None) -> dict[str, Any]:
    """Return the lineage of a model as metadata, of some columns or of all that it has."""
    found = workplace.lineages.of(model.name)
    chosen = {name: found.columns[name] for name in columns or found.columns}
    return _metadata(chosen, workplace.rooms.layers, found.unresolved)


def layer_lineage(workplace: Workplace, source: str, layer: Layer) -> dict[str, Any]:
    """Return the lineage of a layer's tables as metadata; columns are named with their table."""
    declared = {
        f"{one.name}.{column}": [_origin(text, source, layer) for text in one.lineage.get(column, ())]
        for one in layer.tables.values()
        for column, _ in one.columns
    }
    return _metadata(declared, workplace.rooms.layers)


def _origin(text: str, source: str, layer: Layer) -> Origin:
    """Return relation and column of what a layer declares (see LayerTable)."""
    relation, _, column = text.rpartition(".")
    place, _, name = relation.rpartition(".")
    return (f"{source if place else layer.source}.{name}", column)


def _metadata(
    columns: Mapping[str, Sequence[Origin]],
    layers: Mapping[str, Mapping[str, Layer]],
    unresolved: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> dict[str, Any]:
    if not any(columns.values()):
        return {}
    deps = {
        name: [_dep(*origin, layers) for origin in dict.fromkeys(found)]
        for name, found in columns.items()
        if found or name not in unresolved
    }
    texts = {name: _text(found, unresolved.get(name, ())) for name, found in columns.items()}
    return {
        "dagster/column_lineage": dg.TableColumnLineage(deps_by_column=deps),
        "lineage": table(["column", "is made of"], _rows(texts)),
    }


def _dep(relation: str, column: str, layers: Mapping[str, Mapping[str, Layer]]) -> dg.TableColumnDep:
    source, _, name = relation.partition(".")
    if source == MODELS:
        return dg.TableColumnDep(model_key(*name.split(".", 1)), column)
    writer = next((one.name for one in layers.get(source, {}).values() if name in one.tables), None)
    key = landing_key(source) if writer is None else layer_key(source, writer)
    return dg.TableColumnDep(key, f"{name}.{column}")


def _rows(texts: Mapping[str, str]) -> list[tuple[str, str]]:
    if len(texts) <= _MOST_ROWS:
        return [(f"`{name}`", text) for name, text in texts.items()]
    families: dict[tuple[str, str], list[str]] = {}
    for name, text in texts.items():
        families.setdefault((name.partition(".")[0], text), []).append(name)
    return [
        (f"`{names[0]}`" if len(names) == 1 else f"`{family}. …` ({len(names)} columns)", text)
        for (family, text), names in families.items()
    ]


def _text(found: Sequence[Origin], unresolved: Sequence[str]) -> str:
    """Return what a column is made of: ``stays: latitude, longitude; venues: types``."""
    by_relation: dict[str, list[str]] = {}
    for relation, column in found:
        by_relation.setdefault(relation.rpartition(".")[2], []).append(column)
    parts = [f"{name}: {', '.join(names)}" for name, names in by_relation.items()]
    if unresolved:
        parts.append(f"not known: {', '.join(unresolved)}")
    return "; ".join(parts) or "nothing: it is constant"
