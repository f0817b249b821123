"""A README as lines, with what Markdown makes of each: heading, code, note, list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from grader.text import LONGEST, plain, words

MAX_LINES = 2_000
MAX_LINE = 3_000
"""Lines, and characters of one line, that are looked at."""

_FENCE = re.compile(r"[\s>]{0,40}(?:`{3,}|~{3,})[\w+-]{0,40}\s*")
_HTML_HEADING = re.compile(r"\s{0,9}<h([1-6])\b", re.IGNORECASE)
_IMAGE = re.compile(r"!\[[^\[\]\n]{0,300}\]\(|<img\b", re.IGNORECASE)
_SUMMARY = re.compile(r"<summary\b[^<>]{0,200}>([^<>]{0,200})</summary>", re.IGNORECASE)
_CAPTION = frozenset(
    "answer answers click here me my reveal see show solution the this to expand".split()
)
_DEFINITION = re.compile(r"\s{0,9}\[\^([^\]\s]{1,40})\]:\s*(.*)")
_REFERENCE = re.compile(r"\[\^([^\]\s]{1,40})\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a README; numbers count from 1."""

    number: int
    raw: str
    text: str
    """The line without Markdown and HTML marks."""
    heading: int = 0
    """The heading's level, 0 for other lines."""
    code_end: int | None = None
    """The last line of the code block it stands in."""
    notes: tuple[str, ...] = ()
    """Names of the footnotes it refers to."""

    @property
    def image(self) -> bool:
        """Whether a picture stands on the line."""
        return _IMAGE.search(self.raw) is not None

    @property
    def indent(self) -> int:
        """Columns before the line's first character; a tab takes four."""
        return len(self.raw.expandtabs(4)) - len(self.raw.expandtabs(4).lstrip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Readme:
    """A README's lines, and its footnotes: name -> (line number, text) of each line."""

    lines: tuple[Line, ...]
    notes: Mapping[str, tuple[tuple[int, str], ...]]


def read_lines(readme: str) -> Readme:
    """Splits a README into lines; those of code fences, captions and footnotes are blank."""
    raws = list(_capped(readme))
    headings, code_ends = _structure(raws)
    notes, noted = _notes(raws)
    raws = ["" if number in noted else raw for number, raw in enumerate(raws, start=1)]
    lines = tuple(
        Line(
            number=number,
            raw=said,
            text=plain(said),
            heading=headings.get(number, 0),
            code_end=code_ends.get(number),
            notes=tuple(name for name in _REFERENCE.findall(raw) if name in notes),
        )
        for number, raw in enumerate(raws, start=1)
        for said in [_said(raw, notes)]
    )
    return Readme(lines=lines, notes=notes)


def _capped(readme: str) -> Iterator[str]:
    left = LONGEST
    for raw in readme.split("\n", MAX_LINES)[:MAX_LINES]:
        yield raw[: min(MAX_LINE, left)]
        left -= min(MAX_LINE, len(raw))
        if left <= 0:
            return


def _said(raw: str, notes: Mapping[str, object]) -> str:
    """A line without what only holds it together."""
    if _FENCE.fullmatch(raw):
        return ""
    raw = _SUMMARY.sub(_summary, raw)
    return _REFERENCE.sub(lambda found: "" if found[1] in notes else found[0], raw)


def _summary(found: re.Match[str]) -> str:
    """What a details block is called says nothing when it only asks to be opened."""
    return "" if set(words(found[1])) <= _CAPTION else found[0]


def _structure(raws: list[str]) -> tuple[dict[int, int], dict[int, int]]:
    """Line -> level of headings, line -> last line of code blocks.

    A heading in a list's item opens no section, and an underlined line is no heading:
    whoever draws a rule below an answer means a rule.
    """
    from markdown_it import MarkdownIt

    headings = {
        number: int(match[1])
        for number, raw in enumerate(raws, start=1)
        if (match := _HTML_HEADING.match(raw))
    }
    code_ends: dict[int, int] = {}
    depth = 0
    for token in MarkdownIt("commonmark").disable("inline").parse("\n".join(raws)):
        first, last = token.map or (0, 0)
        if token.type in {"list_item_open", "list_item_close"}:
            depth += token.nesting
        elif token.type == "heading_open" and token.markup.startswith("#") and not depth:
            headings[first + 1] = int(token.tag[1:])
        elif token.type == "fence":
            code_ends.update(dict.fromkeys(range(first + 1, last + 1), last))
    return headings, code_ends


def _notes(raws: list[str]) -> tuple[dict[str, tuple[tuple[int, str], ...]], set[int]]:
    """The footnotes, and the numbers of the lines they stand on."""
    notes: dict[str, list[tuple[int, str]]] = {}
    noted: set[int] = set()
    name = None
    for number, raw in enumerate(raws, start=1):
        match = _DEFINITION.match(raw)
        if match:
            name = match[1]
            notes[name] = [(number, match[2])]
        elif name is not None and raw.startswith(("    ", "\t")):
            notes[name].append((number, raw.strip()))
        else:
            name = None
            continue
        noted.add(number)
    return {name: tuple(said) for name, said in notes.items()}, noted
