"""A class's feedback, posted where each student works, and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from grader import cli_class
from grader.github.api import connected
from grader.github.class_feedback import TITLE, Told, post_feedback
from grader.github.refusal import ServiceError
from grader.model import Report, Student
from tests.support import tiny_class as tiny
from tests.support.posted import graded

if TYPE_CHECKING:
    from tests.github.conftest import Grader, Hub

# The classes of a conftest cannot be imported by its name: they come with the fixture.
SECOND = "b" * 40


def student(name: str = "ada", repository: str = "", ref: str | None = None) -> Student:
    repository = repository or f"https://127.0.0.1/{name}/streaming"
    return Student(key=name, repository=repository, ref=ref)


def post(
    reports: Iterable[tuple[Student, Report]] = ((student(), graded()),), *, dry_run: bool = False
) -> list[Told]:
    with connected() as github:
        return list(post_feedback(github, reports, dry_run=dry_run))


def done(told: list[Told]) -> list[tuple[str, str]]:
    return [(each.student, each.done) for each in told]


def written(hub: Hub) -> list[str]:
    return [asked for asked in hub.asked if not asked.startswith("get")]


@pytest.fixture(autouse=True)
def _teacher(hub: Hub) -> None:
    hub.login = "teacher"


def another(hub: Hub, **changed: object) -> None:
    """One more pull request, otherwise like the first."""
    hub.pulls.append(replace(hub.pulls[0], **changed))  # type: ignore[arg-type]


# ---------------------------------------------------------------- pull requests


def test_pull_request(hub: Hub) -> None:
    """The pull request from a student's fork gets the comment, once, and then it is edited."""
    (told,) = post()
    assert told == Told(
        student="ada", done="created", where="https://example.org/course/streaming/pull/7"
    )
    assert done(post()) == [("ada", "unchanged")]
    assert done(post([(student(), graded(87, SECOND))])) == [("ada", "updated")]
    (comment,) = hub.comments
    assert (comment.pull, comment.author) == (7, "teacher")
    assert "62 -> 87 points since `aaaaaaa`" in comment.body
    assert len(written(hub)) == 2
    assert hub.issues == []


def test_pull_request_in_the_students_own_repository(hub: Hub) -> None:
    """As GitHub Classroom opens one for feedback."""
    hub.pulls[0].home = "ada/streaming"
    hub.forks[0].fork = False
    assert post()[0].where == "https://example.org/ada/streaming/pull/7"
    assert hub.comments[0].body.startswith("<!-- assignment-grader: 62 at aaaaaaa -->")


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1/ada/streaming.git",
        "https://127.0.0.1:8443/ada/streaming/",
        "git@127.0.0.1:ada/streaming.git",
        "ssh://git@127.0.0.1/ada/streaming",
        "https://127.0.0.1/ada/streaming",
    ],
)
def test_addresses(hub: Hub, address: str) -> None:
    """However a repository's address is written, it is the same repository."""
    assert done(post([(student(repository=address), graded())])) == [("ada", "created")]
    assert hub.comments


@pytest.mark.parametrize(
    "address",
    [
        "/home/ada/streaming",
        "https://127.0.0.1.example.org/ada/streaming",
        "https://example.org/127.0.0.1/ada/streaming",
        "https://example.org/?127.0.0.1/ada/streaming",
        "https://127.0.0.1/ada/streaming/../../course/streaming",
    ],
)
def test_elsewhere(hub: Hub, address: str) -> None:
    """What is not on this GitHub gets nothing, and nothing is asked about it."""
    assert done(post([(student(repository=address), graded())])) == [("ada", "not posted")]
    assert hub.asked == ["get /user"]


@pytest.mark.parametrize(
    "changed", [{"owner": "mallory"}, {"fork": 12}, {"branch": "other"}, {"state": "closed"}]
)
def test_pull_request_of_someone_else(hub: Hub, changed: dict[str, object]) -> None:
    """Neither another fork's pull request is written to, nor another branch's or a closed one."""
    hub.pulls[0] = replace(hub.pulls[0], **changed)  # type: ignore[arg-type]
    post()
    assert hub.comments == []


def test_several_pull_requests(hub: Hub) -> None:
    """Of several the one whose newest commit was graded is meant; else nobody can tell."""
    another(hub, number=8, sha=SECOND, home="ada/streaming")
    post([(student(), graded(commit=SECOND))])
    assert [comment.pull for comment in hub.comments] == [8]
    (told,) = post([(student(), graded(commit="c" * 40))])
    assert told.done == "not posted"
    assert "several open pull requests" in told.where


def test_branch_of_the_roster(hub: Hub) -> None:
    """With a branch in the roster, its pull request is meant."""
    another(hub, number=9, branch="answers")
    post([(student(ref="answers"), graded())])
    assert [comment.pull for comment in hub.comments] == [9]


# ---------------------------------------------------------------- issues


def test_issue(hub: Hub) -> None:
    """Without a pull request there is one issue in the student's repository, edited later."""
    hub.pulls.clear()
    assert done(post()) == [("ada", "created")]
    (told,) = post([(student(), graded(87, SECOND))])
    (issue,) = hub.issues
    assert told == Told(
        student="ada",
        done="updated",
        where=f"https://example.org/ada/streaming/issues/{issue.number}",
    )
    assert (issue.owner, issue.title, issue.author) == ("ada", TITLE, "teacher")
    assert "62 -> 87 points since `aaaaaaa`" in issue.body
    assert done(post([(student(), graded(87, SECOND))])) == [("ada", "unchanged")]


