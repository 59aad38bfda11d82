"""``offramp verify``: a receiver checks what arrived, with nothing but the folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offramp.cli.choosing import JsonOption
from offramp.cli.output import byte_text, count_text, counted, print_json, print_table, say

if TYPE_CHECKING:
    from offramp.pipeline.verify import DeliveryCheck, FolderReport


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(verify)


def verify(
    folder: Annotated[Path, typer.Argument(help="The folder that deliveries arrive in.")],
    as_json: JsonOption = False,
) -> None:
    """Check every delivery below a folder: checksums, bytes, rows, columns. Needs no settings and no account."""
    from offramp.pipeline.verify import verify_folder

    report = verify_folder(folder)
    if as_json:
        print_json(_document(report))
    else:
        _print_report(report)
    if not report.is_good:
        raise typer.Exit(1)


def _print_report(report: "FolderReport") -> None:
    rows = [
        (
            check.subscription,
            check.export or check.manifest.name,
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
        say(f"{report.folder}: {problem}")
    for check in report.deliveries:
        for problem in check.problems:
            say(f"{check.manifest}: {problem}")
    bad = sum(not check.is_good for check in report.deliveries)
    files = sum(len(check.files) for check in report.deliveries)
    say(f"{counted(len(rows), 'delivery')}, {counted(files, 'file')} read back, {bad or 'none'} with differences")


def _document(report: "FolderReport") -> dict[str, Any]:
    return {
        "folder": str(report.folder),
        "is_good": report.is_good,
        "problems": list(report.problems),
        "deliveries": [_delivery(check) for check in report.deliveries],
        "unmentioned": [str(path) for path in report.unmentioned],
        "leftovers": [str(path) for path in report.leftovers],
    }


def _delivery(check: "DeliveryCheck") -> dict[str, Any]:
    return {
        "manifest": str(check.manifest),
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
