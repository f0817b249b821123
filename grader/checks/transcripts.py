"""Judges the terminal output that the student pasted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from grader.checks.judgement import Judgement
from grader.criteria import TranscriptCriterion
from grader.model import Evidence, FileState, Quote, Transcript, TranscriptRun, Verdict
from grader.rubric import Expectation, Rubric
from grader.text import LONGEST


def check_transcript(
    evidence: Evidence, criterion: TranscriptCriterion, rubric: Rubric
) -> Judgement:
    """Looks for a run that shows what the configuration must show."""
    file = evidence.submission.transcripts[criterion.configuration]
    transcript = evidence.transcripts.get(criterion.configuration)
    if transcript is None or transcript.placeholder:
        return _missing(file.name, file.state, file.problem)
    if rubric.configurations[criterion.configuration].expect is Expectation.EVERY_INSERT:
        judgement = _every_insert(transcript, file.name, file.text, rubric)
    else:
        judgement = _lock_error(transcript, file.name, file.text)
    if judgement.verdict is not Verdict.CORRECT and len(file.text) > LONGEST:
        judgement = replace(judgement, doubt=True)  # what is missing may stand further down
    other = _swapped_with(evidence, criterion.configuration, rubric)
    if judgement.verdict is Verdict.CORRECT or other is None:
        return judgement
    return replace(
        judgement,
        what=f"{judgement.what} It looks as if {file.name} and {other} are swapped.",
        hint=f"Open {file.name} and {other} side by side. If they are swapped, exchange their "
        "contents, save both, and grade again.",
    )


def shows(transcript: Transcript, expect: Expectation, rubric: Rubric) -> bool:
    """Whether the transcript shows what a configuration must show."""
    if expect is Expectation.LOCK_ERROR:
        return bool(transcript.lock_errors)
    return any(_inserts(run, rubric) and not run.lock_errors for run in transcript.runs)


def _inserts(run: TranscriptRun, rubric: Rubric) -> bool:
    """Whether every insert appears: enough of them, for enough processes."""
    each, processes = rubric.script.records_each, rubric.script.processes
    counts = Counter(insert.process.casefold() for insert in run.inserts)
    return sum(count >= each for count in counts.values()) >= processes


def _missing(name: str, state: FileState, problem: str | None) -> Judgement:
    what = {
        FileState.MISSING: f"There is no {name}.",
        FileState.EMPTY: f"{name} is empty.",
        FileState.UNREADABLE: problem or f"{name} cannot be read.",
        FileState.PRESENT: f"{name} holds only the text it came with.",
    }[state]
    return Judgement(
        verdict=Verdict.MISSING,
        confidence=0.97,
        what=what,
        doubt=state is FileState.UNREADABLE,
    )


def _every_insert(transcript: Transcript, name: str, text: str, rubric: Rubric) -> Judgement:
    wanted = rubric.script.rows
    right = shows(transcript, Expectation.EVERY_INSERT, rubric)
    best = max((len(run.inserts) for run in transcript.runs), default=0)
    locked = [run for run in transcript.runs if _inserts(run, rubric) and run.lock_errors]
    if right:
        what = f"{name} shows a run with all {wanted} inserts and no lock error."
    elif locked:
        what = f"{name} shows all {wanted} inserts, but with a lock error among them."
    else:
        what = f"{name} shows {min(best, wanted)} of the {wanted} inserts."
    lines = locked[0].lock_errors[:1] if locked and not right else ()
    return Judgement(
        verdict=Verdict.CORRECT if right else Verdict.INCORRECT,
        confidence=0.97 if right else _confidence(transcript),
        what=what,
        expected=f"a run with {wanted} inserts and no lock error",
        quotes=_quotes(name, text, lines),
    )


def _lock_error(transcript: Transcript, name: str, text: str) -> Judgement:
    lines = transcript.lock_errors
    known = any(run.inserts for run in transcript.runs)
    if lines:
        confidence = 0.97 if known else 0.75
        what = f"{name} shows a lock error."
    else:
        confidence = _confidence(transcript)
        what = f"{name} shows no lock error."
    return Judgement(
        verdict=Verdict.CORRECT if lines else Verdict.INCORRECT,
        confidence=confidence,
        what=what,
        expected="at least one lock error",
        quotes=_quotes(name, text, lines[:2]),
    )


def _confidence(transcript: Transcript) -> float:
    """A text in which not one insert is recognised may be output we do not know."""
    return 0.9 if any(run.inserts for run in transcript.runs) else 0.65


def _quotes(name: str, text: str, lines: tuple[int, ...]) -> tuple[Quote, ...]:
    every = text.split("\n")
    return tuple(Quote(file=name, line=n, quote=every[n - 1].strip()[:300]) for n in lines)


def _swapped_with(evidence: Evidence, mine: str, rubric: Rubric) -> str | None:
    """The other transcript, if each of the two shows what the other should."""
    expect = rubric.configurations[mine].expect
    for other, transcript in evidence.transcripts.items():
        wanted = rubric.configurations[other].expect
        if (
            wanted is not expect
            and shows(transcript, expect, rubric)
            and shows(evidence.transcripts[mine], wanted, rubric)
        ):
            return evidence.submission.transcripts[other].name
    return None
