"""Collects the evidence that criteria are judged by: the last place that runs or reads anything."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from grader.answers import find_answers
from grader.assignment import Assignment
from grader.criteria import RunCriterion, TranscriptCriterion
from grader.model import (
    Evidence,
    PastedRun,
    RunOptions,
    ScriptFacts,
    Submission,
    SyntaxFault,
    Transcript,
)
from grader.pasted import pasted_run
from grader.questions import Question
from grader.rubric import AnyCriterion, Rubric
from grader.runner import run_script
from grader.running import Progress, Runner, plan, running
from grader.script import read_script
from grader.transcript import parse_transcript


def collect(
    submission: Submission,
    assignment: Assignment,
    criteria: Collection[AnyCriterion],
    progress: Progress,
    options: RunOptions = RunOptions(),  # noqa: B008 - it is frozen
    run: Runner = run_script,
) -> Evidence:
    """Gathers what the criteria need and no more: without a run criterion nothing is run.

    Raises SandboxError when a required sandbox is missing.
    """
    rubric = assignment.rubric
    script = _read_script(submission, rubric)
    configurations = {c.configuration for c in criteria if isinstance(c, RunCriterion)}
    durations = {
        name: configuration.duration
        for name, configuration in rubric.configurations.items()
        if name in configurations
    }
    jobs = plan(submission, script, durations, rubric, options)
    with running(jobs, rubric, progress, run) as runs:
        # The files are read while the runs sleep.
        reads = any(isinstance(c, TranscriptCriterion) for c in criteria)
        asks = any(isinstance(c, Question) for c in criteria)
        readme = submission.readme.text
        transcripts = _read_transcripts(submission, assignment) if reads else {}
        return Evidence(
            submission=submission,
            script=script,
            editions=_given(script, readme, assignment.editions),
            transcripts=transcripts,
            pasted=tuple(_pasted(submission, transcripts, rubric)),
            answers=find_answers(readme, rubric.questions, assignment.own_readme) if asks else {},
            runs={name: future.result() for name, future in runs.items()},
        )


def _read_script(submission: Submission, rubric: Rubric) -> ScriptFacts | SyntaxFault | None:
    script = submission.script
    if not script.present:
        return None
    return read_script(script.text, script.name, rubric.script.constants)


def _read_transcripts(submission: Submission, assignment: Assignment) -> dict[str, Transcript]:
    output = assignment.rubric.output
    return {
        name: parse_transcript(file.text, output, assignment.own_transcripts[name].holds)
        for name, file in submission.transcripts.items()
        if file.present
    }


def _pasted(
    submission: Submission, transcripts: Mapping[str, Transcript], rubric: Rubric
) -> Iterator[PastedRun]:
    for name, transcript in transcripts.items():
        text = submission.transcripts[name].text
        run = pasted_run(name, rubric.configurations[name], text, transcript)
        if run is not None:
            yield run


def _given(
    script: ScriptFacts | SyntaxFault | None, readme: str, editions: tuple[ScriptFacts, ...]
) -> tuple[ScriptFacts, ...]:
    """The editions the student may have been given: told by the constant's name."""
    own = script.constant if isinstance(script, ScriptFacts) else None
    if own is not None:
        return tuple(edition for edition in editions if edition.constant == own)
    named = tuple(e for e in editions if e.constant and e.constant in readme)
    return named or editions
