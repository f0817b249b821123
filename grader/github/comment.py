"""Keeps one comment on a pull request up to date, or one issue in a repository."""

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
    from github.Repository import Repository

Draw = Callable[[str], str]
"""Makes the comment's text from the one that stands there, "" for none."""
_WORKFLOWS_LOGIN = "github-actions[bot]"
_PAUSE = 5.0  # seconds


def keep_comment(pull: PullRequest, author: str, draw: Draw, *, dry_run: bool = False) -> str:
    """Creates the author's comment or edits it in place; says in one word what was done.

    On a dry run that is said as well, but nothing is done.
    """
    found = _find(pull, author)
    if found is None:
        if not dry_run:
            _create(pull, author, draw(""))
        return "created"
    after = _changed(found.body, draw)
    if after is None:
        return "unchanged"
    if not dry_run:
        found.edit(after)
    return "updated"


def keep_issue(
    repository: Repository, author: str, title: str, draw: Draw, *, dry_run: bool = False
) -> tuple[str, str | None]:
    """The same for the author's open issue; also says where it is, unless it is yet to be made."""
    issues = repository.get_issues(state="open")
    own = (each for each in issues if each.user and each.user.login == author)
    found = next((each for each in own if is_feedback(each.body or "")), None)
    if found is None:
        return "created", None if dry_run else repository.create_issue(title, draw("")).html_url
    after = _changed(found.body, draw)
    if after is None:
        return "unchanged", found.html_url
    if not dry_run:
        found.edit(body=after)
    return "updated", found.html_url


def preview(pull: PullRequest, author: str, draw: Draw) -> str:
    """What the comment would say."""
    found = _find(pull, author)
    return draw(found.body if found else "")


def _changed(text: str, draw: Draw) -> str | None:
    before = text.replace("\r\n", "\n")
    after = draw(before)
    return None if before.strip() == after.strip() else after


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


def own_login(github: Github) -> str:
    """Whose token it is; a workflow's own may not even ask."""
    try:
        return github.get_user().login
    except RateLimitExceededException:
        raise
    except GithubException as error:
        if error.status != 403:
            raise
        return _WORKFLOWS_LOGIN
