"""Reads the event that GitHub starts a workflow with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader.errors import UsageError
from grader.named_file import read_named

MAX_BYTES = 25 * 1024 * 1024
"""The most that GitHub sends."""


class _Repository(BaseModel):
    model_config = ConfigDict(strict=True)

    full_name: Annotated[str, Field(pattern=r"^\w[\w-]*/\.?[\w-][\w.-]*$", max_length=200)]


class _Run(BaseModel):
    model_config = ConfigDict(strict=True)

    id: Annotated[int, Field(gt=0, lt=2**63)]


class FinishedRun(BaseModel):
    """A `workflow_run` event: a workflow of the repository has come to its end.

    Only where to ask is taken from it. What the run was, GitHub's API says.
    """

    model_config = ConfigDict(strict=True)

    repository: _Repository
    workflow_run: _Run


def read_event(path: Path) -> FinishedRun:
    """Reads the file that GITHUB_EVENT_PATH names.

    Raises UsageError when it does not hold a `workflow_run` event.
    """
    try:
        return FinishedRun.model_validate_json(read_named(path, MAX_BYTES))
    except (ValidationError, RecursionError):
        raise UsageError(
            f"{path.name} holds no workflow_run event. grader comment --event is for a workflow "
            "that starts when the grading workflow has finished."
        ) from None
