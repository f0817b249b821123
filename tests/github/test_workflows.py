"""From a fork to the comment on its pull request: the workflows' own steps, in real repositories.

Every `run:` step is executed as it stands, in order, except for the two that install software
(INSTALLS): in their place the checked-out grader is put on the path, as pip would. Of `uses:`,
checking out and keeping an artifact are done with git and zip. GitHub's API is the one of
conftest.py.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from tests.github.conftest import Hub

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the workflows run on Linux")

ROOT = Path(__file__).resolve().parent.parent.parent
INSTALLS = {"Install the grader", "Install the sandbox"}
HOME, FORK = "course/streaming", "ada/streaming"
# On GitHub the sandbox must be there; elsewhere these tests can do without.
NO_SANDBOX = shutil.which("bwrap") is None and os.environ.get("CI") != "true"
NAMED = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org"}
NAMED |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in NAMED.items()}


def git(folder: Path, *arguments: object) -> str:
    """What git says in a folder."""
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **NAMED}
    done = subprocess.run(
        ["git", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


# ---------------------------------------------------------------- a runner


@dataclass
class Job:
    """One job of a workflow, as GitHub's runner would do it."""

    workflow: str
    github: dict[str, Any]
    world: World
    folder: Path
    log: str = ""
    archive: bytes = b""
    """The artifact, as GitHub would hand it out."""
    failed: str | None = None
    """The name of the step that failed."""
    outputs: dict[str, str] = field(default_factory=dict)
    skipped: bool = False

    def run(self, **changed: str) -> Job:
        """Does the steps in order until one fails; `changed` is put into the workflow's env."""
        text = (ROOT / ".github" / "workflows" / self.workflow).read_text("utf-8")
        whole = yaml.safe_load(text)
        (job,) = whole["jobs"].values()
        self.workspace.mkdir(parents=True)
        for name in ("summary", "output", "env"):
            (self.folder / name).touch()
        (self.folder / "event.json").write_text(json.dumps(self.github["event"]), "utf-8")
        self.skipped = "if" in job and not self._true(job["if"])
        general = {**whole.get("env", {}), **changed}
        for step in [] if self.skipped else job["steps"]:
            if self._do(step, {**general, **step.get("env", {})}) != 0:
                self.failed = step["name"]
                break
        return self

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def told(self, name: str) -> str:
        """What the job wrote into one of the runner's files."""
        return (self.folder / name).read_text("utf-8")

    # ------------------------------------------------------ steps

    def _do(self, step: Mapping[str, Any], env: Mapping[str, object]) -> int:
        inputs = {k: self._filled(str(v)) for k, v in step.get("with", {}).items()}
        if step["name"] in INSTALLS:
            return self._install(step["run"])
        if "run" in step:
            return self._shell(step["run"], {k: self._filled(str(v)) for k, v in env.items()})
        action = step["uses"].partition("@")[0]
        if action == "actions/checkout":
            self._check_out(**inputs)
        elif action == "actions/upload-artifact":
            self._keep(**inputs)
        else:
            assert action == "actions/setup-python"
        return 0

    def _install(self, command: str) -> int:
        found = re.fullmatch(r'python -m pip install "?(\./trusted|\.)(\[github\])?"?', command)
        if found:
            source = (self.workspace / found[1]).resolve()
            program = self.folder / "bin" / "grader"
            program.parent.mkdir()
            program.write_text(
                f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(source)!r})\n"
                "from grader.cli import main\nmain()\n"
            )
            program.chmod(0o755)
        return 0

    def _shell(self, command: str, env: Mapping[str, str]) -> int:
        if NO_SANDBOX:
            command = command.replace("--sandbox require", "--sandbox auto")
        assert "${{" not in command, "values reach the shell through env alone"
        done = subprocess.run(
            ["bash", "-e", "-c", command],
            cwd=self.workspace,
            env={**self._environment(), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
        )
        self.log += done.stdout
        return done.returncode

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.world.hub.url,
            "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_ENV": str(self.folder / "env"),
            "NO_PROXY": "127.0.0.1",
        }

    def _check_out(self, ref: str = "", path: str = ".", **options: str) -> None:
        assert options == {"persist-credentials": "False"}
        source = self.world.repositories[self.github["event"]["repository"]["full_name"]]
        target = self.workspace / path
        git(self.workspace, "init", "--quiet", target)
        git(target, "fetch", "--quiet", source, ref or self.github["sha"])
        git(target, "checkout", "--quiet", "--detach", "FETCH_HEAD")

    def _keep(self, name: str, path: str, **_: str) -> None:
        assert name == "grade-report"
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(self.workspace / path, path)
        self.archive = buffer.getvalue()

    # ------------------------------------------------------ expressions

    def _filled(self, text: str) -> str:
        return re.sub(r"\$\{\{ (.+?) \}\}", lambda m: self._first(m[1]), text)

    def _first(self, expression: str) -> str:
        values = (self._value(part.strip()) for part in expression.split("||"))
        return str(next((value for value in values if value), ""))

    def _value(self, name: str) -> Any:
        value: Any = {"github": self.github}
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def _true(self, condition: str) -> bool:
        python = re.sub(r"github[.\w]+", lambda m: repr(self._value(m[0])), condition)
        return bool(eval(python.replace("&&", "and").replace("||", "or")))  # noqa: S307


