"""Broken inputs of every kind, the same ones each time; `fuzz.py` runs as many others as one likes."""

from __future__ import annotations

import pytest

from fuzz.fuzz import run
from fuzz.targets import TARGETS

pytestmark = pytest.mark.slow
SEED = 8
EXAMPLES = 125


@pytest.mark.parametrize("quarter", range(4))
@pytest.mark.parametrize("target", TARGETS)
def test_five_hundred_broken_inputs_break_no_promise(target: str, quarter: int) -> None:
    numbers = range(quarter * EXAMPLES, (quarter + 1) * EXAMPLES)
    assert not "\n".join(f"{number}: {told}" for number, told in run(target, SEED, numbers))
