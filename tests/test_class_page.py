"""The class's page, in a real browser and without one."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from grader.assignment import load_assignment
from grader.class_reports import page as class_page
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
from grader.similarity import Cluster, Likeness, Passage

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# One browser serves them all.
pytestmark = pytest.mark.xdist_group("browser")

RUBRIC = load_assignment(Path(__file__).resolve().parent.parent / "rubric.yaml").rubric
NASTY = "</script><script>hacked=1</script><img src=x onerror=hacked=1>\"'&{{7*7}}\u202eq"


def result(name: str, verdict: Verdict, said: str, *, sure: float = 0.95) -> Result:
    return Result(
        id=name,
        title=RUBRIC.criteria[name].title,
        verdict=verdict,
        score={Verdict.CORRECT: 5.0, Verdict.PARTIAL: 2.5}.get(verdict, 0.0),
        max_score=5,
        needs_review=sure < 0.7,
        confidence=sure,
        feedback=Feedback(what=f"What was said: {said}.", actual=said),
        evidence=(Quote(file="README.md", line=7, quote=said),),
    )


def graded(key: str, *results: Result, name: str | None = None) -> Row:
    report = Report(
        version=REPORT_VERSION,
        assignment="counting",
        grader="1.0",
        rubric_sha256="0" * 64,
        submission=SubmissionInfo(
            path=key, student=key, commit="c0ffee1234", files=Files(script=None, readme=None)
        ),
        score=sum(each.score for each in results),
        max_score=sum(each.max_score for each in results),
        needs_review=any(each.needs_review for each in results),
        criteria=results,
        runs=(),
        notes=(Note(kind="edition", text=f"Note: {results[0].feedback.actual}"),),
    )
    student = Student(key=key, repository=f"forks/{key}", name=name)
    return Row(student=student, outcome=Outcome.GRADED, report=report)


def failed(key: str, reason: str) -> Row:
    student = Student(key=key, repository=f"forks/{key}")
    return Row(student=student, outcome=Outcome.FAILED, reason=reason)


ROWS = [
    graded("ada", result("q3", Verdict.CORRECT, "7"), result("q7", Verdict.CORRECT, "3")),
    graded(
        "ben",
        result("q3", Verdict.INCORRECT, "eight", sure=0.4),
        result("q7", Verdict.PARTIAL, "3 or so", sure=0.6),
        name="Benedict",
    ),
    graded("cleo", result("q3", Verdict.INCORRECT, "Eight!", sure=0.4),
           result("q7", Verdict.CORRECT, "3")),
    failed("dan", "The repository is private."),
]  # fmt: skip
CLUSTER = Cluster(
    likeness=Likeness.NAMED,
    students=("ada", "ben"),
    evidence=(
        (
            Passage(student="ben", place="README", line=3, text="by Ada"),
            Passage(student="ada", place="roster", line=None, text="name Ada"),
        ),
    ),
)


def render(rows: list[Row], *clusters: Cluster) -> str:
    names = file_names(row.student.key for row in rows)
    links = {key: f"feedback/{name}.html" for key, name in names.items()}
    return class_page.render(rows, "counting", links, clusters)


# ---------------------------------------------------------------- as text


def test_page_is_the_same_for_the_same_class() -> None:
    """Neither the clock nor the order of the rows changes a byte."""
    assert render(ROWS, CLUSTER) == render(ROWS[::-1], CLUSTER)


def test_page_of_a_class_with_nothing_to_look_at_says_only_how_it_did() -> None:
    """Sections without content are not there."""
    html = render(ROWS[:1])
    headings = re.findall(r"<section id=\"([\w-]+)\"", html)
    assert headings == ["class", "students", "notes"]


def test_page_of_nobody() -> None:
    """An empty class and one that failed as a whole have a page too."""
    assert 'id="students"' in render([])
    assert "The repository is private." in render(ROWS[3:])


def test_without_the_plotting_library_tables_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every figure is there without the extra, and the page says which one draws plots."""
    drawn = render(ROWS)
    monkeypatch.setitem(sys.modules, "pygal", None)
    html = render(ROWS)
    assert "<svg" in drawn
    assert "<svg" not in html
    assert "assignment-grader[report]" in html
    assert "assignment-grader[report]" not in drawn
    assert html.count("<meter") == drawn.count("<meter") > 0


