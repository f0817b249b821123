"""The reports: what they say, and that nothing a student writes can do anything in them.

The expected texts are in tests/cases/reports, the published schema is in grader/schemas. After
a wanted change renew them, and read the difference before committing it:

    RENEW_GOLDEN=1 pytest tests/test_reports.py
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import fields
from pathlib import Path

import jsonschema
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.cells import cell_len

from grader import reports
from grader.errors import UsageError
from grader.model import (
    Event,
    EventKind,
    Feedback,
    Files,
    Note,
    Quote,
    Report,
    Result,
    Run,
    SubmissionInfo,
    Verdict,
)
from grader.reports import inert, json_report, markdown, terminal, wording

CASES = Path(__file__).parent / "cases" / "reports"
SCHEMA = Path(reports.__file__).parent.parent / "schemas" / "report.schema.json"
SHARES = {Verdict.CORRECT: 1.0, Verdict.PARTIAL: 0.5}
HOSTILE = "\n".join(
    (
        "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J \x00 back\rspace\x08",
        "turned \u202eesrever\u2066 hidden\u200b\ufeff end \u2028 tag\U000e0041",
        "``` fence ```` longer ~~~ `code` ``",
        "@everyone mails a@b.example, see #1, GH-2 and https://evil.example www.evil.example",
        "<script>alert(1)</script> <!-- hidden --> &lt;b&gt; ![image](https://evil.example/x.png)",
        "[/red] [bold]x[/] [link](javascript:x) :warning:",
        "| pipes | `a | b` \\| $x$ **bold** __init__ # no heading",
        "日本語 " * 30 + "🎉 café half\udc80pair",
        "x" * 10_000,
    )
)


def result(key: str, verdict: Verdict, points: float = 5.0, **changes: object) -> Result:
    """A criterion with likely words."""
    feedback = {
        Verdict.CORRECT: Feedback(what="Your answer is right."),
        Verdict.MISSING: Feedback(what="There is no answer yet.", hint=f"Answer {key}."),
    }.get(
        verdict,
        Feedback(what="Some of it is there.", actual="only this", hint=f"Look at {key} again."),
    )
    values: dict[str, object] = {
        "id": key,
        "title": f"Question {key}",
        "verdict": verdict,
        "score": points * SHARES.get(verdict, 0.0),
        "max_score": points,
        "needs_review": False,
        "confidence": 0.93,
        "feedback": feedback,
    }
    return Result(**{**values, **changes})  # type: ignore[arg-type]


def report(*criteria: Result, **changes: object) -> Report:
    """A report on these criteria, with their sum as its score."""
    values: dict[str, object] = {
        "version": "1",
        "assignment": "streaming-example",
        "grader": "0.1.0",
        "rubric_sha256": "0" * 64,
        "submission": SubmissionInfo(
            path="students/ada",
            student=None,
            commit="0123456789abcdef",
            files=Files(script="program.py", readme="README.md"),
        ),
        "score": sum(r.score for r in criteria),
        "max_score": sum(r.max_score for r in criteria),
        "needs_review": any(r.needs_review for r in criteria),
        "criteria": criteria,
        "runs": (),
        "notes": (),
    }
    return Report(**{**values, **changes})  # type: ignore[arg-type]


def complete() -> Report:
    """Every point earned."""
    run = Run(
        id="run3",
        duration=3,
        speed=1,
        wall_seconds=12.3,
        exit_code=0,
        timed_out=False,
        rows=4,
        lock_errors=2,
        sandbox="none",
        events=(Event(t=0.02, process="P2", kind=EventKind.WAIT, label="Cooper"),),
    )
    return report(
        result("run0", Verdict.CORRECT, title="The program runs with 0 seconds"),
        result("out0", Verdict.CORRECT, 20, title="Terminal output of the first run"),
        result("q1", Verdict.CORRECT, evidence=(Quote(file="README.md", line=9, quote="os"),)),
        runs=(run,),
    )


def untouched() -> Report:
    """What a student sees who has only forked; every verdict is in it."""
    out3 = Feedback(
        what="out3.txt still holds the text it came with, so there is no output to read.",
        hint="Set the constant to 3, run `python program.py`, and paste the whole terminal.",
    )
    q5 = Feedback(
        what="Your answer describes 3 of the 7 functions.",
        actual="create_table creates\n  and drop_table drops",
        expected="One sentence for each function.",
        hint="Say in a few words what each of the other functions does.",
    )
    quotes = tuple(
        Quote(file="README.md", line=n, quote=f"create_table: {n}") for n in range(60, 67)
    )
    review = {"needs_review": True, "confidence": 0.4}
    return report(
        result("run0", Verdict.CORRECT, title="The program runs with 0 seconds", **review),
        result("out0", Verdict.INCORRECT, 20, title="Terminal output of the first run"),
        result("out3", Verdict.MISSING, 20, title="Terminal output, second run", feedback=out3),
        result("q1", Verdict.MISSING, title="Which libraries are imported"),
        result(
            "q5",
            Verdict.PARTIAL,
            15,
            title="What each function does, in the words of someone who has read all of them",
            feedback=q5,
            evidence=quotes,
            **review,
        ),
        result("q6", Verdict.SKIPPED, feedback=Feedback(what="Not looked at: no script.")),
        result(
            "q7", Verdict.ERROR, 2.5, feedback=Feedback(what="The grader stumbled here."), **review
        ),
        notes=(Note(kind="environment", text="There is no git here, so no commit is named."),),
    )


def hostile() -> Report:
    """Every text is an attack."""
    nasty = Feedback(what=HOSTILE, expected=HOSTILE, actual=HOSTILE, hint=HOSTILE)
    quotes = (Quote(file=HOSTILE, line=1, quote=HOSTILE), Quote(file="R", line=2, quote=""))
    return report(
        result(HOSTILE, Verdict.INCORRECT, title=HOSTILE, feedback=nasty, evidence=quotes),
        result("q2", Verdict.PARTIAL, 10, title="# `a | @b` |", feedback=nasty, needs_review=True),
        assignment=HOSTILE,
        submission=SubmissionInfo(
            path=HOSTILE,
            student=HOSTILE,
            commit=HOSTILE,
            files=Files(script=HOSTILE, readme=None),
        ),
        notes=(
            Note(kind=HOSTILE, text=HOSTILE),
            Note(kind="x", text="1. @all | <script> [/red] [x](/y)"),
        ),
    )


ALL = {"complete": complete(), "untouched": untouched(), "hostile": hostile()}
every_report = pytest.mark.parametrize("graded", ALL.values(), ids=ALL)


def flat(text: str) -> str:
    """The words alone, however the lines were broken."""
    return " ".join(text.split())


# ---------------------------------------------------------------- all formats


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(("style", "suffix"), [("markdown", "md"), ("terminal", "txt")])
def test_golden(name: str, style: str, suffix: str) -> None:
    """A report reads exactly as agreed on."""
    path = CASES / f"{name}.{suffix}"
    text = reports.render(ALL[name], style)
    if os.environ.get("RENEW_GOLDEN"):
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_text(encoding="utf-8")


def test_import_is_free() -> None:
    """Importing the package loads none of the formats' libraries."""
    code = "import sys, grader.reports; print({'rich', 'jinja2', 'pydantic'} & set(sys.modules))"
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::x", ": :error::x"),
        ("a\n::warning file=a,line=1::x", "a : :warning file=a,line=1::x"),
        ("::error\n::x", ": :error ::x"),
        ("##[error]x", "# #[error]x"),
        ("std::vector, x[::2], y[::-1]", "std::vector, x[::2], y[::-1]"),
        ("e" + "\u0301" * 50, "e" + "\u0301" * 4),
        ("a\u3164b\U000e0101c", "a\ufffdb\ufffdc"),
    ],
)
def test_orders_and_stacked_accents(text: str, shown: str) -> None:
    """What a CI runner would obey is broken up, and accents do not cover other lines."""
    assert inert.one_line(text) == shown


