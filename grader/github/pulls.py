"""Finds what a finished workflow belongs to; only what GitHub's API says of it is believed."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from grader.github.refusal import NothingToDo, Refused

if TYPE_CHECKING:
    from github.PullRequest import PullRequest
    from github.Repository import Repository
    from github.WorkflowRun import WorkflowRun

# GitHub may append the ref. It cannot end in .yml: that would be another workflow's file.
_GRADE_WORKFLOW = re.compile(r"\.github/workflows/grade\.yml(?:@(?!.*\.ya?ml$).+)?", re.DOTALL)
_MOST_FILES = 3000
"""GitHub lists no more of a pull request's files."""


def grading_run(repository: Repository, run_id: int) -> WorkflowRun:
    """The finished run of the grading workflow for a pull request.

    Raises Refused when another workflow ran, NothingToDo when it was for no pull request.
    """
    run = repository.get_workflow_run(run_id)
    if not _GRADE_WORKFLOW.fullmatch(run.path):
        raise Refused("The run was refused: it is not the grading workflow's.")
    if run.event != "pull_request":
        raise NothingToDo("The run was for no pull request: its result is in the job summary.")
    return run


def pull_of(repository: Repository, run: WorkflowRun) -> PullRequest:
    """The one open pull request whose newest commit the run looked at.

    `run.pull_requests` is empty for forks, and a number in the artifact is anyone's to choose.
    Raises Refused when there are two, NothingToDo when there is none or it has moved on.
    """
    home = run.head_repository
    if home is None:
        raise NothingToDo("The fork is gone, so there is no pull request to comment on.")
    listed = repository.get_pulls(state="open", head=f"{home.owner.login}:{run.head_branch}")
    heads = [(pull, pull.head) for pull in listed]
    ours = [
        (pull, head)
        for pull, head in heads
        if head.repo and head.repo.id == home.id and head.ref == run.head_branch
    ]
    if not ours:
        raise NothingToDo("There is no open pull request from that branch.")
    current = [pull for pull, head in ours if head.sha == run.head_sha]
    if not current:
        raise NothingToDo(
            "The pull request has newer commits than the one graded; their own run will tell."
        )
    if len(current) > 1:
        raise Refused(
            "The run was refused: two open pull requests come from that branch, so it cannot be "
            "told which of them it is for. Close one of them."
        )
    return current[0]


def keeps_to(pull: PullRequest, folder: str) -> bool:
    """Whether the pull request changes nothing outside of the folder."""
    files = list(islice(pull.get_files(), _MOST_FILES))
    names = [name for file in files for name in (file.filename, file.previous_filename) if name]
    inside = f"{folder.strip('/')}/"
    return len(files) < _MOST_FILES and all(name.startswith(inside) for name in names)
