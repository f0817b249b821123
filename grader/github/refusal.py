"""Why a pull request gets no new feedback."""

from __future__ import annotations

from grader.errors import GraderError, SharedError


class Refused(GraderError):  # noqa: N818 - it reads as what happened
    """What was given is not what an honest run of the grading workflow leaves behind."""

    exit_code = 2


class NothingToDo(GraderError):  # noqa: N818
    """There is nobody to tell, which happens every day and is no failure."""

    exit_code = 0


class ServiceError(GraderError):
    """GitHub could not be asked, or said no."""


class LongWaitError(ServiceError, SharedError):
    """GitHub wants to be left alone for a while."""