def test_issue_of_someone_else(hub: Hub) -> None:
    """An issue with the marker that somebody else wrote is neither edited nor believed."""
    hub.pulls.clear()
    post()
    hub.issues[0].author = "ada"
    hub.issues[0].body = forged = "<!-- assignment-grader: 99 at ccccccc -->\n"
    post()
    assert hub.issues[0].body == forged
    assert "since" not in hub.issues[1].body


def test_closed_issue(hub: Hub) -> None:
    """What was closed is left alone."""
    hub.pulls.clear()
    post()
    hub.issues[0].state = "closed"
    assert done(post()) == [("ada", "created")]
    assert [issue.state for issue in hub.issues] == ["closed", "open"]


def test_no_issues(hub: Hub) -> None:
    """A fork begins with its issues switched off; then there is no place, and that is said."""
    hub.pulls.clear()
    hub.forks[0].has_issues = False
    (told,) = post()
    assert (told.done, hub.issues) == ("not posted", [])
    assert "issues are switched off" in told.where


# ---------------------------------------------------------------- all of them


def test_dry_run(hub: Hub) -> None:
    """A dry run says what would be done and writes nothing."""
    assert done(post(dry_run=True)) == [("ada", "created")]
    post()
    assert done(post(dry_run=True)) == [("ada", "unchanged")]
    changed = [(student(), graded(87))]
    assert done(post(changed, dry_run=True)) == [("ada", "updated")]
    hub.pulls.clear()
    assert done(post(dry_run=True)) == [("ada", "created")]
    assert len(written(hub)) == 1


def test_one_failure_costs_nobody_else(hub: Hub) -> None:
    """A repository that is gone is told of, and the next student is served."""
    both = [(student("zoe"), graded()), (student(), graded())]
    told = post(both)
    assert done(told) == [("zoe", "failed"), ("ada", "created")]
    assert "GitHub answered 404" in told[0].where
    assert len(hub.comments) == 1


def test_bad_token(hub: Hub) -> None:
    """A token that is not accepted is told once."""
    hub.troubles.append(("get /user", (401, {}, {"message": "Bad credentials"}), False))
    with pytest.raises(ServiceError, match="GITHUB_TOKEN is not accepted"):
        post([(student(), graded())] * 3)


def test_rate_limit(hub: Hub) -> None:
    """When GitHub wants to be left alone for long, that ends it for everyone."""
    later = {"Retry-After": "600"}
    limited = (429, later, {"message": "You have exceeded a secondary rate limit"})
    hub.troubles.append(("get /repos/{owner}/{repo}", limited, False))
    with pytest.raises(ServiceError, match="wait for long"):
        post([(student(), graded())] * 3)
    assert hub.comments == []


# ---------------------------------------------------------------- the command


@pytest.fixture
def home(tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A class of one, who is in a folder here and has a repository there."""
    tiny.write_rubric(tmp_path)
    source = tmp_path / "source"
    hub.pulls[0].sha = tiny.commit(source, tiny.files())
    url = f"{hub.url.replace('http:', 'https:')}/ada/streaming"
    tiny.roster(tmp_path / "roster.csv", {"ada": url})
    settings = tmp_path / "gitconfig"
    settings.write_text(f'[url "{source.as_uri()}"]\n\tinsteadOf = {url}\n', encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setattr(cli_class, "_BETWEEN_WRITES", 0.0)
    monkeypatch.chdir(tmp_path)
    return tmp_path


OPTIONS = ("class", "roster.csv", "--out", "marks", "--rubric", "rubric.yaml", "--comment")


@pytest.mark.skipif(sys.platform == "win32", reason="the git settings are for POSIX paths")
def test_the_command(
    hub: Hub, home: Path, grader: Grader, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--comment --dry-run` tells what `--comment` does: the whole report, timeline and all."""
    assert home.is_dir()
    assert grader(*OPTIONS, "--dry-run") == 0
    where = "  ada: created: https://example.org/course/streaming/pull/7\n"
    assert f"On GitHub this would be done:\n{where}" in capsys.readouterr().out
    assert hub.comments == []
    assert grader(*OPTIONS) == 0
    assert f"On GitHub:\n{where}" in capsys.readouterr().out
    assert "10 of 10 points" in hub.comments[0].body


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--reveal",), "--reveal is for your eyes"),
        (("--reveal", "--dry-run"), "--reveal is for your eyes"),
    ],
)
def test_answers_are_not_posted(
    hub: Hub,
    home: Path,
    grader: Grader,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    said: str,
) -> None:
    """Expected answers cannot be posted by a slip of the pen."""
    assert grader(*OPTIONS, *options) == 2
    assert said in capsys.readouterr().err
    assert (hub.asked, (home / "marks").exists()) == ([], False)


def test_no_token(
    home: Path, grader: Grader, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing token is told before anything is graded."""
    monkeypatch.delenv("GITHUB_TOKEN")
    assert grader(*OPTIONS) == 2
    assert "Set GITHUB_TOKEN" in capsys.readouterr().err
    assert not (home / "marks").exists()
