"""What git knows of a submission, and fetching a submission from a URL.

Nothing that a submission's repository says is executed: its HEAD and configuration are read
as files, never through a link. A fetch goes into a fresh repository in which hooks and filters
are off, and only as much of it is checked out as a submission may hold.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from urllib.request import url2pathname

from grader.errors import UsageError
from grader.model import Ending, Note
from grader.sandbox.keeper import temporary_folder
from grader.textfile import MAX_BYTES, read_text_file

# GitPython cannot be imported on a machine without git unless it is told to keep quiet.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
# Windows would else start a git.exe that lies in the folder the user stands in.
os.environ.setdefault("NoDefaultCurrentDirectoryInExePath", "1")

# Small, as the parser takes a time that grows with the square of a broken file.
_CONFIG_BYTES = 8 * 1024
_REF_BYTES = 4 * 1024
_REMOTE_LENGTH = 300
_REASON_LENGTH = 200
_SYMBOLIC_DEPTH = 5
_NO_COMMIT = "The git repository has no commit yet, or its HEAD is damaged."
_FETCH_SECONDS = 120.0
_FETCH_BYTES = 256 * 1024**2
_OUTPUT_BYTES = 64 * 1024

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.IGNORECASE)
_BRANCH = re.compile(r"refs/(?!.*\.\.)[^\s\\:*?\[^~]+")
_USER = re.compile(r"(?<=://)[^/\s]*@")
_QUERY = re.compile(r"(?<=://)([^?#\s]*)[?#][^\s']*")

_URL = re.compile(r"[a-z][a-z0-9+.-]*(?:://|::)|\w[\w.+-]*@[\w.-]+:", re.IGNORECASE)
# An @ before the path belongs to the user's name; the last one in the path announces a ref.
_SOURCE = re.compile(
    r"""(?P<url>
          (?: (?:https|ssh)://(?:[^/\s]*@)?(?!-)[^/\s@]+/ | file:// | \w[\w.+-]*@\w[\w.-]*:(?!-) )
          .+?
        )
        (?: (?<!/)@(?P<ref>[^@]*) )?""",
    re.VERBOSE,
)
REF = re.compile(r"\w[^\s\\:*?\[^~]*")
"""What may name a branch, a tag or a commit."""
# Git takes a list of folders for one of patterns when a name in it looks like a pattern.
_PATTERN = re.compile(r"[\\*?\[\]]| \Z")

SETTINGS = (
    "core.askPass=",
    # Larger files are written piece by piece instead of being held in memory.
    "core.bigFileThreshold=1m",
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    # Folders that are not wanted are not even looked into: ten small trees can hold a billion.
    "core.sparseCheckout=true",
    "core.sparseCheckoutCone=true",
    "index.sparse=true",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
)
NO_QUESTIONS = {
    "GCM_INTERACTIVE": "never",
    "GIT_ALLOW_PROTOCOL": "file:https:ssh",
    "GIT_ASKPASS": "",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
    "SSH_ASKPASS_REQUIRE": "never",
}
# Set while a git hook runs; they would lead our git into the user's own repository.
ANOTHER_REPOSITORY = frozenset(
    f"GIT_{name}"
    for name in (
        "ALTERNATE_OBJECT_DIRECTORIES COMMON_DIR DIR INDEX_FILE NAMESPACE OBJECT_DIRECTORY"
        " PREFIX SHALLOW_FILE WORK_TREE"
    ).split()
)


# ---------------------------------------------------------------- facts


@dataclass(frozen=True, slots=True, kw_only=True)
class GitFacts:
    """The commit and remote of the repository a folder is in, as far as they can be read."""

    commit: str | None = None
    remote: str | None = None
    notes: tuple[Note, ...] = ()


def git_facts(folder: Path) -> GitFacts:
    """Reads what git knows of `folder` or a folder above it; what cannot be told is a note."""
    home = folder.resolve()
    marks = (parent / ".git" for parent in (home, *home.parents))
    mark = next((mark for mark in marks if os.path.lexists(mark)), None)
    if mark is None:
        return _without("This folder is in no git repository, so no commit is recorded.")
    if mark.is_symlink() or not mark.is_dir():
        return _without("The .git here only points to another place, so no commit is recorded.")
    commit = _commit(mark)
    remote, faults = None, [] if commit else [_NO_COMMIT]
    try:
        remote = _remote(mark)
    except Exception:  # a parser of another house, on a file anyone may have written
        faults.append("The settings of the git repository make no sense; no remote is recorded.")
    return GitFacts(commit=commit, remote=remote, notes=_notes(*faults))


def _without(reason: str) -> GitFacts:
    return GitFacts(notes=_notes(reason))


def _notes(*texts: str) -> tuple[Note, ...]:
    return tuple(Note(kind="git", text=text) for text in texts)


def _commit(git: Path) -> str | None:
    """Follows HEAD to its commit; None when it leads nowhere."""
    name = "HEAD"
    for _ in range(_SYMBOLIC_DEPTH):
        text = _inside(git, name, _REF_BYTES).strip() or _packed(git, name)
        if _COMMIT.fullmatch(text):
            return text.lower()
        name = text.removeprefix("ref:").strip()
        if not _BRANCH.fullmatch(name):
            return None
    return None


def _packed(git: Path, name: str) -> str:
    lines = _inside(git, "packed-refs", MAX_BYTES).split("\n")
    return next((line.split(" ")[0] for line in lines if line.endswith(f" {name}")), "")


def _inside(git: Path, name: str, max_bytes: int) -> str:
    """The text of a file that is really in there: no folder on its way may be a link."""
    path = os.path.realpath(git / name)
    if not Path(path).is_relative_to(os.path.realpath(git)):
        return ""
    return read_text_file(git / name, name, max_bytes).text


def _remote(git: Path) -> str | None:
    """Reads where the repository came from; raises when its settings make no sense."""
    from git.config import GitConfigParser

    config = read_text_file(git / "config", "config", _CONFIG_BYTES)
    if config.problem:
        raise ValueError(config.problem)
    # Without includes, which could name any file of this machine.
    parser = GitConfigParser(_Named(config.text.encode()), merge_includes=False)
    remotes = [section for section in parser.sections() if parser.has_option(section, "url")]
    remotes = [section for section in remotes if section.startswith("remote ")]
    remotes.sort(key='remote "origin"'.__ne__)
    return shown_url(str(parser.get(remotes[0], "url")))[:_REMOTE_LENGTH] if remotes else None


class _Named(BytesIO):
    """Bytes that the parser can take for an open file."""

    name = "config"


# ---------------------------------------------------------------- addresses


def is_url(source: str) -> bool:
    """Tells whether `source` is meant as the address of a repository, not as a folder."""
    return _URL.match(source) is not None


def shown_url(url: str) -> str:
    """Takes user, password, token and control characters out of an address."""
    url = "".join(character for character in url if character.isprintable())
    return _QUERY.sub(r"\1", _USER.sub("", url))


def split_source(source: str) -> tuple[str, str]:
    """Splits `URL@REF`, where HEAD stands for no REF; raises `UsageError`."""
    found = _SOURCE.fullmatch(source) if source.isprintable() else None
    if found is None:
        raise UsageError(
            f"{shown_url(source)} cannot be fetched. Give an address that starts with https://, "
            "ssh://, git@ or file://, such as https://github.com/NAME/REPOSITORY."
        )
    url, ref = found["url"], found["ref"]
    if ref is None or (url.startswith("file://") and _is_folder(source)):
        return source, "HEAD"
    if not REF.fullmatch(ref):
        raise UsageError(
            f"{shown_url(source)} names no branch, tag or commit after its last @. "
            "Write URL@NAME, or the URL alone."
        )
    return url, ref


def _is_folder(url: str) -> bool:
    return Path(url2pathname(url.removeprefix("file://"))).is_dir()


# ---------------------------------------------------------------- fetching


@contextmanager
def fetched(source: str) -> Iterator[Path]:
    """Fetches `URL` or `URL@REF` (a branch, tag or commit) into a folder that is removed after.

    Raises `UsageError` with the reason when that fails.
    """
    url, ref = split_source(source)
    with temporary_folder() as temporary:
        folder = temporary / "submission"
        folder.mkdir()
        try:
            _fetch(url, ref, folder)
        except _GitError as reason:
            raise UsageError(
                f"{shown_url(source)} could not be fetched: {reason}. Check the address, your "
                "connection, and that you are allowed to read the repository."
            ) from None
        yield folder


def _fetch(url: str, ref: str, folder: Path) -> None:
    _git(folder, "init", "--quiet", "--template=")
    info = folder / ".git" / "info"
    info.mkdir(exist_ok=True)
    # These come before the submission's own .gitattributes, so no filter driver is started.
    attributes = "* -filter -ident -text -working-tree-encoding\n"
    (info / "attributes").write_text(attributes, encoding="ascii")
    _git(folder, "remote", "add", "origin", url)
    _git(folder, "fetch", "--quiet", "--depth=1", "--no-tags", "origin", ref)
    listed = _git(folder, "ls-tree", "-d", "-z", "--name-only", "FETCH_HEAD").split("\0")
    folders = [name for name in listed if name.isprintable() and name]
    wanted = ["/*", "!/*/"]
    for name in folders:
        wanted += [] if _PATTERN.search(name) else [f"/{name}/", f"!/{name}/*/"]
    (info / "sparse-checkout").write_text("\n".join(wanted) + "\n", encoding="utf-8")
    _git(folder, "checkout", "--quiet", "--detach", "FETCH_HEAD")


class _GitError(Exception):
    """Why git did not do what it was asked."""


def _git(folder: Path, *arguments: str) -> str:
    """What git prints when run in `folder`, asking nobody anything; raises `_GitError`."""
    from grader.process import MARK, Command, supervise
    from grader.process_tree import Family
    from grader.rubric import Limits

    settings = (word for setting in SETTINGS for word in ("-c", setting))
    kept = {k: v for k, v in os.environ.items() if k not in ANOTHER_REPOSITORY}
    command = Command(
        arguments=("git", *settings, *arguments),
        environment={**kept, **NO_QUESTIONS, MARK: str(folder.parent)},
        folder=folder,
    )
    limits = Limits(
        wall_seconds=_FETCH_SECONDS, disk_bytes=_FETCH_BYTES, output_bytes=_OUTPUT_BYTES
    )
    ended = supervise(
        command, limits, tree_of=lambda git: Family(git, MARK, str(folder.parent), folder)
    )
    if ended.ending is Ending.NOT_STARTED:
        raise _GitError("git could not be started; is it installed?")
    if ended.ending is Ending.TIMED_OUT:
        raise _GitError(f"it took longer than {_FETCH_SECONDS:.0f} s")
    if ended.ending is not Ending.FINISHED:
        raise _GitError("it holds far more than a submission")
    output = ended.output.decode("utf-8", "replace")
    if ended.exit_code != 0:
        raise _GitError(_reason(output))
    return output


def _reason(errors: str) -> str:
    """Picks the first line of git's complaint that says something."""
    lines = [shown_url(line).strip() for line in errors.split("\n")]
    telling = [line for line in lines if line and not line.lower().startswith(("hint", "warning"))]
    reason = telling[0] if telling else "git gave no reason"
    return reason.removeprefix("fatal: ").rstrip(".")[:_REASON_LENGTH]
