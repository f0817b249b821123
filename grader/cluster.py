"""Runs scripts on the workers of a Dask cluster instead of on this computer.

A worker is given a script and returns what came of its run. Submissions are fetched, read and
judged here, so the workers need this version of the grader and nothing of the class.

Dask trusts its peers: whoever reaches the scheduler can run code on it, on every worker and here.
It belongs into a network that is trusted. For `tls://` addresses, certificates are named in
Dask's own configuration (`distributed.comm.tls`).
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import metadata
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING
from uuid import uuid4

from grader import __version__
from grader.errors import GraderError, SharedError, UsageError
from grader.model import REPORT_VERSION, RunOutcome
from grader.runner import RunJob, run_script
from grader.sandbox import SandboxError

if TYPE_CHECKING:
    from distributed import Client, Future, Worker

_ANSWER = 10.0
"""Seconds that a scheduler may take to answer."""
_LOOK = 0.2
"""Seconds between two looks at whether a run is to be stopped."""
_HEARTBEAT = 1.0
"""Seconds between two looks at which workers there are."""
_CLOSED = ("closing", "closed", "failed")
"""States of a worker that is to end."""
_QUIET = dict.fromkeys(("distributed", "distributed.client", "tornado.application"), "critical")


@contextmanager
def cluster(address: str, patience: float = 60.0) -> Iterator[Cluster]:
    """Connects to the workers of the scheduler at an address such as `tcp://10.0.0.5:8786`.

    When there is no worker, at the start or later, one is waited for, `patience` seconds long.

    Raises UsageError without Dask, and SharedError when the scheduler does not answer, has no
    worker, or has, like one of its workers, another version of the grader.
    """
    with _quietly(), _connected(address) as client:
        workers = Cluster(client, address, patience)
        workers.meet()
        over = Event()
        Thread(target=workers.watch, args=(over,), daemon=True).start()
        try:
            yield workers
        finally:
            over.set()


class Cluster:
    """Workers that run scripts; safe for many threads."""

    def __init__(self, client: Client, address: str, patience: float) -> None:
        self._client = client
        self._address = address
        self._patience = patience
        self._seen = monotonic()
        self.slots = 0
        """Runs that the workers can have under way at once, by now."""

    def run(self, job: RunJob, stop: Event | None = None) -> RunOutcome:
        """Runs a job on a worker, and anew on another one when that is lost.

        Setting `stop` ends it there as well. Raises SharedError when it was stopped, the cluster
        is lost, or the worker has another version of the grader or lacks a required sandbox; and
        GraderError when the job failed there or took worker after worker with it.
        """
        key = f"run-{uuid4().hex}"
        try:
            future = self._client.submit(_run_here, _version(), job, key=key, pure=False)
        except Exception as fault:
            raise self._lost(str(fault)) from fault
        try:
            self._wait(future, stop)
            return self._outcome(future)
        finally:
            # A run that nobody waits for is ended by its worker.
            future.release()

    def meet(self) -> None:
        """Waits for the first worker, and refuses peers that are another version."""
        with suppress(asyncio.TimeoutError):
            self._client.wait_for_workers(1, timeout=self._patience)
        self.look()
        if not self.slots:
            raise SharedError(
                f"The scheduler at {self._address} has no worker. On each computer that is to run "
                f"scripts, start one: dask worker {self._address} --nthreads 10 --no-nanny"
            )
        for peer, version in self._versions():
            if version != _version():
                raise _differs(peer, version, _version())

    def _versions(self) -> Iterator[tuple[str, object]]:
        """Each peer, and its version or why it cannot tell: there is no grader, for instance."""
        try:
            yield "The scheduler", self._client.run_on_scheduler(_version)
        except Exception as fault:
            yield "The scheduler", fault
        for name, version in self._client.run(_version, on_error="return").items():
            yield f"The worker {name}", version

    def watch(self, over: Event) -> None:
        """Counts the workers until it is over."""
        while not over.wait(_HEARTBEAT):
            with suppress(Exception):  # whatever it is, no worker was seen
                self.look()

    def look(self) -> None:
        """Counts the workers."""
        self.slots = sum(self._client.nthreads().values())
        if self.slots:
            self._seen = monotonic()

    def _wait(self, future: Future[RunOutcome], stop: Event | None) -> None:
        done = Event()
        future.add_done_callback(lambda _: done.set())
        while not done.wait(_LOOK):
            if stop is not None and stop.is_set():
                raise SharedError("The run was stopped.")
            if monotonic() - self._seen > self._patience:
                raise self._lost(
                    f"for {self._patience:g} seconds there was no worker, "
                    "or its scheduler did not answer"
                )

    def _outcome(self, future: Future[RunOutcome]) -> RunOutcome:
        from distributed import CancelledError, KilledWorker

        try:
            return future.result(self._patience)
        except GraderError:
            raise
        except KilledWorker as fault:
            raise GraderError(
                "One worker after the other was lost while it ran this script, the last one at "
                f"{fault.last_worker.address}. What it wrote to its terminal may say why."
            ) from fault
        except CancelledError as fault:
            raise self._lost("the connection to its scheduler broke") from fault
        except Exception as fault:
            raise self._lost(f"{type(fault).__name__}: {fault}") from fault

    def _lost(self, reason: str) -> SharedError:
        return SharedError(
            f"The cluster at {self._address} cannot be used any more: {reason}. "
            "Start the same command again when that is put right."
        )


# ---------------------------------------------------------------- on a worker


def _version() -> str:
    """What all computers of a cluster must have in common."""
    return f"{__version__} (report {REPORT_VERSION}, Dask {_dask()})"


def _dask() -> str:
    return metadata.version("distributed")


def _run_here(version: str, job: RunJob) -> RunOutcome:
    from distributed import Reschedule, get_worker

    worker = get_worker()
    name = f"The worker {worker.name}"
    if version != _version():  # it joined later
        raise _differs(name, _version(), version)
    unwanted = _Unwanted(worker)
    try:
        outcome = run_script(job, unwanted)
    except SandboxError as fault:
        raise SandboxError(f"{name}: {fault}") from fault
    except GraderError as fault:
        raise GraderError(f"{name}: {fault}") from fault
    except Exception as fault:
        raise GraderError(f"{name} failed: {type(fault).__name__}: {fault}.") from fault
    if unwanted.is_set():
        raise Reschedule  # a run that was broken off tells nothing
    return outcome


class _Unwanted(Event):
    """Set once this thread's task was cancelled, its client is gone, or its worker is closing."""

    def __init__(self, worker: Worker) -> None:
        super().__init__()
        self._worker = worker
        self._key = worker.get_current_task()

    def is_set(self) -> bool:
        task = self._worker.state.tasks.get(self._key)
        wanted = task is not None and task.state == "executing"
        return not wanted or self._worker.status.name in _CLOSED


