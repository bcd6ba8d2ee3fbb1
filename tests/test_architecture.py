"""The house as drawn: layers, single doors to other packages, and no circle of imports."""

from __future__ import annotations

import subprocess
import sys
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
