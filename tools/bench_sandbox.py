"""Measures what the sandbox adds to the start of a script."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from grader.model import Sandbox
from grader.rubric import Limits
from grader.sandbox import Program, bubblewrap_fault, executed

ROUNDS = 20
PROGRAM = Program(files={"empty.py": b""}, script="empty.py")


def overhead() -> str:
    """One line: the medians of an empty script in bubblewrap and as a plain process."""
    if fault := bubblewrap_fault():
        return f"bubblewrap cannot be measured here: {fault}"
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / PROGRAM.script
        script.touch()
        # In turns: what else the computer does then slows both alike.
        pairs = [(_seconds(_sandboxed), _seconds(lambda: _plain(script))) for _ in range(ROUNDS)]
    sandboxed, plain = (statistics.median(times) * 1000 for times in zip(*pairs, strict=True))
    return (
        f"an empty script: {sandboxed:.0f} ms in bubblewrap, {plain:.0f} ms plain, "
        f"so {sandboxed - plain:.0f} ms more"
    )


def _sandboxed() -> None:
    with executed(PROGRAM, Limits(), Sandbox.REQUIRE):
        pass


def _plain(script: Path) -> None:
    subprocess.run([sys.executable, str(script)], check=True)


def _seconds(action: Callable[[], None]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


if __name__ == "__main__":
    print(overhead())
