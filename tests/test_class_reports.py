"""What a class hands over: names of files, gradebooks and figures."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.assignment import load_assignment
from grader.class_reports import canvas, cells, faults, gradebook_csv, moodle, review, statistics
from grader.class_reports.names import file_names
from grader.model import (
    REPORT_VERSION,
    Feedback,
    Files,
    Note,
    Outcome,
    Quote,
    Report,
    Result,
    Row,
    Student,
    SubmissionInfo,
    Verdict,
)
from grader.override_file import parse_overrides

ROOT = Path(__file__).resolve().parent.parent
RUBRIC = load_assignment(ROOT / "rubric.yaml").rubric
SHARES = {Verdict.CORRECT: 1.0, Verdict.PARTIAL: 0.5}


def result(
    name: str, verdict: Verdict, said: str = "six", *, sure: float = 0.95, points: float = 5
) -> Result:
    return Result(
        id=name,
        title=RUBRIC.criteria[name].title,
        verdict=verdict,
        score=points * SHARES.get(verdict, 0.0),
        max_score=points,
        needs_review=sure < 0.7,
        confidence=sure,
        feedback=Feedback(what=f"It is {verdict.value}.", hint="Look again."),
        evidence=(Quote(file="README.md", line=7, quote=said),) if said else (),
    )


def graded(
    key: str,
    *results: Result,
    notes: tuple[Note, ...] = (),
    name: str | None = None,
    email: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> Row:
    report = Report(
        version=REPORT_VERSION,
        assignment="counting",
        grader="1.0",
        rubric_sha256="0" * 64,
        submission=SubmissionInfo(
            path=key, student=key, commit="c0ffee", files=Files(script=None, readme=None)
        ),
        score=sum(each.score for each in results),
        max_score=sum(each.max_score for each in results),
        needs_review=any(each.needs_review for each in results),
        criteria=results,
        runs=(),
        notes=notes,
    )
    student = Student(
        key=key, repository=f"forks/{key}", name=name, email=email, columns=columns or {}
    )
    return Row(student=student, outcome=Outcome.GRADED, report=report)


def failed(key: str, reason: str = "The repository is private.", email: str | None = None) -> Row:
    student = Student(key=key, repository=f"forks/{key}", email=email)
    return Row(student=student, outcome=Outcome.FAILED, reason=reason)


def read(text: str) -> list[list[str]]:
    return list(csv.reader(text.splitlines()))


# ---------------------------------------------------------------- names

AWKWARD = [
    "ada", "Ada", "ADA", "con", "CON.txt", "nul", "com1", "COM¹", "a/b", "a\\b", "a b", "..", ".",
    "", " ", "ends.", "ends. ", "-rf", "~", "caf\u00e9", "cafe\u0301", "\ufb01n", "fin",
    "x" * 300, "x" * 301, "\U0001f600", "\U0001f601", "a:b", "a?b", "a\nb", "a\x00b", "\u202ea",
    "\u4f60\u597d", "../../etc/passwd", "stra\u00dfe", "strasse", "\ud800", "%2e%2e",
    "a+b@c.de", "ada-" + "1" * 8,
]  # fmt: skip


def is_safe(name: str) -> bool:
    reserved = re.fullmatch(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", name, re.IGNORECASE)
    whole = re.fullmatch(r"[\w.+@-]+", name) is not None
    fits = len(f"{name}.html".encode()) <= 255
    return bool(whole and fits and not reserved and name[-1] not in ". " and name[0] not in ".-")


def test_names_are_safe_and_unique_on_every_system() -> None:
    """No two students share a file, and no name is one that a file system refuses or changes."""
    names = file_names(AWKWARD)
    assert [key for key in AWKWARD if not is_safe(names[key])] == []
    assert len({name.casefold() for name in names.values()}) == len(AWKWARD)


@given(st.lists(st.text(max_size=80), unique=True, max_size=8))
def test_any_names_are_safe_and_unique(keys: list[str]) -> None:
    """Whatever a roster calls its students, their files have safe names of their own."""
    names = file_names(keys)
    assert all(is_safe(name) for name in names.values())
    assert len({name.casefold() for name in names.values()}) == len(keys)


def test_a_good_name_stays() -> None:
    """A key that makes a good name is the name, whoever else is in the class."""
    assert file_names(["ada-l", "ben.k", "Müller"]) == {k: k for k in ("ada-l", "ben.k", "Müller")}
    assert file_names(["ada", "Ada", "ben"])["ben"] == "ben"


def test_names_do_not_depend_on_order() -> None:
    """The same students have the same names in every run."""
    assert file_names(AWKWARD) == file_names(AWKWARD[::-1])


# ---------------------------------------------------------------- cells


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1"]
)
def test_formulas_become_text(text: str) -> None:
    """No cell begins like something that a spreadsheet would compute."""
    assert cells.cell(text)[0] not in "=+-@\t\r＝"


@pytest.mark.parametrize("text", ["-5", "+1.5", "87", "+jo@example.edu", "a=b", "0012", "it's -5"])
def test_figures_and_addresses_stay(text: str) -> None:
    """What finds a student or is a number is not touched."""
    assert cells.cell(text) == text


@given(st.text(alphabet="'=+-@ab1. ", max_size=12))
def test_cells_can_be_read_back(text: str) -> None:
    """Every cell gives back what it was made from, spaces at its ends aside."""
    plain = " ".join(text.split())
    assert cells.reading(cells.cell(text)) == plain


# ---------------------------------------------------------------- gradebook


def test_gradebook_has_a_row_a_student_and_a_column_a_criterion() -> None:
    """The gradebook is sorted; who was not graded has a reason, and no score at all."""
    rows = [
        failed("cleo", "=The clone took too long, sadly."),
        graded("Ben", result("q3", Verdict.PARTIAL, sure=0.5), result("q7", Verdict.CORRECT)),
        graded("ada", result("q3", Verdict.CORRECT), result("q7", Verdict.ERROR), name="=Ada"),
    ]
    text = gradebook_csv.render(rows, {"ada": "feedback/ada.html", "cleo": "feedback/cleo.html"})
    assert text == (
        "student,name,email,outcome,score,max_score,flagged,q3,q7,feedback,repository,commit,reason\n"
        "ada,'=Ada,,graded,5,10,,5,0,feedback/ada.html,forks/ada,c0ffee,\n"
        "Ben,,,graded,7.5,10,q3,2.5,5,,forks/Ben,c0ffee,\n"
        'cleo,,,failed,,,,,,,forks/cleo,,"\'=The clone took too long, sadly."\n'
    )


def test_a_class_without_a_single_report_has_a_gradebook() -> None:
    """When nobody could be graded the gradebook says why."""
    assert read(gradebook_csv.render([failed("ada")], {}))[1][-1] == "The repository is private."


# ---------------------------------------------------------------- learning platforms


def import_canvas(text: str) -> dict[str, float | None]:
    """Reads grades as Canvas does: by ID, else SIS IDs; blank and `-` are no score."""
    lines = read(text)
    assert lines[0][:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    (item,) = lines[0][5:]
    assert re.fullmatch(r".+ \(\d+\)", item)
    body = lines[2:] if lines[1][0].strip() == "Points Possible" else lines[1:]
    assert all(len(line) == 6 for line in lines)
    return {
        line[1] or line[2] or line[3]: None if line[5] in {"", "-"} else float(line[5])
        for line in body
    }


def import_moodle(text: str, users: set[str]) -> dict[str, tuple[float | None, str]]:
    """Reads grades as Moodle does: one unknown user aborts everything."""
    lines = read(text)
    assert lines[0][:2] == ["Email address", "ID number"]
    item, feedback = lines[0][2:]
    assert feedback == f"{item} feedback"
    unknown = {line[0] for line in lines[1:]} - users
    assert unknown == set(), "the import is aborted"
    return {line[0]: (float(line[2]) if line[2] else None, line[3]) for line in lines[1:]}


def test_canvas_round_trip() -> None:
    """Canvas finds each student by the roster's columns, and nobody who failed gets a 0."""
    rows = [
        graded("ada", result("q3", Verdict.PARTIAL), columns={"Canvas ID": "101"}),
        graded("ben", result("q3", Verdict.MISSING), columns={"sis_user_id": "-77"}),
        graded("cleo", result("q3", Verdict.CORRECT), columns={"SIS Login ID": "cleo@x.edu"}),
        Row(
            student=Student(key="dan", repository="x", columns={"canvas_id": "104"}),
            outcome=Outcome.FAILED,
            reason="The repository is empty.",
        ),
    ]
    text = canvas.render(rows, "Counting, part 2", "4711")
    assert import_canvas(text) == {"101": 2.5, "-77": 0.0, "cleo@x.edu": 5.0, "104": None}
    assert read(text)[1] == ["Points Possible", "", "", "", "", "5"]


