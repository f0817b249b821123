"""Timelines: what is made of a run's events, and how it is told and drawn.

A case in tests/cases/timelines is events, one a line as `seconds process kind record`, then the
story and the drawings. After a wanted change renew them, and read the difference:

    RENEW_GOLDEN=1 pytest tests/test_timeline.py
"""

from __future__ import annotations

import io
import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from grader.model import Event, EventKind, Files, Report, Run, SubmissionInfo
from grader.reports import inert, mermaid, terminal, timeline_svg, timeline_text
from grader.reports.timeline import MOST_LANES, MOST_SEGMENTS, Kind, Timeline, story, timeline

CASES = sorted((Path(__file__).parent / "cases" / "timelines").glob("*.txt"))
BREAK = "=== expect\n"
SVG = "{http://www.w3.org/2000/svg}"
NASTY = '"><script>alert(1)</script>\n```\n:crit, 0, 9; section %% click \u202e\x1b[31m\ud800&amp;'
HOSTILE = st.lists(
    st.builds(
        Event,
        t=st.floats(),
        process=st.sampled_from(["P1", "P2", NASTY]) | st.text(st.characters(), max_size=20),
        kind=st.sampled_from(EventKind),
        label=st.text(st.characters(exclude_categories=()), max_size=40),
    ),
    max_size=40,
)


def event(t: float, process: str, kind: str, label: str = "") -> Event:
    return Event(t=t, process=process, kind=EventKind(kind), label=label)


def case(name: str) -> Timeline:
    """The timeline of a case."""
    path = next(path for path in CASES if path.stem == name)
    return parsed(path.read_text("utf-8").split(BREAK)[0])


def parsed(lines: str) -> Timeline:
    rows = (f"{line} ".split(" ", 3) for line in lines.splitlines())
    return timeline(
        event(float(t), process, kind, label.strip()) for t, process, kind, label in rows
    )


def printed(text: Text, width: int) -> str:
    """What a terminal without colour shows."""
    file = io.StringIO()
    Console(file=file, width=width, color_system=None, legacy_windows=False).print(text)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def lanes(line: Timeline) -> dict[str, list[tuple[str, float, float, str]]]:
    return {
        lane.process: [(s.told, s.start, s.end, s.label) for s in lane.segments]
        for lane in line.lanes
    }


def lanes_and_end(events: list[Event]) -> tuple[object, float]:
    line = timeline(events)
    return line.lanes, line.end


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    """A run is told and drawn as agreed on, wide with Unicode and narrow without."""
    given_events, expected = path.read_text("utf-8").split(BREAK)
    line = parsed(given_events)
    wide = printed(timeline_text.draw(line, 80), 80)
    narrow = printed(timeline_text.draw(line, 40, unicode=False), 40)
    told = f"{story(line)}\n\n{wide}\n\n{narrow}\n" if line.lanes else f"{story(line)}\n"
    if os.environ.get("RENEW_GOLDEN"):
        path.write_text(f"{given_events}{BREAK}{told}", encoding="utf-8", newline="\n")
    assert told == expected


# ---------------------------------------------------------------- events to lanes


def test_segments() -> None:
    """A process waits, holds and saves, or waits and is locked out; times begin at 0."""
    assert lanes(
        parsed(
            "10 P1 wait Ace\n11 P1 hold Ace\n13 P1 commit Ace\n10.5 P2 wait Cooper\n"
            "15.5 P2 locked Cooper\n16 P2 wait Dingo"
        )
    ) == {
        "P1": [("waiting", 0, 1, "Ace"), ("holding, then saved", 1, 3, "Ace")],
        "P2": [("waiting, then locked out", 0.5, 5.5, "Cooper"), ("waiting", 6, 6, "Dingo")],
    }


def test_a_pasted_run_says_only_that_a_process_was_busy() -> None:
    """Without a moment of holding, the time until the record was saved is one segment."""
    line = parsed("0 P1 wait Ace\n3 P1 commit Ace")
    assert [segment.kind for _, segment in line.segments] == [Kind.BUSY]


