"""Fetches the submissions of a class, and keeps them for the next time.

What is kept of a commit is its files, never a repository: no address with a password in it, and
nothing that a later fetch could stumble over. A folder of the user's own is never changed.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from threading import Event
from typing import TypeVar

from grader.checkouts.command import Git, GitError
from grader.checkouts.faults import FetchError, fault_of, has_lost_objects
from grader.checkouts.files import entries_of, is_text, lay_out
from grader.checkouts.remote import (
    NO_FILES,
    SMALL_FILES,
    Pick,
    Source,
    Tip,
    fetch_commit,
    fetch_files,
    find_tip,
)
from grader.model import Student
from grader.repository import is_url, shown_url
from grader.rubric import Limits
from grader.textfile import MAX_BYTES

__all__ = ["Checkout", "Checkouts", "FetchError"]

_LAYOUT = "1"
"""Part of every path, so that a grader that lays files out differently starts anew."""
_LIMITS = Limits(
    wall_seconds=120,
    memory_bytes=512 * 1024**2,
    disk_bytes=256 * 1024**2,
    output_bytes=1024**2,
)
_ASKING_SECONDS = 30.0
_DELAYS = (1.0, 5.0)
"""Seconds before each new attempt."""
_OTHER_GRADER_SECONDS = 900.0
_NAME_LENGTH = 24

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A submission on this computer."""

    folder: Path
    commit: str | None
    """None for a folder of the user's own, which may hold more than its last commit."""
    moved: bool
    """Whether it had to be fetched, since it is new or has changed."""
    late: bool = False
    """Whether there are later commits, left out because of the deadline."""


class Checkouts:
    """The submissions of a class, kept below a folder; safe for many threads and graders."""

    def __init__(
        self,
        folder: Path,
        *,
        stop: Event | None = None,
        pause: Callable[[float], object] | None = None,
        limits: Limits = _LIMITS,
        is_needed: Callable[[PurePosixPath], bool] = is_text,
    ) -> None:
        """Setting `stop` ends every fetch; `pause` waits some seconds before a new attempt.

        A repository may have lost the content of a file that is not needed.
        """
        self._folder = folder.absolute() / _LAYOUT
        self._stop = stop or Event()
        self._pause = pause or self._stop.wait
        self._limits = limits
        self._is_needed = is_needed

    def get(self, student: Student, deadline: datetime | None = None) -> Checkout:
        """The student's submission, fetched only if it is not here as it is there now.

        With a deadline it is the last commit of the branch that was made before. That is told by
        the clock of whoever committed: when it was pushed cannot be had from git.

        Raises FetchError.
        """
        source = _source(student, deadline)
        if source is None:
            return Checkout(folder=Path(student.repository), commit=None, moved=False)
        try:
            return self._get(source, deadline)
        except GitError as complaint:
            raise FetchError(fault_of(str(complaint), source.shown).sentence) from None
        except OSError as fault:
            reason = fault.strerror or "the disk is at fault"
            raise FetchError(f"{source.shown} could not be kept here: {reason}.") from None

    def _get(self, source: Source, deadline: datetime | None) -> Checkout:
        home = self._folder / _name(source)
        home.mkdir(parents=True, exist_ok=True)
        limits = self._limits.model_copy(
            update={"wall_seconds": min(_ASKING_SECONDS, self._limits.wall_seconds)}
        )
        tip = self._insist(lambda: find_tip(self._git(home, source, limits), source))
        pick = _kept(home, tip, deadline)
        moved = pick is None
        if pick is None:
            with _alone(home, source):
                pick = _kept(home, tip, deadline) or self._fetch(home, source, tip, deadline)
        return Checkout(folder=home / pick.commit, commit=pick.commit, moved=moved, late=pick.late)

    def _fetch(self, home: Path, source: Source, tip: Tip, deadline: datetime | None) -> Pick:
        for left in home.glob("fetch-*"):  # by a grader that was killed
            shutil.rmtree(left, ignore_errors=True)
        try:
            return self._insist(lambda: self._keep(home, source, tip, SMALL_FILES, deadline))
        except GitError as complaint:
            if not has_lost_objects(str(complaint)):
                raise
        return self._insist(lambda: self._keep(home, source, tip, NO_FILES, deadline))

    def _keep(
        self, home: Path, source: Source, tip: Tip, files: str, deadline: datetime | None
    ) -> Pick:
        """Fetches a commit and keeps its files, all of them or none."""
        with TemporaryDirectory(prefix="fetch-", dir=home, ignore_cleanup_errors=True) as place:
            git = self._git(Path(place, "repository"), source, self._limits)
            git.folder.mkdir()
            pick = fetch_commit(git, source, tip.name, files, deadline)
            if not (home / pick.commit).is_dir():
                tree = Path(place, "tree")
                _describe(tree, pick.commit, source)
                self._lay_out(git, source, pick.commit, files, tree)
                tree.rename(home / pick.commit)
        if deadline is not None:
            _pick_file(home, pick.tip, deadline, pick.commit).touch()
        return pick

    def _lay_out(self, git: Git, source: Source, commit: str, files: str, tree: Path) -> None:
        entries = entries_of(git, commit)
        if files == NO_FILES:
            fetch_files(git, [entry.object for entry in entries])
        lost = lay_out(git, entries, tree, MAX_BYTES + 1 if files == SMALL_FILES else None)
        missed = next((path for path in lost if self._is_needed(PurePosixPath(path))), None)
        if missed is not None:
            raise FetchError(f"{source.shown} is damaged: it has lost what was in {missed}.")

    def _insist(self, attempt: Callable[[], _T]) -> _T:
        """Tries again what may succeed in a moment; raises what the last attempt raised."""
        for delay in _DELAYS:
            try:
                return attempt()
            except GitError as complaint:
                if self._stop.is_set() or not fault_of(str(complaint), "").passing:
                    raise
            self._pause(delay)
        return attempt()

    def _git(self, folder: Path, source: Source, limits: Limits) -> Git:
        return Git(folder=folder, limits=limits, stop=self._stop, settings=source.settings)