def test_canvas_takes_its_own_headings() -> None:
    """A roster made from a gradebook that Canvas exported keeps its ids and sections."""
    exported = {"ID": "5", "SIS User ID": "A-5", "SIS Login ID": "ada", "Section": "Mon, 9:00"}
    rows = [graded("ada", result("q3", Verdict.CORRECT), columns=exported, name="Lovelace, Ada")]
    line = read(canvas.render(rows, "Counting"))[2]
    assert line == ["Lovelace, Ada", "5", "A-5", "ada", "Mon, 9:00", "5"]


def test_moodle_round_trip() -> None:
    """Moodle gets everybody with an address; who has none is left out and named."""
    rows = [
        graded("ben", result("q3", Verdict.PARTIAL), email="ben@x.edu", columns={"ID number": "9"}),
        graded("ada", result("q3", Verdict.CORRECT), email=" "),
        graded("dan", result("q3", Verdict.CORRECT), email="none"),
        failed("cleo", email="cleo@x.edu"),
    ]
    upload = moodle.render(rows, "Counting")
    assert upload.left_out == ("ada", "dan")
    grades = import_moodle(upload.text, {"ben@x.edu", "cleo@x.edu"})
    assert grades["cleo@x.edu"] == (None, "")
    assert grades["ben@x.edu"][0] == 2.5
    assert "Start with q3" in grades["ben@x.edu"][1]
    assert read(upload.text)[1][1] == "9"


