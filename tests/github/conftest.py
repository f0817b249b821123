"""A GitHub on this machine that checks every request, and its own answers, against GitHub's
OpenAPI description (openapi.json, cut out by tools/github_openapi.py)."""

from __future__ import annotations

import copy
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema
import pytest

from grader.cli import main

API = json.loads((Path(__file__).parent / "openapi.json").read_text("utf-8"))
WHOLE = jsonschema.Draft202012Validator(API)  # whose references its parts are read with
BOT = "github-actions[bot]"
HOME = "course/streaming"
WORKFLOW = ".github/workflows/grade.yml"
TOKEN = "a-token-of-this-test"  # noqa: S105

Answer = tuple[int, dict[str, str], Any]


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """The node that a reference leads to."""
    while "$ref" in node:
        found = API
        for part in node["$ref"].split("/")[1:]:
            found = found[part]
        node = found
    return node


def validate(value: object, schema: dict[str, Any]) -> None:
    """Raises when the value is not what the description says."""
    for error in WHOLE.descend(value, schema):
        raise error


def example(name: str) -> Any:
    """A copy of the description's own example."""
    value = API["components"]["examples"][name]["value"]
    return copy.deepcopy(value[0] if isinstance(value, list) else value)


@dataclass
class Pull:
    """A pull request from `owner`'s fork, which has the id `fork`."""

    number: int = 7
    owner: str = "ada"
    branch: str = "main"
    sha: str = "a" * 40
    fork: int = 11
    state: str = "open"
    files: tuple[str, ...] = ("assignment/README.md",)
    renamed_from: str | None = None
    home: str = HOME
    """The repository that it wants to get into."""


@dataclass
class Run:
    """A finished run of a workflow."""

    id: int = 501
    owner: str = "ada"
    branch: str = "main"
    sha: str = "a" * 40
    fork: int = 11
    path: str = WORKFLOW
    event: str = "pull_request"
    archive: bytes = b""
    artifact: str = "grade-report"


@dataclass
class Comment:
    """A comment on a pull request."""

    id: int
    body: str
    author: str = BOT
    pull: int = 7


@dataclass
class Fork:
    """A student's repository `owner`/streaming, forked from the course's."""

    owner: str = "ada"
    id: int = 11
    has_issues: bool = True
    fork: bool = True


@dataclass
class Issue:
    """An issue in the repository of `owner`."""

    number: int
    owner: str
    title: str
    body: str
    author: str
    state: str = "open"


