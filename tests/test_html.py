"""The HTML report, as text and in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader.model import (
    Event,
    EventKind,
    Feedback,
    Files,
    Note,
    PastedRun,
    Quote,
    Report,
    Result,
    Run,
    SubmissionInfo,
    Verdict,
)
from grader.reports import inert, render, wording
from grader.reports.timeline import story, timeline

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    Open = Callable[..., Page]

# One browser serves them all.
pytestmark = pytest.mark.xdist_group("browser")

NASTY = (
    "</style></title><script>hacked=1</script><img src=http://127.0.0.1:9/x onerror=hacked=1>"
    "<a href=//evil.example>go</a>\"'&lt;{{7*7}} `</code><b>` \u202eq\x1b[31m"
)
SHOWN = "<script>hacked=1</script>"
SHARES = {Verdict.CORRECT: 1.0, Verdict.PARTIAL: 0.5}


def result(name: str, verdict: Verdict, points: float = 5, **changes: Any) -> Result:
    values: dict[str, Any] = {
        "id": name,
        "title": f"Question {name}",
        "verdict": verdict,
        "score": points * SHARES.get(verdict, 0.0),
        "max_score": points,
        "needs_review": False,
        "confidence": 0.9,
        "feedback": Feedback(what=f"What {name} came to.", hint=f"Look at `{name}` again."),
    }
    return Result(**{**values, **changes})


def report(*criteria: Result, **changes: Any) -> Report:
    values: dict[str, Any] = {
        "version": "1",
        "assignment": "counting-sheep",
        "grader": "1.2.3",
        "rubric_sha256": "abcdef0123456789" * 4,
        "submission": SubmissionInfo(
            path="students/ada",
            student="ada",
            commit="c0ffee1234567",
            files=Files(script="program.py", readme="README.md"),
        ),
        "score": sum(each.score for each in criteria),
        "max_score": sum(each.max_score for each in criteria),
        "needs_review": any(each.needs_review for each in criteria),
        "criteria": criteria,
        "runs": (),
        "notes": (),
    }
    return Report(**{**values, **changes})


def events(*told: tuple[float, str, str, str]) -> tuple[Event, ...]:
    return tuple(
        Event(t=t, process=process, kind=EventKind(kind), label=label)
        for t, process, kind, label in told
    )


def our_run(name: str, duration: float, *told: tuple[float, str, str, str]) -> Run:
    return Run(
        id=name,
        duration=duration,
        speed=10 if duration else 1,
        wall_seconds=1.2,
        exit_code=0,
        timed_out=False,
        rows=4,
        lock_errors=2,
        sandbox="bubblewrap",
        events=events(*told),
    )


QUICK = our_run("run0", 0, (0, "P1", "wait", "Ace"), (0.1, "P1", "commit", "Ace"))
SLOW = our_run(
    "run3",
    3,
    (0, "P1", "hold", "Ace"),
    (0, "P2", "wait", "Cooper"),
    (5, "P2", "locked", "Cooper"),
    (9, "P1", "commit", "Ace"),
)
PASTED = PastedRun(
    id="run3",
    duration=3,
    file="out3.txt",
    events=events((0, "P1", "wait", "Ace"), (4, "P1", "commit", "Ace")),
)
EVERYTHING = report(
    result("run0", Verdict.CORRECT, title="The quick run"),
    result("out0", Verdict.INCORRECT, 20),
    result(
        "q5",
        Verdict.PARTIAL,
        15,
        needs_review=True,
        feedback=Feedback(
            what="Your answer describes 3 of the 7 functions.",
            actual="one\n  and two",
            expected="One sentence for each function.",
            hint="Run `python program.py` again.",
        ),
        evidence=tuple(Quote(file="README.md", line=n, quote=f"line {n}") for n in range(60, 67)),
    ),
    result("q6", Verdict.MISSING),
    result("q7", Verdict.SKIPPED),
    result("q8", Verdict.ERROR),
    runs=(QUICK, SLOW),
    pasted=(PASTED,),
    notes=(Note(kind="environment", text="There is no git here."),),
)
COMPLETE = report(result("q1", Verdict.CORRECT), result("q2", Verdict.CORRECT), runs=(SLOW,))


def poisoned(value: Any) -> Any:
    """The same with an attack for every text."""
    if isinstance(value, (Verdict, EventKind)):
        return value
    if isinstance(value, str):
        return NASTY + value
    if isinstance(value, tuple):
        return tuple(map(poisoned, value))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: poisoned(getattr(value, f.name)) for f in fields(value)})
    return value


HOSTILE: Report = poisoned(EVERYTHING)
REPORTS = {
    "everything": EVERYTHING,
    "complete": COMPLETE,
    "hostile": HOSTILE,
    "empty": report(),
}
every_report = pytest.mark.parametrize("graded", REPORTS.values(), ids=REPORTS)


# ---------------------------------------------------------------- as text


@every_report
def test_page_is_always_the_same(graded: Report) -> None:
    """The same report gives the same bytes, without any control or hidden character."""
    html = render(graded, "html")
    assert html == render(graded, "html")
    assert html.endswith("</html>\n")
    assert not inert.UNSAFE.search(html)


@every_report
def test_page_needs_no_other_file(graded: Report) -> None:
    """Nothing is fetched: no script, no picture, no style sheet, no font and no frame."""
    html = render(graded, "html")
    assert not re.search(r"<(?:script|img|link|iframe|object|embed|base|form)\b", html)
    assert not re.search(r"@import|@font-face|url\((?!#)", html)
    assert set(re.findall(r'\shref="(.)', html)) == {"#"}
    assert not re.search(r"\sstyle=", html)


def test_page_of_a_report_without_runs() -> None:
    """Sections without content are not there."""
    html = render(report(result("q1", Verdict.CORRECT)), "html")
    assert re.findall(r'<h2 id="([\w-]+)"', html) == ["next-heading", "criteria-heading"]


def test_one_format_among_the_others() -> None:
    """Every word of the verdicts comes from where the other reports take it."""
    html = render(EVERYTHING, "html")
    for verdict, word in wording.WORDS.items():
        assert f"{wording.SYMBOLS[verdict]}</span> {word.replace(chr(39), '&#39;')}<" in html


# ---------------------------------------------------------------- in a browser


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a report's page; what it complains of, or asks the network for, fails the test."""
    path = tmp_path / "report.html"
    complaints: list[str] = []
    asked: list[str] = []
    contexts = []

    def open_page(graded: Report, *, width: int = 1000, scheme: Any = "light") -> Page:
        path.write_text(render(graded, "html"), "utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert set(asked) <= {path.as_uri()}


def unfold(page: Page) -> None:
    page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")


def flat(text: str) -> str:
    return " ".join(text.split())


def test_reader_sees_everything(opened: Open) -> None:
    """Score, next steps, every criterion with its reasons, runs, notes and origin are told."""
    page = opened(EVERYTHING)
    assert flat(page.locator(".score").inner_text()) == "12.5 of 55 points 22 %"
    steps = page.locator(".next li")
    assert [flat(text) for text in steps.all_inner_texts()] == [
        "out0 up to 20 points Look at out0 again.",
        "q5 up to 7.5 points Run python program.py again.",
        "q6 up to 5 points Look at q6 again.",
    ]
    criteria = page.locator(".criterion")
    assert [flat(text) for text in criteria.locator("h3").all_inner_texts()] == [
        f"{each.id} {each.title}" for each in EVERYTHING.criteria
    ]
    q5 = flat(criteria.nth(2).inner_text())
    for words in (
        "◐ partly correct ? review 7.5 / 15",
        "Your answer describes 3 of the 7 functions.",
        "Found one and two",
        "Expected One sentence for each function.",
        "README.md, line 60 line 60",
        "and 2 more",
        "Next: Run python program.py again.",
    ):
        assert words in q5
    assert "There is no git here." in page.locator("main").inner_text()
    origin = flat(page.locator("footer").inner_text())
    for words in ("version 1.2.3", "rubric abcdef012345 ", "commit c0ffee1 ", "program.py"):
        assert words in origin


def test_only_what_needs_words_is_open(opened: Open) -> None:
    """A criterion that is simply right is one line until it is asked for."""
    page = opened(EVERYTHING)
    shut = page.locator(".criterion:not([open])")
    assert [flat(each) for each in shut.locator("h3").all_inner_texts()] == ["run0 The quick run"]


def test_runs_are_told_and_drawn(opened: Open) -> None:
    """Our run and the student's stand in one picture that has a name and tells its story."""
    page = opened(EVERYTHING)
    cards = page.locator("#runs article")
    assert cards.count() == 2
    slow = cards.nth(1)
    assert flat(slow.locator("h3").inner_text()) == "run3 with a duration of 3 s"
    assert slow.get_by_role("img").count() == 1
    picture = slow.get_by_role("img", name="Our run; Your run")
    assert story(timeline(PASTED.events)) in (picture.locator("desc").text_content() or "")
    told = flat(slow.inner_text())
    assert "10 times as fast as real time, in bubblewrap" in told
    assert "in real time" in cards.nth(0).inner_text()
    assert "As out3.txt tells it." in told
    for run in (SLOW, PASTED):
        assert story(timeline(run.events)) in told


def test_steps_are_a_table(opened: Open) -> None:
    """What a picture shows can be read row by row."""
    page = opened(EVERYTHING)
    unfold(page)
    rows = page.locator("#runs article").nth(1).locator("table").nth(0).locator("tr")
    assert [flat(text) for text in rows.all_inner_texts()] == [
        "Seconds Process What it did",
        "0.00 to 9.00 P1 Ace holding, then saved",
        "0.00 to 5.00 P2 Cooper waiting, then locked out",
    ]


def test_pictures_share_one_scale(opened: Open) -> None:
    """A moment is at the same place in every picture of the page."""
    page = opened(EVERYTHING)
    ticks = [
        picture.locator(".grid").evaluate_all("all => all.map(line => line.getAttribute('x1'))")
        for picture in page.locator(".on-desk svg").all()
    ]
    assert len(ticks) == 2
    assert set(ticks[0]) == set(ticks[1])


@every_report
def test_page_fits_a_phone(opened: Open, graded: Report) -> None:
    """At 360 pixels nothing scrolls sideways, and pictures keep letters that can be read."""
    page = opened(graded, width=360)
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    for picture in page.locator(".timeline:visible").all():
        assert picture.evaluate("svg => svg.getScreenCTM().a") > 0.9


@pytest.mark.parametrize(("width", "scheme"), [(1000, "light"), (360, "dark")])
@every_report
def test_page_is_accessible(opened: Open, graded: Report, width: int, scheme: str) -> None:
    """axe finds no fault: contrast, names, order of headings, landmarks, tables, language."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(graded, width=width, scheme=scheme)
    unfold(page)
    found = axe.Axe().run(page)
    assert [each["id"] for each in found.response["violations"]] == []
    passed = {each["id"] for each in found.response["passes"]}
    assert {"color-contrast", "heading-order", "html-has-lang", "list", "region"} <= passed


CONTRASTS = """() => {
  const light = color => {
    const [r, g, b] = color.match(/[\\d.]+/g).map(n => n / 255)
      .map(n => n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [low, high] = [light(a), light(b)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const card = getComputedStyle(document.querySelector('.card')).backgroundColor;
  const bar = getComputedStyle(document.querySelector('.timeline .holding')).fill;
  return [...document.querySelectorAll('.card .timeline text')].map(text =>
    ratio(getComputedStyle(text).fill, text.classList.contains('on-bar') ? bar : card));
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_in_pictures_have_contrast(opened: Open, scheme: str) -> None:
    """Letters in a picture, which axe does not look at, stand out from what is behind them."""
    ratios = opened(EVERYTHING, scheme=scheme).evaluate(CONTRASTS)
    assert len(ratios) > 20
    assert min(ratios) >= 4.5


def test_keyboard_reaches_everything(opened: Open) -> None:
    """Tab goes to the skip link, every link and every part that unfolds; Enter unfolds it."""
    page = opened(EVERYTHING)
    summaries = page.locator("summary").count()
    links = page.locator("a").count()
    reached: list[str] = []
    for _ in range(summaries + links):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
    assert reached[0] == "A"
    assert (reached.count("SUMMARY"), reached.count("A")) == (summaries, links)
    last = page.locator("details").last
    assert last.get_attribute("open") is None
    page.keyboard.press("Enter")
    assert last.get_attribute("open") is not None


def test_skip_link(opened: Open) -> None:
    """The first Tab shows a link that leads past the head of the page."""
    page = opened(EVERYTHING)
    page.keyboard.press("Tab")
    link = page.get_by_role("link", name="Skip to the criteria")
    box = link.bounding_box()
    assert box is not None
    assert box["width"] > 50
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "criteria"


def test_paper_shows_everything(opened: Open) -> None:
    """Printed, every part is unfolded, and dark colours stay on the screen."""
    page = opened(EVERYTHING, scheme="dark")
    hidden = page.locator(".criterion").nth(0).get_by_text("What run0 came to.")
    assert not hidden.is_visible()
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("details > :not(summary)").evaluate_all(
        "all => all.every(each => each.checkVisibility({contentVisibilityAuto: true}))"
    )
    assert hidden.is_visible()
    colors = page.evaluate("(s => [s.color, s.backgroundColor])(getComputedStyle(document.body))")
    assert colors == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert page.pdf().startswith(b"%PDF")


# ---------------------------------------------------------------- attacks


def test_students_text_is_inert(browser: Browser, tmp_path: Path) -> None:
    """Even without its policy the page of a hostile report runs, loads and links to nothing."""
    path = tmp_path / "report.html"
    html, policies = re.subn(r"<meta http-equiv[^>]*>", "", render(HOSTILE, "html"))
    assert policies == 1
    path.write_text(html, "utf-8")
    with browser.new_context() as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        unfold(page)
        assert page.evaluate("typeof hacked") == "undefined"
        assert page.locator("script, img, b, iframe").count() == 0
        hrefs = page.locator("a").evaluate_all("as => as.map(a => a.getAttribute('href'))")
        assert {href[0] for href in hrefs} == {"#"}
        for part in ("h1", ".next li", ".criterion .said", ".said pre", ".notes li"):
            assert SHOWN in page.locator(part).first.inner_text(), part
        assert "{{7*7}}" in page.locator("body").inner_text()
        assert asked == [path.as_uri()]


def test_policy_forbids_everything_but_the_own_style(browser: Browser, tmp_path: Path) -> None:
    """Even markup that got into the page could neither run nor load anything."""
    path = tmp_path / "report.html"
    added = (
        "<script>hacked=1</script><img src=http://127.0.0.1:9/x>"
        "<style>h1{display:none}</style></body>"
    )
    path.write_text(render(COMPLETE, "html").replace("</body>", added), "utf-8")
    with browser.new_context() as context:
        page = context.new_page()
        refused: list[str] = []
        page.on("console", lambda message: refused.append(message.text))
        page.goto(path.as_uri())
        assert page.evaluate("typeof hacked") == "undefined"
        assert page.locator("h1").is_visible()
        assert len([each for each in refused if "Content Security Policy" in each]) == 3