# ---------------------------------------------------------------- details


def _differs(peer: str, version: object, wanted: str) -> SharedError:
    has = f"the grader {version}" if isinstance(version, str) else "no grader, or a very old one"
    return SharedError(
        f"{peer} has {has}, and this is {wanted}. "
        "Install the same version of the grader and of Dask there, and start it again."
    )


@contextmanager
def _quietly() -> Iterator[None]:
    """Keeps Dask from writing to the terminal: what matters of it is said by us."""
    try:
        import dask.config
    except ImportError:
        raise UsageError(
            'Running on a cluster needs Dask: pip install "assignment-grader[distributed]"'
        ) from None
    # These are read when `distributed` is imported; the user's own configuration goes before.
    dask.config.update_defaults({"logging": _QUIET})
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="distributed")
        yield


def _connected(address: str) -> Client:
    from distributed import Client

    try:
        # A client that finds no scheduler of its own version may wait for ever.
        # This thread may have an event loop of its own.
        with ThreadPoolExecutor(1) as aside:
            aside.submit(asyncio.run, asyncio.wait_for(_greet(address), _ANSWER)).result()
        return Client(address, timeout=_ANSWER, set_as_default=False)
    except GraderError:
        raise
    except Exception as fault:
        reason = str(fault).rstrip(".") or f"there was no answer for {_ANSWER:g} seconds"
        raise SharedError(
            f"No Dask scheduler can be reached at {address}: {reason}. "
            "`dask scheduler` starts one and prints its address."
        ) from fault


async def _greet(address: str) -> None:
    from distributed import Security, rpc

    arguments = Security().get_connection_args("client")
    async with rpc(address, connection_args=arguments) as peer:
        kind = (await peer.identity())["type"]
        dask = (await peer.versions())["packages"]["distributed"]
    if kind != "Scheduler":
        raise ValueError("this is the address of a worker")
    if dask != _dask():
        raise SharedError(
            f"The scheduler at {address} is Dask {dask}, and this is {_dask()}. "
            "Install the same version everywhere, and start it again."
        )
