"""``offramp destination``: where files go, and whether each place lets us do what a delivery does."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offramp.cli.choosing import JsonOption
from offramp.cli.invocation import Invocation
from offramp.cli.output import counted, place_text, print_json, print_table, say
from offramp.domain.errors import OfframpError, WrongUse, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offramp.domain.subscriptions import Subscription
    from offramp.pipeline.probe import Finding


def add_to(app: typer.Typer) -> None:
    """Add the group ``destination``."""
    group = typer.Typer(help="Destinations.", no_args_is_help=True)
    group.callback()(_destination)
    group.command("check")(check)
    group.command("list")(list_)
    app.add_typer(group, name="destination")


def _destination() -> None:
    """List and check the places that files go to."""


def list_(context: typer.Context, as_json: JsonOption = False) -> None:
    """List every destination, its place for each subscription, and how uploads are proved there."""
    invocation = Invocation.of(context)
    found: list[dict[str, Any]] = [
        {
            "name": name,
            "kind": invocation.settings.destinations[name].kind,
            "subscription": one.id,
            "place": invocation.settings.destinations[name].shown(one),
            "endpoint": invocation.settings.destinations[name].endpoint,
            "delivery": one.deliveries[name],
            **_proof(invocation, name, one),
        }
        for name, one in _uses(invocation)
    ]
    if as_json:
        print_json({"destinations": found})
        return
    print_table(
        ("name", "kind", "subscription", "place", "exports", "proof"),
        [
            [
                one["name"], one["kind"], one["subscription"], place_text(one["place"], one["endpoint"]),
                one["delivery"], one["verified_by"] or f"none: {one['error']}",
            ]
            for one in found
        ],
    )  # fmt: skip


def _proof(invocation: Invocation, name: str, one: "Subscription") -> dict[str, str | None]:
    """Return how uploads are proved at a destination, or why it cannot be opened."""
    try:
        return {"verified_by": invocation.rooms.destination(name, one).verified_by, "error": None}
    except OfframpError as error:
        return {"verified_by": None, "error": invocation.redact(error.what)}


def check(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="Default: all that are used.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write, rename, read back, replace, list and delete a probe at destinations, and say which right is missing.

    Prints the least rights that are needed, to be sent to whoever runs the place. Exit code 1: something is missing.
    """
    invocation = Invocation.of(context)
    settings = invocation.settings
    for name in names or ():
        if name not in settings.destinations:
            raise WrongUse(f"'{name}' is not a destination", todo=nearest(name, settings.destinations))
    used = [(name, one) for name, one in _uses(invocation) if not names or name in names]
    if not used:
        raise WrongUse("no subscription uses it", todo="name it under destinations: of a subscription")
    results = [_check(invocation, name, one, is_told=not as_json) for name, one in used]
    bad = sum(not result["is_good"] for result in results)
    if as_json:
        print_json({"is_good": not bad, "destinations": results})
    else:
        say(f"{counted(len(results), 'place')} checked, {bad or 'none'} with something missing")
    if bad:
        raise typer.Exit(1)


def _uses(invocation: Invocation) -> "Iterator[tuple[str, Subscription]]":
    for one in invocation.settings.subscriptions:
        for name in dict.fromkeys(one.destinations):
            yield name, one


def _check(invocation: Invocation, name: str, one: "Subscription", *, is_told: bool) -> dict[str, Any]:
    from offramp.pipeline.probe import FOLDER, probe

    settings = invocation.settings.destinations[name]
    place = settings.shown(one)
    if is_told:
        say(f"{name} ({settings.kind}) for {one.id}: {place_text(place, settings.endpoint)}")
    findings: list[Finding] = []
    for finding in probe(partial(invocation.rooms.destination, name, one), int(invocation.now().timestamp())):
        findings.append(finding)
        if is_told:
            said = "good" if finding.is_good else "MISSING" if finding.is_tried else "not tried"
            say(f"  {finding.step:<10} {said:<10} the right to {finding.right}")
            if finding.error:
                say(invocation.redact("\n".join(f"    {line}" for line in finding.error.splitlines())))
    rights = _rights(invocation, name, one)
    is_good = all(finding.is_good for finding in findings)
    stays = FOLDER if settings.has_folders and any(it.step == "write" and it.is_good for it in findings) else None
    if is_told:
        if stays:
            say(f"  the folder {stays} stays there, empty")
        if rights:
            say("  the least rights that are needed:")
            say("\n".join(f"    {line}" for line in rights.splitlines()))
    return {
        "name": name,
        "kind": settings.kind,
        "subscription": one.id,
        "place": place,
        "endpoint": settings.endpoint,
        "is_good": is_good,
        "folder_that_stays": stays,
        "steps": [
            {
                "step": finding.step,
                "right": finding.right,
                "is_good": finding.is_good,
                "is_tried": finding.is_tried,
                "error": invocation.redact(finding.error) if finding.error else None,
            }
            for finding in findings
        ],
        "rights": rights,
    }


def _rights(invocation: Invocation, name: str, one: "Subscription") -> str | None:
    """Return the least rights, and hang up; None where the destination cannot be opened."""
    try:
        destination = invocation.rooms.destination(name, one)
    except OfframpError:
        return None
    destination.close()
    return destination.rights()
