"""Finds and reads a student's files; nothing downstream touches them on the disk again."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from grader.errors import UsageError
from grader.model import FileState, Note, Submission, TextFile
from grader.repository import git_facts, shown_url
from grader.text import LONGEST
from grader.textfile import read_text_file

if TYPE_CHECKING:
    from grader.rubric import Rubric

_MAX_ENTRIES = 2_000
_MAX_PASSED = 500_000
_MAX_FOLDERS = 100
_MAX_MODULES = 50
_MAX_NAMED = 5
_MAX_MODULE_BYTES = 256 * 1024

_USUAL_FOLDER = "assignment"
_NOT_THE_STUDENTS = {"venv", "node_modules", "__pycache__"}
_JUNCTION = 0xA0000003  # Windows' IO_REPARSE_TAG_MOUNT_POINT: a link that is a folder to Python
_README_SUFFIXES = (".md", ".markdown", ".txt", ".rst", "")
# Python imports these by itself, or finds its own before it looks beside the script.
_NOT_MODULES = {*map(str.casefold, sys.stdlib_module_names), "sitecustomize", "usercustomize"}

_Fit = Callable[[str], int | None]
"""How well a file's name fits what is wanted: 0 is best, None is not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A file that a submission should hold, under one of the names it may have."""

    name: str
    fit: _Fit


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """The files that the rubric asks for."""

    script: _Wanted
    readme: _Wanted
    transcripts: dict[str, _Wanted]

    @property
    def names(self) -> tuple[str, ...]:
        """What the files should be called."""
        return tuple(file.name for file in (self.script, self.readme, *self.transcripts.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A folder that may hold the files; `prefix` leads to it from the submission."""

    path: Path
    prefix: str
    names: tuple[str, ...]
    folders: tuple[str, ...]
    cut: bool
    """Whether it holds more than was looked at."""

    def find(self, wanted: _Wanted) -> str | None:
        """Picks the name that fits best."""
        fits = [(fit, name) for name in self.names if (fit := wanted.fit(name)) is not None]
        return min(fits)[1] if fits else None


def read_submission(folder: Path, label: str, rubric: Rubric) -> Submission:
    """Reads the files in `folder` that the rubric asks for; reports call it `label`.

    Raises `UsageError` when there is no such folder.
    """
    files = _files(rubric)
    places = _places(folder, label, files)
    home = max(places, key=lambda place: _weight(place, files))
    order = (home, *places)
    script, readme = _take(files.script, order), _take(files.readme, order)
    transcripts = {name: _take(wanted, order) for name, wanted in files.transcripts.items()}
    git = git_facts(folder)
    everything = (script, readme, *transcripts.values())
    return Submission(
        path=shown_url(label),
        script=script,
        readme=readme,
        transcripts=transcripts,
        modules=dict(_modules(home, script)),
        commit=git.commit,
        remote=git.remote,
        notes=(
            *_layout_notes(everything, home, places),
            *_encoding_notes(everything),
            *_length_notes((readme, *transcripts.values())),
            *_name_notes(home),
            *git.notes,
        ),
    )


# ---------------------------------------------------------------- names


def _files(rubric: Rubric) -> _Files:
    return _Files(
        script=_Wanted(name=rubric.script.file, fit=_same(rubric.script.file)),
        readme=_Wanted(name=rubric.readme + _README_SUFFIXES[0], fit=_readme(rubric.readme)),
        transcripts={
            name: _Wanted(name=one.transcript, fit=_transcript(one.transcript))
            for name, one in rubric.configurations.items()
        },
    )


def _same(expected: str) -> _Fit:
    def fit(name: str) -> int | None:
        if name == expected:
            return 0
        return 1 if name.casefold() == expected.casefold() else None

    return fit


def _readme(stem: str) -> _Fit:
    ways = [_same(stem + suffix) for suffix in _README_SUFFIXES]

    def fit(name: str) -> int | None:
        fits = [way(name) for way in ways]
        return next((2 * place + fit for place, fit in enumerate(fits) if fit is not None), None)

    return fit


def _transcript(expected: str) -> _Fit:
    suffix = PurePath(expected).suffix.casefold() or ".txt"
    exactly = _same(expected)

    def loosely(name: str) -> str:
        name = re.sub(r"[ _-]", "", name.casefold())
        while name.endswith(suffix):
            name = name.removesuffix(suffix)
        return name

    def fit(name: str) -> int | None:
        close = exactly(name)
        return 2 if close is None and loosely(name) == loosely(expected) else close

    return fit


# ---------------------------------------------------------------- places


def _places(folder: Path, label: str, files: _Files) -> list[_Place]:
    """Lists the folders the files may be in: the root, the usual one, the others by name."""
    if not os.path.isdir(folder):  # noqa: PTH112 - Path.is_dir raises for some names
        raise UsageError(_no_folder(folder, shown_url(label)))
    try:
        root = _look(folder, "", (*files.names, _USUAL_FOLDER))
    except OSError:
        raise UsageError(
            f"The folder {shown_url(label)} cannot be opened. "
            "Check that you are allowed to read it."
        ) from None
    below = sorted(root.folders, key=lambda name: (name.casefold() != _USUAL_FOLDER, name))
    return [root, *_look_below(root, below[:_MAX_FOLDERS], files)]


def _no_folder(folder: Path, label: str) -> str:
    if os.path.lexists(folder):
        return f"{label} is not a folder. Give the folder that holds your files instead."
    return (
        f"There is no folder {label}. Give the folder that holds your files (a dot for the one "
        "you are in), or the https:// address of a repository."
    )


def _look_below(root: _Place, names: Iterable[str], files: _Files) -> Iterator[_Place]:
    for name in names:
        with suppress(OSError):
            yield _look(root.path / name, f"{name}/", files.names)


def _look(path: Path, prefix: str, wanted: Collection[str]) -> _Place:
    """Lists a folder; in one that is too full, the wanted names are still found."""
    found: list[os.DirEntry[str]] = []
    with os.scandir(path) as entries:
        found.extend(islice(entries, _MAX_ENTRIES))
        rest = islice(entries, _MAX_PASSED)
        cut = next(rest, None)
        if cut is not None:
            found.extend(entry for entry in (cut, *rest) if entry.name in wanted)
    # A name that cannot be printed is none of those wanted, and would spoil every report.
    shown = sorted((e for e in found if e.name.isprintable()), key=lambda e: e.name)
    return _Place(
        path=path,
        prefix=prefix,
        names=tuple(entry.name for entry in shown),
        folders=tuple(entry.name for entry in shown if _may_hold_work(entry)),
        cut=cut is not None,
    )


def _may_hold_work(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith(".") or entry.name.casefold() in _NOT_THE_STUDENTS:
        return False
    if not entry.is_dir(follow_symlinks=False):
        return False
    return getattr(entry.stat(follow_symlinks=False), "st_reparse_tag", 0) != _JUNCTION


def _weight(place: _Place, files: _Files) -> tuple[bool, int, bool]:
    transcripts = sum(place.find(wanted) is not None for wanted in files.transcripts.values())
    return place.find(files.script) is not None, transcripts, place.find(files.readme) is not None


# ---------------------------------------------------------------- contents


def _take(wanted: _Wanted, places: Iterable[_Place]) -> TextFile:
    """Reads the file from the first place that has it."""
    for place in places:
        name = place.find(wanted)
        if name is not None:
            return read_text_file(place.path / name, place.prefix + name)
    return TextFile(name=wanted.name, state=FileState.MISSING)


def _modules(home: _Place, script: TextFile) -> Iterator[tuple[str, str]]:
    """Reads the modules that the student wrote beside the script."""
    if script.state is FileState.MISSING:
        return
    names = [name for name in home.names if _is_module(name) and home.prefix + name != script.name]
    for name in names[:_MAX_MODULES]:
        file = read_text_file(home.path / name, name, _MAX_MODULE_BYTES)
        if file.state in {FileState.PRESENT, FileState.EMPTY}:
            yield name, file.text


def _is_module(name: str) -> bool:
    stem, suffix = PurePath(name).stem, PurePath(name).suffix
    return suffix == ".py" and stem.isidentifier() and stem.casefold() not in _NOT_MODULES


def _layout_notes(
    files: Iterable[TextFile], home: _Place, places: Iterable[_Place]
) -> Iterator[Note]:
    for file in files:
        elsewhere = file.name.rpartition("/")[0] != home.prefix.rstrip("/")
        if elsewhere and file.state is not FileState.MISSING:
            text = f"{file.name} was graded although it is not in the folder of the other files."
            yield Note(kind="layout", text=text)
    if any(place.cut for place in places):
        text = f"A folder holds more than {_MAX_ENTRIES:,} files; not all of them were looked at."
        yield Note(kind="layout", text=text)


def _encoding_notes(files: Iterable[TextFile]) -> Iterator[Note]:
    for file in files:
        if file.present and file.problem:
            text = f"{file.problem} Saving the file as UTF-8 in your editor cures this."
            yield Note(kind="encoding", text=text)


def _length_notes(files: Iterable[TextFile]) -> Iterator[Note]:
    for file in files:
        if len(file.text) > LONGEST:
            text = f"Only the first {LONGEST:,} characters of {file.name} were looked at."
            yield Note(kind="length", text=text)


def _name_notes(home: _Place) -> Iterator[Note]:
    """Modules and packages with the names of Python's own are left out of a run."""
    modules = [name for name in home.names if PurePath(name).suffix in {"", ".py"}]
    taken = [name for name in modules if PurePath(name).stem in sys.stdlib_module_names]
    if taken:
        listed = ", ".join(taken[:_MAX_NAMED])
        text = f"Python has modules of its own named like {listed}; those were used in our runs."
        yield Note(kind="shadowed-module", text=text)
