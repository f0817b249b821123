"""Timelines as an SVG picture: inline in a page, or a file of its own.

Everything that is told by colour is told by shape too: waiting is hatched, holding is solid, a
saved record ends in a tick and a lock error in a cross.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from grader.model import EventKind
from grader.reports.timeline import Kind, Segment, Timeline, story, ticks

_LEFT = 56
_RIGHT = 14
_LANE = 34
_BAR = 22
_MARK = 18
_TITLE = 26
_AXIS = 26
_LETTER = 7.0
"""Width of a letter at the labels' size, at most."""
_TICK = 55
"""Pixels from one tick to the next, at least."""
_MARGIN = 14
"""Pixels around a picture that is a file of its own."""

STYLE = """
.timeline{--halo:#fff;--ink:#1f2328;--quiet:#59636e;--line:#d1d9e0;--hold:#0969da;--hold-ink:#fff;
--wait:#bf8700;--saved:#1a7f37;--locked:#cf222e;max-width:100%;height:auto;overflow:visible;
font:12px/1 system-ui,-apple-system,"Segoe UI",sans-serif}
@media screen and (prefers-color-scheme:dark){.timeline{--halo:#0d1117;--ink:#e6edf3;
--quiet:#9198a1;--line:#3d444d;--hold:#4493f8;--hold-ink:#0d1117;--wait:#d29922;
--saved:#3fb950;--locked:#f85149}}
@media print{.timeline{--halo:#fff;--ink:#000;--quiet:#333;--line:#999;--hold:#0969da;
--hold-ink:#fff;--wait:#9a6700;--saved:#1a7f37;--locked:#cf222e}}
.timeline text{fill:var(--ink);paint-order:stroke;stroke:var(--halo);stroke-width:3px}
.timeline .title{font-weight:600;font-size:13px}
.timeline .quiet{fill:var(--quiet)}
.timeline .grid{stroke:var(--line);stroke-width:1}
.timeline .holding{fill:var(--hold)}
.timeline .busy{fill:none;stroke:var(--hold);stroke-width:1.5}
.timeline .waiting{stroke:var(--wait);stroke-width:1}
.timeline .hatch{stroke:var(--wait);stroke-width:1.5;opacity:.6}
.timeline text.on-bar{fill:var(--hold-ink);stroke:none}
.timeline .saved,.timeline .locked{fill:none;stroke-width:2.5;stroke-linecap:round}
.timeline .saved{stroke:var(--saved)}
.timeline .locked{stroke:var(--locked)}
.timeline path.on-bar{stroke:var(--hold-ink)}
"""
_PAPER = ".timeline{background:var(--halo)}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """Where a moment is in a picture."""

    left: int
    width: int
    """Of the whole picture, in pixels."""
    seconds: float

    def x(self, moment: float) -> float:
        room = self.width - self.left - _RIGHT
        return round(self.left + room * min(moment / self.seconds, 1.0), 1)

    def ticks(self) -> Iterator[float]:
        return ticks(self.seconds, max((self.width - self.left - _RIGHT) // _TICK, 1))


def draw(
    named: Sequence[tuple[str, Timeline]],
    *,
    key: str = "t",
    standalone: bool = False,
    width: int = 720,
    scale: float = 0.0,
) -> str:
    """One picture of several timelines, title -> timeline, all on one scale of seconds.

    `key` keeps the ids of two pictures in one page apart; a standalone picture brings its style
    and its paper.
    `scale` is the least number of seconds to draw, so that two pictures can share one scale.
    """
    shown = [(title, line) for title, line in named if line.lanes]
    lanes = [lane for _, line in shown for lane in line.lanes]
    places = _Scale(
        left=max(_LEFT, *(round(len(lane.process) * _LETTER) + 12 for lane in lanes), 0),
        width=width,
        seconds=max(scale, 0.001, *(line.end for _, line in shown)),
    )
    height = sum(_height(line) for _, line in shown) + 8
    svg = _picture(key, width, height, _MARGIN if standalone else 0)
    SubElement(svg, "title", id=f"{key}-title").text = "; ".join(title for title, _ in shown)
    told = " ".join(f"{title}: {story(line)}" for title, line in shown)
    SubElement(svg, "desc", id=f"{key}-desc").text = told
    if standalone:
        SubElement(svg, "style").text = STYLE + _PAPER
    svg.append(_hatching(key))
    top = 0
    for title, line in shown:
        part = SubElement(svg, "g", transform=f"translate(0 {top})")
        _add_timeline(part, title, line, places, key)
        top += _height(line)
    return tostring(svg, encoding="unicode")


def _picture(key: str, width: int, height: int, margin: int) -> Element:
    outer = width + 2 * margin, height + 2 * margin
    return Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": "timeline",
            "viewBox": f"{-margin} {-margin} {outer[0]} {outer[1]}",
            "width": str(outer[0]),
            "height": str(outer[1]),
            "role": "img",
            "aria-labelledby": f"{key}-title {key}-desc",
        },
    )


def _hatching(key: str) -> Element:
    definitions = Element("defs")
    pattern = SubElement(
        definitions,
        "pattern",
        id=f"{key}-hatch",
        width="6",
        height="6",
        patternUnits="userSpaceOnUse",
        patternTransform="rotate(45)",
    )
    SubElement(pattern, "line", {"class": "hatch", "x1": "0", "y1": "0", "x2": "0", "y2": "6"})
    return definitions


def _height(line: Timeline) -> int:
    return _TITLE + _LANE * len(line.lanes) + _AXIS


def _add_timeline(part: Element, title: str, line: Timeline, scale: _Scale, key: str) -> None:
    _text(part, 0, 16, title, "title")
    bottom = _TITLE + _LANE * len(line.lanes)
    for tick in scale.ticks():
        x = scale.x(tick)
        ends = {"x1": f"{x}", "x2": f"{x}", "y1": f"{_TITLE}", "y2": f"{bottom}"}
        SubElement(part, "line", {"class": "grid", **ends})
        text = f"{tick:g} s"
        inside = min(x, scale.width - len(text) * _LETTER / 2)
        _text(part, inside, bottom + 15, text, "quiet", anchor="middle")
    for place, lane in enumerate(line.lanes):
        top = _TITLE + _LANE * place + (_LANE - _BAR) // 2
        _text(part, 0, top + 15, lane.process)
        for segment in lane.segments:
            _add_segment(part, segment, top, scale, key)


def _add_segment(part: Element, segment: Segment, top: int, scale: _Scale, key: str) -> None:
    left, right = scale.x(segment.start), scale.x(segment.end)
    width = max(right - left, 1.5)
    place = {"x": f"{left:.1f}", "y": str(top), "width": f"{width:.1f}", "height": str(_BAR)}
    look = {"class": segment.kind.name.lower(), "rx": "2"}
    if segment.kind is not Kind.HOLDING:
        look["fill"] = f"url(#{key}-hatch)" if segment.kind is Kind.WAITING else "none"
    bar = SubElement(part, "rect", {**place, **look})
    SubElement(bar, "title").text = _told(segment)
    if segment.label and len(segment.label) * _LETTER + 30 < width:
        on_bar = "on-bar" if segment.kind is Kind.HOLDING else ""
        _text(part, left + 7, top + 15, segment.label, on_bar)
    if segment.ended and width > _MARK:
        _add_mark(part, segment, left + width, top)


def _add_mark(part: Element, segment: Segment, right: float, top: int) -> None:
    x, y = right - 13, top + _BAR // 2
    if segment.ended is EventKind.COMMIT:
        look, path = "saved", f"M{x:.1f} {y}l3 4 5-8"
    else:
        look, path = "locked", f"M{x:.1f} {y - 4}l8 8m0-8l-8 8"
    on_bar = " on-bar" if segment.kind is Kind.HOLDING else ""
    SubElement(part, "path", {"class": look + on_bar, "d": path})


def _told(segment: Segment) -> str:
    return f"{segment.label} {segment.told}, {segment.when} s".strip()


def _text(
    part: Element, x: float, y: float, text: str, style: str = "", anchor: str = "start"
) -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}
    SubElement(part, "text", {**place, **({"class": style} if style else {})}).text = text
