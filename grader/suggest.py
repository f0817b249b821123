"""Helps whoever mistyped a name."""

from __future__ import annotations

from collections.abc import Iterable


def suggestion(word: str, known: Iterable[str]) -> str:
    """The known name that was probably meant, as half a sentence; else all that are known."""
    from rapidfuzz import process, utils

    names = list(known)
    near = process.extractOne(word, names, processor=utils.default_process, score_cutoff=60)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}"
