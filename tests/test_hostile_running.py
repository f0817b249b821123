"""Attacks by a script that is run: every one in tests/hostile whose kind is `running`."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest

import grader.sandbox
from grader.assignment import Assignment, load_assignment
from grader.grading import gather, report_on
from grader.model import Report, RunOptions, RunOutcome, Sandbox
from grader.progress import Quiet
from grader.reports import FORMATS, render
from grader.sandbox import plain
from grader.submission import read_submission
from tests.support.hostile import FOLDER, Attack, Kind, build, load

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the attacks are made for Linux")

RUNNING = {
    path.stem: attack
    for path in sorted(FOLDER.glob("*.yaml"))
    if (attack := load(path)).kind is Kind.RUNNING
}
SAFE = {name: attack for name, attack in RUNNING.items() if attack.safe_outside}

SECRET = "what only the instructor may know"  # noqa: S105
SHARED = Path("/dev/shm")  # noqa: S108
GOT_THROUGH = "GOT THROUGH"
"""What an attack prints when it could do what it may not."""
PATIENCE = 20.0
"""Seconds that the grader may need beyond the limits on a busy computer."""
MEMORY = 200 * 1024
"""The most memory that the grader itself may need for an attack, in kB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What surrounds an attack, and is to be the same afterwards."""

    canary: Path
    scratch: Path
    """Where temporary folders are made."""

    def state(self) -> dict[str, object]:
        """Everything that an attack could change or leave behind, by name."""
        status, name = self.canary.stat(), str(self.canary).replace("/", "-")
        return {
            "canary": (status.st_atime_ns, status.st_mtime_ns, status.st_size, status.st_nlink),
            "beside it": sorted(path.name for path in self.canary.parent.iterdir()),
            "temporary folders": sorted(path.name for path in self.scratch.iterdir()),
            "shared memory": sorted(path.name for path in SHARED.glob(f"*{name}*")),
            "open files": sorted(path.name for path in Path("/proc/self/fd").iterdir()),
            "processes": living(),
        }


def living() -> list[int]:
    """Our child processes, and theirs."""
    children = psutil.Process().children(recursive=True)
    return sorted(child.pid for child in children if child.status() != psutil.STATUS_ZOMBIE)


@pytest.fixture(scope="module", autouse=True)
def foster_parent() -> Iterator[None]:
    """A process that escapes from the grader becomes our child, whatever it calls itself."""
    libc = ctypes.CDLL(None)
    libc.prctl(36, 1, 0, 0, 0)
    yield
    libc.prctl(36, 0, 0, 0, 0)


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    return load_assignment()


@pytest.fixture
def around(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Around]:
    """A secret file, a place for temporary folders, and a service that listens."""
    canary, scratch = tmp_path_factory.mktemp("s") / "canary", tmp_path_factory.mktemp("t")
    canary.write_text(SECRET, "utf-8")
    os.utime(canary, (1_000_000_000, 1_000_000_000))
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setenv("GRADER_SECRET", str(canary))
    with socket.socket(socket.AF_UNIX) as service:
        service.bind(f"\0{canary}")
        service.listen()
        yield Around(canary=canary, scratch=scratch)


def needed(fault: str | None) -> None:
    """On the machines that test every change, nothing may be missing."""
    if fault and os.environ.get("CI"):
        pytest.fail(fault)
    if fault:
        pytest.skip(fault)


@pytest.mark.parametrize("name", RUNNING)
def test_attack_in_bubblewrap(
    name: str, around: Around, assignment: Assignment, tmp_path: Path
) -> None:
    """In bubblewrap every attack earns what it deserves, and nothing gets out or stays behind."""
    fault = grader.sandbox.bubblewrap_fault()
    needed(fault and f"bubblewrap does not work here: {fault}")
    withstood(RUNNING[name], Sandbox.REQUIRE, around, assignment, tmp_path)


@pytest.mark.parametrize("name", SAFE)
def test_attack_in_landlock(
    name: str,
    around: Around,
    assignment: Assignment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without bubblewrap the attacks that are safe to try fare no better."""
    needed(None if plain.confines() else "this kernel has no Landlock")
    monkeypatch.setattr(grader.sandbox, "bubblewrap_fault", lambda: "it is not wanted")
    withstood(SAFE[name], Sandbox.AUTO, around, assignment, tmp_path)


@pytest.mark.parametrize("name", SAFE)
def test_attack_without_a_sandbox(
    name: str, around: Around, assignment: Assignment, tmp_path: Path
) -> None:
    """With limits alone the attacks that are safe to try fare no better."""
    withstood(SAFE[name], Sandbox.OFF, around, assignment, tmp_path)


def withstood(
    attack: Attack, sandbox: Sandbox, around: Around, assignment: Assignment, folder: Path
) -> None:
    """Grades an attack and looks at everything that could have gone wrong."""
    limits = attack.limited(assignment.rubric.limits)
    rubric = assignment.rubric.model_copy(update={"limits": limits})
    submission = build(attack, folder / "submission", around.canary)
    before = around.state()
    Path("/proc/self/clear_refs").write_text("5")  # forget the most memory there ever was
    memory, started = most_memory(), time.monotonic()

    report, outcomes = graded(submission, replace(assignment, rubric=rubric), attack, sandbox)

    assert {result.id: result.verdict for result in report.criteria} == attack.expect
    assert {note.kind for note in report.notes} >= set(attack.notes)
    assert time.monotonic() - started < 2 * limits.wall_seconds + PATIENCE
    assert most_memory() - memory < MEMORY
    assert around.state() == before
    assert around.canary.read_text("utf-8") == SECRET
    told(report, outcomes)


def graded(
    submission: Path, assignment: Assignment, attack: Attack, sandbox: Sandbox
) -> tuple[Report, list[RunOutcome]]:
    only, options = tuple(attack.expect), RunOptions(sandbox=sandbox)
    read = read_submission(submission, submission.name, assignment.rubric)
    evidence = gather(read, assignment, Quiet(), only=only, options=options)
    return report_on(evidence, assignment, only=only), list(evidence.runs.values())


def told(report: Report, outcomes: list[RunOutcome]) -> None:
    """No secret and nothing that does anything is in what people and programs are told."""
    for outcome in outcomes:
        assert SECRET not in f"{outcome.error}{outcome.tail}"
        assert GOT_THROUGH not in f"{outcome.error}{outcome.tail}"
    for text in (render(report, name) for name in FORMATS):
        assert SECRET not in text
        assert "\x1b]" not in text
        assert not any(line.startswith(("::", "##[")) for line in text.splitlines())


def most_memory() -> int:
    """The most memory we ever had in use, in kB."""
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise AssertionError("the kernel does not tell")
