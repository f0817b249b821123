"""Words that everybody uses, and phrases that only some do."""

from __future__ import annotations

import builtins
import keyword
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from pydantic import BaseModel

from grader.lexicon import stem
from grader.model import Submission
from grader.rubric import Rubric
from grader.similarity.pairs import many
from grader.text import NUMBER_WORDS, words

Phrase = tuple[str, ...]
_SHORTEST = 3
"""Letters of a word that can be one's own."""
# Words of joints and feelings that an assignment's page may happen not to use.
_ENGLISH = """
a about above actually after again all already also although always an and another any are as at
away back basically be because been before being below better between both but by can cannot could
did different do does done down during each either else end even every everything exactly final
finally first for from get gets give go goes had has have help helps here how however i if in
inside instead into is it its itself just keep know last later least let like line little look main
make makes many may maybe means might mine more most much must my name need needs never new next no
none not nothing now of off on once one only open or other our out over own part per place please
put really right run said same say second see set several she should show simply since so some
something start still such sure take than that the their them then there these they thing things
think this those three through time to together too top try two under until up upon us use used
uses using usually very want was way we well were what when where whether which while who whole why
will with within without work works would yes yet you your
"""


def given_words(rubric: Rubric, starter: Submission | None) -> frozenset[str]:
    """Stems that say nothing of who wrote them: the assignment's, the rubric's and Python's."""
    texts = [_ENGLISH, " ".join(_python()), *NUMBER_WORDS, *_texts(rubric)]
    if starter is not None:
        files = (starter.readme, starter.script, *starter.transcripts.values())
        texts += [file.text for file in files]
    return frozenset(stem(word) for text in texts for word in words(text))


def _python() -> Iterator[str]:
    yield from keyword.kwlist
    yield from dir(builtins)
    yield from sys.builtin_module_names
    yield from sorted(sys.stdlib_module_names)
    yield "self cls args kwargs conn cursor commit rollback execute fetchall close sleep lock retry"


def _texts(value: object) -> Iterator[str]:
    """Every text that a rubric holds, at any depth."""
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from value
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, Sequence):
        for part in value:
            yield from _texts(part)


def own_words(said: Iterable[Iterable[str]], known: Set[str]) -> frozenset[str]:
    """The stems in what each student said that neither the assignment nor many of them use."""
    counts: Counter[str] = Counter()
    students = 0
    for stems in said:
        students += 1
        counts.update({word for word in stems if _own(word) and word not in known})
    most = many(students)
    return frozenset(word for word, count in counts.items() if count <= most)


def _own(word: str) -> bool:
    return len(word) >= _SHORTEST and not word.isdigit()


def spoken(text: str) -> Iterator[str]:
    """The stems of a text's words."""
    # Line by line, as a whole text is nothing that `words` should remember.
    return (stem(word) for line in text.split("\n") for word in words(line))


def stretches(said: Sequence[str], length: int) -> Iterator[Phrase]:
    """The runs of `length` words."""
    return zip(*(said[start:] for start in range(length)), strict=False)


def phrases(said: Sequence[str], own: Set[str], length: int) -> Iterator[Phrase]:
    """The runs of `length` words that hold one of the students' own."""
    return (phrase for phrase in stretches(said, length) if not own.isdisjoint(phrase))
