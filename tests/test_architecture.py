"""The house as drawn: layers, single doors to other packages, no circle of imports, and each message once."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]


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
