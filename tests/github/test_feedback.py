"""From a finished workflow to the pull request's one comment, and what is refused on the way."""

from __future__ import annotations

import io
import json
import struct
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader.github.artifact import MAX_BYTES
from grader.model import Report
from grader.reports import json_report
from tests.support.posted import graded

if TYPE_CHECKING:
    from tests.github.conftest import Grader, Hub

SECOND = "b" * 40
ARTIFACT_ASKED = "/artifacts"


def zipped(text: str | bytes, name: str = "report.json", **more: str) -> bytes:
    """An artifact as GitHub hands it out."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in {name: text, **more}.items():
            archive.writestr(member, content)
    return buffer.getvalue()


def archived(report: Report) -> bytes:
    return zipped(json_report.render(report))


@pytest.fixture
def event(tmp_path: Path, hub: Hub) -> Path:
    """The event of a finished run that left a report of 62 points."""
    hub.runs[0].archive = archived(graded())
    path = tmp_path / "event.json"
    run = {"id": 501, "head_branch": "main\n::error::"}
    path.write_text(
        json.dumps({"repository": {"full_name": "course/streaming"}, "workflow_run": run}), "utf-8"
    )
    return path


def written(hub: Hub) -> list[str]:
    """What was asked of the hub that changes something."""
    return [asked for asked in hub.asked if not asked.startswith("get")]


# ---------------------------------------------------------------- one comment


def test_comment_is_created(hub: Hub, event: Path, grader: Grader) -> None:
    """A finished run of the grading workflow becomes a comment on its pull request."""
    assert grader("comment", "--event", event) == 0
    (made,) = hub.comments
    assert made.pull == 7
    assert made.body.startswith("<!-- assignment-grader: 62 at aaaaaaa -->\n### 62 of 100 points")


def test_a_second_time_changes_nothing(hub: Hub, event: Path, grader: Grader) -> None:
    """The same run told twice writes once."""
    grader("comment", "--event", event)
    before = hub.comments[0].body
    assert grader("comment", "--event", event) == 0
    assert [c.body for c in hub.comments] == [before]
    assert len(written(hub)) == 1


def test_next_push_edits_the_comment(hub: Hub, event: Path, grader: Grader) -> None:
    """A better commit edits the comment in place and says how far the student has come."""
    grader("comment", "--event", event)
    hub.pulls[0].sha = hub.runs[0].sha = SECOND
    hub.runs[0].archive = archived(graded(87, SECOND))
    for _ in range(2):  # graded again, the commit keeps what it is compared with
        assert grader("comment", "--event", event) == 0
        (one,) = hub.comments
        assert "\n62 -> 87 points since `aaaaaaa`\n" in one.body


def test_marker_of_someone_else(hub: Hub, event: Path, grader: Grader) -> None:
    """A comment with the marker that another account wrote is neither believed nor edited."""
    forged = "<!-- assignment-grader: 1 at ccccccc -->\nhello"
    hub.say(forged, "mallory")
    hub.say(f"quoted: {forged}")
    assert grader("comment", "--event", event) == 0
    assert [c.body for c in hub.comments[:2]] == [forged, f"quoted: {forged}"]
    assert hub.comments[2].body.startswith("<!-- assignment-grader: 62")
    assert "since" not in hub.comments[2].body


def test_token_of_a_person(hub: Hub, event: Path, grader: Grader) -> None:
    """With a person's token, the comment to edit is that person's."""
    hub.login = "teacher"
    hub.say("<!-- assignment-grader -->\nold", "teacher")
    assert grader("comment", "--event", event) == 0
    assert len(hub.comments) == 1
    assert "62 of 100" in hub.comments[0].body


def test_many_pages(hub: Hub, event: Path, grader: Grader) -> None:
    """Comments and files are looked for on every page."""
    hub.page = 2
    for n in range(5):
        hub.say(f"talk {n}", "ada")
    hub.say("<!-- assignment-grader -->\nold")
    hub.pulls[0].files = ("assignment/a", "assignment/b", "assignment/c")
    assert grader("comment", "--event", event) == 0
    assert len(hub.comments) == 6
    assert "62 of 100" in hub.comments[5].body


def test_dry_run(hub: Hub, event: Path, grader: Grader, capsys: pytest.CaptureFixture[str]) -> None:
    """--dry-run prints the comment and changes nothing."""
    assert grader("comment", "--event", event, "--dry-run") == 0
    assert "### 62 of 100 points" in capsys.readouterr().out
    assert written(hub) == []
    assert hub.comments == []


def test_dry_run_in_a_workflow(
    tmp_path: Path,
    grader: Grader,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a job's log, what is printed stands between lines that stop it from being obeyed."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    path = tmp_path / "report.json"
    path.write_text(json_report.render(graded()), "utf-8")
    assert grader("comment", path, "--dry-run") == 0
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first.startswith("::stop-commands::")
    assert last == f"::{first.removeprefix('::stop-commands::')}::"


def test_own_report(hub: Hub, tmp_path: Path, grader: Grader) -> None:
    """An instructor's own report goes to the pull request that is named."""
    path = tmp_path / "report.json"
    path.write_text(json_report.render(graded(commit=SECOND)), "utf-8")
    where = ("--repository", "course/streaming", "--pull", 7)
    assert grader("comment", path, *where) == 0
    assert "62 of 100" in hub.comments[0].body
    assert grader("comment", path, "--repository", "course/streaming", "--pull", 8) == 3


