"""Lays out the files of a commit that a submission may be read from, without a checkout.

Nothing is executed, no link is followed, and an object that the repository has lost costs no
more than its own file. What is laid out is read as any other folder is, and says the same.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath

from grader.checkouts.command import Git, GitError
from grader.textfile import MAX_BYTES

_FOLDERS = 100
_TREE_BYTES = 1024**2
_TOTAL_BYTES = 256 * 1024**2

_ENTRY = re.compile(rb"(\d+) ([^\0]+)\0(.{20})", re.DOTALL)
# On Windows some names are devices, and some are taken for another name.
_WINDOWS = re.compile(
    r'(?:con|prn|aux|nul|conin\$|conout\$|com\d|lpt\d)(?:\..*)?|.*[<>:"|?*].*|.*[. ]|git~\d',
    re.IGNORECASE,
)

_TEXTS = {"", ".py", ".md", ".markdown", ".txt", ".rst", ".log"}


class _Kind(Enum):
    """What an entry of a folder is, by the beginning of its mode."""

    FILE = b"100"
    LINK = b"120"
    FOLDER = b"400"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a commit holds under a name, at its root or in a folder there."""

    path: str
    """Relative to the root, with `/`."""
    object: str
    kind: _Kind


def is_text(path: PurePosixPath) -> bool:
    """Whether a file with such a name may be one that is read for grading."""
    return path.suffix.casefold() in _TEXTS and not path.name.startswith(".")


def entries_of(git: Git, commit: str) -> list[Entry]:
    """Lists the files of the commit's root and of the folders in it; raises GitError."""
    root = list(_listed(git, [f"{commit}^{{tree}}"], [""]))
    folders = [entry for entry in root if entry.kind is _Kind.FOLDER and entry.path[0] != "."]
    folders = folders[:_FOLDERS]
    trees, prefixes = [e.object for e in folders], [f"{e.path}/" for e in folders]
    below = _listed(git, trees, prefixes)
    return [entry for entry in (*root, *below) if entry.kind is not _Kind.FOLDER]


def _listed(git: Git, trees: Sequence[str], prefixes: Sequence[str]) -> Iterator[Entry]:
    if any((size or 0) > _TREE_BYTES for size in git.sizes(trees)):
        raise GitError("far more than a submission")
    kinds = {kind.value: kind for kind in _Kind}
    for prefix, tree in zip(prefixes, git.contents(trees), strict=True):
        for mode, raw, name in _ENTRY.findall(tree):
            path = raw.decode("utf-8", "replace")
            if mode[:3] in kinds and _may_be_written(path):
                yield Entry(path=prefix + path, object=name.hex(), kind=kinds[mode[:3]])


def _may_be_written(name: str) -> bool:
    if not name.isprintable() or "\ufffd" in name or "/" in name or "\\" in name:
        return False
    if name in {".", ".."} or name.casefold() == ".git":
        return False
    return sys.platform != "win32" or not _WINDOWS.fullmatch(name)


def lay_out(git: Git, entries: Sequence[Entry], folder: Path, absent: int | None) -> list[str]:
    """Writes the files into a folder; returns the paths of those that the repository has lost.

    `absent` is the size of a file whose content was not fetched as it is too large, and None if
    whatever is not here is lost. Raises GitError and OSError.
    """
    files = [entry for entry in entries if entry.kind is _Kind.FILE]
    found = [absent if size is None else size for size in git.sizes([e.object for e in files])]
    sizes = dict(zip((entry.path for entry in files), found, strict=True))
    small = [entry for entry in files if (sizes[entry.path] or 0) <= MAX_BYTES]
    small = [entry for entry in small if sizes[entry.path] is not None]
    if sum(sizes[entry.path] or 0 for entry in small) > _TOTAL_BYTES:
        raise GitError("far more than a submission")
    contents = git.contents([entry.object for entry in small])
    for entry, content in zip(small, contents, strict=True):
        _write(folder / entry.path, content)
    for entry in entries:
        if entry.kind is _Kind.LINK:
            _mark_link(folder / entry.path)
        elif (sizes[entry.path] or 0) > MAX_BYTES:
            _mark_large(folder / entry.path)
    return [path for path, size in sizes.items() if size is None]


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    # Where two names are the same to this system, the first one stays.
    with suppress(FileExistsError), path.open("xb") as file:
        file.write(content)


def _mark_large(path: Path) -> None:
    """Leaves a file that is too large to be read, and takes no room on most disks."""
    path.parent.mkdir(exist_ok=True)
    with suppress(FileExistsError), path.open("xb") as file:
        file.truncate(MAX_BYTES + 1)


def _mark_link(path: Path) -> None:
    """Leaves a link that leads nowhere, so that its reader can say what it is."""
    path.parent.mkdir(exist_ok=True)
    with suppress(OSError):  # not everybody may make one on Windows
        path.symlink_to("a-link-of-the-submission")
