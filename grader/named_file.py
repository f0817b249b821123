"""Reads a text file that the person at the keyboard named."""

from __future__ import annotations

import os
from pathlib import Path

from grader.errors import UsageError
from grader.model import FileState
from grader.textfile import MAX_BYTES, read_text_file


def read_named(path: Path, max_bytes: int = MAX_BYTES) -> str:
    """Returns the file's text, whatever its encoding.

    Raises UsageError when there is no such file, or when it cannot be read.
    """
    # A link of the user's own is followed; only what a submission brings is not trusted.
    file = read_text_file(Path(os.path.realpath(path)), path.name, max_bytes)
    if file.state is FileState.MISSING:
        raise UsageError(f"There is no file {path}.")
    if file.state is FileState.UNREADABLE:
        raise UsageError(file.problem or f"Cannot read {path}.")
    return file.text
