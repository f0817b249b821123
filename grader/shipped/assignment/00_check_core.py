"""Find out whether this computer is ready for the assignment.

Run this file once, before the project script. It looks at your computer, shows what it
found, and writes the same lines to 00_report_core.txt beside this file. It changes nothing
else, installs nothing and does not use the internet.

If something does not work, show the report to the person who helps you.
"""

from __future__ import annotations

import importlib
import io
import multiprocessing
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

# The oldest Python that the assignment and its grader are made for.

MINIMUM_PYTHON = (3, 10)

# What multiple_processes.py imports. All of it should come with Python.

NEEDED_MODULES = (
    "datetime",
    "logging",
    "multiprocessing",
    "os",
    "platform",
    "sqlite3",
    "sys",
    "time",
)

# The folder this file is in, and the report that is written beside it.

HERE = Path(__file__).resolve().parent
REPORT_FILE = HERE / "00_report_core.txt"

# No question to git should take longer than this, in seconds.

GIT_PATIENCE = 10


def describe_environment() -> str:
    """Say whether this Python belongs to a virtual environment, and to which one."""
    if sys.prefix != sys.base_prefix:
        return f"yes, {sys.prefix}"
    if os.environ.get("CONDA_PREFIX"):
        return f"no, but a conda environment: {os.environ['CONDA_PREFIX']}"
    return "no"


def ask_git(*question: str) -> str:
    """Return git's answer, or nothing when git is missing, unwilling or too slow."""
    git = shutil.which("git")
    if git is None:
        return ""
    try:
        answer = subprocess.run(
            [git, *question],
            cwd=HERE,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=GIT_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.decode("utf-8", errors="replace").strip()


def describe_git() -> str:
    """Say which git is installed."""
    return ask_git("--version") or "not found (install it from https://git-scm.com)"


def describe_remote() -> str:
    """Say which repository on the internet this folder was cloned from."""
    address = ask_git("config", "--get", "remote.origin.url")
    if not address:
        return "none found (this folder is not a clone, or git could not read it)"
    # Some addresses hold a user name and a password. These stay out of the report.
    return re.sub(r"//[^/@]*@", "//", address)


def describe_sqlite() -> str:
    """Say which SQLite this Python brings along."""
    try:
        return str(importlib.import_module("sqlite3").sqlite_version)
    except ImportError:
        return "not found (this Python was built without SQLite)"


def can_import(name: str) -> bool:
    """Say whether this Python has the module of that name, and the module works."""
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def find_problems() -> list[str]:
    """Return one sentence for each thing that would stop the assignment from running."""
    problems = []
    if sys.version_info[:2] < MINIMUM_PYTHON:
        wanted = ".".join(str(part) for part in MINIMUM_PYTHON)
        problems.append(f"This Python is too old. Please install Python {wanted} or newer.")
    problems += [
        f"This Python cannot import {name}. Please reinstall Python."
        for name in NEEDED_MODULES
        if not can_import(name)
    ]
    return problems


def collect_facts() -> dict[str, str]:
    """Return everything worth knowing: what was looked at, and what was found."""
    return {
        "Operating system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Python version": platform.python_version(),
        "Python interpreter": sys.executable,
        "Virtual environment": describe_environment(),
        "Working folder": str(Path.cwd()),
        "Git version": describe_git(),
        "Git remote": describe_remote(),
        "SQLite version": describe_sqlite(),
        "Process start method": multiprocessing.get_start_method(),
    }


def build_report() -> str:
    """Put the facts and the conclusion into one text."""
    problems = find_problems()
    lines = ["Check of this computer", "=" * 22, ""]
    lines += [f"{label + ':':<22}{found}" for label, found in collect_facts().items()]
    lines += ["", f"Can this Python run the assignment? {'NO' if problems else 'YES'}"]
    lines += [f"  - {problem}" for problem in problems]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    report = build_report()

    # Some terminals cannot show every letter of every language. A question mark will do.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    print(report)

    # The assignment makes files too, so a folder that refuses this one is no use.
    try:
        REPORT_FILE.write_text(report, encoding="utf-8")
        print(f"This report was saved as {REPORT_FILE}")
    except OSError as error:
        print(f"The report could not be saved: {error}")
        print("Please move the whole folder to a place where you may make files.")
