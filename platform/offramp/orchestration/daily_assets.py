"""The one shape of our assets: a body that runs for a range of data days.

Without ``from __future__ import annotations``: Dagster compares the class that a body's ``context`` is annotated
with, and a text is none.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import dagster as dg

from offramp.orchestration.keys import step_name
from offramp.orchestration.workplace import WORKPLACE

# One run takes a whole range: days in order inside the step, and process start-up is paid once.
_ONE_RUN = dg.BackfillPolicy.single_run()


def daily_asset(
    spec: dg.AssetSpec,
    body: Callable[[dg.AssetExecutionContext], Iterator[Any]],
    *,
    partitions: dg.PartitionsDefinition[str],
    check_specs: Sequence[dg.AssetCheckSpec] = (),
) -> dg.AssetsDefinition:
    """Return the asset of a spec. The body yields Dagster's events."""

    # A multi_asset of one: unlike @asset it takes a spec, and a backfill policy without a beta warning.
    @dg.multi_asset(
        name=step_name(spec.key),
        specs=[spec],
        check_specs=check_specs,
        partitions_def=partitions,
        backfill_policy=_ONE_RUN,
        required_resource_keys={WORKPLACE},
    )
    def run(context: dg.AssetExecutionContext) -> Iterator[Any]:
        yield from body(context)
        # Evaluations carry their day, which AssetCheckResult cannot for a range; so the outputs of checks are our part.
        for check in check_specs:
            yield dg.Output(None, output_name=check.get_python_identifier())

    return run
