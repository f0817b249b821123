"""Files that the user asked for."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from grader.errors import UsageError

_DRAFT = re.compile(r".*\.(\d+)\.part")
"""A file that is being written, and the number of the process that writes it."""


def write_whole(path: Path, text: str) -> None:
    """Writes all of a file or nothing: beside its place first, then into it.

    Raises UsageError when it cannot be written.
    """
    # Two graders may write the same file.
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        draft.write_text(text, encoding="utf-8", newline="\n")
        draft.replace(path)
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror}.") from error


def clear_drafts(folder: Path) -> None:
    """Removes what is left in a folder of writers that were killed."""
    import psutil

    for path in folder.glob("*.part"):
        found = _DRAFT.fullmatch(path.name)
        if found and not psutil.pid_exists(int(found[1])):
            with suppress(OSError):
                path.unlink()
