"""Which column of the roster a learning platform's own column is filled from."""

from __future__ import annotations

import re

from grader.class_reports.cells import cell
from grader.model import Student

CANVAS_ID = ("canvas_id", "canvas_user_id", "id")
SIS_ID = ("sis_user_id", "sis_id", "student_id", "student_number")
LOGIN = ("sis_login_id", "login_id", "login", "username")
SECTION = ("section", "sections")
MOODLE_ID = ("id_number", "moodle_id", *SIS_ID)


def column(student: Student, headings: tuple[str, ...]) -> str:
    """The first of these columns that is filled; headings match without case and punctuation."""
    values = {_bare(heading): value for heading, value in student.columns.items() if value.strip()}
    found = (values[_bare(heading)] for heading in headings if _bare(heading) in values)
    return cell(next(found, ""))


def _bare(heading: str) -> str:
    return re.sub(r"[\W_]", "", heading.casefold())
