"""Posts a class's feedback on GitHub: on each student's pull request, else as an issue.

What is posted is what a pull request's one comment holds: points, feedback, quotes of the
student's own files. Whoever can read the pull request or the repository can read that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from grader.errors import SharedError
from grader.github.api import explained, github_host
from grader.github.comment import keep_comment, keep_issue, own_login
from grader.github.refusal import NothingToDo, ServiceError
from grader.model import Report, Student
from grader.reports.comment import read_history, render

if TYPE_CHECKING:
    from github import Github
    from github.PullRequest import PullRequest
    from github.Repository import Repository

TITLE = "Feedback on your submission"
FAILED = "failed"
NOWHERE = "not posted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of one student's feedback."""

    student: str
    done: str
    """`created`, `updated`, `unchanged`, `not posted` or `failed`."""
    where: str
    """The address of the pull request or issue; or why there is none, in a sentence."""


def post_feedback(
    github: Github, reports: Iterable[tuple[Student, Report]], *, dry_run: bool
) -> Iterator[Told]:
    """Posts each report, or edits what was posted before; on a dry run only says what it would do.

    Nothing goes anywhere but to the student's repository and the one it was forked from. What
    fails for one student is that student's alone; raises ServiceError for a bad token, and when
    GitHub wants to be left alone.
    """
    with explained():
        author = own_login(github)
    for student, report in reports:
        try:
            with explained():
                done, where = _posted(github, student, report, author, dry_run=dry_run)
        except SharedError:
            raise
        except NothingToDo as reason:
            done, where = NOWHERE, str(reason)
        except ServiceError as fault:
            done, where = FAILED, str(fault)
        yield Told(student=student.key, done=done, where=where)


def _posted(
    github: Github, student: Student, report: Report, author: str, *, dry_run: bool
) -> tuple[str, str]:
    home = github.get_repo(_name(student.repository))
    pull = _pull(home, student.ref, report.submission.commit)
    draw = partial(_text, report)
    if pull is not None:
        return keep_comment(pull, author, draw, dry_run=dry_run), pull.html_url
    if not home.has_issues:
        raise NothingToDo("There is no open pull request, and the issues are switched off.")
    done, where = keep_issue(home, author, TITLE, draw, dry_run=dry_run)
    return done, where or f"{home.html_url}/issues"


def _text(report: Report, standing: str) -> str:
    return render(report, read_history(standing))


def _name(repository: str) -> str:
    """OWNER/NAME of a repository that lies on GitHub, whichever way its address is written."""
    host = re.escape(github_host())
    found = re.fullmatch(
        rf"(?:(?:https|ssh)://)?(?:[^@/]*@)?{host}(?::\d+)?[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?",
        repository,
        re.IGNORECASE,
    )
    if found is None:
        raise NothingToDo("The repository is not on GitHub.")
    return found[1]


def _pull(home: Repository, ref: str | None, commit: str | None) -> PullRequest | None:
    """The open pull request from the branch that was graded; None when there is none."""
    head = f"{home.owner.login}:{ref or home.default_branch}"
    places = [home, home.parent] if home.fork and home.parent else [home]
    listed = [pull for place in places for pull in place.get_pulls(state="open", head=head)]
    own = [pull for pull in listed if pull.head.repo and pull.head.repo.id == home.id]
    graded = [pull for pull in own if pull.head.sha == commit]
    if len(own) > 1 and len(graded) != 1:
        raise NothingToDo("There are several open pull requests, so it cannot be told which one.")
    return next(iter(graded or own), None)
