"""What a run printed, made fit to be read: plain text, no paths of this machine, its last error."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePath, PureWindowsPath

from grader.sandbox.program import WORK

_TAIL_LINES = 10
_WIDTH = 300

_ESCAPES = re.compile(
    r"\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]"
)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
_ADDRESS = re.compile(r"\bat 0x[0-9A-Fa-f]+")

_TRACEBACK = "Traceback (most recent call last):"
_CHAINS = ("During handling of the above exception", "The above exception was the direct cause")
_FRAME = re.compile(r'\s+File "(?P<file>[^"]+)", line (?P<line>\d+)')
_CHILD = re.compile(r"Process \S.*:$")
# Other processes may print between a traceback's lines: not every word is a class's name.
_ERROR = re.compile(r"(?:\w+\.[\w.]+|(?=\w*[a-z])[A-Z]\w*)(?::\s.*)?$")


def readable(data: bytes) -> str:
    """Bytes as text in lines, without terminal codes and hidden characters."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    # UTF-16 is, for plain words, UTF-8 with NULs in between; they go with the control characters.
    return _CONTROLS.sub("", _ESCAPES.sub("", text))


def without_paths(text: str, home: PurePath) -> str:
    """Takes the folders of this machine out of a text; names in the script's folder stay."""
    work = home / WORK
    text = re.sub(rf"(?:{_spellings(work)})[\\/]+", "", text)
    own_home = os.path.expanduser("~")  # noqa: PTH111 - pathlib raises where there is none
    known = (work, home, Path(sys.prefix), Path(sys.base_prefix), Path(own_home))
    pattern = "|".join(_spellings(path) for path in known if path.is_absolute() and path.name)
    return re.sub(rf"(?:{pattern})(?![\w.-])", "…", text)


def _spellings(folder: PurePath) -> str:
    plain = str(folder)
    return "|".join(re.escape(path) for path in (plain, plain.replace("\\", "\\\\")))


def tail(printed: str) -> str:
    """The last lines of what was printed."""
    return "\n".join(_clipped(line) for line in printed.rstrip().split("\n")[-_TAIL_LINES:])


def _clipped(line: str) -> str:
    return line.rstrip() if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"


def last_error(printed: str, script: str, modules: Collection[str]) -> str | None:
    """What ended the script: "NameError: name 'x' is not defined (line 12)".

    Processes side by side fail in any order, so theirs count only if the script itself did
    not fail, and then it is the first by name.
    """
    files = {str(PureWindowsPath(name)): f"{name}, " for name in modules}
    errors = _errors(printed.split("\n"), {**files, str(PureWindowsPath(script)): ""})
    own = [text for text, in_child in errors if not in_child]
    return own[-1] if own else min((text for text, _ in errors), default=None)


def _errors(lines: Iterable[str], files: Mapping[str, str]) -> list[tuple[str, bool]]:
    """The last line of each traceback, and whether a process that the script started died of it.

    `files` says how to name each file of the student's in front of a line's number.
    """
    errors: list[tuple[str, bool]] = []
    unfinished, in_child, place = 0, False, ""
    for line in map(_clipped, lines):
        if line.startswith(_TRACEBACK):
            unfinished += 1
        elif frame := _FRAME.match(line):
            unfinished = max(unfinished, 1)  # a syntax error has no heading
            file = files.get(str(PureWindowsPath(frame["file"])))
            place = place if file is None else f" ({file}line {frame['line']})"
        elif line.startswith(_CHAINS) and errors:
            _, in_child = errors.pop()
        elif _CHILD.match(line):
            in_child = True
        elif unfinished and _ERROR.match(line):
            # Python 3.10 names the module of a script's own exceptions, later ones do not.
            said = line.removeprefix("__main__.")
            errors.append((_ADDRESS.sub("at 0x…", said) + place, in_child))
            unfinished -= 1
            in_child, place = (in_child, place) if unfinished else (False, "")
    return errors
