"""What a report says beside the points: the surroundings of a verdict that a reader should know."""

from __future__ import annotations

from collections.abc import Iterator

from grader.assignment import Assignment
from grader.checks import unconfirmed
from grader.model import Evidence, Note, ScriptFacts, Submission
from grader.oddities import oddities
from grader.pasted import pasted_notes

_WITHOUT_BUBBLEWRAP = {
    "landlock": "The script ran without bubblewrap, in what else this computer has to keep it from "
    "your files; `grader doctor` says what it could still do.",
    "none": "The script ran without a sandbox, with limits alone.",
}


def notes(evidence: Evidence, assignment: Assignment) -> Iterator[Note]:
    """The notes on a submission, in the order in which a reader wants them."""
    submission, starter = evidence.submission, assignment.starter
    if starter is not None and _same(submission, starter):
        text = f"{submission.readme.name} is still as students receive it."
        yield Note(kind="unchanged-template", text=text)
    script = evidence.script
    current = assignment.rubric.script.constant
    if isinstance(script, ScriptFacts) and script.constant not in (None, current):
        text = f"The script is from an older edition: it sets {script.constant}."
        yield Note(kind="edition", text=text)
    if submission.script.present:
        yield from oddities(submission.script.name, submission.script.text, submission.modules)
    for outcome in evidence.runs.values():
        if claim := unconfirmed(outcome.run):
            setting = f"{current} = {outcome.run.duration:g}"
            text = f"Please look at the script: in our run with {setting} {claim}."
            yield Note(kind="unconfirmed", text=text)
    texts = {file.name: file.text for file in submission.transcripts.values() if file.present}
    yield from pasted_notes(evidence.pasted, texts)
    for sandbox in sorted({outcome.run.sandbox for outcome in evidence.runs.values()}):
        if sandbox in _WITHOUT_BUBBLEWRAP:
            yield Note(kind="environment", text=_WITHOUT_BUBBLEWRAP[sandbox])


def _same(submission: Submission, starter: Submission) -> bool:
    return submission.readme.present and submission.readme.text == starter.readme.text
