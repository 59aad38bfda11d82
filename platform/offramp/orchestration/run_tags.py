"""What a run is asked for beside its partitions, as tags of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.domain.errors import WrongUse, nearest
from offramp.pipeline.plan import PlanOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PREFIX = "offramp/"
RECIPIENTS = f"{PREFIX}recipients"
FORCE = f"{PREFIX}force"
APPROXIMATE = f"{PREFIX}approximate"
CORRECTION = f"{PREFIX}correction"
LANDING = f"{PREFIX}landing"
_KNOWN = (RECIPIENTS, FORCE, APPROXIMATE, CORRECTION, LANDING)
_FLAGS = {"true": True, "false": False}


def options_of(tags: Mapping[str, str], recipients: Iterable[str]) -> PlanOptions:
    """Read a run's tags.

    A tag of ours that is misspelt, an unknown recipient, and a landing without a correction raise WrongUse.
    """
    for name in tags:
        if name.startswith(PREFIX) and name not in _KNOWN:
            raise WrongUse(f"'{name}' is not a tag of a run", todo=nearest(name, _KNOWN))
    asked = tuple(one.strip() for one in tags.get(RECIPIENTS, "").split(",") if one.strip())
    known = set(recipients)
    for recipient in asked:
        if recipient not in known:
            raise WrongUse(f"'{recipient}' is not a recipient", where=RECIPIENTS, todo=nearest(recipient, known))
    if tags.get(LANDING) and not tags.get(CORRECTION):
        todo = f"give the reason as {CORRECTION}, or leave the landing to the day"
        raise WrongUse("only a correction names its landing", where=LANDING, found=tags[LANDING], todo=todo)
    return PlanOptions(
        recipients=asked,
        force=_flag(tags, FORCE),
        is_approximate=_flag(tags, APPROXIMATE),
        correction=tags.get(CORRECTION) or None,
        landing_id=tags.get(LANDING) or None,
    )


def tags_of(options: PlanOptions) -> dict[str, str]:
    """Return the tags that ``options_of`` reads back."""
    tags = {
        RECIPIENTS: ",".join(options.recipients),
        FORCE: "true" if options.force else "",
        APPROXIMATE: "true" if options.is_approximate else "",
        CORRECTION: options.correction or "",
        LANDING: options.landing_id or "",
    }
    return {name: value for name, value in tags.items() if value}


def _flag(tags: Mapping[str, str], name: str) -> bool:
    text = tags.get(name, "false").lower()
    if text not in _FLAGS:
        raise WrongUse("a tag has a wrong value", where=name, expected="true or false", found=text)
    return _FLAGS[text]
