"""Shows each criterion of a rubric as a test: `pytest rubric.yaml`, or `pytest --grade DIR`.

pytest loads this module wherever the grader is installed, so all else of the grader is imported
only once a rubric is named on the command line.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import tempfile
import textwrap
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from grader.assignment import Assignment
    from grader.model import Report, Result

_WIDEST = 100  # longer lines are tiring to read
_LARGEST = 1024**2
_PATIENCE = 24 * 3600.0
"""Seconds to wait while another worker grades; its lock ends with it, however it ends."""


class LostPointsError(Exception):
    """A criterion did not earn all its points."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.id)
        self.result = result


class RubricFile(pytest.File):
    """A rubric; its items share one grading, which happens when the first of them is run."""

    def collect(self) -> Iterator[pytest.Item]:
        """One item a criterion, in the rubric's order."""
        from grader.errors import GraderError

        try:
            criteria = self._assignment.rubric.criteria
        except GraderError as error:
            raise self.CollectError(str(error)) from None
        for criterion, described in criteria.items():
            # `rubric.yaml::q3` names it too: what stands in brackets may be left out.
            title = " ".join(described.title.replace("::", ":").split())
            name = f"{criterion}[{title}]"
            yield CriterionItem.from_parent(self, name=name, rubric=self, criterion=criterion)

    def result(self, criterion: str) -> Result:
        """Returns the criterion's result, or raises what kept the grader from grading."""
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return next(result for result in self._outcome.criteria if result.id == criterion)

    def line(self, criterion: str) -> int:
        """Returns the line of the criterion in the rubric, the first being 0."""
        text = self.path.read_text("utf-8", errors="replace")
        key = rf"^criteria:.*?^ +['\"]?{re.escape(criterion)}['\"]? *:"
        found = re.search(key, text, re.MULTILINE | re.DOTALL)
        return text.count("\n", 0, found.end()) if found else 0

    @cached_property
    def _assignment(self) -> Assignment:
        from grader.assignment import load_assignment

        return load_assignment(self.path)

    @cached_property
    def _outcome(self) -> Report | Exception:
        try:
            return self._shared_report()
        except Exception as error:
            return error

    def _shared_report(self) -> Report:
        """The report; with pytest-xdist the first worker grades and the others read it."""
        from grader.reports import json_report

        folder: str | None = getattr(self.config, "workerinput", {}).get("grader_folder")
        if folder is None:
            return self._grade()
        text = _once(Path(folder), str(self.path), lambda: json_report.render(self._grade()))
        return json_report.read(text)

    def _grade(self) -> Report:
        from grader.grading import grade
        from grader.progress import Quiet

        items = [item for item in self.session.items if isinstance(item, CriterionItem)]
        only = [item.criterion for item in items if item.rubric is self]
        source = self.config.getoption("grade") or str(self.path.parent)
        return grade(source, self._assignment, Quiet(), only=only)


