"""Starting, watching and ending real processes."""

from __future__ import annotations

import _thread
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from grader.model import Ending
from grader.process import MARK, Command, Ended, clean_environment, supervise
from grader.process_tree import Family
from grader.rubric import Limits

LONG = 60.0
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no sessions")


def command(home: Path, code: str) -> Command:
    home.mkdir(exist_ok=True)
    return Command(
        arguments=(sys.executable, "-c", code),
        environment=clean_environment(home, home),
        folder=home,
    )


def run(home: Path, code: str, *, seconds: float = LONG, most: int = 10_000) -> Ended:
    limits = Limits(wall_seconds=seconds, output_bytes=most)
    return supervise(command(home, code), limits)


def limited(home: Path, code: str, **limits: int) -> Ended:
    """Runs with limits on what all processes use together."""

    def family(leader: subprocess.Popen[bytes]) -> Family:
        return Family(leader, MARK, str(home), home)

    return supervise(command(home, code), Limits(**limits), tree_of=family)


def pids(ended: Ended) -> list[int]:
    return [int(word) for word in ended.output.split()]


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until_exists(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)


def test_both_streams_are_kept_in_order(tmp_path: Path) -> None:
    """What is printed and what is complained about come in the order they were written."""
    ended = run(tmp_path, "import sys; print('one'); print('two', file=sys.stderr); print('three')")
    assert ended.ending is Ending.FINISHED
    assert ended.exit_code == 0
    assert ended.output.split() == [b"one", b"two", b"three"]


def test_exit_code_is_told(tmp_path: Path) -> None:
    """A program that leaves without tidying up still has an exit code."""
    ended = run(tmp_path, "import os; os._exit(7)")
    assert (ended.ending, ended.exit_code) == (Ending.FINISHED, 7)


def test_standard_input_is_empty(tmp_path: Path, typed: str) -> None:
    """A program that asks a question meets the end of its input, not what is typed at ours."""
    ended = run(tmp_path, "import sys; print('read', sys.stdin.read())")
    assert ended.output.split() == [b"read"]
    assert os.read(0, 100).decode() == typed


@pytest.fixture
def typed() -> Iterator[str]:
    """Something typed at our own standard input, not yet read."""
    kept = os.dup(0)
    end, start = os.pipe()
    os.write(start, b"hello")
    os.close(start)
    os.dup2(end, 0)
    yield "hello"
    os.dup2(kept, 0)
    os.close(kept)
    os.close(end)


def test_environment_is_ours_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the caller reaches the program, and its home is the folder given."""
    monkeypatch.setenv("SOME_TOKEN", "secret")
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    code = "import os, pathlib; print(*sorted(os.environ), pathlib.Path.home(), sep='\\n')"
    lines = run(tmp_path, code).output.decode().splitlines()
    by_the_system = {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
    assert set(lines[:-1]) <= {*clean_environment(tmp_path, tmp_path), *by_the_system}
    assert lines[-1] == str(tmp_path)


def test_flood_is_stopped_early(tmp_path: Path) -> None:
    """A program that prints without end is stopped at the limit, and no more than that is kept."""
    ended = run(tmp_path, "while True: print('x' * 1000)")
    assert (ended.ending, ended.exit_code) == (Ending.FLOODED, None)
    assert len(ended.output) == 10_000
    assert ended.wall_seconds < LONG / 2


def test_flood_counts_after_the_end(tmp_path: Path) -> None:
    """Printing one byte too many and leaving at once is printing too much."""
    code = "import os; os.write(1, b'x' * {}); os._exit(0)"
    assert run(tmp_path, code.format(10_001)).ending is Ending.FLOODED
    assert run(tmp_path, code.format(10_000)).ending is Ending.FINISHED


def test_memory_of_all_processes_is_limited(tmp_path: Path) -> None:
    """Two processes that together hold more than they may are ended."""
    code = """
import subprocess, sys, time
hold = "import time; block = bytearray(60_000_000); time.sleep(600)"
for _ in range(2):
    subprocess.Popen([sys.executable, "-c", hold])
time.sleep(600)
"""
    ended = limited(tmp_path, code, memory_bytes=100 * 1024**2)
    assert (ended.ending, ended.exit_code) == (Ending.MEMORY, None)


def test_number_of_processes_is_limited(tmp_path: Path) -> None:
    """A program with too many children is ended."""
    code = """
import subprocess, sys, time
for _ in range(6):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
time.sleep(600)
"""
    assert limited(tmp_path, code, processes=5).ending is Ending.PROCESSES


def test_size_of_all_files_is_limited(tmp_path: Path) -> None:
    """A program that fills the disk with many files is ended."""
    code = """
