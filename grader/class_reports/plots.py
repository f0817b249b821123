"""Plots as inline SVG: no script, no style of their own, the same bytes for the same class."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any
from xml.etree.ElementTree import Element, tostring

from grader.class_reports.statistics import Bin, Success
from grader.model import Verdict
from grader.reports.inert import one_line
from grader.reports.wording import NAME, WORDS, points

EXTRA = "report"
"""The extra that brings the library."""
SHOWN = (Verdict.CORRECT, Verdict.PARTIAL, Verdict.INCORRECT, Verdict.MISSING, Verdict.ERROR)
_WIDTH = 560
_NEEDLESS = {"tooltip-overlay", "titles", "background"}
_NEEDLESS_TAGS = {"defs", "desc", "title"}
_ROW = 26


def available() -> bool:
    """Whether the plotting library is installed."""
    try:
        _library()
    except ImportError:
        return False
    return True


def _library() -> ModuleType:
    import pygal

    # It leaves an import hook of Python 2's kind, at which later imports warn.
    sys.meta_path[:] = [finder for finder in sys.meta_path if hasattr(finder, "find_spec")]
    module: ModuleType = pygal
    return module


def distribution(bins: Sequence[Bin]) -> str:
    """How many students reached which score, as SVG; the page's style sheet colours it."""
    most = max((len(each.students) for each in bins), default=0)
    chart = _library().Bar(**_plain(height=270), print_values=True, print_values_position="top")
    chart.x_labels = [span(each, last=each is bins[-1]) for each in bins]
    chart.y_labels = _ticks(most)
    chart.value_formatter = _whole
    chart.add("students", [len(each.students) or None for each in bins])
    text = "; ".join(
        f"{label} points: {len(each.students)}"
        for label, each in zip(chart.x_labels, bins, strict=True)
    )
    return _svg(chart, "distribution", "How many students reached which score", text)


def criteria(parts: Sequence[Success]) -> str:
    """How many students each criterion was right for, as SVG; one bar a criterion."""
    shown = list(reversed(parts))
    chart = _library().HorizontalStackedBar(
        **_plain(height=_ROW * len(parts) + 56), show_x_guides=True, show_y_guides=False
    )
    chart.x_labels = [one_line(part.id, NAME) for part in shown]
    chart.y_labels = _ticks(max((sum(part.verdicts.values()) for part in parts), default=0))
    chart.value_formatter = _whole
    for verdict in SHOWN:
        chart.add(WORDS[verdict], [part.verdicts[verdict] or None for part in shown])
    text = "; ".join(
        f"{one_line(part.id, NAME)}: {part.verdicts[Verdict.CORRECT]} correct" for part in parts
    )
    return _svg(chart, "criteria", "How many students each criterion was right for", text)


def span(each: Bin, *, last: bool) -> str:
    """The scores of a bin, such as `80-89`; without gaps where points are broken."""
    if last or not (each.low.is_integer() and each.high.is_integer()):
        return f"{points(each.low)}–{points(each.high)}"
    top = each.high - 1
    return points(each.low) if top <= each.low else f"{points(each.low)}–{points(top)}"


def _plain(height: int) -> dict[str, Any]:
    return {
        "width": _WIDTH,
        "height": height,
        "show_legend": False,
        "js": (),
        "css": (),
        "no_prefix": True,
        "margin": 4,
        "margin_top": 16,
        "spacing": 8,
    }


def _whole(value: float) -> str:
    return f"{value:.0f}" if value else ""


def _ticks(most: int) -> list[int]:
    """At most six whole numbers from 0 to beyond `most`."""
    steps = (base * 10**power for power in range(7) for base in (1, 2, 5))
    step = next(step for step in steps if step * 5 >= most)
    return list(range(0, -(-most // step) * step + 1, step))


def _svg(chart: Any, name: str, title: str, text: str) -> str:
    """What was drawn, without the library's own styles, scripts, dates and tooltips."""
    root: Element = chart.render_tree()
    _prune(root)
    root.attrib.pop("id")
    root.set("class", f"plot-{name}")
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-text")
    for tag, said in (("desc", text), ("title", title)):
        node = Element(tag, id=f"{name}-{'text' if tag == 'desc' else tag}")
        node.text = said
        root.insert(0, node)
    return tostring(root, encoding="unicode")


def _prune(node: Element) -> None:
    for child in list(node):
        kinds = set(child.get("class", "").split())
        if child.tag in _NEEDLESS_TAGS or not isinstance(child.tag, str) or kinds & _NEEDLESS:
            node.remove(child)
        else:
            child.attrib.pop("style", None)
            _prune(child)