class CriterionItem(pytest.Item):
    """A criterion; it passes when it earned all its points."""

    def __init__(self, *, rubric: RubricFile, criterion: str, **node: Any) -> None:
        super().__init__(**node)
        self.rubric = rubric
        self.criterion = criterion
        self.judged: Result | None = None

    def setup(self) -> None:
        """Grades here, so that what is no fault of the student's is an error, not a failure."""
        from grader.errors import GraderError
        from grader.model import Verdict

        self.judged = self.rubric.result(self.criterion)
        if self.judged.verdict is Verdict.ERROR:
            raise GraderError(self.judged.feedback.what)

    def runtest(self) -> None:
        """Raises LostPointsError, or skips what could not be looked at."""
        from grader.model import Verdict
        from grader.reports.inert import one_line
        from grader.reports.wording import lost

        result = self.rubric.result(self.criterion)
        if result.verdict is Verdict.SKIPPED:
            pytest.skip(one_line(result.feedback.what))
        if lost(result) > 0:
            raise LostPointsError(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any) -> Any:
        """The feedback; a traceback only when a fault of the grader is looked into."""
        from grader.errors import GraderError

        error = excinfo.value
        if isinstance(error, LostPointsError):
            return _explained(error.result)
        if isinstance(error, GraderError):
            return _wrapped(f"This costs you nothing: it could not be graded.\n{error}")
        if os.environ.get("GRADER_DEBUG"):
            return super().repr_failure(excinfo, *args)
        return _wrapped(
            "This costs you nothing: it is a fault of the grader, not of your work. "
            f"Please tell your instructor.\n{type(error).__name__}: {error}"
        )

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the criterion stands in the rubric, and what to call it."""
        return self.path, self.rubric.line(self.criterion), self.name


def _explained(result: Result) -> str:
    from grader.reports import plain, wording

    parts = [plain.standing(result), plain.feedback(result)]
    return _wrapped("\n\n".join([*parts, wording.REVIEW] if result.needs_review else parts))


def _wrapped(text: str) -> str:
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    return "\n".join(
        textwrap.fill(line, width, subsequent_indent="  ", break_on_hyphens=False)
        for line in text.split("\n")
    )


def _once(folder: Path, key: str, make: Callable[[], str]) -> str:
    """Returns what the first process to come makes for the key; the others wait for it."""
    database = folder / "reports.db"
    with closing(sqlite3.connect(database, timeout=_PATIENCE, isolation_level=None)) as reports:
        reports.execute("BEGIN EXCLUSIVE")
        reports.execute("CREATE TABLE IF NOT EXISTS report (key TEXT PRIMARY KEY, json TEXT)")
        row = reports.execute("SELECT json FROM report WHERE key = ?", [key]).fetchone()
        text = str(row[0]) if row else make()
        reports.execute("INSERT OR IGNORE INTO report VALUES (?, ?)", [key, text])
        reports.execute("COMMIT")
        return text


# ---------------------------------------------------------------- hooks


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--grade`."""
    parser.getgroup("grader", "grading an assignment").addoption(
        "--grade",
        metavar="DIR",
        help="Grade the work in DIR; each criterion of the rubric is a test.",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """With `--grade` alone, the rubric that belongs to the grader is what is collected."""
    given = early_config.known_args_namespace
    if given.grade and not given.file_or_dir:
        from grader.assignment import default_rubric

        args.append(str(default_rubric()))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> RubricFile | None:
    """Collects a rubric that is named on the command line, and nothing else."""
    named = file_path.name == "rubric.yaml" and parent.session.isinitpath(file_path)
    if not named or not _is_rubric(file_path):
        return None
    return RubricFile.from_parent(parent, path=file_path)


def _is_rubric(path: Path) -> bool:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        text = file.read(_LARGEST)
    return all(re.search(f"^{key}:", text, re.MULTILINE) for key in ("assignment", "criteria"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Writes the points into the report: nothing else reaches the terminal from a worker."""
    report = yield
    if not isinstance(item, CriterionItem):
        return report
    if item.judged is not None:
        fields = ("id", "score", "max_score", "needs_review")
        vars(report)["graded"] = {field: getattr(item.judged, field) for field in fields}
    if call.excinfo and report.skipped:
        path, line, _ = item.reportinfo()
        report.longrepr = (str(path), line + 1, f"Skipped: {call.excinfo.value}")
    elif call.excinfo:
        report.longrepr = item.repr_failure(call.excinfo)  # pytest asks only after a call
    return report


def pytest_report_teststatus(
    report: pytest.TestReport | pytest.CollectReport,
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """A criterion that passed, but that a person should look at, is shown with a question mark."""
    if report.when == "call" and report.passed and _graded(report).get("needs_review"):
        return "passed", "?", ("PASSED (? review)", {"yellow": True})
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Adds up the points."""
    reports = [report for group in terminalreporter.stats.values() for report in group]
    # A criterion has a report for each phase; all of them say the same.
    graded = {report.nodeid: row for report in reports if (row := _graded(report))}
    if not graded:
        return
    from grader.reports.wording import REVIEW, points

    score, most = (sum(row[key] for row in graded.values()) for key in ("score", "max_score"))
    terminalreporter.section("points")
    terminalreporter.line(f"{points(score)} of {points(most)} points")
    if flagged := [row["id"] for row in graded.values() if row["needs_review"]]:
        terminalreporter.line(f"{', '.join(flagged)}  {REVIEW}")


def _graded(report: object) -> dict[str, Any]:
    return getattr(report, "graded", {})


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """pytest-xdist: gives all workers one folder to share the grading in."""
    config = node.config
    if not hasattr(config, "grader_folder"):
        folder = tempfile.TemporaryDirectory(prefix="grader-", ignore_cleanup_errors=True)
        config.add_cleanup(folder.cleanup)
        config.grader_folder = folder.name
    node.workerinput["grader_folder"] = config.grader_folder