def test_unknown_format() -> None:
    """An unknown format is refused with the names of the known ones."""
    with pytest.raises(UsageError, match="terminal, json, markdown"):
        reports.render(complete(), "papyrus")


@pytest.mark.parametrize("style", reports.FORMAT_NAMES)
@every_report
def test_same_bytes(graded: Report, style: str) -> None:
    """A format gives the same UTF-8 text for the same report and ends with one newline."""
    text = reports.render(graded, style)
    assert text == reports.render(graded, style)
    assert text.encode("utf-8").endswith(b"\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("style", reports.FORMAT_NAMES)
def test_nothing_steers(style: str) -> None:
    """No control or hidden character of a student's reaches the reader in any format."""
    assert not inert.UNSAFE.search(reports.render(hostile(), style))


@pytest.mark.parametrize("style", ["terminal", "markdown"])
def test_lost_points_are_explained(style: str) -> None:
    """Every criterion that lost points is named with its hint, what was found and where."""
    words = flat(reports.render(untouched(), style)).replace("\\_", "_")
    for each in untouched().criteria[1:]:
        assert re.search(rf"{each.id}:? {each.title}", words)
        assert flat(each.feedback.what) in words
        assert flat(each.feedback.hint or "") in words
    assert "README.md:60" in words
    assert "One sentence for each function." in words
    assert "There is no git here" in words


# ---------------------------------------------------------------- wording


def test_most_valuable_first() -> None:
    """The next steps are ordered by lost points, then by the rubric; our faults are left out."""
    assert [r.id for r in wording.to_improve(untouched())] == ["out0", "out3", "q5", "q1"]


@pytest.mark.parametrize(
    ("graded", "start"),
    [
        pytest.param(untouched(), "Start with out0 (up to 20 points). Look at", id="lost"),
        pytest.param(complete(), "Well done: every point is earned. There is", id="complete"),
        pytest.param(
            report(result("q1", Verdict.CORRECT, needs_review=True)),
            "Well done: every point is earned. A person",
            id="review",
        ),
        pytest.param(
            report(result("q1", Verdict.ERROR), result("q2", Verdict.CORRECT)),
            "There is nothing for you to fix, but the grader could not judge q1.",
            id="fault",
        ),
        pytest.param(
            report(result("q1", Verdict.SKIPPED), result("q2", Verdict.CORRECT)),
            "Everything that was judged is correct.",
            id="skipped",
        ),
    ],
)
def test_closing(graded: Report, start: str) -> None:
    """The last words say what to do first, or that nothing is to be done."""
    assert wording.closing(graded).startswith(start)


@pytest.mark.parametrize(
    ("score", "max_score", "percent", "bar"),
    [(0, 0, 0, "░░░░"), (0, 10, 0, "░░░░"), (99.99, 100, 99, "███░"), (3, 3, 100, "████")],
)
def test_progress(score: float, max_score: float, percent: int, bar: str) -> None:
    """The bar and the percentage are full only when every point is earned."""
    graded = report(score=float(score), max_score=float(max_score))
    assert wording.percent(graded) == percent
    assert wording.bar(graded, 4) == bar


def test_percent_is_exact() -> None:
    """Binary fractions do not cost a percent."""
    assert [wording.percent(report(score=n, max_score=100)) for n in range(101)] == [*range(101)]


# ---------------------------------------------------------------- terminal


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "cp437", "ascii"])
@pytest.mark.parametrize("width", [40, 80, 100])
@every_report
def test_width(graded: Report, width: int, encoding: str) -> None:
    """No line is wider than the screen, and the screen's encoding can write every one."""
    text = terminal.render(graded, width=width, encoding=encoding)
    text.encode(encoding)
    assert max(map(cell_len, text.splitlines())) <= width


