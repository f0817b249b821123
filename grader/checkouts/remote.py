"""Asks a repository what it holds, and fetches a commit of it into a repository of our own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from grader.checkouts.command import Git, GitError
from grader.checkouts.faults import FetchError, fault_of
from grader.suggest import suggestion
from grader.textfile import MAX_BYTES

SMALL_FILES = f"blob:limit={MAX_BYTES + 1}"
NO_FILES = "blob:none"

_DEPTHS = (1, 50, 1_000, 10_000)
"""How much history is fetched to find what there was at the deadline."""
_SHOWN_BRANCHES = 20
_AT_ONCE = 500
_MOST_FETCHES = 60

_REMOTE = "submission"
_TIP = "refs/submission/tip"
_BRANCHES = "refs/heads/"
_PEELED = "^{}"
# A local repository is as good as a server: it may leave out what is not asked for.
_SERVE = "git -c uploadpack.allowFilter=true upload-pack"
# What is left of the settings after a fetch: git would fetch what it lacks by itself.
_SETTINGS = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
# Else the server believes us to have all files of the commits that we have.
_WITHOUT_HISTORY = ("-c", "fetch.negotiationAlgorithm=noop")

_COMMIT = re.compile(r"[0-9a-f]{40}", re.IGNORECASE)
_SHORT_COMMIT = re.compile(r"[0-9a-f]{6,39}", re.IGNORECASE)
_LISTED = re.compile(r"^([0-9a-f]{40,64})\t(\S+)$", re.MULTILINE)
_HISTORY = re.compile(r"^(\d+) ([0-9a-f]{40})$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A repository, and what of it is asked for."""

    url: str
    ref: str | None
    """A branch, tag or commit; None for what the repository shows first."""
    shown: str
    """The URL or path without a password."""

    @property
    def settings(self) -> tuple[str, ...]:
        """Git's settings for it; given to each command, they are written nowhere."""
        local = (f"remote.{_REMOTE}.uploadpack={_SERVE}",) if self.url.startswith("file:") else ()
        return (f"remote.{_REMOTE}.url={self.url}", *local)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """Where a branch or tag stands."""

    name: str
    """What to fetch it by."""
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """The commit that is graded."""

    commit: str
    tip: str
    """The last commit there is; another one when that is later than the deadline."""

    @property
    def late(self) -> bool:
        """Whether there are commits from after the deadline."""
        return self.commit != self.tip


# ---------------------------------------------------------------- asking


def find_tip(git: Git, source: Source) -> Tip:
    """Asks where the branch stands, in one request; raises GitError and FetchError."""
    ref = source.ref or "HEAD"
    if _COMMIT.fullmatch(ref):
        return Tip(name=ref.lower(), commit=ref.lower())
    names = [ref] if ref == "HEAD" or ref.startswith("refs/") else _full_names(ref)
    patterns = (f"{_BRANCHES}*", "HEAD", *names, *(name + _PEELED for name in names))
    listed = git("ls-remote", _REMOTE, *patterns).decode("utf-8", "replace")
    refs = {name: commit for commit, name in _LISTED.findall(listed)}
    name = next((name for name in names if name in refs), None)
    if name is None:
        raise FetchError(f"{source.shown} {_lacks(ref, refs)}")
    return Tip(name=name, commit=refs.get(name + _PEELED, refs[name]))


def _full_names(ref: str) -> list[str]:
    return [f"refs/tags/{ref}", _BRANCHES + ref]


def _lacks(ref: str, refs: Iterable[str]) -> str:
    heads = [name for name in refs if name.startswith(_BRANCHES) and name.isprintable()]
    branches = [name.removeprefix(_BRANCHES) for name in heads][:_SHOWN_BRANCHES]
    if not branches:
        return "is empty: nothing has been pushed to it yet."
    if ref == "HEAD":
        return f"has lost its default branch; there are: {', '.join(branches)}."
    if _SHORT_COMMIT.fullmatch(ref):
        return f"has no branch or tag {ref}; write a commit's name in full."
    return f"has no branch or tag {ref}; {suggestion(ref, branches)}"


# ---------------------------------------------------------------- fetching


def fetch_commit(
    git: Git, source: Source, name: str, files: str, deadline: datetime | None
) -> Pick:
    """Fetches the last commit of a branch, or the last before the deadline.

    `git` runs in an empty folder; `files` says which files come along. Raises GitError, and
    FetchError when there is no such commit.
    """
    git("init", "--quiet", "--bare", "--template=", ".")
    moment = float("inf") if deadline is None else deadline.timestamp()
    for depth in _DEPTHS:
        _fetch(git, files, f"--depth={depth}", _REMOTE, f"+{name}:{_TIP}")
        history = _history(git, depth)
        commit = next((commit for seconds, commit in history if seconds <= moment), None)
        if commit:
            return Pick(commit=commit, tip=history[0][1])
        if not (git.folder / "shallow").exists():
            first = datetime.fromtimestamp(history[-1][0], timezone.utc)
            break
    else:
        raise GitError("far more than a submission")
    raise FetchError(
        f"{source.shown} has no commit from before the deadline: "
        f"its first one is from {first:%Y-%m-%d %H:%M} UTC."
    )


def fetch_files(git: Git, objects: Sequence[str]) -> None:
    """Fetches these objects but for those that the repository has lost; raises GitError."""
    waiting = [objects[start : start + _AT_ONCE] for start in range(0, len(objects), _AT_ONCE)]
    for _ in range(_MOST_FETCHES):
        if not waiting:
            return
        part = waiting.pop()
        try:
            _fetch(git, NO_FILES, _REMOTE, *part, options=_WITHOUT_HISTORY)
        except GitError as complaint:
            if git.stop.is_set() or fault_of(str(complaint), "").passing:
                raise
            # One that is lost keeps the others from coming.
            middle = len(part) // 2
            waiting += [half for half in (part[:middle], part[middle:]) if middle]
    raise GitError("corrupt")


def _fetch(git: Git, files: str, *what: str, options: Sequence[str] = ()) -> None:
    quietly = ("--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no")
    try:
        git(*options, "fetch", *quietly, f"--filter={files}", *what)
    finally:
        (git.folder / "config").write_text(_SETTINGS, encoding="ascii")


def _history(git: Git, depth: int) -> list[tuple[int, str]]:
    """(seconds since 1970, commit) of the branch itself, the last one first."""
    listed = git("rev-list", "--first-parent", "--timestamp", f"--max-count={depth}", _TIP)
    found = _HISTORY.findall(listed.decode("utf-8", "replace"))
    if not found:
        raise GitError("missing commit")
    return [(int(seconds), commit) for seconds, commit in found]
