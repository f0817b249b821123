"""What in a script keeps its pace: a case is a script whose lines say `#! what` where it does."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.pace import Obstacle, obstacles
from grader.script import MAX_CHARACTERS, set_constant

ROOT = Path(__file__).resolve().parent.parent
CASES = sorted((ROOT / "tests" / "cases" / "pace").glob("*.py.txt"))
UNSCALABLE = sorted((ROOT / "tests" / "cases" / "unscalable").glob("*.py.txt"))
PLAIN = [
    ROOT / "assignment" / "multiple_processes.py",
    *sorted((ROOT / "tests" / "submissions").glob("[!s]*/*.py")),
    *sorted((ROOT / "tests" / "submissions").glob("serialised/*.py")),
    *sorted((ROOT / "tests" / "second_assignment").rglob("*.py")),
]
MARK = re.compile(r"#! (.*)")


def found(source: str, **modules: str) -> list[tuple[str, int, str]]:
    sources = {"task": source, **modules}
    seen = obstacles({f"{name}.py": text for name, text in sources.items()})
    return [(obstacle.file, obstacle.line, obstacle.what) for obstacle in seen]


@pytest.mark.parametrize("path", [*CASES, *UNSCALABLE], ids=lambda p: p.name.split(".")[0])
def test_obstacles_are_named_with_their_lines(path: Path) -> None:
    """All that keeps its pace is found where it stands, and nothing else is."""
    source = path.read_text("utf-8")
    lines = enumerate(source.splitlines(), start=1)
    marked = [("task.py", n, said[1]) for n, line in lines if (said := MARK.search(line))]
    assert found(source) == marked


@pytest.mark.parametrize("path", UNSCALABLE, ids=lambda p: p.name.split(".")[0])
def test_each_unscalable_script_has_one(path: Path) -> None:
    """A script that another speed would lead to another end is seen for what it is."""
    source = set_constant(path.read_text("utf-8"), ["TASK_DURATION_SECONDS"], 3)
    assert source is not None
    assert len(found(source)) == 1


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_plain_scripts_have_none(path: Path) -> None:
    """What students receive and ordinary solutions can be sped up."""
    assert found(path.read_text("utf-8")) == []


def test_modules_beside_the_script_are_looked_into() -> None:
    """A module of the student's own is no library, and what it does counts as the script's."""
    script = "import helper\nimport tools.clock\nwhile not helper.insert(): pass\n"
    helper = "def insert():\n    try: write()\n    except Exception: return False\n"
    clock = "import sched\n"
    assert found(script, helper=helper, **{"tools/clock": clock}) == [
        ("task.py", 3, "a loop that tries again after an error"),
        ("tools/clock.py", 1, "the module sched"),
    ]


def test_order_is_that_of_the_lines() -> None:
    """Obstacles come file by file from the top, each once."""
    source = "x.wait(1); y.wait(2)\nimport sched\n"
    assert obstacles({"b.py": source, "a.py": "x.wait(1)"}) == (
        Obstacle(file="a.py", line=1, what="wait() with a time limit"),
        Obstacle(file="b.py", line=1, what="wait() with a time limit"),
        Obstacle(file="b.py", line=2, what="the module sched"),
    )


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("x = " + "[" * 3000, id="deep brackets"),
        pytest.param("x = " + "-" * 50_000 + "1", id="deep minus"),
        pytest.param("x = '\0'", id="null byte"),
        pytest.param("#" * (MAX_CHARACTERS + 1), id="too long"),
    ],
)
def test_what_cannot_be_read_is_an_obstacle(source: str) -> None:
    """A source that Python refuses or chokes on is not said to scale."""
    assert found(source) == [("task.py", 1, "code that cannot be read")]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("x" + ".wait(1)" * 300, id="calls in a row"),
        pytest.param(
            "import time\n"
            + "".join(f"x{n}=" for n in range(3500))
            + f"[{','.join(f'x{n}' for n in range(3500))},time.time()]",
            id="names for one another",
        ),
        pytest.param(
            "import time\n"
            + "".join(f"x{n + 1}=x{n}\n" for n in range(4000))
            + "x0 = time.time()\nif x4000: pass",
            id="a long way from the clock",
        ),
        pytest.param("x=x\n" * 7000 + "join(x)\n" * 3000, id="a name for itself"),
        pytest.param(
            "".join(f"def f{n}():\n f{n + 1}();f{n + 1}()\n" for n in range(1900)), id="calls"
        ),
        pytest.param(
            "".join(" " * n + "while x:\n" for n in range(95)) + " " * 95 + "f();" * 12_000,
            id="loops within loops",
        ),
        pytest.param(
            "".join(" " * n + f"def f{n}():\n" for n in range(95)) + " " * 95 + "f();" * 12_000,
            id="functions within functions",
        ),
        pytest.param("sleep(" * 90 + ",".join("1" * 27_000) + ")" * 90, id="sleeps within sleeps"),
        pytest.param(
            "(" * 90 + ",".join("1" * 27_000) + " < 1)" * 90, id="comparisons within comparisons"
        ),
    ],
)
def test_a_source_cannot_keep_the_grader_busy(source: str) -> None:
    """What was written to take minutes to look through takes a moment."""
    start = time.perf_counter()
    assert "code that cannot be read" not in {what for _, _, what in found(source)}
    assert time.perf_counter() - start < 8


@given(st.text())
def test_looking_never_raises(source: str) -> None:
    """Any text can be looked into."""
    obstacles({"task.py": source, "": source})