def test_plots_leave_imports_alone() -> None:
    """Drawing leaves nothing behind that later imports would warn of."""
    assert "<svg" in render(ROWS)
    assert [finder for finder in sys.meta_path if not hasattr(finder, "find_spec")] == []


def test_plots_can_be_heard_and_do_nothing() -> None:
    """Each plot has a title and says its figures; no script, style or address is inside."""
    for svg in re.findall(r"<svg.*?</svg>", render(ROWS), re.DOTALL):
        assert re.match(r'<svg[^>]*role="img" aria-labelledby="(\w+)-title \1-text"', svg)
        assert re.search(r"<title id=\"\w+-title\">[^<]+</title><desc id=\"\w+-text\">[^<]+\d", svg)
        assert not re.search(r"<script|<style|style=|href|on\w+=|pygal", svg)


def test_page_of_a_thousand_students_is_small() -> None:
    """A page for 1,000 students takes less than 3 MB."""
    said = "The functions are defined one after the other, and I believe that there are many. " * 4
    results = [
        result(name, Verdict.PARTIAL, said, sure=0.5 if name == "q5" else 0.9)
        for name in RUBRIC.criteria
    ]
    html = render([graded(f"student-{n:04}", *results, name="Ada Lovelace") for n in range(1000)])
    assert len(html.encode()) < 3_000_000
    assert html.count("<tr data-kind") == 1000


# ---------------------------------------------------------------- in a browser


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """The page of `ROWS`; whatever it complains of, or asks the network for, fails the test."""
    path = tmp_path / "index.html"
    path.write_text(render(ROWS, CLUSTER), "utf-8")
    with browser.new_context() as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        complaints: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        yield page
        assert complaints == []
        assert asked == [path.as_uri()]


def shown(page: Page) -> list[str]:
    return page.locator("#table tbody tr:visible th").all_inner_texts()


def test_table_sorts_by_click_and_by_key(opened: Page) -> None:
    """A heading sorts by its column and says so; whoever has no score stands last."""
    heading = opened.locator("#table thead th").nth(2)
    heading.get_by_role("button").click()
    assert shown(opened) == ["ben", "cleo", "ada", "dan"]
    assert heading.get_attribute("aria-sort") == "ascending"
    heading.get_by_role("button").press("Enter")
    assert shown(opened) == ["ada", "cleo", "ben", "dan"]
    sorts = opened.locator("#table thead th").evaluate_all("ths => ths.map(th => th.ariaSort)")
    assert [each for each in sorts if each != "none"] == ["descending"]


def test_table_is_filtered_by_text_and_by_kind(opened: Page) -> None:
    """What is typed is looked for in the whole row, and what remains is counted."""
    find, kind = opened.get_by_label("Find"), opened.get_by_label("Show")
    find.fill("BENEDICT")
    assert shown(opened) == ["ben"]
    find.fill("private")
    assert shown(opened) == ["dan"]
    find.fill("")
    kind.select_option("review")
    assert shown(opened) == ["ben", "cleo"]
    assert opened.locator("#filter output").inner_text() == "2 of 4"
    kind.select_option("alike")
    assert shown(opened) == ["ada", "ben"]


def test_decisions_become_overrides(opened: Page) -> None:
    """Verdicts chosen on the page are copied as lines that the file of overrides takes."""
    cards = opened.locator(".case")
    assert opened.locator("#tray").is_hidden()
    cards.nth(0).get_by_role("button", name="incorrect").click()
    cards.nth(0).get_by_role("button", name="partial").click()
    cards.nth(1).get_by_role("button", name="incorrect").press("Space")
    opened.get_by_label("Reviewed by").fill('M. "C" Curie')
    opened.get_by_role("button", name="Copy the overrides").click()
    opened.locator("#tray output", has_text="2 copied").wait_for()
    copied = opened.evaluate("navigator.clipboard.readText()")
    found = [
        (each.submission, each.criterion, each.verdict.value, each.by, each.text)
        for each in parse_overrides(copied, "overrides.yaml", RUBRIC)
    ]
    by = 'M. "C" Curie'
    assert found == [
        ("ben", "q3", "partial", by, "eight"),
        ("cleo", "q3", "partial", by, "eight"),
        ("ben", "q7", "incorrect", by, "3 or so"),
    ]


