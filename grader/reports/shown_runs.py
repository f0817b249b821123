"""Our runs as every readable report shows them: how they went, and who waited for whom."""

from __future__ import annotations

from dataclasses import dataclass

from grader.model import Report, Run
from grader.reports.inert import one_line
from grader.reports.timeline import Timeline, story, timeline
from grader.reports.wording import NAME

_SANDBOXES = {"none": "without a sandbox"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRun:
    """One run, ready to be drawn."""

    id: str
    how: str
    """Its duration, speed and sandbox in words."""
    story: str
    line: Timeline


def shown_runs(report: Report) -> tuple[ShownRun, ...]:
    """The report's runs, in its order."""
    return tuple(_shown(run) for run in report.runs)


def _shown(run: Run) -> ShownRun:
    line = timeline(run.events)
    speed = "in real time" if run.speed == 1 else f"{run.speed:g} times as fast as real time"
    sandbox = _SANDBOXES.get(run.sandbox, f"in {one_line(run.sandbox, NAME)}")
    how = f"a duration of {run.duration:g} s, {speed}, {sandbox}"
    return ShownRun(id=one_line(run.id, NAME), how=how, story=story(line), line=line)
