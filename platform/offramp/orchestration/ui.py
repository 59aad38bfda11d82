"""The Dagster UI as a child process."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from offramp.orchestration.run import prepare_home
from offramp.settings.reading import CONFIG_VARIABLE

if TYPE_CHECKING:
    from pathlib import Path

    from offramp.settings.values import Settings


def start_ui(settings: Settings, *, workspace: Path, port: int, log: Path | None = None) -> subprocess.Popen[bytes]:
    """Start Dagster's webserver and daemon on 127.0.0.1, and return the process.

    ``log`` takes its output, else it is this process's. SIGINT and SIGTERM end it with all its children.
    """
    # Dagster makes SIGTERM do what SIGINT does. A shell starts `command &` with SIGINT ignored, the child inherits
    # that, and then nothing but SIGKILL ends it; a handled signal becomes the default again in a new program.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    command = [
        "env",  # adds to the environment without reading it
        f"DAGSTER_HOME={prepare_home(settings)}",
        f"{CONFIG_VARIABLE}={settings.file}",
        *(sys.executable, "-m", "dagster", "dev"),
        *("-w", str(workspace), "-h", "127.0.0.1", "-p", str(port)),
    ]
    if log is None:
        return subprocess.Popen(command)  # noqa: S603 - our own arguments, no shell
    with log.open("ab") as output:
        return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)  # noqa: S603 - as above
