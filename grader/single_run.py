"""One run of a submission's script, apart from any grading."""

from __future__ import annotations

from pathlib import Path

from grader.errors import UsageError
from grader.model import RunOptions, SyntaxFault
from grader.rubric import Rubric
from grader.runner import RunJob
from grader.running import plan
from grader.script import read_script
from grader.submission import read_submission


def job_for(folder: Path, rubric: Rubric, duration: float, options: RunOptions) -> RunJob:
    """The run of the folder's script with its duration set.

    Raises UsageError when there is no such script, or it cannot be run.
    """
    submission = read_submission(folder, str(folder), rubric)
    script = submission.script
    if not script.present:
        raise UsageError(script.problem or f"There is no {script.name} with a program in {folder}.")
    facts = read_script(script.text, script.name, rubric.script.constants)
    if isinstance(facts, SyntaxFault):
        raise UsageError(f"Python cannot read {script.name}: line {facts.line}: {facts.message}.")
    jobs = plan(submission, facts, {"run": duration}, rubric, options)
    if not jobs:
        raise UsageError(f"{script.name} does not set {rubric.script.constant}.")
    return jobs[0]
