"""Runs the command line in this process, which saves starting Python for each command."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path
from subprocess import CompletedProcess
from unittest.mock import patch

from grader.cli import main

ROOT = Path(__file__).resolve().parent.parent.parent


def run_grader(*arguments: str, given: bytes = b"", cwd: Path = ROOT) -> CompletedProcess[str]:
    """What a command prints to a pipe, and its exit status; `given` is its standard input."""
    out, err, fed = (TextIOWrapper(BytesIO(data), "utf-8") for data in (b"", b"", given))
    here, code = Path.cwd(), None
    with ExitStack() as stack:
        stack.callback(os.chdir, here)
        os.chdir(cwd)
        stack.enter_context(patch.object(sys, "argv", ["grader", *arguments]))
        stack.enter_context(patch.object(sys, "stdin", fed))
        stack.enter_context(redirect_stdout(out))
        stack.enter_context(redirect_stderr(err))
        try:
            main()
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int)
    return CompletedProcess(list(arguments), code, _text(out), _text(err))


def _text(stream: TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, BytesIO)
    return buffer.getvalue().decode("utf-8").replace("\r\n", "\n")