# ---------------------------------------------------------------- a world


@dataclass
class World:
    """The course's repository, a student's fork and their clone of it, and GitHub."""

    hub: Hub
    folder: Path
    repositories: dict[str, Path]
    jobs: int = 0

    @property
    def clone(self) -> Path:
        return self.folder / "clone"

    @property
    def readme(self) -> Path:
        return self.clone / "assignment" / "README.md"

    def answer(self, question: str, text: str) -> None:
        """The student writes below a question, and commits."""
        before = self.readme.read_text("utf-8")
        assert question in before
        self.readme.write_text(before.replace(question, f"{question}\n\n{text}\n", 1), "utf-8")
        self.commit()

    def change(self, file: str, text: str) -> None:
        """The student changes another file, and commits."""
        (self.clone / file).parent.mkdir(parents=True, exist_ok=True)
        (self.clone / file).write_text(text, "utf-8")
        self.commit()

    def commit(self) -> None:
        git(self.clone, "add", "--all")
        git(self.clone, "commit", "--quiet", "--message", "Next step")

    @property
    def sha(self) -> str:
        return git(self.clone, "rev-parse", "HEAD")

    def job(self, workflow: str, event: dict[str, Any], home: str, sha: str) -> Job:
        self.jobs += 1
        token = {"token": os.environ["GITHUB_TOKEN"]}
        github = {"event": {**event, "repository": {"full_name": home}}, "sha": sha, **token}
        return Job(workflow, github, self, self.folder / f"job{self.jobs}")

    # ------------------------------------------------------ what GitHub does

    def push(self, **env: str) -> Job:
        """The student pushes to the fork, whose grade.yml runs."""
        git(self.clone, "push", "--quiet", "--force", "origin", "HEAD:main")
        return self.job("grade.yml", {"after": self.sha}, FORK, self.sha).run(**env)

    def pull_request(self, **env: str) -> Job:
        """The pull request gets the fork's newest commit, and the course's grade.yml runs."""
        base = git(self.repositories[HOME], "rev-parse", "main")
        git(
            self.clone,
            "push",
            "--quiet",
            "--force",
            self.repositories[HOME],
            "HEAD:refs/pull/7/head",
        )
        changed = git(self.clone, "diff", "--name-only", f"{base}...HEAD").split("\n")
        pull = self.hub.pulls[0]
        pull.sha, pull.files = self.sha, tuple(changed)
        event = {"pull_request": {"number": 7, "base": {"sha": base}, "head": {"sha": self.sha}}}
        job = self.job("grade.yml", event, HOME, "0" * 40).run(**env)
        run = self.hub.runs[0]
        run.sha, run.archive = self.sha, job.archive
        return job

    def feedback(self, event: str = "pull_request", conclusion: str = "success") -> Job:
        """The grading of the pull request has finished, and feedback.yml runs."""
        run = {"id": self.hub.runs[0].id, "event": event, "conclusion": conclusion}
        sha = git(self.repositories[HOME], "rev-parse", "main")
        return self.job("feedback.yml", {"workflow_run": run}, HOME, sha).run()