def test_moodle_feedback_is_no_html() -> None:
    """What a report quotes cannot become a part of Moodle's page."""
    what = Feedback(what="Found <img src=x onerror=alert(1)> & more.")
    lost = Result(
        id="q3", title="t", verdict=Verdict.INCORRECT, score=0, max_score=5, needs_review=False,
        confidence=1, feedback=what,
    )  # fmt: skip
    text = moodle.render([graded("ada", lost, email="a@x.edu")], "Counting").text
    assert "‹img" in text
    assert not re.search("[<>&]", text)


# ---------------------------------------------------------------- figures

CLASS = [
    graded("ada", result("q3", Verdict.CORRECT), result("q7", Verdict.CORRECT)),
    graded("ben", result("q3", Verdict.INCORRECT, "8"), result("q7", Verdict.PARTIAL)),
    graded("cleo", result("q3", Verdict.INCORRECT, "eight"), result("q7", Verdict.ERROR)),
    graded("dan", result("q3", Verdict.INCORRECT, "8"), result("q7", Verdict.CORRECT, sure=0.2)),
    failed("eva"),
]


def test_summary_counts_only_who_was_graded() -> None:
    """Averages are over those who have a score; who failed is counted apart."""
    found = statistics.summary(CLASS)
    assert (found.students, found.graded, found.failed, found.flagged) == (5, 4, 1, 1)
    assert (found.mean, found.median, found.max_score) == (4.375, 3.75, 10)
    nobody = statistics.summary([failed("eva")])
    assert (nobody.mean, nobody.median, nobody.max_score) == (None, None, 0)


