"""Tries every attack on the grader and writes what came of it into docs/security.md."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.hostile import FOLDER, Attack, Kind, load  # noqa: E402

PAGE = ROOT / "docs" / "security.md"
MARK = "<!-- attacks -->\n"
SUITES = ("tests/test_hostile_running.py", "tests/test_hostile_reading.py")
SANDBOXES = {
    "test_attack_in_bubblewrap": "bubblewrap",
    "test_attack_in_landlock": "Landlock",
    "test_attack_without_a_sandbox": "limits alone",
}
TOLD = {"passed": "withstood", "failed": "**got through**", "skipped": "could not be tried"}

Outcomes = Mapping[tuple[str, str], str]
"""Test and attack -> what came of it."""


class Recorder:
    """Keeps the outcome of every attack that is tried."""

    def __init__(self) -> None:
        self.outcomes: dict[tuple[str, str], str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notes how a test went; a fault before or after it counts as well."""
        if report.when == "call" or report.outcome != "passed":
            test, _, attack = report.nodeid.rpartition("::")[2].rstrip("]").partition("[")
            self.outcomes[test, attack] = report.outcome


def table(attacks: Mapping[str, Attack], outcomes: Outcomes) -> Iterator[str]:
    """The attacks with their outcomes: those by a script for each sandbox, then the others."""
    running = {name: attack for name, attack in attacks.items() if attack.kind is Kind.RUNNING}
    others = {name: attack for name, attack in attacks.items() if name not in running}
    yield from _rows("by a script that is run", running, outcomes, SANDBOXES)
    yield from _rows(
        "by files that are read and quoted", others, outcomes, {"test_attack": "outcome"}
    )


def _rows(
    what: str, attacks: Mapping[str, Attack], outcomes: Outcomes, tests: Mapping[str, str]
) -> Iterator[str]:
    yield f"\n### {len(attacks)} attacks {what}\n"
    yield f"| attack | tries | must | {' | '.join(tests.values())} |"
    yield f"|---|---|---|{'---|' * len(tests)}"
    for name, attack in attacks.items():
        told = [TOLD.get(outcomes.get((test, name), ""), "not tried") for test in tests]
        file = f"[{name}](../tests/hostile/{name}.yaml)"
        yield f"| {file} | {attack.tries} | {attack.must} | {' | '.join(told)} |"


def main() -> int:
    """Writes the page; the exit status says whether every attack was withstood."""
    recorder = Recorder()
    status = pytest.main([*SUITES, "-q", "--numprocesses=auto"], plugins=[recorder])
    attacks = {path.stem: load(path) for path in sorted(FOLDER.glob("*.yaml"))}
    head, mark, _ = PAGE.read_text("utf-8").partition(MARK)
    lines = "\n".join(table(attacks, recorder.outcomes))
    PAGE.write_text(f"{head}{mark}{lines}\n", "utf-8", newline="\n")
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
