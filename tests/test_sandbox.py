"""The sandboxes: what a script can do in each, and which one is used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import grader.sandbox
from grader import cli
from grader.doctor import examine
from grader.model import Sandbox
from grader.reports import json_report
from grader.rubric import Limits
from grader.sandbox import Program, SandboxError, executed, plain
from grader.sandbox.interpreter import needed
from grader.sandbox.probe import try_out

SUBMISSION = Path(__file__).parent / "submissions" / "complete"

without_bubblewrap = grader.sandbox.bubblewrap_fault()
needs_bubblewrap = pytest.mark.skipif(
    without_bubblewrap is not None and not os.environ.get("CI"), reason=str(without_bubblewrap)
)
needs_landlock = pytest.mark.skipif(not plain.confines(), reason="this kernel has no Landlock")
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="there is no launcher on Windows")


@pytest.fixture
def no_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer without bubblewrap."""
    monkeypatch.setattr(grader.sandbox, "bubblewrap_fault", lambda: "it is not installed")


def printed(code: str, sandbox: Sandbox, **limits: int) -> str:
    program = Program(files={"task.py": code.encode()}, script="task.py")
    with executed(program, Limits(**limits), sandbox) as execution:
        return execution.ended.output.decode().strip()


@needs_bubblewrap
def test_bubblewrap_lets_nothing_out() -> None:
    """Not one of the forbidden attempts works in bubblewrap."""
    tried = try_out(Sandbox.REQUIRE)
    assert (tried.sandbox, tried.allowed, tried.problem) == ("bubblewrap", (), None)


@needs_landlock
@pytest.mark.usefixtures("no_bubblewrap")
def test_landlock_leaves_signals_open() -> None:
    """Without bubblewrap files, network and memory are shut off, and processes are not."""
    tried = try_out(Sandbox.AUTO)
    assert (tried.sandbox, tried.problem) == ("landlock", None)
    assert set(tried.allowed) <= {"signal your programs"}


def test_probe_sees_an_open_door() -> None:
    """The probe can tell: without a sandbox a script can do what it may not."""
    tried = try_out(Sandbox.OFF)
    assert tried.sandbox == "none"
    assert {"read your files", "write your files", "use the network"} <= set(tried.allowed)


@pytest.mark.usefixtures("no_bubblewrap")
def test_required_sandbox_is_never_replaced() -> None:
    """Where bubblewrap is required and missing, nothing is run."""
    with pytest.raises(SandboxError, match="bubblewrap does not work here: it is not installed"):
        printed("print('ran')", Sandbox.REQUIRE)


@pytest.mark.usefixtures("no_bubblewrap")
def test_required_sandbox_that_is_missing_is_the_graders_trouble() -> None:
    """The command fails with status 3 and says what to do, and prints no report."""
    grade = ["grade", str(SUBMISSION), "--only", "run0", "--sandbox", "require"]
    done = CliRunner().invoke(cli.cli, grade)
    assert isinstance(done.exception, SandboxError)
    assert done.exception.exit_code == 3
    assert "grader doctor" in str(done.exception)
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("choice", "used"),
    [
        pytest.param("require", "bubblewrap", marks=needs_bubblewrap),
        pytest.param("auto", "bubblewrap", marks=needs_bubblewrap),
        ("off", "none"),
    ],
)
def test_report_says_which_sandbox(choice: str, used: str) -> None:
    """JSON names the sandbox of each run, and a note warns of a run without one."""
    grade = ["grade", str(SUBMISSION), "--only", "run0", "--sandbox", choice, "--format", "json"]
    report = json_report.read(CliRunner().invoke(cli.cli, grade).stdout)
    assert [run.sandbox for run in report.runs] == [used]
    warned = any("without a sandbox" in note.text for note in report.notes)
    assert warned == (used == "none")
    assert report.score == report.max_score


@posix_only
@pytest.mark.parametrize("sandbox", [Sandbox.AUTO, Sandbox.OFF])
def test_nothing_of_ours_is_open(sandbox: Sandbox) -> None:
    """A script inherits its three standard streams and no other file."""
    code = """
import os
for number in range(3, 256):
    try:
        os.fstat(number)
    except OSError:
        continue
    print(number)
"""
    assert printed(code, sandbox) == ""


