"""``offramp destination``: where files go, and whether each place lets us do what a delivery does."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offramp.cli.choosing import JsonOption, RecipientOption, choose_recipients
from offramp.cli.invocation import Invocation
from offramp.cli.output import counted, place_text, print_json, print_table, say
from offramp.domain.errors import OfframpError, WrongUse, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from offramp.domain.subscriptions import Subscription
    from offramp.pipeline.probe import Finding


def add_to(app: typer.Typer) -> None:
    """Add the group ``destination``."""
    group = typer.Typer(help="Destinations.", no_args_is_help=True)
    group.callback()(_destination)
    group.command("check")(check)
    group.command("list")(list_)
    group.command("policy")(policy)
    app.add_typer(group, name="destination")


def _destination() -> None:
    """List and check the places that files go to, and say what their readers need."""


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


def policy(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="DESTINATION")],
    recipients: RecipientOption = None,
    subscriptions: Annotated[
        list[str] | None, typer.Option("--subscription", metavar="ID", help="Only this one; may be repeated.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print the least rights of who collects the files: to read the folder of a subscription, and nothing else.

    For S3 it is an IAM policy, alone on stdout. Nothing is connected to.
    """
    from offramp.cli.reader_rights import reader_rights

    invocation = Invocation.of(context)
    settings = invocation.settings
    if name not in settings.destinations:
        raise WrongUse(f"'{name}' is not a destination", todo=nearest(name, settings.destinations))
    used = _uses_of(invocation, name, recipients or (), subscriptions or ())
    one_place = settings.destinations[name]
    found = [(one, one_place.shown(one), reader_rights(one_place, one)) for one in used]
    if as_json:
        print_json(
            {
                "destinations": [
                    {"name": name, "kind": one_place.kind, "subscription": one.id, "place": place, "rights": rights}
                    for one, place, rights in found
                ]
            }
        )
        return
    for one, place, rights in found:
        say(f"{name} ({one_place.kind}) for {one.id}: {place_text(place, one_place.endpoint)}", to_stderr=True)
        say(rights)


def _uses_of(
    invocation: Invocation, name: str, recipients: "Sequence[str]", subscriptions: "Sequence[str]"
) -> "list[Subscription]":
    """Return the subscriptions that use a destination: all, or those of some recipients or ids."""
    settings = invocation.settings
    chosen = choose_recipients(settings, recipients)
    known = {one.id for one in settings.subscriptions}
    for wanted in subscriptions:
        if wanted not in known:
            raise WrongUse(f"'{wanted}' is not a subscription", todo=nearest(wanted, known))
    used = [
        one
        for used_name, one in _uses(invocation)
        if used_name == name and one.recipient in (chosen or {one.recipient}) and one.id in (subscriptions or {one.id})
    ]
    if not used:
        raise WrongUse(f"none of these subscriptions uses '{name}'", todo="offramp destination list tells which do")
    return used


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
