"""Tries the sandbox for real: a script attempts the forbidden, and tells what it could do."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from grader.model import Ending, Sandbox
from grader.rubric import Limits
from grader.sandbox import executed
from grader.sandbox.program import Program

_SCRIPT = Path(__file__).with_name("forbidden.py")
_LIMITS = Limits(wall_seconds=30, memory_bytes=256 * 1024**2)
_MEANING = {
    "reads_files": "read your files",
    "writes_files": "write your files",
    "uses_the_network": "use the network",
    "reaches_processes": "signal your programs",
    "takes_memory": "take all memory",
    "gains_rights": "make user namespaces",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of a try."""

    sandbox: str
    allowed: tuple[str, ...]
    """What the script could do, in words."""
    problem: str | None = None
    """Why the script could not be started."""


def try_out(sandbox: Sandbox) -> Tried:
    """Lets a script attempt the forbidden in the sandbox that a student's would run in.

    Raises SandboxError when a required sandbox is missing.
    """
    with tempfile.TemporaryDirectory(prefix="grader-") as folder, socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        target = Path(folder) / "target"
        target.write_bytes(b"")
        program = Program(
            files={_SCRIPT.name: _SCRIPT.read_bytes()},
            script=_SCRIPT.name,
            variables={
                "TARGET": str(target),
                "PORT": str(server.getsockname()[1]),
                "GRADER": str(os.getpid()),
                "LIMIT": str(_LIMITS.memory_bytes),
            },
        )
        with executed(program, _LIMITS, sandbox) as execution:
            ended = execution.ended
    if ended.ending is not Ending.FINISHED or ended.exit_code != 0:
        said = ended.problem or ended.output.decode("utf-8", "replace").strip()[-200:]
        return Tried(sandbox=execution.sandbox, allowed=(), problem=said or ended.ending.value)
    worked = ended.output.decode("utf-8", "replace").split()
    allowed = tuple(text for name, text in _MEANING.items() if name in worked)
    return Tried(sandbox=execution.sandbox, allowed=allowed)


def advice() -> str:
    """How to get bubblewrap to work on this computer."""
    if sys.platform != "linux":
        return (
            "On this system a sandbox is not to be had. "
            "Grade the work of people you do not trust in a virtual machine or on GitHub."
        )
    from grader.sandbox import bubblewrap

    if bubblewrap.found() is None:
        return "Install it: sudo apt-get install bubblewrap (or dnf, pacman, zypper install)."
    restricted = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    if restricted.exists() and restricted.read_text().strip() == "1":
        return (
            "Ubuntu's AppArmor keeps it from working. Allow it until the next start:\n"
            "         sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0\n"
            "         or for good: write that setting to /etc/sysctl.d/60-bubblewrap.conf"
        )
    return "It needs version 0.8 or newer, and user namespaces; some containers forbid those."