@needs_bubblewrap
def test_grader_is_out_of_sight() -> None:
    """The rubric, the grader's code and its processes are not to be seen."""
    package = Path(grader.__file__).parent
    code = f"""
import os, pathlib
seen = pathlib.Path({str(package)!r})
print([path.name for path in seen.glob("*")] if os.access(seen, os.R_OK) else [])
print(len([name for name in os.listdir("/proc") if name.isdigit()]) < 5, os.geteuid() != 0)
"""
    seen, alone = printed(code, Sandbox.REQUIRE).splitlines()
    assert seen == "[]"
    assert alone == ("True True" if os.geteuid() == 0 else f"True {os.geteuid() != 0}")


@needs_bubblewrap
def test_full_disk_is_told(tmp_path: Path) -> None:
    """Files together cannot grow beyond the limit, and none of it is on our disk."""
    code = """
try:
    for number in range(100):
        open(str(number), "wb").write(bytes(1_000_000))
except OSError as error:
    print(error.strerror, number)
"""
    said = printed(code, Sandbox.REQUIRE, disk_bytes=8 * 1024**2)
    assert said == "No space left on device 8"
    assert not list(tmp_path.iterdir())


def test_interpreter_is_more_than_the_environment() -> None:
    """In a virtual environment the Python that it was made from is needed too."""
    if sys.prefix == sys.base_prefix:
        pytest.skip("not in a virtual environment")
    paths = needed()
    assert Path(sys.prefix, "pyvenv.cfg") in paths
    base = Path(sys.base_prefix)
    assert base.is_relative_to("/usr") or any(path.is_relative_to(base) for path in paths)


def test_doctor_tries_the_sandbox() -> None:
    """`grader doctor` says which sandbox there is and what came of trying it."""
    (finding,) = [finding for finding in examine() if finding.what == "Sandbox"]
    assert "tried with a hostile script" in finding.found
    if without_bubblewrap is None:
        assert (finding.found, finding.fix) == (
            "bubblewrap; tried with a hostile script: nothing gets out",
            None,
        )


@pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap is made for Linux")
def test_bubblewrap_that_fails_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system forbids what bubblewrap needs, its own words say why it is not used."""
    failing = tmp_path / "bwrap"
    failing.write_text("#!/bin/sh\necho 'bwrap: Permission denied' >&2\nexit 1\n", "utf-8")
    failing.chmod(0o755)
    monkeypatch.setattr("grader.sandbox.bubblewrap.found", lambda: str(failing))
    assert grader.sandbox.bubblewrap_fault.__wrapped__() == "bwrap: Permission denied"


@pytest.mark.parametrize("sandbox", [Sandbox.AUTO, Sandbox.OFF])
@pytest.mark.usefixtures("no_bubblewrap")
def test_root_of_a_container_may_lack_roots_rights(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where root cannot become another user, a script runs all the same."""
    monkeypatch.setattr("grader.sandbox.plain.changes_user", lambda: False)
    assert printed("print(6)", sandbox) == "6"


@pytest.mark.usefixtures("no_bubblewrap")
def test_doctor_says_how_to_enable_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without bubblewrap the doctor tells how to get it."""
    monkeypatch.setattr("grader.sandbox.bubblewrap.found", lambda: None)
    (finding,) = [finding for finding in examine() if finding.what == "Sandbox"]
    assert finding.fix
    assert "install bubblewrap" in finding.fix or sys.platform != "linux"


ADOPTS = """
import ctypes, psutil
from grader.model import Sandbox
from grader.rubric import Limits
from grader.sandbox import Program, executed

ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
program = Program(files={"s.py": b"print(1)"}, script="s.py")
with executed(program, Limits(), Sandbox.REQUIRE) as execution:
    assert execution.ended.exit_code == 0
print(psutil.Process().children())
"""


@needs_bubblewrap
def test_no_process_stays_with_the_first_of_a_container() -> None:
    """Where orphans become the grader's children, none of them is left unburied."""
    done = subprocess.run(
        [sys.executable, "-c", ADOPTS], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
