"""Transcripts are read the same whatever a terminal, an editor or a student did to them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.model import Insert, Transcript
from grader.rubric import OutputSpec
from grader.transcript import parse_transcript

OUTPUT = OutputSpec(
    starts=(
        "STARTING UP",
        "Called recreate_database()",
        "DELETED table",
        "DELETED tabble",
        "multiple_processes.py",
    ),
    ends=("SUCCESS",),
    inserts=(
        "Called insert_pet() with process={process}, name={name}, breed=",
        "{process} getting ready to insert {name} the",
        "{process} ADDED {name} the",
    ),
    lock_error="database is locked",
)
LITERALS = re.compile(
    r"Called insert_pet\(\) with process=|, name=|, breed=| getting ready to insert | ADDED | the "
    r"|STARTING UP|SUCCESS|Called recreate_database\(\)|DELETED tabble|database is locked"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One file of cases/transcripts: a text, then what it must be read as."""

    name: str
    text: str
    expected: dict[str, object]

    def is_own(self, line: str) -> bool:
        """Whether the case calls the line the assignment's own."""
        own = self.expected.get("own", [])
        assert isinstance(own, list)
        return line in own


def read_case(path: Path) -> Case:
    text, expected = re.split(r"(?m)^=== expect\r?\n", path.read_bytes().decode())
    return Case(name=path.stem, text=text, expected=yaml.safe_load(expected))


CASES = [
    read_case(path)
    for path in sorted((Path(__file__).parent / "cases" / "transcripts").glob("*.txt"))
]


def parse(text: str, is_own: Callable[[str], bool] = lambda _: False) -> Transcript:
    return parse_transcript(text, OUTPUT, is_own)


def by_process(inserts: tuple[Insert, ...]) -> dict[str, list[str]]:
    records: dict[str, list[str]] = {}
    for insert in inserts:
        records.setdefault(insert.process, []).append(insert.record)
    return records


def gist(transcript: Transcript) -> list[tuple[list[list[str]], int]]:
    """What stays when lines move: each run's records by process, and its lock errors."""
    return [
        (
            [
                ["".join(record.split()) for record in records]
                for _, records in sorted(by_process(run.inserts).items())
            ],
            len(run.lock_errors),
        )
        for run in transcript.runs
    ]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_a_transcript_is_read_as_its_case_says(case: Case) -> None:
    """Each case file's runs, lock errors with their lines, and placeholder are found."""
    found = parse(case.text, case.is_own)
    runs = [
        {"inserts": by_process(run.inserts), "lock_errors": list(run.lock_errors)}
        for run in found.runs
    ]
    expected = {key: case.expected[key] for key in ("runs", "placeholder")}
    assert {"runs": runs, "placeholder": found.placeholder} == expected


def test_the_shipped_rubric_reads_transcripts_as_the_cases_do() -> None:
    """The phrases of rubric.yaml are those that the cases were written for."""
    rubric = yaml.safe_load(Path(__file__).parent.parent.joinpath("rubric.yaml").read_bytes())
    assert OutputSpec.model_validate_json(json.dumps(rubric["output"])) == OUTPUT


def test_an_insert_stands_on_the_line_that_first_announces_it() -> None:
    """Lines count from 1 in the original text, blank ones and fences included."""
    text = "```\n\nP1 getting ready to insert Ace the Dog.\n\x1b[0m\n\nP1 ADDED Ace the Dog.\n```\n"
    assert parse(text).runs[0].inserts == (Insert(line=3, process="P1", record="Ace"),)


def test_a_process_keeps_its_first_spelling() -> None:
    """Announcements that spell a process in another case are still the same process's."""
    text = "P1 ADDED Ace the Dog.\np1 ADDED Buddy the Dog.\np1 getting ready to insert ACE the Dog."
    assert by_process(parse(text).runs[0].inserts) == {"P1": ["Ace", "Buddy"]}


@pytest.mark.parametrize("name", ["Luther", "Bathe", "Big Thea", "The", "Theo the Third"])
def test_a_name_may_hold_the_word_after_it(name: str) -> None:
    """A name ends at the template's next word, not at letters that happen to spell it."""
    inserts = parse(f"P1 getting ready to insert {name} the Dog.").runs[0].inserts
    assert [insert.record for insert in inserts] == [name.removesuffix(" the Third")]


def test_templates_of_another_assignment_are_read_too() -> None:
    """Placeholders may end a template or be repeated, and a rubric may know no marks."""
    output = OutputSpec(
        starts=("begin",),
        inserts=("[+] wrote {name} by {process}", "{process}: {name} ({process})"),
        lock_error="busy",
    )
    text = "begin\n[+] wrote log by w1\nw2: index (w2)\nbusy\nbegin\n[+] wrote log by w1\n"
    runs = parse_transcript(text, output, lambda _: False).runs
    assert [by_process(run.inserts) for run in runs] == [
        {"w1": ["log"], "w2": ["index"]},
        {"w1": ["log"]},
    ]
    assert [run.lock_errors for run in runs] == [(4,), ()]


# ---------------------------------------------------------------- whatever happens to a text