def test_wrong_usage(event: Path, grader: Grader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report and an event, neither, half a pull request or no token is wrong usage."""
    assert grader("comment") == 2
    assert grader("comment", event, "--event", event) == 2
    report = event.with_name("report.json")
    report.write_text(json_report.render(graded()), "utf-8")
    assert grader("comment", report, "--pull", 7) == 2
    monkeypatch.delenv("GITHUB_TOKEN")
    assert grader("comment", "--event", event) == 2


def test_without_pygithub(
    event: Path,
    grader: Grader,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who has not installed the extra is told what to install."""
    monkeypatch.delitem(sys.modules, "grader.github.api", raising=False)
    monkeypatch.setitem(sys.modules, "github", None)
    assert grader("comment", "--event", event) == 2
    assert "pip install PyGithub" in capsys.readouterr().err


# ---------------------------------------------------------------- refused


@pytest.mark.parametrize(
    "files",
    [
        ("assignment/README.md", ".github/workflows/grade.yml"),
        ("grader/cli.py",),
        ("assignment.py",),
        ("assignment/../grader/cli.py", "README.md"),
        (),
    ],
)
def test_pull_request_that_touches_more(
    hub: Hub, event: Path, grader: Grader, files: tuple[str, ...]
) -> None:
    """A pull request that changes files elsewhere gets a fixed text, and no result is read."""
    hub.pulls[0].files = files or ("assignment/x",)
    hub.pulls[0].renamed_from = None if files else ".github/x"
    assert grader("comment", "--event", event) == 0
    (made,) = hub.comments
    assert "### No result for this pull request yet" in made.body
    assert "62" not in made.body
    assert not any(ARTIFACT_ASKED in asked for asked in hub.asked)


def test_fixed_text_keeps_the_score(hub: Hub, event: Path, grader: Grader) -> None:
    """Once the other files are put back, the feedback goes on from the last score."""
    grader("comment", "--event", event)
    hub.pulls[0].files = ("grader/cli.py",)
    grader("comment", "--event", event)
    assert "No result" in hub.comments[0].body
    hub.pulls[0].files = ("assignment/a",)
    hub.pulls[0].sha = hub.runs[0].sha = SECOND
    hub.runs[0].archive = archived(graded(87, SECOND))
    grader("comment", "--event", event)
    assert "62 -> 87 points since `aaaaaaa`" in hub.comments[0].body


def test_thousands_of_files(hub: Hub, event: Path, grader: Grader) -> None:
    """Where GitHub stops listing files, the rest is not taken for harmless."""
    hub.pulls[0].files = tuple(f"assignment/{n}" for n in range(3000))
    grader("comment", "--event", event)
    assert "No result" in hub.comments[0].body


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/evil.yml",
        ".github/workflows/grade.yaml",
        ".github/workflows/grade.yml@evil.yml",
        "x/.github/workflows/grade.yml",
        "",
    ],
)
def test_another_workflow(
    hub: Hub, event: Path, grader: Grader, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    """What another workflow left behind is refused, whatever its name."""
    hub.runs[0].path = path
    assert grader("comment", "--event", event) == 2
    assert "not the grading workflow" in capsys.readouterr().err
    assert hub.comments == []


def test_path_with_its_ref(hub: Hub, event: Path, grader: Grader) -> None:
    """GitHub may say at which ref the workflow's file was."""
    hub.runs[0].path += "@main"
    assert grader("comment", "--event", event) == 0
    assert len(hub.comments) == 1


def test_two_pull_requests(
    hub: Hub, event: Path, grader: Grader, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two open pull requests from one branch cannot be told apart, so neither is told."""
    hub.pulls.append(replace(hub.pulls[0], number=8))
    assert grader("comment", "--event", event) == 2
    assert "two open pull requests" in capsys.readouterr().err
    assert hub.comments == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sha": SECOND}, "newer commits"),
        ({"state": "closed"}, "no open pull request"),
        ({"fork": 12}, "no open pull request"),
        ({"branch": "other"}, "no open pull request"),
    ],
    ids=["stale", "closed", "another fork", "another branch"],
)
def test_no_pull_request(
    hub: Hub,
    event: Path,
    grader: Grader,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, Any],
    said: str,
) -> None:
    """A run whose pull request is not there, or has moved on, is passed over in peace."""
    for name, value in change.items():
        setattr(hub.pulls[0], name, value)
    assert grader("comment", "--event", event) == 0
    assert said in capsys.readouterr().err
    assert hub.comments == []


def test_run_of_a_push(hub: Hub, event: Path, grader: Grader) -> None:
    """A run that was for a push is no pull request's."""
    hub.runs[0].event = "push"
    assert grader("comment", "--event", event) == 0
    assert hub.comments == []


def sound() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json_report.render(graded()))
    return data


def lying_size() -> bytes:
    """An archive whose one member claims to be small and is not."""
    data = bytearray(zipped(b"9" * 50_000_000))
    for at, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", data, data.index(at) + offset, 900)
    return bytes(data)


def flagged(bit: int) -> bytes:
    data = bytearray(archived(graded()))
    data[data.index(b"PK\x01\x02") + 8] |= bit
    data[6] |= bit
    return bytes(data)


FORGED = {
    "no archive": b"",
    "not an archive": b"{}",
    "cut short": archived(graded())[:-30],
    "no member": zipped(b"")[-22:],
    "two members": zipped("{}", other="x"),
    "not JSON by name": zipped(json_report.render(graded()), "report.pickle"),
    "encrypted": flagged(1),
    "unknown compression": archived(graded()).replace(
        b"\x14\x00\x00\x00\x08", b"\x14\x00\x00\x00c"
    ),
    "bomb": zipped(b" " * 30_000_000),
    "bomb that lies": lying_size(),
    "too big": zipped(bytes(range(256)) * 2000),
    "no text": zipped(b"\xff\xfe\x00"),
    "no report": zipped("{}"),
    "deep": zipped("[" * 100_000),
    "deep inside": zipped('{"version":' + '{"a":' * 50_000),
    "extra key": zipped(json.dumps(sound() | {"extra": 1})),
    "other commit": archived(graded(commit=SECOND)),
    "no commit": zipped(
        json.dumps(sound() | {"submission": sound()["submission"] | {"commit": None}})
    ),
    "wrong sum": zipped(json.dumps(sound() | {"score": 99.0})),
    "over the top": archived(graded(101)),
    "below zero": archived(graded(-1)),
    "endless": zipped(json.dumps(sound()).replace("62.0", "1e999")),
}


@pytest.mark.parametrize("archive", FORGED.values(), ids=FORGED)
def test_forged_artifact(
    hub: Hub, event: Path, grader: Grader, capsys: pytest.CaptureFixture[str], archive: bytes
) -> None:
    """An artifact that no honest run leaves behind is refused in one plain sentence."""
    hub.runs[0].archive = archive
    assert grader("comment", "--event", event) == 2
    said = capsys.readouterr().err
    assert said.startswith("grader: The report was refused")
    assert said.count("\n") == 1
    assert hub.comments == []


def test_endless_download(hub: Hub, event: Path, grader: Grader) -> None:
    """No more is downloaded than a report may weigh."""
    hub.runs[0].archive = bytes(MAX_BYTES + 1)
    assert grader("comment", "--event", event) == 2


def test_no_artifact(hub: Hub, event: Path, grader: Grader) -> None:
    """An artifact of another name is not taken for the report; without one nothing is said."""
    hub.runs[0].artifact = "something-else"
    assert grader("comment", "--event", event) == 0
    assert hub.comments == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 100_000,
        "{}",
        '{"workflow_run": {"id": 501}}',
        '{"repository": {"full_name": "../x"}, "workflow_run": {"id": 501}}',
        '{"repository": {"full_name": "a/b?c"}, "workflow_run": {"id": 501}}',
        '{"repository": {"full_name": "a/b"}, "workflow_run": {"id": "501"}}',
        '{"repository": {"full_name": "a/b"}, "workflow_run": {"id": true}}',
        '{"repository": {"full_name": "a/b"}, "workflow_run": {"id": -1}}',
    ],
)
def test_broken_event(hub: Hub, event: Path, grader: Grader, text: str) -> None:
    """An event that is no workflow_run is refused before GitHub is asked anything."""
    event.write_text(text, "utf-8")
    assert grader("comment", "--event", event) == 2
    assert hub.asked == []