def test_ascii() -> None:
    """A screen without Unicode gets other signs, not question marks."""
    text = terminal.render(untouched(), encoding="ascii")
    assert "+ correct" in text
    assert "o missing" in text
    assert "####" in text
    assert not text.replace("? review", "").count("?")


def test_color() -> None:
    """Colour is there when asked for and adds nothing but escape sequences."""
    assert "\x1b" not in terminal.render(hostile())
    colored = terminal.render(untouched(), color=True)
    assert "\x1b[32m" in colored
    assert flat(inert.clean(colored)) == flat(terminal.render(untouched()))


def test_surroundings_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says of the terminal changes no report."""
    plain = terminal.render(untouched(), width=90)
    colored = terminal.render(untouched(), width=90, color=True)
    surroundings = {"COLUMNS": "20", "FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "dumb"}
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)
    assert terminal.render(untouched(), width=90) == plain
    assert terminal.render(untouched(), width=90, color=True) == colored


@every_report
def test_svg(graded: Report) -> None:
    """The picture is well-formed, shows the report and is always the same."""
    picture = terminal.svg(graded)
    assert picture == terminal.svg(graded)
    assert "url(http" not in picture
    words = "".join(ET.fromstring(picture).itertext()).replace("\xa0", " ")  # noqa: S314
    assert f"{wording.percent(graded)} %" in words


# ---------------------------------------------------------------- JSON


def test_schema_is_published() -> None:
    """The committed schema is the one the program makes, and is a sound schema."""
    schema = json_report.schema()
    if os.environ.get("RENEW_GOLDEN"):
        SCHEMA.write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8", newline="\n")
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema == json.loads(SCHEMA.read_text(encoding="utf-8"))


@every_report
def test_json_follows_schema(graded: Report) -> None:
    """Real output validates, has every key in the order of the model, and reads back the same."""
    text = json_report.render(graded)
    data = json.loads(text)
    jsonschema.validate(data, json_report.schema())
    assert list(data) == [field.name for field in fields(Report)]
    assert list(data["criteria"][0]) == [field.name for field in fields(Result)]
    if graded is not ALL["hostile"]:
        assert json_report.read(text) == graded


def test_json_keeps_hostile_text() -> None:
    """JSON alters nothing of the student's text but what cannot be written at all."""
    text = json_report.render(hostile())
    assert json_report.read(text).criteria[0].feedback.what == HOSTILE.replace("\udc80", "\ufffd")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("extra",), 1),
        (("version",), "2"),
        (("score",), "5"),
        (("score",), None),
        (("criteria", 0, "verdict"), "perfect"),
        (("criteria", 0, "surprise"), True),
        (("criteria", 0, "feedback", "more"), ""),
        (("criteria", 2, "evidence", 0, "line"), "9"),
        (("runs", 0, "events", 0, "x"), 1),
        (("submission", "files", "script"), 3),
        (("notes",), [{"kind": "a", "text": "b", "c": ""}]),
    ],
)
def test_forged_json(path: tuple[str | int, ...], value: object) -> None:
    """An unknown key or a value of another kind is refused by schema and reader alike."""
    data = json.loads(json_report.render(complete()))
    inner = data
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    assert not jsonschema.Draft202012Validator(json_report.schema()).is_valid(data)
    with pytest.raises(UsageError, match=r"This is no grading report|reads reports of version"):
        json_report.read(json.dumps(data))


