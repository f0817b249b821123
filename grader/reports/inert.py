"""Makes text that others wrote harmless: what it shows is all that it does."""

from __future__ import annotations

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
LONGEST = 600  # characters; no sentence of ours is longer

# Characters that steer a terminal, turn or hide text, or cannot be written as UTF-8. Listed
# rather than asked of `unicodedata`, whose answers differ between versions of Python. The
# zero-width joiners stay: emoji and several scripts need them.
UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Accents stacked so high that they cover the lines above.
_STACKED = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{4})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+"
)
# `::error::text` and `##[error]text` are orders to GitHub's runner when a job's log shows them,
# also when a line's break or a cut is what puts them together.
_ORDER = re.compile(r"::(?=[\w-]+(?:\s.*?)?::)|##(?=\[)", re.DOTALL)
_COLOUR_CODE = re.compile(r"\x1b\[[0-9;]*m")
_LIVE = re.compile(
    r"`(?P<code>[^`\s][^`]*)`"
    r"|(?P<link>[^\s`(]*(?:@|://|\bwww\.|#\w|\bgh-\d)(?:[^\s`]*[^\s`.,;:!?)])?)",
    re.IGNORECASE,
)


def clean(text: str) -> str:
    """The text without colour codes and orders to a CI runner.

    Every other control or hidden character becomes U+FFFD.
    """
    plain = _COLOUR_CODE.sub("", text.replace("\r\n", "\n"))
    plain = _STACKED.sub(r"\1", UNSAFE.sub(REPLACEMENT, plain))
    return _ORDER.sub(lambda order: " ".join(order[0]), plain).expandtabs(4)


def one_line(text: str, limit: int = LONGEST) -> str:
    """The cleaned text on one line, cut to `limit` characters."""
    return _cut(" ".join(clean(text).split()), limit)


def excerpt(text: str, *, lines: int, limit: int) -> str:
    """The first `lines` lines of the cleaned text, each cut to `limit` characters."""
    found = clean(text).strip("\n").split("\n")
    shown = [_cut(line.rstrip(), limit) for line in found[:lines]]
    rest = len(found) - lines
    return "\n".join([*shown, f"... {rest} more lines"] if rest > 0 else shown)


class Markdown(str):
    """Text that is Markdown already and must not be escaped again."""

    __slots__ = ()


def prose(text: str, limit: int = LONGEST) -> Markdown:
    """One line of Markdown that reads as the text; `code` in backticks stays code.

    What GitHub would make live (a mention, a link, an issue's number) is shown as code.
    """
    line = one_line(text, limit)
    parts: list[str] = []
    end = 0
    for match in _LIVE.finditer(line):
        parts += [_escape(line[end : match.start()]), code(match["code"] or match["link"])]
        end = match.end()
    parts.append(_escape(line[end:]))
    return Markdown(re.sub(r"^(?:(\d+)(?=[.)](?:\s|$))|(?=[-+=#>:]))", r"\1\\", "".join(parts)))


def cell(text: str, limit: int = LONGEST) -> Markdown:
    """The same for a table's cell, where not even code may hold a pipe."""
    return Markdown(prose(text, limit).replace("|", "\N{BROKEN BAR}"))


def code(text: str, limit: int = LONGEST) -> Markdown:
    """A Markdown code span that the text cannot leave."""
    line = one_line(text, limit) or "(nothing)"
    fence = "`" * (_longest_run(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return Markdown(f"{fence}{pad}{line}{pad}{fence}")


def block(text: str) -> Markdown:
    """A fenced Markdown code block that the text cannot leave."""
    body = excerpt(text, lines=12, limit=160)
    fence = "`" * max(3, _longest_run(body) + 1)
    return Markdown(f"{fence}text\n{body}\n{fence}")


def diagram(text: str) -> Markdown:
    """A fenced block that GitHub draws; the text must hold no fence, as Mermaid's never does."""
    return Markdown(f"```mermaid\n{text}```")


def _cut(line: str, limit: int) -> str:
    return line if len(line) <= limit else line[: limit - 3].rstrip() + "..."


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _escape(text: str) -> str:
    marked = re.sub(r"([\\`*\[\]~$])|(?<![^\W_])(_)|(_)(?![^\W_])", r"\\\1\2\3", text)
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "&#124;")):
        marked = marked.replace(char, entity)
    return marked
