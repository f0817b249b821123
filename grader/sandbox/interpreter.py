"""Which Python runs the programs, and what of this computer it needs to see."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

import grader

EXECUTABLE = Path(os.path.normpath(sys.executable))
"""It may have been called as `../venv/bin/python`, and a sandbox does not know that way."""

PACKAGE = Path(grader.__file__).resolve().parent
"""This package: it holds the rubric, which no program may read."""

_NEEDED = ("bin", "lib", "lib32", "lib64", "pyvenv.cfg")


def needed() -> tuple[Path, ...]:
    """Folders and files outside of /usr that the interpreter is made of.

    A virtual environment points to another Python, and a version manager's may be a link to
    a third. Of their folders only what Python reads is named: a prefix may be somebody's home.
    """
    real = EXECUTABLE.resolve().parent.parent
    prefixes = dict.fromkeys((Path(sys.prefix), Path(sys.base_prefix), _linked(), real))
    outside = (prefix for prefix in prefixes if not prefix.is_relative_to("/usr"))
    return tuple(path for prefix in outside for name in _NEEDED if (path := prefix / name).exists())


def hidden() -> tuple[Path, ...]:
    """Folders with files of this package: its own, and the one where installers put its data."""
    installed = Path(sysconfig.get_path("purelib")) / PACKAGE.name
    return tuple(path for path in {PACKAGE, installed.resolve()} if path.is_dir())


def libraries() -> dict[str, str]:
    """Variables without which an interpreter that is a shared library may not find itself."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = Path(sys.base_prefix) / "lib"
    if folder.is_relative_to("/usr/lib") or not (folder / f"libpython{version}.so").exists():
        return {}
    return {"LD_LIBRARY_PATH": str(folder)}


def readable_by_others() -> bool:
    """Whether another user of this computer could start this Python."""
    paths = (EXECUTABLE, *needed())
    return all(_open(path) for start in paths for path in (start.resolve(), *start.parents))


def _linked() -> Path:
    """Where a virtual environment's `python` leads at the first step."""
    if not EXECUTABLE.is_symlink():
        return EXECUTABLE.parent.parent
    return Path(os.path.normpath(EXECUTABLE.parent / EXECUTABLE.readlink())).parent.parent


def _open(path: Path) -> bool:
    wanted = 0o005 if path.is_dir() or path.suffix == "" else 0o004
    return path.stat().st_mode & wanted == wanted
