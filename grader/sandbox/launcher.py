"""What the launcher (`inside.py`) is told to take away from a program."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING

from grader.sandbox.interpreter import PACKAGE

if TYPE_CHECKING:
    from grader.rubric import Limits

LAUNCHER = PACKAGE / "sandbox" / "inside.py"

_OPEN_FILES = 256
_USERS = range(20_000, 60_000)
"""Numbers that user namespaces usually know and that computers seldom give to anybody."""


def limit_options(limits: Limits) -> Iterator[str]:
    """The limits that a process carries with it on any POSIX system."""
    yield f"rlimit_as={limits.memory_bytes}"
    yield f"rlimit_cpu={limits.cpu_seconds}"
    yield f"rlimit_fsize={limits.file_bytes}"
    yield f"rlimit_nofile={_OPEN_FILES}"
    yield "rlimit_core=0"


def spare_user() -> int:
    """A user for one program alone: its processes are counted apart from everybody else's."""
    return secrets.choice(_USERS)
