"""From a finished workflow to the report on its pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.github.api import download
from grader.github.artifact import MAX_BYTES, read_artifact
from grader.github.pulls import grading_run, keeps_to, pull_of
from grader.github.refusal import NothingToDo
from grader.model import Report

if TYPE_CHECKING:
    from github import Github
    from github.PullRequest import PullRequest
    from github.WorkflowRun import WorkflowRun

ARTIFACT = "grade-report"


def feedback_of(
    github: Github, repository: str, run_id: int, folder: str
) -> tuple[PullRequest, Report | None]:
    """The pull request that a finished run was for, and the report the run left behind.

    There is no report for a pull request that touches more than `folder`: it could have changed
    how it is graded. Raises Refused and NothingToDo with the reason.
    """
    home = github.get_repo(repository)
    run = grading_run(home, run_id)
    pull = pull_of(home, run)
    if not keeps_to(pull, folder):
        return pull, None
    return pull, read_artifact(_archive(run), run.head_sha)


def _archive(run: WorkflowRun) -> bytes:
    found = [each for each in run.get_artifacts() if each.name == ARTIFACT and not each.expired]
    if not found:
        raise NothingToDo("The grading left no report behind; its own job says why.")
    newest = max(found, key=lambda each: each.id)
    headers, _ = newest.requester.requestJsonAndCheck("GET", newest.archive_download_url)
    return download(headers.get("location", ""), MAX_BYTES)
