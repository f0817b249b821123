"""Similarity: what is shown side by side, and above all what is not."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary
from zlib import crc32

import pytest
import yaml

from grader.assignment import load_assignment
from grader.model import Student, Work
from grader.similarity import Cluster, Likeness, find_similar

ROOT = Path(__file__).resolve().parent.parent
ASSIGNMENT = load_assignment(ROOT / "rubric.yaml")
CASES = sorted((ROOT / "tests" / "cases" / "similarity").glob("*.yaml"))

W = TypeVar("W", "Watched", "Text")


class Watched(Work):
    """A work of which it can be told whether anybody still holds it."""

    __slots__ = ("__weakref__",)


class Text(str):
    """A text of a work, with the same to tell."""

    __slots__ = ("__weakref__",)


class Reading:
    """Works as a gradebook gives them: each is made anew whenever it is asked for."""

    def __init__(self, works: list[Work]) -> None:
        self._works = {work.student: work for work in works}
        self._held: WeakValueDictionary[int, Watched | Text] = WeakValueDictionary()
        self.read = self.most_works = self.most_texts = 0

    def __iter__(self) -> Iterator[Work]:
        return map(self.__getitem__, self._works)

    def __getitem__(self, student: str) -> Work:
        work = self._works[student]
        watched = Watched(
            student=student,
            answers={name: self._watch(Text(text)) for name, text in work.answers.items()},
            transcripts={name: self._watch(Text(text)) for name, text in work.transcripts.items()},
            readme=self._watch(Text(work.readme)),
            script=self._watch(Text(work.script)),
            remote=work.remote,
        )
        self._watch(watched)
        kinds = [type(each) for each in self._held.values()]
        self.read += 1
        self.most_works = max(self.most_works, kinds.count(Watched))
        self.most_texts = max(self.most_texts, kinds.count(Text))
        return watched

    def _watch(self, made: W) -> W:
        self._held[id(made)] = made
        return made


def found(works: list[Work], students: list[Student] | None = None) -> tuple[Cluster, ...]:
    return find_similar(Reading(works), students or [], ASSIGNMENT.rubric, ASSIGNMENT.starter)


def work(student: str, said: Mapping[str, Any], repository: str | None = None) -> Work:
    starter = ASSIGNMENT.starter
    assert starter is not None
    return Work(
        student=student,
        answers=said.get("answers", {}),
        transcripts=said.get("transcripts", {}),
        readme=starter.readme.text + said.get("readme_adds", ""),
        script=said.get("script", starter.script.text + said.get("script_adds", "")),
        remote=repository,
    )


def answering(student: str, text: str) -> Work:
    return work(student, {"answers": {"q5": text}})


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    """Each case file's students are alike as it says, and nobody else is."""
    case = yaml.safe_load(path.read_text("utf-8"))
    places = case.get("repositories", {})
    works = [work(key, said, places.get(key)) for key, said in case["students"].items()]
    students = [
        Student(
            key=key,
            repository=places.get(key, f"forks/{key}"),
            name=said.get("name"),
            email=said.get("email"),
        )
        for key, said in case["students"].items()
    ]
    clusters = found(works, students)
    expected = [(each["likeness"], tuple(each["students"])) for each in case["expected"]]
    assert sorted((c.likeness.value, c.students) for c in clusters) == sorted(expected)
    for each in case["expected"]:
        told = {c.students: c for c in clusters if c.likeness.value == each["likeness"]}
        shown = {p.place for row in told[tuple(each["students"])].evidence for p in row}
        assert shown == set(each.get("places", shown))


def test_evidence_stands_side_by_side() -> None:
    """Each row of a likeness holds a passage of each student, with its place and its words."""
    lines = [f"2025-02-04 22:21:06,09{n} - INFO - Step {n}" for n in range(6)]
    pasted = {"transcripts": {"run0": "\n".join(["", *lines])}}
    (cluster,) = found([work("ada", pasted), work("ben", pasted)])
    assert cluster.likeness is Likeness.RUN
    first = cluster.evidence[0]
    assert [(p.student, p.place, p.line, p.text) for p in first] == [
        ("ada", "run0", 2, lines[0]),
        ("ben", "run0", 2, lines[0]),
    ]


def test_what_the_whole_class_has_was_given_to_it() -> None:
    """A link to a classmate's repository, and a sentence, tell nothing when all have them."""
    said = (
        "The warehouse keeper juggles wobbly crates while grumpy pigeons chant lullabies over it."
    )
    works = [
        work(
            f"student{n:02}",
            {"readme_adds": "See https://github.com/teacher/notes", "answers": {"q5": said}},
            "https://github.com/teacher/demo" if n == 0 else f"https://github.com/account{n}/x",
        )
        for n in range(12)
    ]
    assert found(works) == ()
    assert len(found(works[:4])) > 0


def test_three_copies_are_one_cluster() -> None:
    """Whoever shares words with one of a group is shown with the group."""
    said = "insert_pet nudges a sleepy critter through the hatch, then scribbles its nickname down."
    clusters = found([answering(key, said) for key in ("cleo", "ada", "ben")])
    assert [cluster.students for cluster in clusters] == [("ada", "ben", "cleo")]
    assert [[p.student for p in row] for row in clusters[0].evidence] == [["ada", "ben", "cleo"]]


