"""Phrases a rubric lists and the many ways students say them.

A phrase such as `insert record` is true of a text when each of its words, or a synonym of
it, in any form (inserts, inserting), stands near the others and is not denied.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from grader.text import words

SPAN = 9
"""Words a phrase may stretch over: a short clause with its articles and adjectives."""

REACH = 6
"""Words from a word for a place to what it is a place of: `after the last of the imports`."""

SLIP = 5
"""Letters from which a stem with one slip is still taken for the word."""

_NOT = frozenset({"not", "never", "no", "without", "cannot", "nothing", "neither", "nor", "t"})
_PLACING = frozenset(
    ("after", "befor", "in", "insid", "within", "between", "outsid", "near", "abov", "at")
)
_BUT = frozenset({"exist", "exists", "existing", "already", "only", "just"})

Stems = tuple[str, ...]


@lru_cache(maxsize=1)
def _stemmer() -> object:
    import snowballstemmer

    return snowballstemmer.stemmer("english")


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """The word without its ending: inserts, inserted, inserting -> insert; adverbs stay whole."""
    if word.endswith("ly"):
        return word
    return str(_stemmer().stemWord(word))  # type: ignore[attr-defined]


@lru_cache(maxsize=1024)
def stems(text: str) -> Stems:
    """The stems of a text's words."""
    return tuple(stem(word) for word in words(text))


class Lexicon:
    """The rubric's synonyms; `{"remove": ("drop", "delete", "get rid of")}`."""

    def __init__(self, synonyms: Mapping[str, Sequence[str]]) -> None:
        self._synonyms = {
            stems(head): tuple(stems(word) for word in (head, *others))
            for head, others in synonyms.items()
        }

    def find(self, phrase: str, text: str) -> tuple[int, int] | None:
        """Places of the first and last word of `phrase` in `text`, or None if it is not said.

        The words may come in any order, but not after a word for a place: `after import`.
        """
        spoken, said = stems(text), words(text)
        terms = stems(phrase)
        places: list[Sequence[tuple[int, int]]] = []
        for term in terms:
            places.append(self._places(term, spoken))
            if not places[-1]:
                return None
        if terms and terms[0] in _PLACING and len(terms) > 1:
            return self._find_after(places, spoken, said)
        ordered = [sorted(found) for found in places]
        for start in sorted({low for found in places for low, _ in found}):
            near = [
                found[_before(found, start) : _before(found, start + SPAN)] for found in ordered
            ]
            if _distinct(near) and not _denied(said, start):
                return start, max(min(high for _, high in found) for found in near)
        return None

    def _find_after(
        self, places: Sequence[Sequence[tuple[int, int]]], spoken: Stems, said: Sequence[str]
    ) -> tuple[int, int] | None:
        """The phrase with its words in order, no other word for a place between them."""
        placing = {low for word in _PLACING for low, _ in self._places(word, spoken)}
        for start, end in places[0]:
            ends = [
                next((high for low, high in found if end < low <= start + REACH), None)
                for found in places[1:]
            ]
            last = max((high for high in ends if high is not None), default=end)
            between = placing & set(range(end + 1, last))
            if None not in ends and not between and not _denied(said, start):
                return start, last
        return None

    def any(self, phrases: Iterable[str], text: str) -> str | None:
        """The first of the phrases that the text says, or None."""
        return next((phrase for phrase in phrases if self.find(phrase, text)), None)

    def count(self, phrases: Iterable[str], text: str) -> int:
        """How many of the phrases the text says."""
        return sum(self.find(phrase, text) is not None for phrase in phrases)

    def _places(self, term: str, spoken: Stems) -> tuple[tuple[int, int], ...]:
        return _occurrences(self._synonyms.get((term,), ((term,),)), spoken)


@lru_cache(maxsize=4096)
def _occurrences(forms: tuple[Stems, ...], spoken: Stems) -> tuple[tuple[int, int], ...]:
    """(first, last) of every place where one of the forms is said."""
    return tuple(
        (place, place + len(form) - 1)
        for form in forms
        for place in range(len(spoken) - len(form) + 1)
        if all(map(_alike, spoken[place : place + len(form)], form))
    )


def _before(places: Sequence[tuple[int, int]], start: int) -> int:
    """How many of the places begin before `start`."""
    return bisect_left(places, (start, -1))


@lru_cache(maxsize=65536)
def _alike(said: str, wanted: str) -> bool:
    """Whether a stem is the wanted one, or a slip of the pen away from it: tabel, creat, insret."""
    if said == wanted or min(len(said), len(wanted)) < SLIP or said[0] != wanted[0]:
        return said == wanted
    from rapidfuzz.distance import OSA

    # One letter for another makes other words: general, generat(e).
    swapped = len(said) == len(wanted) and sorted(said) != sorted(wanted)
    return not swapped and OSA.distance(said, wanted, score_cutoff=1) == 1


def _distinct(choices: Sequence[Sequence[tuple[int, int]]]) -> bool:
    """Whether every term can have a place that no other term uses."""
    taken: dict[int, int] = {}

    def seat(term: int, tried: set[int]) -> bool:
        """Gives the term a place, moving those who sit there if they can go elsewhere."""
        for low, _ in choices[term]:
            if low not in tried:
                tried.add(low)
                if low not in taken or seat(taken[low], tried):
                    taken[low] = term
                    return True
        return False

    return all(seat(term, set()) for term in range(len(choices)))


def _denied(said: Sequence[str], first: int) -> bool:
    """Whether one of the three words before `first` turns the statement round."""
    return any(
        said[place] in _NOT and said[place + 1] not in _BUT
        for place in range(max(0, first - 3), first)
    )