def test_what_goes_on_lasts_until_now() -> None:
    """A live run's open segment grows with the clock."""
    events = (event(0, "P1", "wait"), event(1, "P1", "hold"))
    assert timeline(events).end == 1
    assert lanes(timeline(events, now=7))["P1"][-1] == ("holding", 1, 7, "")


def test_ends_without_a_beginning() -> None:
    """A commit or a lock error out of nowhere counts, and takes no time."""
    line = timeline((event(0, "P1", "commit"), event(1, "P1", "locked")))
    assert (line.saved, line.locked_out) == (1, 1)
    assert [segment.end - segment.start for _, segment in line.segments] == [0, 0]


def test_order_of_events_does_not_matter() -> None:
    """Events are put in the order of time."""
    events = [event(3, "P1", "commit"), event(0, "P1", "wait"), event(1, "P1", "hold")]
    assert timeline(events) == timeline(events[::-1])


def test_no_more_than_can_be_drawn() -> None:
    """Lanes and segments are capped, and what is left out is counted."""
    many = [event(n, f"P{n % 50}", "wait") for n in range(1000)]
    line = timeline(many)
    assert len(line.lanes) <= MOST_LANES
    assert len(line.segments) <= MOST_SEGMENTS
    assert len(line.segments) + line.left_out == 1000
    assert f"{line.left_out} more steps are not shown." in story(line)


def test_long_names_keep_what_tells_them_apart() -> None:
    """Names are cut in the middle, and processes with one beginning stay two lanes."""
    line = timeline(event(n, f"SpawnPoolWorker-{n}", "wait") for n in (1, 2))
    assert [lane.process for lane in line.lanes] == ["Spaw...ker-1", "Spaw...ker-2"]


@pytest.mark.parametrize("moment", [float("nan"), float("inf"), -1e308, 1e308])
def test_impossible_times(moment: float) -> None:
    """A moment that no run can have is left out and counted, and the others stay."""
    events = [event(0, "P1", "wait", "Ace"), event(3, "P1", "commit", "Ace")]
    line = timeline([*events, event(moment, "P2", "wait")])
    assert (line.lanes, line.end, line.left_out) == (*lanes_and_end(events), 1)


@given(HOSTILE)
def test_any_events_are_told_and_drawn(events: list[Event]) -> None:
    """Whatever a trace or a forged report holds, it does nothing but fill its place."""
    line = timeline(events)
    for lane in line.lanes:
        assert all(0 <= s.start <= s.end <= line.end for s in lane.segments)
    drawn = timeline_text.draw(line, 60).plain
    block = mermaid.draw(line, NASTY)
    picture = timeline_svg.draw([(inert.one_line(NASTY), line)])
    ET.fromstring(picture)  # noqa: S314
    assert not inert.UNSAFE.search(story(line) + drawn + block + picture)
    assert "<script" not in picture
    assert len(block) <= 5000


# ---------------------------------------------------------------- as text


@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_lanes_fit_the_width(path: Path, width: int, unicode: bool) -> None:
    """No lane or axis is wider than the screen, and ASCII is ASCII."""
    line = case(path.stem)
    *drawn, _legend = timeline_text.draw(line, width, unicode=unicode).plain.split("\n")
    assert max(map(len, drawn)) <= width
    assert unicode or "".join(drawn).isascii()


def test_wide_characters_keep_the_columns() -> None:
    """Characters that take two columns shift no bar: every lane ends where its run does."""
    line = parsed("0 日本語 wait 日本語\n3 日本語 locked\n0 P1 wait Ace\n3 P1 locked")
    first, second = timeline_text.draw(line, 60).plain.splitlines()[:2]
    assert cell_len(first) == cell_len(second) <= 60


