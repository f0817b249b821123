"""Scripts that run on a Dask cluster: a real scheduler, and workers that get lost."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import psutil
import pytest

from grader import __version__
from grader import cluster as cluster_module
from grader.cluster import cluster
from grader.errors import GraderError, SharedError, UsageError
from grader.model import RunOutcome, Sandbox
from grader.rubric import Limits
from grader.runner import RunJob, run_script
from grader.sandbox import SandboxError
from tests.support.dask_cluster import scheduler, worker

PATIENCE = 30.0

HELD = """
import os, pathlib, time
folder = pathlib.Path({folder!r})
(folder / str(os.getpid())).touch()
while not (folder / "go").exists():
    time.sleep(0.02)
print("done")
"""
ROWS = """
import sqlite3
with sqlite3.connect("words.db") as words:
    words.execute("CREATE TABLE words (word)")
    words.execute("INSERT INTO words VALUES ('a'), ('b')")
print("database is locked")
"""
QUICK = (
    b"print('hello')",
    b"# coding: latin-1\nprint('\xe4')",
    b"import helper\nprint(helper.WORD)",
    b"raise SystemExit(3)",
    b"1 / 0",
    b"while True:\n    print('flood' * 1000)",
    ROWS.encode(),
)

CLIENT = """
import sys
from grader.cluster import cluster
from grader.errors import GraderError
from tests.test_cluster import held

with cluster(sys.argv[1]) as workers:
    try:
        workers.run(held(sys.argv[2]))
    except GraderError as fault:
        print(fault)
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A cluster of one worker without bubblewrap, which no test may harm."""
    first = "from grader import sandbox; sandbox.bubblewrap_fault = lambda: 'it is not installed'"
    with (
        scheduler() as (address, _),
        worker(address, tmp_path_factory.mktemp("worker"), threads=3, first=first),
    ):
        yield address


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads that ask for runs, as those of the grader do."""
    with ThreadPoolExecutor(20) as pool:
        yield pool


def script(source: bytes, sandbox: Sandbox = Sandbox.OFF) -> RunJob:
    return RunJob(
        id="first",
        duration=3,
        name="task.py",
        source=source,
        modules={"helper.py": "WORD = 'ä'"},
        table="words",
        lock_error="database is locked",
        limits=Limits(output_bytes=100_000),
        sandbox=sandbox,
    )


def held(folder: Path | str) -> RunJob:
    """A run that leaves its number in a folder, and ends when it finds `go` there."""
    return script(HELD.format(folder=str(folder)).encode())


def numbers(folder: Path) -> list[int]:
    return [int(path.name) for path in folder.iterdir() if path.name.isdigit()]


def begun(folder: Path, runs: int = 1) -> list[int]:
    """The numbers of the held runs, once there are so many."""
    assert comes_true(lambda: len(numbers(folder)) == runs)
    return numbers(folder)


def comes_true(fact: Callable[[], bool]) -> bool:
    """Whether something is so, now or soon."""
    deadline = time.monotonic() + PATIENCE
    while not fact():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def told(outcome: RunOutcome) -> RunOutcome:
    """What does not differ from run to run."""
    events = tuple(replace(event, t=0) for event in outcome.run.events)
    return replace(outcome, run=replace(outcome.run, wall_seconds=0, events=events))


# ---------------------------------------------------------------- runs