def test_distribution_holds_every_score_once() -> None:
    """Full points stand in the last bin, and every student in exactly one."""
    found = statistics.distribution(CLASS, bins=4)
    assert [each.students for each in found] == [("cleo",), ("ben",), ("dan",), ("ada",)]
    assert (found[0].low, found[-1].high) == (0, 10)
    assert statistics.distribution([failed("eva")]) == ()


def test_success_leaves_our_own_faults_out() -> None:
    """A criterion's share is of the points that were judged; an error is only counted."""
    q3, q7 = statistics.success(CLASS)
    assert (q3.share, q3.verdicts[Verdict.INCORRECT], q3.flagged) == (0.25, 3, 0)
    assert (q7.share, q7.verdicts[Verdict.ERROR], q7.flagged) == (12.5 / 15, 1, 1)


def test_mistakes_of_many_come_first_with_what_was_written() -> None:
    """The same words about the same criterion are one mistake; quotes differ, the usual first."""
    (mistake,) = statistics.mistakes(CLASS)
    assert (mistake.id, mistake.students, mistake.lost) == ("q3", ("ben", "cleo", "dan"), 15)
    assert [(e.student, e.quote.quote) for e in mistake.examples] == [
        ("ben", "8"),
        ("cleo", "eight"),
    ]


def test_what_is_not_the_students_doing_stands_apart() -> None:
    """Failures, our own errors and the environment are told with whom they concern."""
    note = Note(kind="environment", text="The script ran without a sandbox.")
    odd = Note(kind="edition", text="The script is from an older edition.")
    rows = [*CLASS, graded("finn", notes=(note, odd)), failed("gus")]
    assert [(t.text, t.students) for t in faults.not_graded(rows)] == [
        ("The repository is private.", ("eva", "gus"))
    ]
    assert [(t.kind, t.students) for t in faults.faults(rows)] == [
        ("q7", ("cleo",)),
        ("environment", ("finn",)),
    ]
    assert [t.text for t in faults.notes(rows)] == [odd.text]


# ---------------------------------------------------------------- review


def test_review_begins_where_most_points_are_in_doubt() -> None:
    """Cases come by points that are likely wrong; who wrote the same stands in one of them."""
    rows = [
        graded("ada", result("q3", Verdict.CORRECT, sure=0.6)),
        graded("ben", result("q3", Verdict.INCORRECT, "**Eight!**", sure=0.5)),
        graded("cleo", result("q3", Verdict.INCORRECT, "eight", sure=0.5)),
        graded("dan", result("out3", Verdict.INCORRECT, sure=0.5, points=20)),
        graded("eva", result("q3", Verdict.ERROR, sure=0.1), result("q7", Verdict.CORRECT)),
    ]
    found = [(c.result.id, tuple(s.key for s in c.students)) for c in review.to_review(rows)]
    assert found == [("out3", ("dan",)), ("q3", ("ben", "cleo")), ("q3", ("ada",))]


@pytest.mark.parametrize(
    "said",
    [
        "eight",
        'say "8": - {no} # yaml\n\\u0000 *anchor &x !!python/object',
        "\u202e\x1b[31m\x85\u2028 \ud800 \U0001f600 8",
        "",
        "x " * 5_000,
    ],
)
def test_override_line_is_read_back(said: str) -> None:
    """The line on the page is an entry of the overrides' file, whatever a student wrote."""
    (case,) = review.to_review([graded("0123456", result("q3", Verdict.INCORRECT, said, sure=0.5))])
    line = review.override(case, case.students[0], Verdict.CORRECT, "M. Curie", "It is right")
    assert "\n" not in line
    (read_back,) = parse_overrides(line, "overrides.yaml", RUBRIC)
    assert (read_back.submission, read_back.criterion) == ("0123456", "q3")
    assert (read_back.verdict, read_back.score, read_back.by) == (Verdict.CORRECT, 5, "M. Curie")
    assert (read_back.text is None) == (said in {"", "x " * 5_000})