def test_a_terminal_report_draws_a_few_processes() -> None:
    """The drawing in a report stays short, and says how many processes it leaves out."""
    run = Run(
        id="slow",
        duration=3,
        speed=1,
        wall_seconds=9,
        exit_code=0,
        timed_out=False,
        rows=0,
        lock_errors=50,
        sandbox="none",
        events=tuple(
            event(t, f"P{n}", k) for n in range(50) for t, k in ((0, "wait"), (5, "locked"))
        ),
    )
    about = SubmissionInfo(
        path="ada", student=None, commit=None, files=Files(script=None, readme=None)
    )
    report = Report(
        version="1",
        assignment="counting",
        grader="1",
        rubric_sha256="0",
        submission=about,
        score=0,
        max_score=0,
        needs_review=False,
        criteria=(),
        runs=(run,),
        notes=(),
    )
    text = terminal.render(report)
    assert re.findall(r"^(P\d+)  ", text, re.MULTILINE) == [f"P{n}" for n in range(terminal.LANES)]
    assert f"... and {50 - terminal.LANES} more processes" in text


def test_plain_has_no_colour_codes() -> None:
    """Colour is only in the styles: a plain file gets none."""
    drawn = timeline_text.draw(case("contention"))
    assert "\x1b" not in printed(drawn, 80)
    file = io.StringIO()
    Console(file=file, width=80, color_system="standard", force_terminal=True).print(drawn)
    assert "\x1b[" in file.getvalue()


def test_two_drawings_share_a_scale() -> None:
    """With one least number of seconds, the same moment is in the same column."""
    short = timeline_text.draw(case("one-process"), 80, scale=12.3).plain
    assert (
        short.splitlines()[-2] == timeline_text.draw(case("contention"), 80).plain.splitlines()[-2]
    )
    assert len(short.splitlines()[0]) < 30


# ---------------------------------------------------------------- as SVG


def pictures(named: list[tuple[str, Timeline]], **options: object) -> ET.Element:
    return ET.fromstring(timeline_svg.draw(named, **options))  # type: ignore[arg-type]  # noqa: S314


def ends(picture: ET.Element, kind: str) -> list[float]:
    found = picture.iterfind(f".//{SVG}rect[@class='{kind}']")
    return [float(rect.attrib["x"]) + float(rect.attrib["width"]) for rect in found]


def test_svg_says_what_it_shows() -> None:
    """The picture has a name and tells its story; bars and marks tell theirs."""
    line = case("contention")
    picture = pictures([("Our run", line)])
    title, desc = (picture.find(f"{SVG}{name}") for name in ("title", "desc"))
    assert title is not None
    assert desc is not None
    assert picture.attrib["role"] == "img"
    assert picture.attrib["aria-labelledby"] == f"{title.attrib['id']} {desc.attrib['id']}"
    assert (title.text, desc.text) == ("Our run", f"Our run: {story(line)}")
    told = [title.text for title in picture.iterfind(f".//{SVG}rect/{SVG}title")]
    assert "Cooper waiting, then locked out, 0.04 to 5.06 s" in told
    assert len(picture.findall(f".//{SVG}path[@class='locked']")) == 2
    assert len(picture.findall(f".//{SVG}path[@class='saved on-bar']")) == 4


def test_svg_is_always_the_same() -> None:
    """The same runs give the same bytes; another key gives other ids."""
    named = [("a", case("contention")), ("b", case("a-pasted-run"))]
    assert timeline_svg.draw(named) == timeline_svg.draw(named)
    ids = [
        set(re.findall(r'\bid="([^"]+)"', timeline_svg.draw(named, key=key))) for key in ("a", "b")
    ]
    assert ids[0] & ids[1] == set()


def test_svg_has_one_scale() -> None:
    """Timelines in one picture, and pictures that share a scale, put a moment at one place."""
    long, short = case("contention"), case("one-process")
    together = ends(pictures([("a", long), ("b", short)]), "holding")
    alone = ends(pictures([("b", short)], scale=long.end), "holding")
    assert together[-1] == alone[0]
    assert alone[0] < ends(pictures([("b", short)]), "holding")[0]


