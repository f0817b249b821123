"""The ways a command can fail, each with the exit status that design promises.

A `GraderError` is a sentence for the person at the keyboard: what went wrong, where,
and what to do next. It never reaches them as a traceback.
"""

from __future__ import annotations


class GraderError(Exception):
    """Something the user can act on; `exit_code` is the command's exit status."""

    exit_code = 3


class UsageError(GraderError):
    """The command was given something it cannot use: no such folder, no such criterion."""

    exit_code = 2


class SharedError(GraderError):
    """Something that every submission would meet, so that trying the next one makes no sense."""


class RubricError(GraderError):
    """The rubric has faults; `faults` holds one line for each of them."""

    exit_code = 2

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