@dataclass
class Hub:
    """What GitHub knows; change it freely between requests."""

    url: str = ""
    pulls: list[Pull] = field(default_factory=lambda: [Pull()])
    runs: list[Run] = field(default_factory=lambda: [Run()])
    comments: list[Comment] = field(default_factory=list)
    forks: list[Fork] = field(default_factory=lambda: [Fork()])
    issues: list[Issue] = field(default_factory=list)
    login: str | None = None
    """Whose token it is; None for the token of a workflow."""
    page: int = 100
    """Entries on a page, at most."""
    troubles: list[tuple[str, Answer, bool]] = field(default_factory=list)
    """(METHOD operation, answer, whether it is done all the same) for the next such requests."""
    asked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """What did not follow the description; always empty at the end of a test."""

    # -------------------------------------------------------- what is there

    def say(self, body: str, author: str = BOT) -> None:
        """Someone comments on the pull request."""
        self.comments.append(Comment(len(self.comments), body, author))

    def pull(self, number: int) -> Pull | None:
        return next((pull for pull in self.pulls if pull.number == number), None)

    def operations(self) -> dict[str, Callable[..., Answer]]:
        return {
            "get /repos/{owner}/{repo}/actions/runs/{run_id}": self.get_run,
            "get /repos/{owner}/{repo}/actions/runs/{run_id}/artifacts": self.list_artifacts,
            "get /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}": (
                self.get_archive
            ),
            "get /repos/{owner}/{repo}/pulls": self.list_pulls,
            "get /repos/{owner}/{repo}/pulls/{pull_number}": self.get_pull,
            "get /repos/{owner}/{repo}/pulls/{pull_number}/files": self.list_files,
            "get /repos/{owner}/{repo}/issues/{issue_number}/comments": self.list_comments,
            "post /repos/{owner}/{repo}/issues/{issue_number}/comments": self.create_comment,
            "patch /repos/{owner}/{repo}/issues/comments/{comment_id}": self.edit_comment,
            "get /user": self.get_user,
            "get /repos/{owner}/{repo}": self.get_repository,
            "get /repos/{owner}/{repo}/issues": self.list_issues,
            "post /repos/{owner}/{repo}/issues": self.create_issue,
            "patch /repos/{owner}/{repo}/issues/{issue_number}": self.edit_issue,
        }

    # -------------------------------------------------------- operations

    def get_run(self, *, run_id: str, **_: str) -> Answer:
        run = self._run(run_id)
        shown = example("workflow-run")
        shown |= {
            "id": run.id,
            "path": run.path,
            "event": run.event,
            "head_sha": run.sha,
            "head_branch": run.branch,
            "pull_requests": [],
            "url": f"{self.url}/repos/{HOME}/actions/runs/{run.id}",
            "artifacts_url": f"{self.url}/repos/{HOME}/actions/runs/{run.id}/artifacts",
        }
        shown["head_repository"] |= {"id": run.fork, "full_name": f"{run.owner}/streaming"}
        shown["head_repository"]["owner"]["login"] = run.owner
        return 200, {}, shown

    def list_artifacts(self, *, run_id: str, **_: str) -> Answer:
        run = self._run(run_id)
        shown = example("artifact-paginated")["artifacts"][0]
        url = f"{self.url}/repos/{HOME}/actions/artifacts/{run.id}"
        shown |= {
            "id": run.id,
            "name": run.artifact,
            "size_in_bytes": len(run.archive),
            "url": url,
            "archive_download_url": f"{url}/zip",
            "expired": False,
        }
        return 200, {}, {"total_count": 1, "artifacts": [shown]}

    def get_archive(self, *, artifact_id: str, archive_format: str, **_: str) -> Answer:
        assert archive_format == "zip"
        return 302, {"Location": f"{self.url}/storage/{artifact_id}"}, None

    def get_repository(self, *, owner: str, repo: str) -> Answer:
        found = next((fork for fork in self.forks if fork.owner == owner), None)
        if found is None:
            return self._missing()
        shown = example("full-repository-default-response")
        name = f"{owner}/{repo}"
        shown |= {
            "id": found.id,
            "full_name": name,
            "fork": found.fork,
            "language": None,  # the example lacks it
            "has_issues": found.has_issues,
            "default_branch": "main",
            "url": f"{self.url}/repos/{name}",
            "html_url": f"https://example.org/{name}",
        }
        shown["owner"]["login"] = owner
        for name in ("source", "template_repository"):
            del shown[name]
        if found.fork:
            shown["parent"] |= {"full_name": HOME, "url": f"{self.url}/repos/{HOME}"}
        else:
            del shown["parent"]
        return 200, {}, shown

    def list_issues(self, *, owner: str, state: str, **page: str) -> Answer:
        found = [each for each in self.issues if (each.owner, each.state) == (owner, state)]
        return self._page([self._issue(each) for each in found], **page)

    def create_issue(self, *, owner: str, title: str, body: str, **_: str) -> Answer:
        number, author = 30 + len(self.issues), self.login or BOT
        made = Issue(number, owner, title, body, author)
        self.issues.append(made)
        shown = self._issue(made)
        return 201, {"Location": shown["url"]}, shown

    def edit_issue(self, *, issue_number: str, body: str, **_: str) -> Answer:
        found = next(each for each in self.issues if each.number == int(issue_number))
        found.body = body
        return 200, {}, self._issue(found)

    def list_pulls(self, *, owner: str, repo: str, head: str, state: str, **page: str) -> Answer:
        there = [p for p in self.pulls if p.home == f"{owner}/{repo}"]
        wanted = [p for p in there if (f"{p.owner}:{p.branch}", p.state) == (head, state)]
        return self._page([self._shown(p, "pull-request-simple-items") for p in wanted], **page)

    def get_pull(self, *, pull_number: str, **_: str) -> Answer:
        pull = self.pull(int(pull_number))
        return (200, {}, self._shown(pull, "pull-request")) if pull else self._missing()

    def list_files(self, *, pull_number: str, **page: str) -> Answer:
        pull = self.pull(int(pull_number))
        assert pull is not None
        shown = [{**example("diff-entry-items"), "filename": name} for name in pull.files]
        if pull.renamed_from:
            shown[0] |= {"status": "renamed", "previous_filename": pull.renamed_from}
        return self._page(shown, **page)

    def list_comments(self, *, issue_number: str, **page: str) -> Answer:
        found = [c for c in self.comments if c.pull == int(issue_number)]
        return self._page([self._comment(c) for c in found], **page)

    def create_comment(self, *, issue_number: str, body: str, **_: str) -> Answer:
        number = 900 + len(self.comments)
        made = Comment(number, body, self.login or BOT, int(issue_number))
        self.comments.append(made)
        return 201, {"Location": f"{self.url}/comments/{number}"}, self._comment(made)

    def edit_comment(self, *, comment_id: str, body: str, **_: str) -> Answer:
        found = next(c for c in self.comments if c.id == int(comment_id))
        found.body = body
        return 200, {}, self._comment(found)

    def get_user(self, **_: str) -> Answer:
        if self.login is None:
            return 403, {}, {"message": "Resource not accessible by integration"}
        name = "private-user-response-with-public-and-private-profile-information"
        return 200, {}, {**example(name), "login": self.login}

    # -------------------------------------------------------- helpers

    def _run(self, run_id: str) -> Run:
        return next(run for run in self.runs if run.id == int(run_id))

    def _shown(self, pull: Pull, name: str) -> dict[str, Any]:
        shown = example(name)
        shown |= {
            "number": pull.number,
            "state": pull.state,
            "url": f"{self.url}/repos/{HOME}/pulls/{pull.number}",
            "issue_url": f"{self.url}/repos/{HOME}/issues/{pull.number}",
            "html_url": f"https://example.org/{pull.home}/pull/{pull.number}",
            "requested_teams": [],  # the one in the example lacks a key
        }
        shown["head"] |= {"ref": pull.branch, "sha": pull.sha}
        shown["head"]["repo"] |= {"id": pull.fork, "full_name": f"{pull.owner}/streaming"}
        return dict(shown)

    def _issue(self, issue: Issue) -> dict[str, Any]:
        shown = example("issue")
        url = f"{self.url}/repos/{issue.owner}/streaming/issues/{issue.number}"
        del shown["pull_request"]
        shown |= {
            "number": issue.number,
            "title": issue.title,
            "body": issue.body,
            "state": issue.state,
            "url": url,
            "html_url": f"https://example.org/{issue.owner}/streaming/issues/{issue.number}",
        }
        shown["user"]["login"] = issue.author
        return dict(shown)

    def _comment(self, comment: Comment) -> dict[str, Any]:
        shown = example("issue-comment")
        url = f"{self.url}/repos/{HOME}/issues/comments/{comment.id}"
        shown |= {"id": comment.id, "body": comment.body, "url": url}
        shown["user"]["login"] = comment.author
        return dict(shown)

    def _page(
        self, entries: list[Any], *, page: str = "1", per_page: str = "30", **_: str
    ) -> Answer:
        size, number = min(int(per_page), self.page), int(page)
        more = len(entries) > size * number
        link = {"Link": f'<{self.url}{self._next(number)}>; rel="next"'} if more else {}
        return 200, link, entries[size * (number - 1) : size * number]

    def _next(self, number: int) -> str:
        address = urlsplit(self.asked[-1].split(" ")[1])
        query = dict(parse_qsl(address.query)) | {"page": str(number + 1)}
        return f"{address.path}?{'&'.join(f'{k}={v}' for k, v in query.items())}"

    @staticmethod
    def _missing() -> Answer:
        return 404, {}, {"message": "Not Found"}

    # -------------------------------------------------------- requests

    def answer(self, method: str, target: str, token: str, body: bytes) -> Answer:
        """Validates the request, does it, and validates the answer."""
        self.asked.append(f"{method} {target}")
        if target.startswith("/storage/"):
            assert not token, "the token went to the storage"
            return 200, {"Content-Type": "application/zip"}, self._run(target.split("/")[2]).archive
        assert TOKEN in token
        address = urlsplit(target)
        path, parameters = _matched(method, address.path)
        described = API["paths"][path][method]
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        values = parameters | query | _checked(described, query, body)
        done = partial(self.operations()[f"{method} {path}"], **values)
        given = self._trouble(f"{method} {path}", done) or done()
        _check_answer(described, given)
        return given

    def _trouble(self, operation: str, done: Callable[[], Answer]) -> Answer | None:
        for trouble in self.troubles:
            where, given, done_all_the_same = trouble
            if operation.endswith(where):
                self.troubles.remove(trouble)
                if done_all_the_same:
                    done()
                return given
        return None


