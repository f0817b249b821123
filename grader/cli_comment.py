"""The command that keeps a pull request's one comment up to date."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.errors import UsageError

if TYPE_CHECKING:
    from github import Github
    from github.PullRequest import PullRequest

    from grader.github.comment import Draw
    from grader.model import Report


@click.command()
@click.argument("report_file", metavar="[REPORT]", required=False, type=click.Path(path_type=Path))
@click.option("--repository", metavar="OWNER/NAME", help="Where the pull request is.")
@click.option("--pull", "number", type=click.IntRange(min=1), metavar="N", help="Its number.")
@click.option(
    "--event",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Instead: the workflow_run event of a finished grading, as GITHUB_EVENT_PATH names it.",
)
@click.option(
    "--folder",
    default="assignment",
    show_default=True,
    metavar="NAME",
    help="With --event: a pull request that changes files outside of it gets no result.",
)
@click.option("--dry-run", is_flag=True, help="Print the comment; change nothing.")
def comment(
    report_file: Path | None,
    repository: str | None,
    number: int | None,
    event: Path | None,
    folder: str,
    dry_run: bool,
) -> int:
    """Write a pull request's one comment, or edit it when it is there already.

    The report is a JSON REPORT of your own, or with --event the one that the grading workflow
    left behind; that one is checked, as a fork can forge it. The token is read from
    GITHUB_TOKEN, which must be allowed to write pull requests and to read actions.

    \b
    Exit status:
      0  done, or nothing to do     2  wrong usage, or a report that was refused
      3  GitHub could not be asked, or said no

    \b
    Examples:
      grader comment report.json --dry-run
      grader comment report.json --repository someone/streaming-02 --pull 7
      grader comment --event "$GITHUB_EVENT_PATH"
    """
    if (report_file is None) == (event is None):
        raise UsageError("Give either a JSON report or --event FILE.")
    if event is not None:
        return _from_event(event, folder, dry_run)
    assert report_file is not None  # noqa: S101
    return _from_file(report_file, repository, number, dry_run)


def _from_event(event: Path, folder: str, dry_run: bool) -> int:
    from grader.github.event import read_event

    finished = read_event(event)
    with github_connection() as github:
        from grader.github.feedback import feedback_of

        repository, run_id = finished.repository.full_name, finished.workflow_run.id
        pull, report = feedback_of(github, repository, run_id, folder)
        return _tell(github, pull, partial(_text, report, folder), dry_run)


def _from_file(file: Path, repository: str | None, number: int | None, dry_run: bool) -> int:
    from grader.named_file import read_named
    from grader.reports.json_report import read

    draw = partial(_text, read(read_named(file)), "")
    if repository is None and number is None and dry_run:
        return _show(draw(""))
    if repository is None or number is None:
        raise UsageError("Say which pull request: --repository OWNER/NAME --pull N.")
    with github_connection() as github:
        pull = github.get_repo(repository).get_pull(number)
        return _tell(github, pull, draw, dry_run)


def _text(report: Report | None, folder: str, standing: str) -> str:
    from grader.reports.comment import read_history, render, render_withheld

    earlier = read_history(standing)
    return render(report, earlier) if report else render_withheld(folder, earlier)


def _tell(github: Github, pull: PullRequest, draw: Draw, dry_run: bool) -> int:
    from grader.github.comment import keep_comment, own_login, preview

    author = own_login(github)
    if dry_run:
        return _show(preview(pull, author, draw))
    done = keep_comment(pull, author, draw)
    click.echo(f"grader: the comment on pull request {pull.number} is {done}", err=True)
    return 0


def _show(text: str) -> int:
    from grader.github.annotations import held

    # A job's log obeys lines that begin with two colons, and students' text is in there.
    click.echo(held(text) if os.environ.get("GITHUB_ACTIONS") else text, nl=False)
    return 0


def github_connection(pause: float | None = None) -> AbstractContextManager[Github]:
    """GitHub, with `pause` seconds between two writes; raises UsageError without PyGithub."""
    try:
        from grader.github.api import connected
    except ModuleNotFoundError:
        raise UsageError("Commenting needs PyGithub: pip install PyGithub") from None
    return connected(pause)
