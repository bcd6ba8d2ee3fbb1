"""The house as drawn: layers, single doors to other packages, no circle of imports, and each message once."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]

ASKS = re.compile(r"((\w+\.)*datetime|date)\.(now|utcnow|today)|asyncio\.sleep|os\.(urandom|getrandom)")
"""What asks the machine for time or chance, beside the modules that are there for nothing else."""
ASKING_MODULES = {"random", "secrets", "time", "uuid"}
MAY_ASK = {"disk/clock.py": {"os.urandom", "random", "time", "datetime.now", "asyncio.sleep"}}
"""The one that all others are given."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """All imports, those for types only included."""
    return grimp.build_graph("sipsync", include_external_packages=True, cache_dir=None)


def test_rooms_keep_to_their_floors_and_doors() -> None:
    # In a process of its own, as it sets up logging for all of one.
    program = "import sys, importlinter.cli; sys.exit(importlinter.cli.lint_imports(no_cache=True))"
    checked = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_no_imports_run_in_a_circle_not_even_for_types(graph: grimp.ImportGraph) -> None:
    own = [module for module in graph.modules if module.partition(".")[0] == "sipsync"]
    needs = {module: graph.find_modules_directly_imported_by(module) for module in own}
    TopologicalSorter(needs).prepare()  # raises CycleError, which names the circle


def test_no_message_stands_twice_in_the_sources() -> None:
    """What is said at two places is a constant, or a function: else one of them is forgotten when the words change."""
    places: dict[str, list[str]] = defaultdict(list)
    for file in sorted((ROOT / "sipsync").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("Message", "counted")
            ):
                for template in node.args:
                    if isinstance(template, ast.Constant) and isinstance(template.value, str):
                        places[template.value].append(f"{file.relative_to(ROOT)}:{template.lineno}")
    assert len(places) > 500
    assert {words: where for words, where in places.items() if words and len(where) > 1} == {}


def asked(source: str) -> Iterator[str]:
    """What in this source asks the machine for time or chance; a limit on waiting (`asyncio.timeout`) does not."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names):
                yield from (name.name for name in names if name.name in ASKING_MODULES)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from {module} & ASKING_MODULES
                yield from (full for name in names if ASKS.fullmatch(full := f"{module}.{name.name}"))
            case ast.Attribute() if ASKS.fullmatch(name := ast.unparse(node)):
                yield name
            case ast.Call(func=ast.Attribute(attr="time"), args=[]):
                yield "loop.time"


def test_time_and_chance_come_from_the_clock_that_a_caller_gives() -> None:
    package = ROOT / "sipsync"
    asking = {
        path.relative_to(package).as_posix(): found
        for path in package.rglob("*.py")
        if (found := set(asked(path.read_text(encoding="utf-8"))))
    }
    assert asking == MAY_ASK


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import time", "time"),
        ("def f():\n    from random import choice", "random"),
        ("from secrets import token_hex", "secrets"),
        ("from os import urandom", "os.urandom"),
        ("from asyncio import sleep", "asyncio.sleep"),
        ("sleep = asyncio.sleep", "asyncio.sleep"),
        ("datetime.now(UTC)", "datetime.now"),
        ("datetime.datetime.utcnow()", "datetime.datetime.utcnow"),
        ("asyncio.get_running_loop().time()", "loop.time"),
    ],
)
def test_who_asks_is_found(source: str, found: str) -> None:
    assert list(asked(source)) == [found]


@pytest.mark.parametrize(
    "source",
    [
        "from sipsync.secrets import resolve",
        "from . import time",
        "clock.now()",
        "clock.sleep(1)",
        "asyncio.timeout(5)",
        "loop.call_later(5, f)",
    ],
)
def test_who_asks_the_clock_is_not(source: str) -> None:
    assert not list(asked(source))
