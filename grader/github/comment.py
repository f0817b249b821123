"""Keeps one comment on a pull request up to date."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from github import GithubException, RateLimitExceededException
from requests import RequestException

from grader.reports.comment import is_feedback

if TYPE_CHECKING:
    from github import Github
    from github.IssueComment import IssueComment
    from github.PullRequest import PullRequest

Draw = Callable[[str], str]
"""Makes the comment's text from the one that stands there, "" for none."""
_WORKFLOWS_LOGIN = "github-actions[bot]"
_PAUSE = 5.0  # seconds


def keep_comment(github: Github, pull: PullRequest, draw: Draw) -> str:
    """Creates the comment or edits it in place; says in one word what was done."""
    author = _own_login(github)
    found = _find(pull, author)
    if found is None:
        _create(pull, author, draw(""))
        return "created"
    before = found.body.replace("\r\n", "\n")
    after = draw(before)
    if before.strip() == after.strip():
        return "unchanged"
    found.edit(after)
    return "updated"


def preview(github: Github, pull: PullRequest, draw: Draw) -> str:
    """What the comment would say."""
    found = _find(pull, _own_login(github))
    return draw(found.body if found else "")


def _create(pull: PullRequest, author: str, body: str) -> None:
    try:
        pull.create_issue_comment(body)
    except (GithubException, RequestException) as error:
        if isinstance(error, GithubException) and error.status < 500:
            raise
        time.sleep(_PAUSE)
        # It may have been made although the answer was lost.
        if _find(pull, author) is None:
            pull.create_issue_comment(body)


def _find(pull: PullRequest, author: str) -> IssueComment | None:
    """The first comment with the marker that we wrote: anyone can write the marker."""
    comments = pull.get_issue_comments()
    own = (each for each in comments if each.user and each.user.login == author)
    return next((each for each in own if is_feedback(each.body)), None)


def _own_login(github: Github) -> str:
    """Whose token it is; a workflow's own may not even ask."""
    try:
        return github.get_user().login
    except RateLimitExceededException:
        raise
    except GithubException as error:
        if error.status != 403:
            raise
        return _WORKFLOWS_LOGIN