# ---------------------------------------------------------------- troubles

POST = "post /repos/{owner}/{repo}/issues/{issue_number}/comments"
GET = "get /repos/{owner}/{repo}/pulls"
LIMIT = {"message": "API rate limit exceeded for installation."}
SECONDARY = {"message": "You have exceeded a secondary rate limit."}
BAD = {"message": "Bad gateway"}


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that would have been slept."""
    taken: list[float] = []
    monkeypatch.setattr(time, "sleep", taken.append)
    return taken


@pytest.mark.parametrize("where", [GET, POST])
@pytest.mark.parametrize(
    ("answer", "nap"),
    [
        ((403, {"Retry-After": "7"}, SECONDARY), 7),
        ((403, {}, SECONDARY), 60),
        ((403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, LIMIT), 0),
        ((429, {"Retry-After": "3"}, SECONDARY), 3),
    ],
)
def test_rate_limits_are_waited_for(
    hub: Hub,
    event: Path,
    grader: Grader,
    naps: list[float],
    where: str,
    answer: tuple[int, dict[str, str], Any],
    nap: float,
) -> None:
    """A limit is waited for as long as GitHub asks, and the comment is made once."""
    hub.troubles.append((where, answer, False))
    assert grader("comment", "--event", event) == 0
    assert sum(naps) == nap
    assert len(hub.comments) == 1


@pytest.mark.parametrize(
    "headers", [{"Retry-After": "3600"}, {"X-RateLimit-Reset": "9999999999"}], ids=str
)
def test_long_waits_are_refused(
    hub: Hub, event: Path, grader: Grader, naps: list[float], headers: dict[str, str]
) -> None:
    """Nobody waits for an hour: the job ends and says so."""
    hub.troubles.append((GET, (403, headers, LIMIT), False))
    assert grader("comment", "--event", event) == 3
    assert naps == []


def test_hiccups_are_repeated(hub: Hub, event: Path, grader: Grader, naps: list[float]) -> None:
    """A server error while asking is tried again, each time a little later."""
    hub.troubles += [(GET, (502, {}, BAD), False)] * 3
    assert grader("comment", "--event", event) == 0
    assert naps == sorted(set(naps))
    assert len(hub.comments) == 1


def test_server_stays_down(hub: Hub, event: Path, grader: Grader, naps: list[float]) -> None:
    """A server that stays down ends in one sentence, after minutes at most."""
    hub.troubles += [(GET, (502, {}, BAD), False)] * 99
    assert grader("comment", "--event", event) == 3
    assert sum(naps) < 300


@pytest.mark.parametrize("done", [True, False])
def test_lost_answer_makes_no_second_comment(
    hub: Hub, event: Path, grader: Grader, naps: list[float], done: bool
) -> None:
    """When the answer to a new comment is lost, it is looked for before another is made."""
    hub.troubles.append((POST, (502, {}, BAD), done))
    assert grader("comment", "--event", event) == 0
    assert len(hub.comments) == 1
    assert naps


@pytest.mark.parametrize(
    ("where", "status", "said"),
    [
        (GET, 422, "Validation Failed"),
        ("/actions/runs/{run_id}", 404, "may not see it"),
        ("/{archive_format}", 410, "no longer kept"),
        (POST, 403, "pull-requests: write"),
        (POST, 422, "Validation Failed"),
        ("/user", 401, "not accepted"),
    ],
)
def test_refusals_of_github(
    hub: Hub,
    event: Path,
    grader: Grader,
    capsys: pytest.CaptureFixture[str],
    where: str,
    status: int,
    said: str,
) -> None:
    """What GitHub refuses is one sentence with what it means, and never holds the token."""
    told = {"message": "Validation Failed", "documentation_url": "https://docs.github.com"}
    hub.troubles.append((where, (status, {}, told), False))
    assert grader("comment", "--event", event) == 3
    out, err = capsys.readouterr()
    assert said in err
    assert err.count("\n") == 1
    assert "a-token-of-this-test" not in out + err


def test_no_server(
    event: Path, grader: Grader, naps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a connection the command ends in a sentence."""
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    assert grader("comment", "--event", event) == 3
    assert sum(naps) < 300