@pytest.mark.parametrize("text", ["", "[]", "nonsense", "[" * 100_000, '"\\ud800"', "NaN"])
def test_not_json(text: str) -> None:
    """Text that is no report at all is refused in one sentence."""
    with pytest.raises(UsageError, match="This is no grading report"):
        json_report.read(text)


@pytest.mark.parametrize("number", ["NaN", "1e999", "-Infinity"])
def test_endless_numbers(number: str) -> None:
    """A score that is not finite is refused."""
    text = json_report.render(complete()).replace('"score": 30.0', f'"score": {number}')
    with pytest.raises(UsageError, match="finite"):
        json_report.read(text)


def test_every_key_is_required() -> None:
    """The schema asks for every key of every record and allows no other."""
    schema = json_report.schema()
    records = [schema, *(d for d in schema["$defs"].values() if d["type"] == "object")]
    assert len(records) == 10
    for record in records:
        assert record["required"] == list(record["properties"])
        assert record["additionalProperties"] is False


# ---------------------------------------------------------------- Markdown


def tokens(text: str) -> list[Token]:
    """What a Markdown reader makes of the text, inline parts included."""
    blocks = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    return [t for b in blocks for t in (b, *(b.children or ()))]


def test_markdown_is_inert() -> None:
    """Outside of code, hostile text is no HTML, link, image, mention, heading or list."""
    found = tokens(markdown.render(hostile()))
    kinds = {token.type for token in found}
    assert not kinds & {"html_inline", "html_block", "link_open", "image", "em_open", "s_open"}
    live = "".join(token.content for token in found if token.type == "text")
    for danger in ("@", "://", "www.", "#1", "GH-2"):
        assert danger not in live
    assert "<script>" in live
    assert "[/red]" in live


def test_markdown_keeps_its_shape() -> None:
    """Hostile text adds no heading, table row or cell to a report of the same criteria."""

    def shape(graded: Report) -> list[str]:
        found = tokens(markdown.render(graded))
        return [
            t.type for t in found if t.type in {"heading_open", "tr_open", "th_open", "td_open"}
        ]

    tame = Feedback(what="a", expected="a", actual="a", hint="a")
    calm = report(
        result("q1", Verdict.INCORRECT, feedback=tame),
        result("q2", Verdict.PARTIAL, 10, feedback=tame, needs_review=True),
        notes=(Note(kind="a", text="a"),),
    )
    assert shape(hostile()) == shape(calm)


@pytest.mark.parametrize(
    ("text", "markdown_text"),
    [
        ("run `python a.py` now", "run `python a.py` now"),
        ("insert_pet and __init__", "insert_pet and \\_\\_init\\_\\_"),
        ("1. first", "1\\. first"),
        ("- item", "\\- item"),
        ("mail @everyone, see (#1).", "mail `@everyone`, see (`#1`)."),
        ("an open ` tick", "an open \\` tick"),
        ("1 < 2 & 3 | 4", "1 &lt; 2 &amp; 3 &#124; 4"),
    ],
)
def test_prose(text: str, markdown_text: str) -> None:
    """A plain sentence stays readable Markdown."""
    assert inert.prose(text) == markdown_text


@pytest.mark.parametrize("text", ["a`b", "``", "`", " ``` x", "", "a ```` b ` c"])
def test_code_is_closed(text: str) -> None:
    """Whatever backticks a text has, it stays inside its code."""
    span = [t for t in tokens(f"a {inert.code(text)} @b") if t.type == "code_inline"]
    assert [t.content for t in span] == [text.strip() or "(nothing)"]
    fence = [t for t in tokens(f"{inert.block(text)}\n\nend") if t.type == "fence"]
    assert [t.content for t in fence] == [text + "\n"]


def test_long_text_is_cut() -> None:
    """A flood of text leaves a comment of a readable size."""
    assert len(markdown.render(hostile())) < 60_000
    assert inert.excerpt("a\n" * 50, lines=3, limit=9).splitlines()[3] == "... 47 more lines"
