"""Checks that people start in the UI: does a recipient's destination let us do what a delivery does?"""

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import dagster as dg

from offramp.domain.errors import OfframpError
from offramp.orchestration.describe import table
from offramp.orchestration.keys import recipient_key
from offramp.orchestration.recipients import by_owner
from offramp.orchestration.workplace import WORKPLACE, Workplace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from offramp.domain.subscriptions import Subscription
    from offramp.pipeline.probe import Finding

REACHED = "destinations_reached"


def reach_checks(subscriptions: "Sequence[Subscription]") -> list[dg.AssetChecksDefinition]:
    """Return a check per recipient and feed that tries each of its destinations with a probe."""
    return [_reach_check(recipient, feed, mine) for (recipient, feed), mine in by_owner(subscriptions)]


def _reach_check(recipient: str, feed: str, subscriptions: "Sequence[Subscription]") -> dg.AssetChecksDefinition:
    names = ", ".join(dict.fromkeys(name for one in subscriptions for name in one.destinations))

    @dg.asset_check(
        asset=recipient_key(recipient, feed),
        name=REACHED,
        description=f"Writes, renames, reads back, replaces, lists and deletes a probe at {names}. Run it by hand"
        " before a first delivery, and after anything changed there.",
        required_resource_keys={WORKPLACE},
    )
    def reached(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        workplace: Workplace = getattr(context.resources, WORKPLACE)
        rows = list(_rows(workplace, subscriptions))
        missing = [row for row in rows if row[3] != "good"]
        said = "; ".join(f"{row[0]}: {row[2]}: {row[4]}" for row in missing if row[3] == "missing")
        return dg.AssetCheckResult(
            passed=not missing,
            description=f"missing: {said}" if missing else f"{len(rows)} steps went well",
            metadata={
                "steps": table(["destination", "subscription", "step", "found", "said"], rows),
                **_rights(workplace, subscriptions),
            },
        )

    return reached


def _rows(workplace: Workplace, subscriptions: "Sequence[Subscription]") -> "Iterator[list[Any]]":
    # What it loads, the code location does not wait for.
    from offramp.pipeline.probe import probe  # noqa: PLC0415

    rooms = workplace.rooms
    for one in subscriptions:
        for name in dict.fromkeys(one.destinations):
            for finding in probe(partial(rooms.destination, name, one), int(rooms.clock().timestamp())):
                yield [name, one.id, finding.step, _found(finding), workplace.redact(finding.error or "")]


def _found(finding: "Finding") -> str:
    if finding.is_good:
        return "good"
    return "missing" if finding.is_tried else "not tried"


def _rights(workplace: Workplace, subscriptions: "Sequence[Subscription]") -> dict[str, dg.MetadataValue[Any]]:
    found: dict[str, dg.MetadataValue[Any]] = {}
    for one in subscriptions:
        for name in dict.fromkeys(one.destinations):
            # The steps tell why a destination cannot be opened.
            with suppress(OfframpError):
                rights = workplace.rooms.destination(name, one).rights()
                found[f"rights_{one.id}_{name}"] = dg.MetadataValue.md(f"```\n{rights}\n```")
    return found
