"""Tries what no student's script may do, and prints a line for each attempt that worked.

It runs inside the sandbox. `TARGET` is a file of the person who runs the grader, `PORT` a
server on this computer, `GRADER` the grader's process, `LIMIT` the memory it may have.
"""

import os
import socket
import subprocess
from pathlib import Path


def reads_files() -> None:
    """Reads a file that is none of its business."""
    Path(os.environ["TARGET"]).read_bytes()


def writes_files() -> None:
    """Puts a file where others keep theirs."""
    Path(os.environ["TARGET"]).with_name("written").write_bytes(b"")


def uses_the_network() -> None:
    """Talks to a server."""
    socket.create_connection(("127.0.0.1", int(os.environ["PORT"])), timeout=2).close()


def reaches_processes() -> None:
    """Asks whether a signal could be sent to the grader."""
    os.kill(int(os.environ["GRADER"]), 0)


def takes_memory() -> None:
    """Takes more memory than it was given."""
    bytearray(int(os.environ["LIMIT"]) + 1)


def gains_rights() -> None:
    """Becomes somebody else, or root in a world of its own."""
    subprocess.run(["/usr/bin/unshare", "--user", "true"], check=True, capture_output=True)


ATTEMPTS = (
    reads_files,
    writes_files,
    uses_the_network,
    reaches_processes,
    takes_memory,
    gains_rights,
)

if __name__ == "__main__":
    for attempt in ATTEMPTS:
        try:
            attempt()
        except (OSError, MemoryError, subprocess.SubprocessError):
            continue
        print(attempt.__name__)