@pytest.mark.parametrize("end", [subprocess.Popen.kill, subprocess.Popen.terminate])
def test_runs_are_as_they_would_be_here_though_a_worker_ends(
    end: Callable[[subprocess.Popen[str]], None], tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    """Each run has one outcome, that of a local run; what a lost worker had is run anew."""
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    jobs = [held(meeting), held(meeting), *map(script, QUICK)]
    with ExitStack() as stack:
        address, _ = stack.enter_context(scheduler())
        processes = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            processes.append(stack.enter_context(worker(address, tmp_path / name)))
        workers = stack.enter_context(cluster(address))
        assert workers.slots == 4
        runs = [pool.submit(workers.run, job, Event()) for job in jobs]
        first = begun(meeting, runs=2)
        doomed = next(p for p in processes if p.pid in ancestors(first[0]))
        lost = [run for run in first if doomed.pid in ancestors(run)]
        end(doomed)
        doomed.wait(PATIENCE / 2)  # Dask alone would let it finish its runs for 30 seconds
        (meeting / "go").touch()
        outcomes = [told(run.result(PATIENCE)) for run in runs]
    assert len(numbers(meeting)) == len(first) + len(lost)
    assert outcomes == [told(run_script(job)) for job in jobs]


def ancestors(process: int) -> set[int]:
    return {parent.pid for parent in psutil.Process(process).parents()}


def test_the_same_script_is_run_for_each_student(
    address: str, tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    """Two equal jobs are two runs."""
    with cluster(address) as workers:
        runs = [pool.submit(workers.run, held(tmp_path)) for _ in range(2)]
        begun(tmp_path, runs=2)
        (tmp_path / "go").touch()
        assert [run.result(PATIENCE).tail for run in runs] == ["done", "done"]


def test_a_large_submission_is_no_matter(address: str) -> None:
    """Dask's warning that much is sent does not reach the user."""
    with cluster(address) as workers:
        assert workers.run(script(b"print('hello')\n#" + b"x" * 11_000_000)).tail == "hello"


def test_a_stopped_run_ends_on_its_worker(
    address: str, tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    """Whoever waits is told at once, and no process of the script stays behind."""
    stop = Event()
    with cluster(address) as workers:
        run = pool.submit(workers.run, held(tmp_path), stop)
        (process,) = begun(tmp_path)
        stop.set()
        with pytest.raises(SharedError, match="stopped"):
            run.result(PATIENCE)
        assert comes_true(lambda: not psutil.pid_exists(process))


def test_a_run_that_was_broken_off_is_no_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that ends in the middle of a run gives it back, and tells nothing of it."""
    import distributed  # not above: the grader itself is to import it first

    closing = SimpleNamespace(
        name="worker",
        status=distributed.core.Status.closing,
        state=SimpleNamespace(tasks={"run-1": SimpleNamespace(state="executing")}),
        get_current_task=lambda: "run-1",
    )
    monkeypatch.setattr(distributed, "get_worker", lambda: closing)
    with pytest.raises(distributed.Reschedule):
        cluster_module._run_here(cluster_module._version(), script(b"print('hello')"))


def test_nothing_outlives_a_killed_grader(address: str, tmp_path: Path) -> None:
    """When the grader is killed, the runs that it asked for end on their workers."""
    with client(address, tmp_path) as grader:
        (process,) = begun(tmp_path)
        grader.kill()
    assert comes_true(lambda: not psutil.pid_exists(process))


def client(address: str, folder: Path) -> subprocess.Popen[str]:
    """A grader in a process of its own, which asks for a held run."""
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT, address, str(folder)],
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# ---------------------------------------------------------------- what is missing there


def test_a_missing_sandbox_is_told_with_the_worker(address: str) -> None:
    """What a worker lacks is told as if it lacked here, with the worker's name."""
    with cluster(address) as workers, pytest.raises(SandboxError) as told:
        workers.run(script(b"", Sandbox.REQUIRE))
    assert str(told.value).startswith("The worker tcp://127.0.0.1:")
    assert "it is not installed" in str(told.value)


@pytest.mark.parametrize(
    ("first", "has"),
    [
        ("import grader; grader.__version__ = '0.0.1'", "the grader 0.0.1"),
        ("import sys; sys.modules['grader'] = None", "no grader"),
    ],
)
def test_another_grader_is_refused(first: str, has: str, tmp_path: Path) -> None:
    """A worker without this version of the grader is named before anything is run."""
    with (
        scheduler() as (address, _),
        worker(address, tmp_path, first=first),
        pytest.raises(SharedError, match=rf"The worker tcp://\S+ has {has}.* {__version__} "),
        cluster(address),
    ):
        pytest.fail("it was let in")


def test_another_grader_is_refused_later(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that has joined since with another version runs nothing either."""
    with cluster(address) as workers:
        monkeypatch.setattr(cluster_module, "_version", lambda: "9.9.9")
        with pytest.raises(SharedError, match=r"The worker tcp://\S+ has the grader .*9\.9\.9"):
            workers.run(script(b""))


def test_another_dask_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler that is another version of Dask is told with both versions."""
    monkeypatch.setattr(cluster_module, "_dask", lambda: "0.0.1")
    with pytest.raises(SharedError, match=r"is Dask .*0\.0\.1"), cluster(address):
        pytest.fail("it was let in")


def test_dask_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Dask, the message says how to install it."""
    monkeypatch.setitem(sys.modules, "dask.config", None)
    with (
        pytest.raises(UsageError, match=r"pip install \"assignment-grader\[distributed\]\""),
        cluster("tcp://127.0.0.1:1"),
    ):
        pytest.fail("it was there")


# ---------------------------------------------------------------- who is lost


@pytest.mark.parametrize(
    "address",
    ["", "scheduler", "http://127.0.0.1:1", "tcp://127.0.0.1:1", "tls://127.0.0.1:1", "mute"],
)
def test_an_unreachable_scheduler_is_told(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no scheduler answers, the message names the address and says how to start one."""
    monkeypatch.setattr(cluster_module, "_ANSWER", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        if address == "mute":
            address = f"tcp://127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(SharedError) as told, cluster(address):
            pytest.fail("it answered")
    assert str(told.value).startswith(f"No Dask scheduler can be reached at {address}: ")
    assert "`dask scheduler` starts one" in str(told.value)


def test_a_worker_is_no_scheduler(address: str) -> None:
    """The address of a worker is told apart from that of the scheduler."""
    with cluster(address) as workers:
        (other,) = workers._client.nthreads()
    with pytest.raises(SharedError, match="address of a worker"), cluster(other):
        pytest.fail("it was taken for a scheduler")


def test_a_cluster_without_workers_is_told() -> None:
    """The message says how to start a worker."""
    with (
        scheduler() as (address, _),
        pytest.raises(SharedError, match=f"dask worker {address}"),
        cluster(address, patience=0.1),
    ):
        pytest.fail("it has no worker")


def test_nobody_waits_for_ever_for_the_last_worker(
    tmp_path: Path, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When no worker is left and none comes, the runs that wait are given up."""
    monkeypatch.setattr(cluster_module, "_HEARTBEAT", 0.1)
    with (
        scheduler() as (address, _),
        worker(address, tmp_path) as process,
        cluster(address, patience=2) as workers,
    ):
        run = pool.submit(workers.run, held(tmp_path), Event())
        begun(tmp_path)
        process.kill()
        assert "for 2 seconds there was no worker" in fault(run)


def test_a_script_that_takes_its_workers_with_it_is_given_up(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    """That is a matter of its student, not of the class."""
    with (
        scheduler(DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0") as (address, _),
        worker(address, tmp_path) as process,
        cluster(address) as workers,
    ):
        run = pool.submit(workers.run, held(tmp_path), Event())
        begun(tmp_path)
        process.kill()
        assert "One worker after the other was lost" in fault(run)
        assert not isinstance(run.exception(), SharedError)


def fault(run: Future[RunOutcome]) -> str:
    with pytest.raises(GraderError) as told:
        run.result(PATIENCE)
    return str(told.value)


def test_a_lost_scheduler_is_told_and_nothing_else(tmp_path: Path) -> None:
    """The grader says so in a sentence; Dask writes nothing to the terminal."""
    with (
        scheduler() as (address, process),
        worker(address, tmp_path),
        client(address, tmp_path) as grader,
    ):
        begun(tmp_path)
        process.kill()
        said, complained = grader.communicate(timeout=PATIENCE)
    assert said.startswith(f"The cluster at {address} cannot be used any more: the connection")
    assert complained == ""
