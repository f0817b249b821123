"""The comment's text: what it says first, and that nothing in it does anything.

The cases are reports in tests/cases/comments and the comments they become. After a wanted change
renew them, and read the difference before committing it:

    RENEW_GOLDEN=1 pytest tests/github/test_comment.py
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from grader.github.annotations import MOST, commands
from grader.model import Report, Verdict
from grader.reports import json_report
from grader.reports.comment import (
    LONGEST,
    History,
    Standing,
    is_feedback,
    read_history,
    render,
    render_withheld,
)

CASES = Path(__file__).parent.parent / "cases" / "comments"
NAMES = sorted(path.stem for path in CASES.glob("*.json"))
EARLIER = History(now=Standing(score="62", commit="a1b2c3d"))
every_case = pytest.mark.parametrize("name", NAMES)


def case(name: str) -> Report:
    return json_report.read((CASES / f"{name}.json").read_text("utf-8"))


def tokens(text: str) -> list[Token]:
    """What a Markdown reader makes of the text, inline parts included."""
    blocks = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    return [t for b in blocks for t in (b, *(b.children or ()))]


@every_case
def test_golden(name: str) -> None:
    """A comment reads exactly as agreed on."""
    path = CASES / f"{name}.md"
    text = render(case(name), EARLIER)
    if os.environ.get("RENEW_GOLDEN"):
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_text("utf-8")


@every_case
def test_first_five_lines(name: str) -> None:
    """The first five lines hold the score, a bar and the most valuable steps."""
    report = case(name)
    marker, score, *rest = render(report).split("\n")[:6]
    assert is_feedback(f"{marker}\n")
    assert re.match(r"### \d[\d.]* of \d+ points `[█░]{20}` \d+ %$", score)
    if name == "complete":
        assert rest[0].startswith("Well done: every point is earned.")
    else:
        assert rest[0] == "What to do next, most valuable first:"
        assert [line[:5] for line in rest[1:]] == ["1. **", "2. **", "3. **"]


def test_most_valuable_first() -> None:
    """The three steps are those that can gain the most points, whatever their order."""
    steps = re.findall(
        r"^\d\. \*\*(\w+)\*\*, up to ([\d.]+) points", render(case("partly")), re.MULTILINE
    )
    gains = [float(points) for _, points in steps]
    assert gains == sorted(gains, reverse=True)
    assert steps[0] == ("out3", "20")


def test_no_expected_answer() -> None:
    """A report with the expected answers, for instructors, tells none of them to the student."""
    report = case("partly")
    told = [
        replace(r, feedback=replace(r.feedback, expected=f"SECRET {r.id}")) for r in report.criteria
    ]
    assert "SECRET" not in render(replace(report, criteria=tuple(told)))


# ---------------------------------------------------------------- history


def test_history_is_kept_in_the_marker() -> None:
    """What a comment tells of can be read from it, and becomes the next one's history."""
    first = render(case("partly"))
    assert read_history(first).before is None
    second = render(case("complete"), read_history(first))
    score = read_history(first).now
    assert score is not None
    assert f"\n{score.score} -> 100 points since `bbbbbbb`\n" in second
    assert read_history(second) == History(
        now=Standing(score="100", commit="ccccccc"), before=score
    )


@pytest.mark.parametrize(
    "body",
    [
        "",
        "hello <!-- assignment-grader: 1 at aaaaaaa -->",
        "\n<!-- assignment-grader: 1 at aaaaaaa -->",
        "<!-- assignment-grader: 1 at @everyone -->",
        "<!-- assignment-grader: <b> at aaaaaaa -->",
    ],
)
def test_no_marker(body: str) -> None:
    """Only the marker as we write it, at the very start, is one."""
    assert not is_feedback(body)
    assert read_history(body) == History()


@pytest.mark.parametrize("commit", [None, "", "abc", "@everyone", "zzzzzzzz"])
def test_no_commit(commit: str | None) -> None:
    """A report on no known commit leaves a marker without a score, and no history."""
    report = case("partly")
    text = render(replace(report, submission=replace(report.submission, commit=commit)), EARLIER)
    assert text.startswith("<!-- assignment-grader -->\n")
    assert "since" not in text


def test_withheld() -> None:
    """The text without a result keeps the last score, and its folder is harmless."""
    text = render_withheld("a`b @x", EARLIER)
    assert read_history(text) == EARLIER
    assert "`` a`b @x ``" in text or "``a`b @x``" in text


# ---------------------------------------------------------------- harmless


