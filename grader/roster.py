"""Reads who is to be graded: a CSV with a line for each student, or a folder of submissions.

What is wrong with one student's line costs nobody else anything: that line becomes a row with its
reasons. Only a file that nothing can be read from is refused.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.database import entries, is_folder
from grader.errors import UsageError
from grader.model import FileState, Outcome, Row, Student
from grader.repository import is_url, shown_url, split_source
from grader.roster_table import Line, Table, read_table
from grader.textfile import read_text_file

_MAX_BYTES = 16 * 1024 * 1024
_MAX_STUDENTS = 20_000
_LONGEST = 1_000
_OWN = ("student", "repository", "ref", "name", "email")


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """A class as its instructor wrote it down."""

    students: tuple[Student, ...]
    """Those that can be graded, in the roster's order."""
    faults: tuple[Row, ...] = ()
    """Those that cannot, each with its reasons; in the roster's order."""
    notes: tuple[str, ...] = ()
    """What was left out or looks odd, a sentence each."""
