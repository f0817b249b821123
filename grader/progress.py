"""Shows on stderr which runs of the script are under way, and for how long."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from grader.running import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


class Quiet:
    """Progress that nobody watches: stderr is no terminal."""

    def started(self, run: str) -> None:
        """Says nothing."""

    def finished(self, run: str) -> None:
        """Says nothing."""


class Shown:
    """A line with a clock for each run."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._lines: dict[str, TaskID] = {}
        self._lock = Lock()

    def started(self, run: str) -> None:
        """Adds the run's line."""
        with self._lock:
            self._lines[run] = self._bars.add_task(f"running the script ({run})", total=None)

    def finished(self, run: str) -> None:
        """Stops the run's clock."""
        with self._lock:
            self._bars.update(self._lines[run], total=1, completed=1)


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Progress on the terminal while the block runs; nothing of it stays on the screen."""
    if not sys.stderr.isatty():
        yield Quiet()
        return
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        yield Shown(bars)
