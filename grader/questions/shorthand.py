"""Writes out what students shorten or run together: `step_one/two/three` is three names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.text import NUMBER_WORDS, mentions, tokens, words

_RUN = re.compile(r"\w{20,}")
_BRACES = re.compile(r"([A-Za-z_]+)\{([\w\s,|/]{1,80})\}")
_SPELLED = rf"(?:{'|'.join(NUMBER_WORDS)})"
_NUMERAL = rf"(?:{'|'.join(NUMBER_WORDS)}|\d{{1,2}})"
_JOIN = r"\s*(?:,\s*and\b|,|/|&|\+|\band\b|\.{2,3}|…|-|–|\bto\b|\bthrough\b)\s*"
_RANGE = re.compile(r"\.{2,3}|…|-|–|\bto\b|\bthrough\b", re.IGNORECASE)


def written_out(text: str, names: Sequence[str]) -> str:
    """The text with shortened names in full: `step_{one,two}`, `step_one/two`, `step_1 to 3`."""
    text = _BRACES.sub(
        lambda m: ", ".join(m[1] + part.strip() for part in re.split(r"[,|/]", m[2])), text
    )
    for stem in {"_".join(words(name)[:-1]) for name in names if _value(name) is not None} - {""}:
        text = _listed(stem, text)
    spoken = tokens(text)
    for mention in reversed([m for m in mentions(text, names) if _value(m.name) is not None]):
        end = spoken[mention.last].end
        again = rf"(?:{re.escape(words(mention.name)[0])}[\s_]*|_)?({_NUMERAL})(?![^\W_])"
        tail = re.compile(rf"(?:{_JOIN}{again})+", re.IGNORECASE).match(text, end)
        if tail:
            said = [_numeral(m[1]) for m in re.finditer(again, tail[0], re.IGNORECASE)]
            if len(said) == 1 and _RANGE.search(tail[0]):
                said = list(range((_value(mention.name) or 0) + 1, min(said[0], 100) + 1))
            siblings = ", ".join(_sibling(mention.name, value, names) for value in said)
            text = f"{text[:end]}, {siblings}{text[tail.end() :]}"
    return text


def taken_apart(text: str, names: Sequence[str]) -> str:
    """The text with commas between names whose line breaks or blanks were lost."""
    forms = sorted({form for name in names for form in (name, "".join(words(name)))}, key=len)
    name = re.compile("|".join(map(re.escape, reversed(forms))), re.IGNORECASE)

    def apart(run: re.Match[str]) -> str:
        found = name.findall(run[0])
        return ", ".join(found) if "".join(found) == run[0] else run[0]

    return _RUN.sub(apart, text)


def _listed(stem: str, text: str) -> str:
    """`step (one, two)`, `step_* = 1/2`, `step one two three` with a comma after each."""
    name = r"[\s_]*".join(map(re.escape, stem.split("_")))
    listed = rf"({_NUMERAL}(?:(?:{_JOIN}|\s+){_NUMERAL})+)"
    text = re.sub(
        rf"(?<![^\W_])({name})(?:\s*functions?)?[\s_*#]*[(\[:=]\s*{listed}\s*[)\]]?(?![^\W_])",
        r"\1 \2",
        text,
        flags=re.IGNORECASE,
    )
    return re.sub(
        rf"(?<![^\W_])({name}[\s_]*)((?:{_SPELLED}\s+){{2,}}{_SPELLED})(?![^\W_])",
        lambda chain: chain[1] + ", ".join(chain[2].split()),
        text,
        flags=re.IGNORECASE,
    )


def _sibling(name: str, value: int, names: Sequence[str]) -> str:
    """The name like `name` with another number, whether there is one or not."""
    stem = words(name)[:-1]
    family = {_value(other): other for other in names if words(other)[:-1] == stem}
    return family.get(value, "_".join([*stem, str(value)]))


def _value(name: str) -> int | None:
    """The number a name ends with: 2 for `step_two` and `step_2`."""
    last = words(name)[-1]
    return _numeral(last) if last in NUMBER_WORDS or last.isdecimal() else None


def _numeral(word: str) -> int:
    return NUMBER_WORDS[word.casefold()] if not word.isdecimal() else int(word)
