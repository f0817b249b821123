"""Collects the evidence that criteria are judged by: the last place that runs or reads anything."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Protocol

from grader.answers import find_answers
from grader.assignment import Assignment
from grader.criteria import RunCriterion, TranscriptCriterion
from grader.model import (
    Evidence,
    RunOptions,
    RunOutcome,
    ScriptFacts,
    Submission,
    SyntaxFault,
    Transcript,
)
from grader.questions import Question
from grader.rubric import AnyCriterion, Rubric
from grader.runner import RunJob, run_script
from grader.script import encode_source, read_script, set_constant
from grader.transcript import parse_transcript


class Progress(Protocol):
    """Told when runs of the script begin and end; they overlap."""

    def started(self, run: str) -> None:
        """The run of that configuration has begun."""

    def finished(self, run: str) -> None:
        """It has ended."""


def collect(
    submission: Submission,
    assignment: Assignment,
    criteria: Collection[AnyCriterion],
    progress: Progress,
    options: RunOptions = RunOptions(),  # noqa: B008 - it is frozen
) -> Evidence:
    """Gathers what the criteria need and no more: without a run criterion nothing is run.

    Raises SandboxError when a required sandbox is missing.
    """
    rubric = assignment.rubric
    script = _read_script(submission, rubric)
    configurations = {c.configuration for c in criteria if isinstance(c, RunCriterion)}
    jobs = [
        job
        for name in rubric.configurations
        if name in configurations
        if (job := _job(name, submission, script, rubric, options)) is not None
    ]
    with _running(jobs, progress) as runs:
        # The files are read while the runs sleep.
        reads = any(isinstance(c, TranscriptCriterion) for c in criteria)
        asks = any(isinstance(c, Question) for c in criteria)
        readme = submission.readme.text
        return Evidence(
            submission=submission,
            script=script,
            editions=_given(script, readme, assignment.editions),
            transcripts=_read_transcripts(submission, assignment) if reads else {},
            answers=find_answers(readme, rubric.questions, assignment.own_readme) if asks else {},
            runs={name: run.result() for name, run in runs.items()},
        )


def _read_script(submission: Submission, rubric: Rubric) -> ScriptFacts | SyntaxFault | None:
    script = submission.script
    if not script.present:
        return None
    return read_script(script.text, script.name, rubric.script.constants)


def _job(
    name: str,
    submission: Submission,
    script: ScriptFacts | SyntaxFault | None,
    rubric: Rubric,
    options: RunOptions,
) -> RunJob | None:
    """What to run for a configuration; None if the script does not let its constant be set."""
    if not isinstance(script, ScriptFacts):
        return None
    duration = rubric.configurations[name].duration
    source = set_constant(submission.script.text, rubric.script.constants, duration)
    if source is None:
        return None
    return RunJob(
        id=name,
        duration=duration,
        name=rubric.script.file,
        source=encode_source(source),
        modules=submission.modules,
        table=rubric.script.table,
        lock_error=rubric.output.lock_error,
        limits=rubric.limits,
        options=options,
    )


@contextmanager
def _running(jobs: list[RunJob], progress: Progress) -> Iterator[dict[str, Future[RunOutcome]]]:
    """Runs all jobs at once; they sleep more than they work."""
    if not jobs:
        yield {}
        return

    stop = Event()

    def run(job: RunJob) -> RunOutcome:
        progress.started(job.id)
        try:
            return run_script(job, stop)
        finally:
            progress.finished(job.id)

    with ThreadPoolExecutor(max_workers=len(jobs)) as pool:
        try:
            yield {job.id: pool.submit(run, job) for job in jobs}
        finally:
            # Ctrl-C reaches this thread alone; without this the pool would wait for the limit.
            stop.set()


def _read_transcripts(submission: Submission, assignment: Assignment) -> dict[str, Transcript]:
    output = assignment.rubric.output
    return {
        name: parse_transcript(file.text, output, assignment.own_transcripts[name].holds)
        for name, file in submission.transcripts.items()
        if file.present
    }


def _given(
    script: ScriptFacts | SyntaxFault | None, readme: str, editions: tuple[ScriptFacts, ...]
) -> tuple[ScriptFacts, ...]:
    """The editions the student may have been given: told by the constant's name."""
    own = script.constant if isinstance(script, ScriptFacts) else None
    if own is not None:
        return tuple(edition for edition in editions if edition.constant == own)
    named = tuple(e for e in editions if e.constant and e.constant in readme)
    return named or editions