# Whose own a line is can only be told of whole lines.
STEADY = [case for case in CASES if "own" not in case.expected]
# A terminal breaks what it shows, never the code of a colour.
SHOWN = [case for case in STEADY if not re.search(r"[\x1b\b]|\[\d+m", case.text)]
any_case = st.sampled_from(STEADY)
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@patient
@given(case=any_case, trailing=st.sampled_from(["", " ", "   ", "\t"]))
def test_line_ends_and_trailing_spaces_change_nothing(case: Case, trailing: str) -> None:
    """CRLF and spaces at line ends leave every line number as it was."""
    text = case.text.replace("\r\n", "\n")
    assert parse(text.replace("\n", f"{trailing}\r\n")) == parse(case.text)


def wrapped(text: str, width: int, indent: str) -> str:
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        rest = line
        while len(rest) > width:
            lines.append(rest[:width])
            rest = indent + rest[width:]
        lines.append(rest)
    return "\n".join(lines)


@patient
@given(
    case=st.sampled_from(SHOWN),
    width=st.integers(20, 200),
    indent=st.sampled_from(["", "  ", "    "]),
)
def test_wrapping_changes_nothing(case: Case, width: int, indent: str) -> None:
    """A terminal may break lines at any column, in the middle of words, and indent the rest."""
    assert gist(parse(wrapped(case.text, width, indent))) == gist(parse(case.text))


@patient
@given(
    case=any_case,
    code=st.sampled_from(["\x1b[31m", "\x1b[0m", "\x1b[1;38;5;12m", "\x1b]0;title\x07", "[0m"]),
    every=st.integers(1, 5),
)
def test_colour_codes_between_lines_change_nothing(case: Case, code: str, every: int) -> None:
    """Colours and window titles are not seen, and move no line."""
    lines = case.text.split("\n")
    coloured = [code + line if place % every == 0 else line for place, line in enumerate(lines)]
    assert parse("\n".join(coloured)) == parse(case.text)


@patient
@given(case=any_case, change=st.sampled_from([str.upper, str.lower, str.title, str.swapcase]))
def test_the_case_of_the_programs_words_changes_nothing(
    case: Case, change: Callable[[str], str]
) -> None:
    """Only names keep their case."""
    changed = LITERALS.sub(lambda found: change(found[0]), case.text)
    assert parse(changed) == parse(case.text)


@patient
@given(case=any_case, mark=st.sampled_from(["> ", ">", ">> ", "    ", "| ", "- ", "> - "]))
def test_quoting_changes_nothing(case: Case, mark: str) -> None:
    """Markdown's marks in front of every line are not seen."""
    quoted = "\n".join(mark + line for line in case.text.split("\n"))
    assert gist(parse(quoted)) == gist(parse(case.text))


scraps = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.sampled_from(
            [*OUTPUT.starts, *OUTPUT.ends, *OUTPUT.inserts, OUTPUT.lock_error, "P1", "\n", " the "]
        ),
        st.sampled_from(["P1 ADDED Ace the ", "\x1b[", "\x1b]", "\b", "\r", 'File "', "> ", "```"]),
    ),
    max_size=40,
)


@patient
@given(text=st.one_of(st.text(), scraps.map("".join)))
def test_any_text_can_be_read(text: str) -> None:
    """Nothing raises, and every line that is named is one of the text's."""
    found = parse(text)
    lines = range(1, text.count("\n") + 2)
    assert all(insert.line in lines for run in found.runs for insert in run.inserts)
    assert all(line in lines for line in found.lock_errors)


HOSTILE = {
    "one long word": "a",
    "announcements without an end": "Called insert_pet() with process=, name=, name=",
    "names without an end": "P1 ADDED x ",
    "one announcement again and again": "P1 ADDED x the ",
    "a name on each line": "a" * 40 + " getting ready to insert\n" + "b" * 39 + " th ",
    "almost a lock error": "d\na\nt\na\nb\na\ns\ne\n",
    "escape sequences without an end": "\x1b]0;\x1b[1;2",
    "more backspaces than text": "ab\b\b\b",
    "a script's name within quotes": 'File "multiple_processes.py ',
    "nothing but quoting": "> ",
    "blank lines": "\n",
}


@pytest.mark.parametrize("scrap", [pytest.param(text, id=name) for name, text in HOSTILE.items()])
def test_hostile_text_is_read_in_linear_time(scrap: str) -> None:
    """A megabyte made to be slow to read takes seconds at the very worst."""
    text = scrap * (2**20 // len(scrap))
    started = time.perf_counter()
    parse(text, lambda _: True)
    assert time.perf_counter() - started < 5


def test_many_processes_are_counted_in_linear_time() -> None:
    """Telling runs apart does not look at all earlier inserts again for each new one."""
    first = "".join(f"P{i} ADDED n{j} the " for i in range(8000) for j in (0, 1))
    text = f"{first} PX ADDED x the " + "P1 ADDED n1 the " * 15000 + "SUCCESS. " + first
    started = time.perf_counter()
    parse(text)
    assert time.perf_counter() - started < 5
