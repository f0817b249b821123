"""A timeline that grows while a script runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from grader.model import Event
from grader.reports.timeline import timeline
from grader.reports.timeline_text import draw

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult


class Drawing:
    """Draws itself anew each time it is shown; what has not ended goes on until now."""

    def __init__(self, speed: float, *, unicode: bool) -> None:
        self._speed = speed
        self._unicode = unicode
        self._events: tuple[Event, ...] = ()
        self._known = 0.0
        self._seen = time.monotonic()

    def update(self, events: tuple[Event, ...]) -> None:
        """Takes what the run's trace holds by now."""
        newest = max((event.t for event in events), default=0.0)
        if newest > self._known or not self._events:
            self._known, self._seen = newest, time.monotonic()
        self._events = events

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """One frame."""
        from rich.text import Text

        if not self._events:
            yield Text("Starting the script ...", style="dim")
            return
        since = (time.monotonic() - self._seen) * self._speed
        first = min(event.t for event in self._events)
        line = timeline(self._events, now=self._known - first + since)
        yield draw(line, options.max_width, unicode=self._unicode)
