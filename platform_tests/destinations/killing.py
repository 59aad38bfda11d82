"""Work on a destination in a process of its own that is killed at a named step."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from offramp.domain.ports import Destination
from platform_tests.destinations.places import write


class OpenDestination(Protocol):
    """Opens the destination under test; it can be pickled into another process."""

    def __call__(self, *, at_step: Callable[[str], None] = ...) -> Destination: ...


def replace_file(destination: Destination, name: str, content: Path) -> None:
    write(destination, name, content, token=7)


def delete_file(destination: Destination, name: str, _content: Path) -> None:
    destination.delete(name)


Work = Callable[[Destination, str, Path], None]


def _die_at(step: str) -> Callable[[str], None]:
    def at_step(reached: str) -> None:
        if reached == step:
            os.kill(os.getpid(), signal.SIGKILL)

    return at_step


def _run(work: Work, open_destination: OpenDestination, step: str, name: str, content: Path) -> None:
    work(open_destination(at_step=_die_at(step)), name, content)


def _run_limited(open_destination: OpenDestination, limit_bytes: int, name: str, content: Path) -> None:
    """The kernel ends the process in the middle of a write: at the first byte past the limit."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    replace_file(open_destination(), name, content)


def killed_at(step: str, work: Work, open_destination: OpenDestination, name: str, content: Path) -> int:
    """Return the exit code: -SIGKILL if the step was reached."""
    return _exit_code(_run, (work, open_destination, step, name, content))


def killed_in_write(open_destination: OpenDestination, limit_bytes: int, name: str, content: Path) -> int:
    return _exit_code(_run_limited, (open_destination, limit_bytes, name, content))


def _exit_code(target: Callable[..., None], args: tuple[object, ...]) -> int:
    process = multiprocessing.get_context("spawn").Process(target=target, args=args)
    process.start()
    process.join(60)
    code = process.exitcode
    process.close()
    assert code is not None
    return code
