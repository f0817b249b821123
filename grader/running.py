"""Runs a submission's configurations side by side, each as fast as its verdict allows.

A run that mostly sleeps can be sped up through the shim. No point is ever lost on such a run:
what is not plainly right, and what the shim cannot scale, is run in real time before it counts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from threading import Event, Semaphore
from typing import Protocol

from grader.checks import is_settled
from grader.model import EventKind, RunOptions, RunOutcome, ScriptFacts, Submission, SyntaxFault
from grader.pace import obstacles
from grader.rubric import Rubric
from grader.runner import RunJob
from grader.script import encode_source, set_constant

Runner = Callable[[RunJob, Event | None], RunOutcome]
"""Runs a job to its end, or until the event is set."""

_QUICKEST = 10.0
"""Seconds that a sped-up run may take at least: a slow start is no reason to stop it."""
_FORKS = sys.platform == "linux" and sys.version_info < (3, 14)
_MOST_WITHOUT_FORK = 5.0
"""Where each process starts Python anew, starting takes as long as a sped-up task: at 10, a busy
machine gave other verdicts in 15 of 32 runs, at 5 in none of 24."""
_OFF = 0.5
"""Share of the duration by which a lock may be held too long or too short."""


class Progress(Protocol):
    """Told when runs of the script begin and end; they overlap."""

    def started(self, run: str) -> None:
        """The run of that configuration has begun."""

    def finished(self, run: str) -> None:
        """It has ended."""


def plan(
    submission: Submission,
    script: ScriptFacts | SyntaxFault | None,
    durations: Mapping[str, float],
    rubric: Rubric,
    options: RunOptions,
) -> list[RunJob]:
    """What to run for each duration, id -> seconds; nothing if the constant cannot be set."""
    if not isinstance(script, ScriptFacts):
        return []
    sources = {submission.script.name: submission.script.text, **submission.modules}
    fastest = options.speed if _FORKS else min(options.speed, _MOST_WITHOUT_FORK)
    scales = fastest > 1 and not obstacles(sources)
    jobs: list[RunJob] = []
    for name, duration in durations.items():
        source = set_constant(submission.script.text, rubric.script.constants, duration)
        if source is None:
            continue
        jobs.append(
            RunJob(
                id=name,
                duration=duration,
                # What takes no time cannot take less, only go wrong.
                speed=fastest if scales and duration else 1.0,
                name=rubric.script.file,
                source=encode_source(source),
                modules=submission.modules,
                table=rubric.script.table,
                lock_error=rubric.output.lock_error,
                limits=rubric.limits,
                sandbox=options.sandbox,
            )
        )
    return jobs


@contextmanager
def running(
    jobs: list[RunJob], rubric: Rubric, progress: Progress, run: Runner
) -> Iterator[dict[str, Future[RunOutcome]]]:
    """Runs all jobs at once, since they sleep more than they work."""
    if not jobs:
        yield {}
        return

    stop = Event()

    def run_told(job: RunJob) -> RunOutcome:
        progress.started(job.id)
        try:
            return _run_paced(job, rubric, run, stop)
        finally:
            progress.finished(job.id)

    with ThreadPoolExecutor(max_workers=len(jobs)) as pool:
        try:
            yield {job.id: pool.submit(run_told, job) for job in jobs}
        finally:
            # Ctrl-C reaches this thread alone; without this the pool would wait for the limit.
            stop.set()


def gated(run: Runner, at_once: int) -> Runner:
    """Lets `at_once` runs compete for the processors, and those in real time sleep beside them.

    A sped-up run on a busy computer may come to another verdict, or has to be repeated.
    """
    gate = Semaphore(at_once)

    def run_in_turn(job: RunJob, stop: Event | None) -> RunOutcome:
        sleeps = job.speed == 1 and job.duration > 0
        with nullcontext() if sleeps else gate:
            return run(job, stop)

    return run_in_turn


def processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _run_paced(job: RunJob, rubric: Rubric, run: Runner, stop: Event) -> RunOutcome:
    if job.speed == 1:
        return run(job, stop)
    seconds = max(_QUICKEST, job.limits.wall_seconds / job.speed)
    outcome = run(
        replace(job, limits=job.limits.model_copy(update={"wall_seconds": seconds})), stop
    )
    if stop.is_set() or (is_settled(outcome, rubric) and not _disturbed(outcome)):
        return outcome
    return run(replace(job, speed=1.0), stop)


def _disturbed(outcome: RunOutcome) -> bool:
    """Whether the trace is missing, or tells of locks held much longer or shorter than meant."""
    began: dict[str, float] = {}
    held: list[float] = []
    for event in outcome.run.events:
        if event.kind is EventKind.HOLD:
            began[event.process] = event.t
        elif event.kind is EventKind.COMMIT and event.process in began:
            held.append(event.t - began.pop(event.process))
    duration = outcome.run.duration
    return not held or any(abs(seconds - duration) > _OFF * duration for seconds in held)
