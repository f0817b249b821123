"""A Dask cluster on this computer: a scheduler and workers, each a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import environ
from pathlib import Path
from threading import Thread

LOCAL = ("--host", "127.0.0.1", "--no-dashboard")


@contextmanager
def scheduler(**settings: str) -> Iterator[str]:
    """The address of a new scheduler; `settings` are variables of its environment."""
    with _dask(("scheduler", "--port", "0", *LOCAL), r"Scheduler at: +(\S+)", settings) as (
        _,
        said,
    ):
        yield said


@contextmanager
def worker(
    address: str, folder: Path, *, threads: int = 2, preload: str = ""
) -> Iterator[subprocess.Popen[str]]:
    """A worker that has joined a scheduler; `preload` is Python that it runs first."""
    first = folder / "preload.py"
    first.write_text(preload, "utf-8")
    options = ("--nthreads", str(threads), "--memory-limit", "0", "--no-nanny")
    places = ("--preload", str(first), "--local-directory", str(folder))
    command = ("worker", address, *LOCAL, *options, *places)
    with _dask(command, r"Registered to: +(\S+)", {}) as (process, _):
        yield process


@contextmanager
def _dask(
    arguments: tuple[str, ...], ready: str, variables: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process, and what it said when it was ready."""
    with subprocess.Popen(
        [sys.executable, "-m", "dask", *arguments],
        env={**environ, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        drain = Thread(target=process.stderr.read)  # a full pipe would hold it up
        said = ""
        try:
            for line in process.stderr:
                said += line
                if match := re.search(ready, line):
                    break
            else:
                raise AssertionError(said)
            drain.start()
            yield process, match[1]
            process.kill()
            drain.join()
        finally:
            process.kill()
