"""Runs untrusted programs, in the best sandbox that this computer has."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import SharedError
from grader.model import Sandbox
from grader.sandbox.program import Execution, Program

if TYPE_CHECKING:
    from grader.rubric import Limits

__all__ = ["Execution", "Program", "SandboxError", "bubblewrap_fault", "executed"]


class SandboxError(SharedError):
    """The sandbox that was required is not to be had."""


def executed(
    program: Program,
    limits: Limits,
    sandbox: Sandbox,
    stop: threading.Event | None = None,
    look: Callable[[Path], None] | None = None,
) -> AbstractContextManager[Execution]:
    """Runs a program to its end or its limit; what it left can be seen inside the block.

    Setting `stop` from another thread ends it early. While it runs, `look` is given the folder
    that it writes to a few times a second: what is there is untrusted and may change any time.

    Raises SandboxError when a required sandbox is missing, and GraderError when there is no room
    for a temporary folder.
    """
    if sandbox is Sandbox.OFF:
        from grader.sandbox import plain

        return plain.executed(program, limits, stop, look, confined=False)
    fault = bubblewrap_fault()
    if fault is None:
        from grader.sandbox import bubblewrap

        return bubblewrap.executed(program, limits, stop, look)
    if sandbox is Sandbox.REQUIRE:
        raise SandboxError(
            f"The sandbox is required, and bubblewrap does not work here: {fault}.\n"
            "Nothing was run. `grader doctor` says how to enable it."
        )
    from grader.sandbox import plain

    return plain.executed(program, limits, stop, look, confined=plain.confines())


@cache
def bubblewrap_fault() -> str | None:
    """Why bubblewrap cannot be used on this computer; None when it was tried and works."""
    if sys.platform != "linux":
        return "it is made for Linux"
    from grader.rubric import Limits
    from grader.sandbox import bubblewrap

    if bubblewrap.found() is None:
        return "it is not installed"
    probe = Program(files={"probe.py": b""}, script="probe.py")
    with bubblewrap.executed(probe, Limits(wall_seconds=20)) as execution:
        ended = execution.ended
    if ended.exit_code == 0:
        return None
    return ended.problem or f"Python does not start in it (exit status {ended.exit_code})"
