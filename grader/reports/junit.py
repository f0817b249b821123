"""The JUnit report, for whatever shows test results: each criterion is a test case."""

from __future__ import annotations

from collections import Counter
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from grader.model import Report, Result, Verdict
from grader.reports import plain, wording
from grader.reports.inert import one_line
from grader.reports.wording import TITLE


def render(report: Report) -> str:
    """The report as JUnit XML in ASCII; no times, so the same report gives the same bytes."""
    name = one_line(report.assignment, TITLE)
    ends = Counter(_ending(result) for result in report.criteria)
    suites = Element("testsuites")
    suite = SubElement(
        suites,
        "testsuite",
        name=name,
        tests=str(len(report.criteria)),
        failures=str(ends["failure"]),
        errors=str(ends["error"]),
        skipped=str(ends["skipped"]),
    )
    _add_properties(suite, report)
    for result in report.criteria:
        _add_case(suite, result, name)
    indent(suites)
    return f"{tostring(suites, encoding='us-ascii', xml_declaration=True).decode('ascii')}\n"


def _ending(result: Result) -> str | None:
    """The element that says why the case did not pass; None if it did."""
    special = {Verdict.ERROR: "error", Verdict.SKIPPED: "skipped"}
    return special.get(result.verdict, "failure" if wording.lost(result) > 0 else None)


def _add_properties(suite: Element, report: Report) -> None:
    facts = {
        "submission": one_line(report.submission.path, TITLE),
        "commit": one_line(report.submission.commit or "", TITLE),
        "score": wording.points(report.score),
        "max_score": wording.points(report.max_score),
    }
    properties = SubElement(suite, "properties")
    for name, value in facts.items():
        SubElement(properties, "property", name=name, value=value)


def _add_case(suite: Element, result: Result, name: str) -> None:
    case = SubElement(suite, "testcase", classname=name, name=plain.heading(result))
    if ending := _ending(result):
        message = f"{plain.standing(result)}. {one_line(result.feedback.what)}"
        reason = SubElement(case, ending, type=result.verdict.value, message=message)
        reason.text = plain.feedback(result)
    if result.needs_review:
        SubElement(case, "system-out").text = wording.REVIEW
