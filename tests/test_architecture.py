"""The house as drawn: layers, single doors to other packages, and no circle of imports."""

from __future__ import annotations

from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """All imports, those for types only included."""
    return grimp.build_graph("sipsync", include_external_packages=True, cache_dir=None)


def test_rooms_keep_to_their_floors_and_doors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename="pyproject.toml", no_cache=True) == 0


def test_no_imports_run_in_a_circle_not_even_for_types(graph: grimp.ImportGraph) -> None:
    own = [module for module in graph.modules if module.partition(".")[0] == "sipsync"]
    needs = {module: graph.find_modules_directly_imported_by(module) for module in own}
    TopologicalSorter(needs).prepare()  # raises CycleError, which names the circle