# ---------------------------------------------------------------- where from


def _source(student: Student, deadline: datetime | None) -> Source | None:
    """What is to be fetched; None for a folder that is graded where it is."""
    place = student.repository
    if is_url(place):
        return Source(url=place, ref=student.ref, shown=shown_url(place))
    if not os.path.isdir(place):  # noqa: PTH112 - Path.is_dir raises for some names
        raise FetchError(f"There is no folder {place}.")
    folder = Path(place).resolve()
    if _is_repository(folder) or (
        _is_repository(folder / ".git") and (student.ref is not None or deadline is not None)
    ):
        return Source(url=folder.as_uri(), ref=student.ref, shown=place)
    if student.ref is not None or deadline is not None:
        wanted = "its state at the deadline" if student.ref is None else student.ref
        raise FetchError(f"{place} is no git repository, so {wanted} cannot be told from it.")
    return None


def _is_repository(folder: Path) -> bool:
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir()


# ---------------------------------------------------------------- what is kept


def _name(source: Source) -> str:
    """The repository's folder: one that a person recognises, and that no other one has."""
    last = re.split(r"[/:\\]", source.shown.removesuffix(".git").rstrip("/"))[-1]
    stem = re.sub(r"[^a-z0-9]+", "-", last.lower())[:_NAME_LENGTH].strip("-")
    return f"{stem}-{hashlib.sha256(shown_url(source.url).encode()).hexdigest()[:16]}".lstrip("-")


def _kept(home: Path, tip: Tip, deadline: datetime | None) -> Pick | None:
    commit: str | None = tip.commit
    if deadline is not None:
        picks = home.glob(_pick_file(home, tip.commit, deadline, "*").name)
        commit = next((pick.name.rpartition(".")[2] for pick in picks), None)
    if commit is None or not (home / commit).is_dir():
        return None
    return Pick(commit=commit, tip=tip.commit)


def _pick_file(home: Path, tip: str, deadline: datetime, commit: str) -> Path:
    """A file whose name tells which commit there was at the deadline."""
    return home / f"{tip}.{int(deadline.timestamp())}.{commit}"


def _describe(tree: Path, commit: str, source: Source) -> None:
    """Leaves what `git_facts` reads; without it, it would look for a repository further up."""
    (tree / ".git").mkdir(parents=True)
    (tree / ".git" / "HEAD").write_text(f"{commit}\n", encoding="ascii")
    settings = f'[remote "origin"]\n\turl = {shown_url(source.url)}\n'
    (tree / ".git" / "config").write_text(settings, encoding="utf-8")


@contextmanager
def _alone(home: Path, source: Source) -> Iterator[None]:
    """Keeps other threads and graders from fetching the same repository meanwhile."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(home / "lock", timeout=_OTHER_GRADER_SECONDS):
            yield
    except Timeout:
        raise FetchError(f"{source.shown} is still being fetched by another grader.") from None