def _matched(method: str, path: str) -> tuple[str, dict[str, str]]:
    for known, methods in API["paths"].items():
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", known)
        if method in methods and (found := re.fullmatch(pattern, path)):
            return known, found.groupdict()
    raise AssertionError(f"GitHub has no {method} {path}")


def _checked(described: dict[str, Any], query: dict[str, str], body: bytes) -> dict[str, Any]:
    known = {each["name"]: each for each in map(resolved, described.get("parameters", ()))}
    for name, value in query.items():
        schema = known[name]["schema"]
        validate(int(value) if schema.get("type") == "integer" else value, schema)
    if "requestBody" not in described:
        assert not body
        return {}
    sent: dict[str, Any] = json.loads(body)
    validate(sent, described["requestBody"]["content"]["application/json"]["schema"])
    return sent


def _check_answer(described: dict[str, Any], given: Answer) -> None:
    status, _, value = given
    # Limits and hiccups may come instead of any answer, so the description does not list them.
    if status in {403, 404, 429, 502} and str(status) not in described["responses"]:
        validate(value, {"$ref": "#/components/schemas/basic-error"})
        return
    content = resolved(described["responses"][str(status)]).get("content", {})
    if "application/json" in content:
        validate(value, content["application/json"]["schema"])
    else:
        assert value is None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer takes 40 ms
    hub: Hub

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = self.headers.get("Authorization") or ""
        try:
            answer = self.hub.answer(self.command.lower(), self.path, token, body)
        except Exception as fault:  # told to the test, which would else see a 500 retried
            self.hub.faults.append(f"{self.command} {self.path}: {fault!r}")
            answer = 400, {}, {"message": "the test's GitHub found a fault"}
        self._send(*answer)

    do_GET = do_POST = do_PATCH = _do  # noqa: N815

    def _send(self, status: int, headers: dict[str, str], value: Any) -> None:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        kinds = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        for name, text in {**kinds, **headers}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A GitHub for one test; the environment leads to it."""
    made = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": made}))
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("GITHUB_API_URL", made.url)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()
    assert made.faults == []


Grader = Callable[..., int]


@pytest.fixture
def grader(monkeypatch: pytest.MonkeyPatch) -> Grader:
    """Runs a command line in this process and returns its exit status."""

    def run(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["grader", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return run
