"""A grader that is killed or interrupted in the middle of a run leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

import grader.sandbox
from grader.sandbox import plain

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no launcher on Windows")

SAMPLE = Path(__file__).parent / "submissions" / "complete"
SHARED = Path("/dev/shm")  # noqa: S108
PATIENCE = 30.0

SCRIPT = """
import os, subprocess, sys, time

TASK_DURATION_SECONDS = 3

if os.path.isdir("/dev/shm"):
    open("/dev/shm/MARK", "w").close()
subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(120)", "MARK"], start_new_session=True
)
time.sleep(120)
"""

GRADER = "from grader import cli, sandbox; {}; cli.main()"
HIDE_BUBBLEWRAP = "sandbox.bubblewrap_fault = lambda: 'it is not wanted'"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("sandbox", ["bubblewrap", "landlock", "none"])
def test_nothing_outlives_the_grader(sandbox: str, number: int, tmp_path: Path) -> None:
    """Processes, temporary folders and shared memory go when the grader goes."""
    needed(sandbox)
    mark, scratch, submission = uuid4().hex, tmp_path / "scratch", tmp_path / "submission"
    scratch.mkdir()
    shutil.copytree(SAMPLE, submission)
    (submission / "multiple_processes.py").write_text(SCRIPT.replace("MARK", mark), "utf-8")
    code = GRADER.format(HIDE_BUBBLEWRAP if sandbox == "landlock" else "pass")
    option = {"bubblewrap": "require", "landlock": "auto", "none": "off"}[sandbox]
    command = [sys.executable, "-c", code, "grade", str(submission), "--only=run0"]
    with subprocess.Popen(
        [*command, f"--sandbox={option}"],
        env={**os.environ, "TMPDIR": str(scratch)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert comes_true(lambda: marked(mark))
        process.send_signal(number)
    assert comes_true(lambda: not marked(mark))
    assert comes_true(lambda: not list(scratch.iterdir()))
    assert comes_true(lambda: not (SHARED / mark).exists())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_fetch_outlives_the_grader(number: int, tmp_path: Path) -> None:
    """A fetch from a server that does not answer goes, with its folder, when the grader goes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}/{uuid4().hex}"
        with subprocess.Popen(
            [sys.executable, "-m", "grader", "grade", url],
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            server.settimeout(PATIENCE)
            asked, _ = server.accept()
            assert marked(url)
            process.send_signal(number)
        assert comes_true(lambda: not marked(url))
        assert comes_true(lambda: not list(tmp_path.iterdir()))
        asked.close()


def needed(sandbox: str) -> None:
    """On the machines that test every change, nothing may be missing."""
    fault = None
    if sandbox == "bubblewrap":
        fault = grader.sandbox.bubblewrap_fault()
    elif sandbox == "landlock" and not plain.confines():
        fault = "this system has no Landlock"
    if fault and os.environ.get("CI") and sys.platform == "linux":
        pytest.fail(fault)
    if fault:
        pytest.skip(fault)


def marked(mark: str) -> bool:
    """Whether a living process has the mark among its arguments."""
    for process in psutil.process_iter(["cmdline", "status"]):
        arguments, status = process.info["cmdline"] or [], process.info["status"]
        if mark in arguments and status != psutil.STATUS_ZOMBIE:
            return True
    return False


def comes_true(fact: Callable[[], bool]) -> bool:
    """Whether something is so, now or soon."""
    deadline = time.monotonic() + PATIENCE
    while not fact():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
