"""Runs git for a class: bounded, asking nobody anything, executing nothing of a repository's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import IO, cast

from grader.model import Ending
from grader.process import MARK, Command, supervise
from grader.process_tree import Family
from grader.repository import ANOTHER_REPOSITORY, NO_QUESTIONS, SETTINGS
from grader.rubric import Limits

_STALLED = (
    # A transfer that all but stands still is given up long before its time is over.
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
)


class GitError(Exception):
    """Git did not do what it was asked; the text is what it printed, or what stopped it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """How git is run in one folder."""

    folder: Path
    limits: Limits
    stop: Event
    """Ends what runs when it is set."""
    settings: tuple[str, ...] = ()
    """More configuration, as `name=value`."""

    def __call__(self, *arguments: str) -> bytes:
        """What git prints, warnings included; raises GitError."""
        command = Command(
            arguments=self._arguments(arguments),
            environment=self._environment(),
            folder=self.folder,
        )
        ended = supervise(command, self.limits, self.stop, self._tree)
        if ended.ending is Ending.NOT_STARTED:
            raise GitError("git could not be started")
        if ended.ending is Ending.TIMED_OUT:
            raise GitError("was stopped" if self.stop.is_set() else "timed out")
        if ended.ending is not Ending.FINISHED:
            raise GitError("far more than a submission")
        if ended.exit_code != 0:
            raise GitError(ended.output.decode("utf-8", "replace"))
        return ended.output

    def sizes(self, objects: Iterable[str]) -> list[int | None]:
        """The size of each object in bytes; None for one that is not here. Raises GitError."""
        asked = "".join(f"{name}\n" for name in objects).encode()
        with self._local("cat-file", "--batch-check=%(objectsize)") as git:
            answer = git.communicate(asked)[0]
        if git.returncode != 0:
            raise GitError("bad object")
        return [int(line) if line.isdigit() else None for line in answer.splitlines()]

    def contents(self, objects: Iterable[str]) -> Iterator[bytes]:
        """Each object, one in memory at a time; raises GitError for one that is not here."""
        with self._local("cat-file", "--batch=%(objectsize)") as git:
            questions, answers = cast("IO[bytes]", git.stdin), cast("IO[bytes]", git.stdout)
            for name in objects:
                questions.write(f"{name}\n".encode())
                questions.flush()
                size = answers.readline()
                if not size.strip().isdigit():
                    raise GitError(f"unable to read {name}")
                yield answers.read(int(size) + 1)[:-1]

    def _local(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Starts git for objects that are here: it neither waits for anybody nor writes."""
        return subprocess.Popen(
            self._arguments(arguments),
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=sys.platform != "win32",
        )

    def _arguments(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        settings = (*SETTINGS, *_STALLED, *self.settings)
        return ("git", *(word for one in settings for word in ("-c", one)), *arguments)

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k not in ANOTHER_REPOSITORY}
        return {**kept, **NO_QUESTIONS, MARK: str(self.folder)}

    def _tree(self, leader: subprocess.Popen[bytes]) -> Family:
        return _Group(leader, MARK, str(self.folder), self.folder)


class _Group(Family):
    """Git and its helpers. They do not hide, so no look at every process is needed to end them."""

    def end(self) -> None:
        """Kills the process group."""
        if sys.platform == "win32":
            super().end()
            return
        with suppress(OSError):
            os.killpg(self._leader.pid, signal.SIGKILL)
        self._leader.wait()
