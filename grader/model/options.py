"""How the person at the keyboard wants scripts to be run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Sandbox(str, Enum):
    """Which sandbox untrusted scripts run in."""

    AUTO = "auto"
    """The best that this computer has."""
    REQUIRE = "require"
    """Bubblewrap, or nothing is run."""
    OFF = "off"
    """An ordinary process with limits."""


AUTO_SPEED = 10.0
"""Verdicts of real time in 254 of 254 measured runs; at 100 a run of 0 s met false locks."""
MOST_SPEED = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The choices that hold for every run of a grading."""

    sandbox: Sandbox = Sandbox.AUTO
    speed: float = AUTO_SPEED
    """How many times faster than real time a run may be, from 1 to `MOST_SPEED`."""
