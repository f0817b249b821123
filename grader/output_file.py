"""Files that the user asked for."""

from __future__ import annotations

import os
from pathlib import Path

from grader.errors import UsageError


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