def test_a_decision_can_be_taken_back(opened: Page) -> None:
    """Pressing a chosen verdict again leaves the case undecided."""
    button = opened.locator(".case").nth(0).get_by_role("button", name="partial")
    button.click()
    assert opened.locator("#tray").is_visible()
    button.click()
    assert opened.locator("#tray").is_hidden()


def test_every_graded_row_opens_its_report(opened: Page) -> None:
    """Students who were graded link to their feedback; the others have none to open."""
    hrefs = opened.locator("#table tbody a").evaluate_all(
        "as => as.map(a => a.getAttribute('href'))"
    )
    assert hrefs == ["feedback/ada.html", "feedback/ben.html", "feedback/cleo.html"]


def test_page_fits_a_phone_and_paper(opened: Page) -> None:
    """Nothing but the table scrolls sideways, and paper shows no controls."""
    opened.set_viewport_size({"width": 360, "height": 740})
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
    opened.emulate_media(media="print")
    assert opened.get_by_label("Find").is_hidden()
    assert opened.locator("#table").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_accessible(opened: Page, scheme: Literal["light", "dark"]) -> None:
    """axe finds no fault with anything on the page: contrast, names, landmarks, tables."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    opened.emulate_media(color_scheme=scheme)
    opened.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    found = axe.Axe().run(opened)
    assert [each["id"] for each in found.response["violations"]] == []
    assert "color-contrast" in {each["id"] for each in found.response["passes"]}


def test_page_is_usable_without_scripts(browser: Browser, tmp_path: Path) -> None:
    """Without scripts everything can be read, the lines for overrides too; no control is dead."""
    path = tmp_path / "index.html"
    path.write_text(render(ROWS, CLUSTER), "utf-8")
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(path.as_uri())
        assert shown(page) == ["ada", "ben", "cleo", "dan"]
        page.locator(".case summary").nth(0).click()
        lines = page.locator(".override").nth(0).inner_text()
        assert len(parse_overrides(lines, "overrides.yaml", RUBRIC)) == 2
        assert page.locator("button:visible, input:visible, select:visible").count() == 0


def test_students_text_is_inert(browser: Browser, tmp_path: Path) -> None:
    """Whatever a student, a roster or a repository says is shown as text, in every section."""
    rows = [
        graded(f"{NASTY}{n}", *(result(name, Verdict.PARTIAL, NASTY, sure=0.3)
               for name in ("q3", "q7")), name=NASTY)
        for n in range(3)
    ]  # fmt: skip
    rows.append(failed("eva", NASTY))
    passage = Passage(student=NASTY, place=NASTY, line=1, text=NASTY)
    cluster = Cluster(
        likeness=Likeness.WORDS, students=(NASTY, f"{NASTY}0"), evidence=((passage, passage),)
    )
    html = render(rows, cluster)
    assert "\u202e" not in html
    path = tmp_path / "index.html"
    # Without its policy the page must be harmless too.
    path.write_text(re.sub(r"<meta http-equiv[^>]*>", "", html), "utf-8")
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(path.as_uri())
        assert page.evaluate("typeof hacked") == "undefined"
        assert page.locator("img, script").count() == 1
        for section in ("review", "failed", "alike", "mistakes", "students", "notes"):
            assert "{{7*7}}" in page.locator(f"#{section}").inner_text(), section
        outside = page.locator("a").evaluate_all("as => as.filter(a => !/^(file|#)/.test(a.href))")
        assert outside == []


def test_policy_forbids_everything_but_the_pages_own(browser: Browser, tmp_path: Path) -> None:
    """Even markup that got into the page could neither run nor ask the network."""
    path = tmp_path / "index.html"
    added = "<script>hacked=1</script><img src=http://127.0.0.1:9/x></body>"
    path.write_text(render(ROWS).replace("</body>", added), "utf-8")
    with browser.new_context() as context:
        page = context.new_page()
        refused: list[str] = []
        page.on("console", lambda message: refused.append(message.text))
        page.goto(path.as_uri())
        assert page.evaluate("typeof hacked") == "undefined"
        assert len([each for each in refused if "Content Security Policy" in each]) == 2
