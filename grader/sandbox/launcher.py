"""What the launcher (`inside.py`) is told to take away from a program."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from grader.sandbox.interpreter import PACKAGE

if TYPE_CHECKING:
    from grader.rubric import Limits

LAUNCHER = PACKAGE / "sandbox" / "inside.py"

_OPEN_FILES = 256
_USERS = range(20_000, 60_000)
"""Numbers that user namespaces usually know and that computers seldom give to anybody."""
_RIGHTS = 0b1110_1011
"""CAP_CHOWN, _DAC_OVERRIDE, _FOWNER, _KILL, _SETGID and _SETUID of linux/capability.h."""


def limit_options(limits: Limits) -> Iterator[str]:
    """The limits that a process carries with it on any POSIX system."""
    yield f"rlimit_as={limits.memory_bytes}"
    yield f"rlimit_cpu={limits.cpu_seconds}"
    yield f"rlimit_fsize={limits.file_bytes}"
    yield f"rlimit_nofile={_OPEN_FILES}"
    yield "rlimit_core=0"


@cache
def changes_user() -> bool:
    """Whether we may become anybody: root may not in every container. For Linux alone."""
    process = Path("/proc/self")
    rights = re.search(r"CapEff:\s*(\w+)", (process / "status").read_text())
    return (
        rights is not None
        and int(rights[1], 16) & _RIGHTS == _RIGHTS
        and all(_knows_users((process / name).read_text()) for name in ("uid_map", "gid_map"))
    )


def spare_user() -> int:
    """A user for one program alone: its processes are counted apart from everybody else's."""
    return secrets.choice(_USERS)


def _knows_users(table: str) -> bool:
    rows = (map(int, line.split()) for line in table.splitlines())
    return any(first <= _USERS.start and first + n >= _USERS.stop for first, _, n in rows)