import os, time
os.mkdir("deep")
for number in range(20):
    open(f"deep/{number}", "wb").write(bytes(100_000))
time.sleep(600)
"""
    assert limited(tmp_path, code, disk_bytes=1_000_000).ending is Ending.DISK


@pytest.mark.parametrize(
    "options",
    [
        pytest.param("", id="as it comes"),
        pytest.param(", env={}, start_new_session=True", id="disguised", marks=posix_only),
    ],
)
def test_time_limit_ends_the_whole_tree(tmp_path: Path, options: str) -> None:
    """At the limit the program, its child and its grandchild are all gone."""
    code = f"""
import os, subprocess, sys, time
sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
child = "import subprocess, time; print(subprocess.Popen(%r).pid, flush=True); time.sleep(600)"
print(os.getpid(), subprocess.Popen([sys.executable, "-c", child % sleeper]{options}).pid)
time.sleep(600)
"""
    ended = run(tmp_path, code, seconds=1.5)
    assert (ended.ending, ended.exit_code) == (Ending.TIMED_OUT, None)
    assert 1.5 <= ended.wall_seconds < LONG
    assert len(pids(ended)) == 3
    assert not any(map(alive, pids(ended)))


@pytest.mark.parametrize(
    "options",
    [
        pytest.param("", id="as it comes"),
        pytest.param("start_new_session=True", id="in a session of its own"),
        pytest.param(
            "env={}, preexec_fn=os.setpgrp",
            id="with an empty environment, in a group of its own",
            marks=posix_only,
        ),
    ],
)
def test_child_left_behind_is_ended(tmp_path: Path, options: str) -> None:
    """A child that outlives the program is ended and does not keep the output open."""
    code = f"""
import os, subprocess, sys
sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
print(subprocess.Popen(sleeper, {options}).pid)
os._exit(0)
"""
    ended = run(tmp_path, code)
    assert (ended.ending, ended.exit_code) == (Ending.FINISHED, 0)
    assert ended.wall_seconds < LONG / 2
    assert len(pids(ended)) == 1
    assert not any(map(alive, pids(ended)))


@posix_only
def test_runaway_is_caught(tmp_path: Path) -> None:
    """A program that forks and leaves, again and again, is ended all the same."""
    code = """
import os, time
print(os.getpid(), flush=True)
deadline = time.monotonic() + 30
while time.monotonic() < deadline:
    if os.fork():
        os._exit(0)
"""
    ended = run(tmp_path, code)
    assert ended.ending is Ending.FINISHED
    (group,) = pids(ended)
    noticed = time.monotonic() + 10
    with pytest.raises((ProcessLookupError, PermissionError)):
        while time.monotonic() < noticed:  # the dead stay in their group until they are buried
            os.killpg(group, 0)


def test_interrupt_ends_the_tree(tmp_path: Path) -> None:
    """Ctrl-C at the grader ends the program before it goes on its way."""
    started, pid_file = tmp_path / "started", tmp_path / "pid"
    code = f"""
import os, time
open({str(pid_file)!r}, "w").write(str(os.getpid()))
open({str(started)!r}, "w").close()
time.sleep(600)
"""

    def press() -> None:
        until_exists(started)
        _thread.interrupt_main()

    threading.Thread(target=press, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, code)
    assert not alive(int(pid_file.read_text()))


def test_commands_side_by_side_are_apart(tmp_path: Path) -> None:
    """The end of one command does not end another that still runs."""
    ready, go = tmp_path / "ready", tmp_path / "go"
    waiting = f"""
import os, time
open({str(ready)!r}, "w").close()
while not os.path.exists({str(go)!r}): time.sleep(0.01)
"""
    with ThreadPoolExecutor() as pool:
        first = pool.submit(run, tmp_path / "first", waiting)
        until_exists(ready)
        assert run(tmp_path / "second", "print('done')").exit_code == 0
        go.touch()
        assert first.result().exit_code == 0


def test_program_that_is_not_there(tmp_path: Path) -> None:
    """A command that cannot be started says why, without a path."""
    missing = Command(
        arguments=(str(tmp_path / "nothing"),),
        environment=clean_environment(tmp_path, tmp_path),
        folder=tmp_path,
    )
    ended = supervise(missing, Limits())
    assert ended.ending is Ending.NOT_STARTED
    assert ended.problem
    assert str(tmp_path) not in ended.problem
