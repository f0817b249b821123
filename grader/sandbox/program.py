"""What a sandbox is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PureWindowsPath

from grader.process import Ended, clean_environment
from grader.sandbox.interpreter import libraries

WORK = "work"
"""The folder that the program starts in, inside the one it can write to."""
TEMPORARY = "tmp"
TRACE = "trace"
FOLDERS = (WORK, TEMPORARY, TRACE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A Python program made of untrusted files, to be run in a folder of its own."""

    files: Mapping[str, bytes]
    """Name relative to the folder -> content."""
    script: str
    """The file to start."""
    shim: Path | None = None
    """A folder of ours with modules that the program's interpreter finds first."""
    variables: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises ValueError when a name leads out of the folder."""
        for name in self.files:
            # Windows has the stricter rules: what is plain and relative there is so everywhere.
            path = PureWindowsPath(name)
            if path.anchor or ".." in path.parts or not path.name or "\0" in name:
                raise ValueError(f"{name!r} does not name a file inside the script's folder")

    def environment(self, home: PurePath, shim: PurePath | None) -> dict[str, str]:
        """All its variables, if it finds these folders of ours there."""
        ours = {} if shim is None else {"PYTHONPATH": str(shim), "GRADER_TRACE": str(home / TRACE)}
        system = {**clean_environment(home, home / TEMPORARY), **libraries()}
        return {**system, **self.variables, **ours}


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A program that has ended, and what it left; the files are there until the sandbox closes."""

    ended: Ended
    sandbox: str
    """What held it: `bubblewrap`, `landlock` or `none`."""
    left: Path | None
    """The folder with everything the program could write to; None if it was not started."""
    seen: PurePath
    """The same folder, as the program knew it."""


def parts(name: str) -> tuple[str, ...]:
    """A relative name taken apart, with whichever slashes it was written."""
    return PureWindowsPath(name).parts
