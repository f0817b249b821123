"""What a report says beside the points: the surroundings of a verdict that a reader should know."""

from __future__ import annotations

from collections.abc import Iterator

from grader.assignment import Assignment
from grader.model import Evidence, Note, ScriptFacts, Submission
from grader.oddities import oddities

_WITHOUT_BUBBLEWRAP = {
    "landlock": "The script ran without bubblewrap: Landlock kept it from other files and "
    "seccomp from the network, but it shared this computer's processes.",
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
    for sandbox in sorted({outcome.run.sandbox for outcome in evidence.runs.values()}):
        if sandbox in _WITHOUT_BUBBLEWRAP:
            yield Note(kind="environment", text=_WITHOUT_BUBBLEWRAP[sandbox])


def _same(submission: Submission, starter: Submission) -> bool:
    return submission.readme.present and submission.readme.text == starter.readme.text
