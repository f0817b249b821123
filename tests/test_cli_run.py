"""`grader run`: one run, drawn in the terminal, in a pipe, and in files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from grader.live import Drawing
from grader.model import Event, EventKind

ROOT = Path(__file__).resolve().parent.parent
COMPLETE = ROOT / "tests" / "submissions" / "complete"


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grader", "run", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **variables},
        check=False,
    )


def test_piped_drawing_is_plain_text(tmp_path: Path) -> None:
    """In a pipe the drawing fits 80 columns, has no escape codes, and files are written beside."""
    svg, facts = tmp_path / "run.svg", tmp_path / "run.json"
    done = run(str(COMPLETE), f"--save=svg:{svg}", f"--save=json:{facts}", COLUMNS="200")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    lanes = [line[:2] for line in done.stdout.splitlines() if line.startswith("P")]
    assert lanes[:3] == ["P1", "P2", "P3"]
    assert "gave up, locked out" in done.stdout
    assert "4 of 6 inserts were saved" in done.stdout
    assert ET.fromstring(svg.read_text("utf-8")).tag.endswith("svg")  # noqa: S314 - our own
    told = json.loads(facts.read_text("utf-8"))
    assert [event["kind"] for event in told["events"]].count("locked") == 2


def test_ascii_terminals_get_ascii() -> None:
    """Where the encoding has no blocks and ticks, letters and signs take their place."""
    done = run(str(COMPLETE), "--duration=0", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "+ saved" in done.stdout


def test_failed_script_says_why(tmp_path: Path) -> None:
    """A script that dies is told with its own last words, and with status 1."""
    source = "TASK_DURATION_SECONDS = 0\nraise ValueError('no more pets')\n"
    (tmp_path / "multiple_processes.py").write_text(source, "utf-8")
    done = run(str(tmp_path))
    assert done.returncode == 1
    assert "No trace of this run was recorded" in done.stdout
    assert "ended with exit status 1. ValueError: no more pets (line 2)" in done.stdout


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (None, "There is no multiple_processes.py"),
        ("def broken(:", "Python cannot read multiple_processes.py: line 1"),
        ("print(1)", "does not set TASK_DURATION_SECONDS"),
    ],
)
def test_nothing_to_run_is_wrong_usage(tmp_path: Path, source: str | None, said: str) -> None:
    """Without a script that can be run the command says why, with status 2."""
    if source is not None:
        (tmp_path / "multiple_processes.py").write_text(source, "utf-8")
    done = run(str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_what_a_script_printed_last_begins_a_line(tmp_path: Path) -> None:
    """Where there is neither a drawing nor an error, its own last words are set apart."""
    source = "TASK_DURATION_SECONDS = 0\nprint('hello')\nprint('bye')\n"
    (tmp_path / "multiple_processes.py").write_text(source, "utf-8")
    assert run(str(tmp_path)).stdout.endswith("It printed last:\nhello\nbye\n")


@pytest.mark.parametrize("duration", ["nan", "-1", "inf", "soon"])
def test_what_is_no_duration_is_wrong_usage(duration: str) -> None:
    """A duration is a number of seconds."""
    done = run(str(COMPLETE), f"--duration={duration}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--duration" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pty")
def test_terminal_shows_it_live() -> None:
    """In a terminal the drawing is renewed while the script runs, and stands there at the end."""
    import pty

    shown = bytearray()

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 4096)
        shown.extend(data)
        return b""

    command = [sys.executable, "-m", "grader", "run", str(COMPLETE)]
    pid, descriptor = pty.fork()
    if not pid:
        os.environ.update(TERM="xterm-256color", COLUMNS="80", LINES="24")
        os.execv(command[0], command)  # noqa: S606
    try:
        while True:
            read(descriptor)
    except OSError:  # the other end is closed
        pass
    _, status = os.waitpid(pid, 0)
    text = shown.decode("utf-8", "replace")
    assert os.waitstatus_to_exitcode(status) == 0
    assert text.count("\x1b[2K") > 3  # lines were erased to be drawn anew
    assert "4 of 6 inserts were saved" in text


def test_drawing_goes_on_between_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has not ended grows with the clock, at the run's speed."""
    from rich.console import Console

    clock = [100.0]
    monkeypatch.setattr("grader.live.time.monotonic", lambda: clock[0])
    drawing = Drawing(10, unicode=False)
    console = Console(width=60, color_system=None)
    frames = []
    drawing.update((Event(t=0.0, process="P1", kind=EventKind.HOLD, label="Ace"),))
    for _ in range(2):
        clock[0] += 1
        with console.capture() as captured:
            console.print(drawing)
        frames.append(captured.get())
    assert "10 s" in frames[0]
    assert "15 s" not in frames[0]
    assert "20 s" in frames[1]