@pytest.mark.parametrize("width", [300, 720])
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_svg_stays_in_its_frame(path: Path, width: int) -> None:
    """No bar begins on a process's name or ends outside of the picture."""
    line = case(path.stem)
    picture = pictures([("a", line)], width=width)
    longest = max((len(lane.process) for lane in line.lanes), default=0)
    for rect in picture.iterfind(f".//{SVG}rect"):
        left = float(rect.attrib["x"])
        assert longest * 6 < left <= left + float(rect.attrib["width"]) <= width


def test_svg_escapes() -> None:
    """Names, records and titles stay text."""
    line = timeline([event(0, "<b>", "wait", "</svg><script>"), event(3, "<b>", "locked")])
    picture = pictures([("<i>&", line)])
    assert {element.tag.removeprefix(SVG) for element in picture.iter()} <= set(
        "svg title desc defs pattern line g text rect path".split()
    )
    assert {"<b>", "</svg><script>", "<i>&"} <= set(picture.itertext())


def test_svg_as_a_file_brings_its_style() -> None:
    """A picture of its own has the style, the paper and the margin that a page else gives it."""
    named = [("a", case("contention"))]
    within, alone = pictures(named), pictures(named, standalone=True)
    assert within.find(f"{SVG}style") is None
    style = alone.findtext(f"{SVG}style") or ""
    assert style.startswith(timeline_svg.STYLE)
    assert "background" in style.removeprefix(timeline_svg.STYLE)
    assert int(alone.attrib["width"]) > int(within.attrib["width"])


@pytest.mark.parametrize("end", [0.0075, 12.0, 3000.0])
def test_no_moment_is_told_beyond_the_picture(end: float) -> None:
    """The last moment of the axis has room, however long its number is."""
    picture = pictures([("a", parsed(f"0 P1 wait a\n{end} P1 commit a"))])
    moments = picture.findall(f".//{SVG}text[@text-anchor='middle']")
    for moment in moments:
        half = len(moment.text or "") * 7.0 / 2
        assert float(moment.attrib["x"]) + half <= float(picture.attrib["width"])


# ---------------------------------------------------------------- as Mermaid


def test_mermaid() -> None:
    """A `gantt` block has a section for each process and a task for each segment."""
    block = mermaid.draw(parsed("0 P1 wait Ace\n3 P1 commit Ace\n0 P2 wait Bo\n5 P2 locked"), "r")
    assert block.splitlines() == [
        "gantt",
        "    title r",
        "    dateFormat x",
        "    axisFormat %S s",
        "    section P1",
        "    Waits or holds to add Ace and saves :active, 0, 3000",
        "    section P2",
        "    Waits to add Bo and is locked out :crit, 0, 5000",
    ]


@pytest.mark.parametrize("name", ["click a", "section b", "Title", "gantt", "2020-01-01", ""])
def test_mermaid_takes_no_orders(name: str) -> None:
    """A record or process that is called like a statement of Mermaid's begins no line."""
    line = timeline([event(0, name, "wait", name), event(3, name, "locked", name)])
    rows = mermaid.draw(line, name).splitlines()
    assert [row.split()[0] for row in rows] == [
        "gantt",
        "title",
        "dateFormat",
        "axisFormat",
        "section",
        "Waits",
    ]


def test_mermaid_is_short_and_inert() -> None:
    """Labels bring no syntax of their own, and a long run ends with a whole line."""
    line = timeline(event(n, f"{NASTY}{n % 9}", "wait", NASTY) for n in range(500))
    block = mermaid.draw(line, NASTY)
    assert 4000 < len(block) < 5000
    task = r"    (?:Waits|Holds)[A-Za-z0-9 _.-]* :(?:(?:crit|done|active), )?\d+, \d+"
    for row in block.splitlines()[4:]:
        assert re.fullmatch(rf"{task}|    section [A-Za-z0-9 _.-]+", row)
    assert not set("`#;<>\"'%{}") & set(block.replace("%M:%S", ""))