def test_order_of_the_works_does_not_matter() -> None:
    """The same class gives the same clusters, however its rows are ordered."""
    said = (
        "Every clinic scribbles two nicknames onto the whiteboard, unless somebody hogs the chalk."
    )
    works = [answering(key, said) for key in ("ada", "ben")]
    works += [work(key, {"readme_adds": f"by {key}"}) for key in ("cleo", "dan")]
    assert found(works) == found(works[::-1])


def honest(chance: random.Random) -> Iterator[str]:
    """Right answers to q5, as many different students would put them together."""
    removes = ["drops", "deletes", "removes", "gets rid of", "clears"]
    makes = ["creates", "makes", "builds", "sets up", "generates"]
    adds = ["inserts", "adds", "puts", "saves", "stores"]
    each = ["each insert 2 pets", "all insert two pets", "each insert two rows"]
    while True:
        remove, make, add = (chance.choice(words) for words in (removes, makes, adds))
        lines = [
            f"recreate_database {remove} the old table and {make} a new one",
            f"create_table {make} the pets table{chance.choice(['', ' with name and breed'])}",
            f"drop_table {remove} the table{chance.choice(['', ' if it exists'])}",
            f"insert_pet {add} {chance.choice(['one pet', 'a pet', 'a record', 'a row'])}",
            f"process_one, two and three {chance.choice(each)}",
        ]
        yield chance.choice(["\n", ". ", "; ", "\n- "]).join(lines)


def test_four_hundred_right_answers_are_not_alike() -> None:
    """However many answer the same question rightly, their answers are not alike."""
    answers = honest(random.Random(7))
    assert found([answering(f"s{n:03}", next(answers)) for n in range(400)]) == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\n" * 50_000, id="empty lines"),
        pytest.param("A b " * 20_000, id="one long line"),
        pytest.param("\ud800\x00\u202e" * 1_000, id="no text"),
        pytest.param("a.b@" * 20_000, id="half an address"),
        pytest.param("11:11:11,111 /home/x" * 3_000, id="moments without lines"),
    ],
)
def test_hostile_text_is_only_text(text: str) -> None:
    """Whatever stands in a file, looking for likeness ends and raises nothing."""
    files = {"answers": {"q5": text}, "transcripts": {"run0": text}, "readme_adds": text}
    works = [work(key, {**files, "script": text}, text[:99]) for key in ("ada", "ben")]
    students = [Student(key=key, repository=text[:99], name=text[:99]) for key in ("ada", "ben")]
    assert isinstance(found(works, students), tuple)


CHANGE = """
# Grandma's backup plan: wobble until the clinic door opens
def wobble(doorbell, patience=9):
    while not doorbell.ringing():
        grumble(f"still knocking, patience {patience}")
"""
OTHER_CHANGE = """
# Pigeons juggle crates while nobody watches the lighthouse
def juggle(lighthouse, acrobats=3):
    for acrobat in lighthouse.balcony(acrobats):
        acrobat.somersault("hooray", confetti=acrobats)
"""


def test_few_works_are_in_memory_at_a_time() -> None:
    """However large the class and whoever is alike, its works and their texts are not kept."""
    said = "insert_pet nudges a sleepy critter through the hatch, then scribbles its nickname down."
    run = "\n".join(f"2025-02-04 22:21:06,09{n} - INFO - Step {n}" for n in range(6))
    answers = honest(random.Random(3))
    works = [
        work(
            f"s{n:03}",
            {
                "answers": {"q5": said if n < 4 else next(answers)},
                "transcripts": {"run0": run if n < 40 else f"{run}\n{n}".replace("22:", f"{n}:")},
                "readme_adds": f"https://github.com/account{n // 2}/demo",
                "script_adds": CHANGE if n % 20 == 0 else f"print('student {n}')",
            },
            f"https://github.com/account{n}/demo",
        )
        for n in range(100)
    ]
    reading = Reading(works)
    clusters = find_similar(reading, [], ASSIGNMENT.rubric, ASSIGNMENT.starter)
    assert {cluster.likeness for cluster in clusters} == set(Likeness)
    assert reading.most_works <= 4
    assert reading.most_texts <= 4 * 4
    assert reading.read <= 4 * len(works)


def test_equal_hashes_make_nobody_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Students of whom every hash is the same are told apart by what they wrote."""
    for module in ("pairs", "phrases"):
        monkeypatch.setattr(
            f"grader.similarity.{module}.hash",
            lambda mark: crc32(repr(mark).encode()) % 5,
            raising=False,
        )
    wrote = {
        "ada": ("nudges a sleepy critter through the hatch, then scribbles its nickname", CHANGE),
        "ben": (
            "hogs one wobbly crate until whoever juggles pigeons chants lullabies",
            OTHER_CHANGE,
        ),
    }
    works = [
        work(
            key,
            {
                "answers": {"q5": f"Once insert_pet has come along it {said} down in the clinic."},
                "script_adds": change,
                "transcripts": {
                    "run0": "\n".join(
                        f"2025-02-04 22:21:06,{n}{len(key)}{ord(key[0])} /home/{key}-w/"
                        for n in range(9)
                    )
                },
            },
        )
        for key, (said, change) in wrote.items()
    ]
    assert found(works) == ()
    copied = replace(works[0], student="cleo")
    assert {cluster.likeness for cluster in found([*works, copied])} >= {
        Likeness.WORDS,
        Likeness.CODE,
        Likeness.RUN,
    }
