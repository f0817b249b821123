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

_LOCAL = ("--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0")


@contextmanager
def scheduler(**variables: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A scheduler and its address; `variables` are for its environment."""
    ready = r"Scheduler at: +(\S+)"
    with _dask(ready, "scheduler", "--port=0", variables=variables) as (address, process):
        yield address, process


@contextmanager
def worker(
    address: str, folder: Path, *, threads: int = 2, first: str = ""
) -> Iterator[subprocess.Popen[str]]:
    """A worker that has joined a scheduler; `first` is Python that it runs before."""
    preload = folder / "first.py"
    preload.write_text(first, "utf-8")
    with _dask(
        r"Registered to: +(\S+)",
        *("worker", address, f"--nthreads={threads}", "--no-nanny", "--memory-limit=0"),
        *(f"--local-directory={folder}", f"--preload={preload}"),
    ) as (_, process):
        yield process


@contextmanager
def _dask(
    ready: str, *arguments: str, variables: Mapping[str, str] | None = None
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """What a process of Dask's said when it was ready, and the process."""
    with subprocess.Popen(
        [sys.executable, "-m", "dask", *arguments, *_LOCAL],
        env={**environ, **(variables or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        # Nobody reads the rest, and a full pipe would hold the process up.
        rest = Thread(target=process.stderr.read)
        try:
            said = next(filter(None, (re.search(ready, line) for line in process.stderr)), None)
            rest.start()
            assert said, f"dask {arguments[0]} did not start"
            yield said[1], process
        finally:
            process.kill()
            rest.join()
