"""``offramp verify``: a receiver checks what arrived, with nothing but the place."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offramp.cli.choosing import JsonOption, QuietOption
from offramp.cli.output import byte_text, count_text, counted, print_json, print_table, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offramp.pipeline.shelves import Shelf
    from offramp.pipeline.verify import DeliveryCheck, PlaceReport


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(verify)


def verify(
    place: Annotated[
        str, typer.Argument(help="A folder, or a URL: s3://bucket/prefix, gs://..., sftp://user@host/folder, ftp://...")
    ],
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Check every delivery at a place: checksums, bytes, rows, columns. Needs no settings.

    Keys, passwords and host keys of a URL are taken from the environment: S3_ACCESS_KEY, S3_SECRET_KEY,
    S3_ENDPOINT_URL, GOOGLE_ACCESS_KEY, GOOGLE_SECRET_KEY, FTP_PASSWORD, FTP_PRIVATE_KEY, FTP_HOST_KEY, FTP_TLS. Without
    keys, the machine's own credentials are taken.
    """
    from offramp.cli.progress import counting
    from offramp.pipeline.verify import verify_place

    with _shelf(place) as shelf, counting(f"reading {shelf.shown}", is_quiet=quiet or as_json) as tell:
        report = verify_place(shelf, tell)
    if as_json:
        print_json(_document(report))
    else:
        _print_report(report)
    if not report.is_good:
        raise typer.Exit(1)


@contextmanager
def _shelf(place: str) -> "Iterator[Shelf]":
    """Open a folder or a URL."""
    from offramp.pipeline.shelves import FolderShelf, RemoteShelf
    from offramp.settings.urls import is_url

    if not is_url(place):
        yield FolderShelf(Path(place))
        return
    from offramp.settings.reading import place_settings
    from offramp.wiring import open_destination

    settings, folder = place_settings(place)
    destination = open_destination(place, settings, folder)
    try:
        yield RemoteShelf(destination, place.rstrip("/"))
    finally:
        destination.close()


def _print_report(report: "PlaceReport") -> None:
    rows = [
        (
            check.subscription,
            check.export or check.manifest.rpartition("/")[2],
            check.data_day,
            f"r{check.revision}",
            count_text(check.rows),
            byte_text(check.bytes),
            "good" if check.is_good else "differs",
        )
        for check in report.deliveries
    ]
    if rows:
        print_table(
            ("subscription", "export", "data day", "rev", "rows", "bytes", "check"), rows, numbers=("rows", "bytes")
        )
    for path in report.unmentioned:
        say(f"warning: no manifest mentions {path}")
    for path in report.leftovers:
        say(f"warning: an upload that was never finished: {path}")
    for problem in report.problems:
        say(f"{report.place}: {problem}")
    for check in report.deliveries:
        for problem in check.problems:
            say(f"{check.manifest}: {problem}")
    bad = sum(not check.is_good for check in report.deliveries)
    files = sum(len(check.files) for check in report.deliveries)
    say(f"{counted(len(rows), 'delivery')}, {counted(files, 'file')} read back, {bad or 'none'} with differences")


def _document(report: "PlaceReport") -> dict[str, Any]:
    return {
        "place": report.place,
        "is_good": report.is_good,
        "problems": list(report.problems),
        "deliveries": [_delivery(check) for check in report.deliveries],
        "unmentioned": list(report.unmentioned),
        "leftovers": list(report.leftovers),
    }


def _delivery(check: "DeliveryCheck") -> dict[str, Any]:
    return {
        "manifest": check.manifest,
        "delivery_id": check.delivery_id,
        "revision": check.revision,
        "subscription": check.subscription,
        "export": check.export,
        "data_day": check.data_day,
        "is_good": check.is_good,
        "rows": check.rows,
        "bytes": check.bytes,
        "problems": list(check.own_problems),
        "files": [
            {"name": file.name, "rows": file.rows, "bytes": file.bytes, "problems": list(file.problems)}
            for file in check.files
        ],
    }