def test_hostile_text_is_inert() -> None:
    """Outside of code, hostile text is no HTML, link, image, mention or second marker."""
    found = tokens(render(case("hostile")))
    kinds = {token.type for token in found}
    assert not kinds & {"link_open", "image", "em_open", "s_open"}
    html = [t.content.strip() for t in found if t.type in {"html_block", "html_inline"}]
    assert [" ".join(each.split()) for each in html] == [
        "<!-- assignment-grader: 32.5 at eeeeeee -->",
        "<details> <summary>Details: what was found, and where</summary>",
        "</details>",
        "<sub>",
        "</sub>",
    ]
    live = "".join(token.content for token in found if token.type == "text")
    for danger in ("@", "://", "www.", "#1", "GH-2"):
        assert danger not in live
    fences = {token.info for token in found if token.type == "fence"}
    assert fences <= {"text", "mermaid"}


def swollen(count: int, text: str) -> Report:
    """A report with `count` criteria in which everything is `text`."""
    report = case("hostile")
    one = report.criteria[-1]
    said = replace(one.feedback, what=text, actual=text, hint=text)
    many = tuple(replace(one, id=f"{n}{text}", title=text, feedback=said) for n in range(count))
    return replace(report, criteria=many, notes=report.notes * count)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        *((12, sign * 700) for sign in ("&", "|", "`@`", "🎉", "\n")),
        (1, "&" * 700),
        (40, "|" * 700),
    ],
)
def test_never_too_long(count: int, text: str) -> None:
    """Whatever is reported, the comment fits, and begins with the score and the steps."""
    body = render(swollen(count, text))
    assert len(body) <= LONGEST
    assert "### 32.5 of" in body.split("\n")[1]
    assert "\n1. **0" in body


def test_details_go_first() -> None:
    """When there is too much to say the details are left out, and that is said."""
    body = render(swollen(40, "&" * 700))
    assert "<details>" not in body
    assert "The details are left out here" in body
    assert "| | Criterion |" in render(swollen(12, "a" * 600))


# ---------------------------------------------------------------- annotations


def test_annotations_say_where() -> None:
    """What lost points is marked on the line it rests on, the most valuable first."""
    found = list(commands(case("partly")))
    assert found[0].startswith("::warning ")
    assert "title=out3%3A " in found[0]
    (q3,) = [line for line in found if "title=q3%3A" in line]
    assert re.match(r"::error file=assignment/README\.md,line=\d+,title=q3%3A [^:]+::0 of 5 p", q3)


@pytest.mark.parametrize("verdict", [Verdict.INCORRECT, Verdict.PARTIAL, Verdict.ERROR])
def test_ten_of_a_kind(verdict: Verdict) -> None:
    """No more of a kind are written than GitHub shows."""
    one = replace(case("partly").criteria[0], verdict=verdict, score=0.0)
    report = replace(case("partly"), criteria=(one,) * 30)
    assert len(list(commands(report))) == MOST


def test_annotations_are_escaped() -> None:
    """Hostile text stays inside its command: one line each, no property or command of its own."""
    found = list(commands(case("hostile")))
    assert found
    for line in found:
        assert "\n" not in line
        assert "\r" not in line
        command = re.fullmatch(
            r"::(error|warning|notice) (file=assignment/README\.md,line=2,)?title=([^:,]*)::.*",
            line,
        )
        assert command, line


@pytest.mark.parametrize(
    "file",
    [
        "/etc/passwd",
        "../x",
        "a/../../x",
        "C:\\x",
        "C:x",
        "\\\\host\\x",
        "a\\..\\x",
        "a\nb",
        "\x1bx",
    ],
)
def test_files_outside(file: str) -> None:
    """A file outside of the repository, on any system, is not named as a place."""
    one = case("partly").criteria[-1]
    away = replace(one.evidence[0], file=file)
    report = replace(
        case("partly"), criteria=(replace(one, evidence=(away,), score=0.0, max_score=5.0),)
    )
    (line,) = commands(report)
    assert "file=" not in line


def test_percent_signs() -> None:
    """GitHub's own escapes cannot be written by a student."""
    one = case("partly").criteria[-1]
    said = replace(one.feedback, what="100%0A::error::x, 5:6")
    result = replace(one, score=0.0, title="a%2C,b:c", feedback=said)
    (line,) = commands(replace(case("partly"), criteria=(result,)))
    assert "a%252C%2Cb%3Ac::" in line
    assert "100%250A: :error::x, 5:6" in line