@pytest.fixture
def world(tmp_path: Path, hub: Hub) -> World:
    """A course whose template a student has just forked and cloned."""
    template = tmp_path / "template"
    shutil.copytree(
        ROOT / "grader", template / "grader", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(ROOT / "assignment", template / "assignment")
    shutil.copytree(ROOT / ".github", template / ".github")
    rubric = yaml.safe_load((ROOT / "rubric.yaml").read_text("utf-8"))
    del rubric["criteria"]["run3"]  # it takes 12 seconds each time
    (template / "rubric.yaml").write_text(yaml.safe_dump(rubric), "utf-8")
    git(template, "init", "--quiet", "--initial-branch", "main")
    git(template, "add", "--all")
    git(template, "commit", "--quiet", "--message", "Template")
    repositories = {HOME: tmp_path / "home.git", FORK: tmp_path / "fork.git"}
    git(tmp_path, "clone", "--quiet", "--bare", template, repositories[HOME])
    git(tmp_path, "clone", "--quiet", "--bare", repositories[HOME], repositories[FORK])
    git(tmp_path, "clone", "--quiet", repositories[FORK], "clone")
    return World(hub=hub, folder=tmp_path, repositories=repositories)


Q3, Q7 = "3. How many functions are defined?", "7. How many processes do we start?"


def commanded(job: Job) -> list[str]:
    """The log's lines that GitHub would obey."""
    return [line for line in job.log.splitlines() if line.lstrip().startswith("::")]


# ---------------------------------------------------------------- the tests


def test_from_template_to_pull_request(world: World) -> None:
    """A push shows summary and annotations, a pull request a comment that each push renews."""
    world.answer(Q3, "9 of them")
    pushed = world.push()
    assert pushed.failed is None
    assert "### 5 of 95 points" in pushed.told("summary")
    assert "1. **out0**, up to 20 points" in pushed.told("summary")
    assert pushed.told("output").startswith("score=5\nmax-score=95\npercent=5\nneeds-review=")
    assert any(
        re.match(r"::error file=assignment/README\.md,line=\d+,title=q3%3A", line)
        for line in commanded(pushed)
    )
    assert world.hub.comments == []

    graded = world.pull_request()
    assert graded.failed is None
    assert graded.archive
    assert world.feedback().failed is None
    (comment,) = world.hub.comments
    assert "### 5 of 95 points" in comment.body
    first = world.sha[:7]

    world.answer(Q7, "3 processes, p1, p2 and p3")
    world.pull_request()
    assert world.feedback().failed is None
    assert world.hub.comments == [comment]
    assert f"\n5 -> 10 points since `{first}`\n" in comment.body

    world.change("grader/cli.py", "print('100 points')")
    cheated = world.pull_request()
    assert cheated.failed is None  # by the grader it is to be merged into
    assert "### 10 of 95 points" in cheated.told("summary")
    assert world.feedback().failed is None
    assert world.hub.comments == [comment]
    assert "### No result for this pull request yet" in comment.body
    assert "10 of 95" not in comment.body

    git(world.clone, "rm", "--quiet", "grader/cli.py")
    git(world.clone, "checkout", "--quiet", "HEAD~1", "--", "grader")
    world.commit()
    world.pull_request()
    world.feedback()
    assert "### 10 of 95 points" in comment.body


def test_pull_request_that_changes_a_workflow(world: World) -> None:
    """A pull request that changes its own workflow gets the fixed text, whatever it left behind."""
    world.change(".github/workflows/grade.yml", "name: Grade\n")
    world.pull_request()
    world.feedback()
    (comment,) = world.hub.comments
    assert "No result" in comment.body


def test_pull_request_within_the_repository(world: World) -> None:
    """A branch of the course's own repository is told in the same way."""
    pull, run = world.hub.pulls[0], world.hub.runs[0]
    pull.owner = run.owner = "course"
    pull.branch = run.branch = "try"
    pull.fork = run.fork = 1
    world.answer(Q3, "7 functions")
    world.pull_request()
    world.feedback()
    (comment,) = world.hub.comments
    assert "### 10 of 95 points" in comment.body


def test_fail_below(world: World) -> None:
    """The job fails only when asked to, and its report is kept all the same."""
    graded = world.pull_request(FAIL_BELOW="50")
    assert graded.failed == "Show the result"
    assert "less than the 50 points" in graded.log
    assert world.feedback(conclusion="failure").failed is None
    assert "### 5 of 95 points" in world.hub.comments[0].body


def test_students_text_commands_nothing(world: World) -> None:
    """What a student writes starts no line of the log and reaches none of the runner's files."""
    attack = "::error::owned\n::set-output name=score::100\n##[error]owned\nscore=100"
    world.answer(Q3, f"8\n{attack}")
    world.change("assignment/out0.txt", attack)
    world.change("assignment/multiple_processes.py", f"print({attack!r})\nraise SystemExit(7)\n")
    pushed = world.push()
    assert pushed.failed is None
    assert all(re.match(r"::(error|warning|notice) (file=|title=)", a) for a in commanded(pushed))
    for line in pushed.log.splitlines():
        assert line.startswith("::") or "owned" not in line
    assert re.fullmatch(r"(?:[a-z-]+=[a-z\d.]+\n){4}", pushed.told("output"))
    assert pushed.told("env") == ""


def test_nothing_to_grade(world: World) -> None:
    """Without a report the job fails where grading did, and nobody is told of a score."""
    shutil.rmtree(world.clone / "assignment")
    world.change("rubric.yaml", "broken: [")
    git(world.clone, "push", "--quiet", "--force", "origin", "HEAD:main")
    failed = world.push()
    assert failed.failed == "Grade"
    assert failed.told("summary") == ""


@pytest.mark.parametrize(
    ("event", "conclusion"), [("push", "success"), ("pull_request", "cancelled")]
)
def test_runs_of_no_interest(world: World, event: str, conclusion: str) -> None:
    """A push or a cancelled run starts no feedback."""
    assert world.feedback(event, conclusion).skipped
    assert world.hub.asked == []


def test_refusals_reach_the_job(world: World) -> None:
    """A forged artifact, another workflow or a second pull request fails the feedback's job."""
    world.pull_request()
    run, honest = world.hub.runs[0], world.hub.runs[0].archive
    run.archive = honest.replace(b"report.json", b"report.jsox")
    assert world.feedback().failed == "Comment"
    run.archive, run.path = honest, ".github/workflows/other.yml"
    assert world.feedback().failed == "Comment"
    run.path = ".github/workflows/grade.yml"
    world.hub.pulls.append(replace(world.hub.pulls[0], number=8))
    assert world.feedback().failed == "Comment"
    world.hub.pulls.pop()
    run.sha = "f" * 40
    assert world.feedback().failed is None  # stale, which is no failure
    assert world.hub.comments == []


@pytest.mark.parametrize("name", ["grade.yml", "feedback.yml"])
def test_least_privilege(name: str) -> None:
    """The workflows may do nothing but what their one job says, and no script holds a value."""
    text = (ROOT / ".github" / "workflows" / name).read_text("utf-8")
    whole = yaml.safe_load(text)
    (job,) = whole["jobs"].values()
    assert whole["permissions"] == {}
    assert job["permissions"] == (
        {"contents": "read"}
        if name == "grade.yml"
        else {"actions": "read", "contents": "read", "pull-requests": "write"}
    )
    assert "secrets." not in text
    assert "cache" not in text
    for step in job["steps"]:
        assert "${{" not in step.get("run", "")
        assert re.search(r"@[0-9a-f]{40}$", step.get("uses", "@" + "0" * 40))
