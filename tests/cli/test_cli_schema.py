"""The schema that a clone has, by the first line of its files, as an editor or check-jsonschema uses it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from support.runs import Sipsync

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CHECK = str(Path(sys.executable).with_name("check-jsonschema"))


def git(folder: Path, *arguments: str | Path) -> None:
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    subprocess.run(["git", *identity, *map(str, arguments)], cwd=folder, check=True, capture_output=True)


def refusals(file: Path) -> str:
    """What check-jsonschema says against a file, by the schema that its first line names."""
    first = re.match(r"# yaml-language-server: \$schema=(.+)\n", file.read_text(encoding="utf-8"))
    assert first
    command = [CHECK, "--schemafile", str(file.parent / first[1]), str(file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.stdout if done.returncode else ""


def its_own_examples() -> Iterator[str]:
    """Each whole file that the project shows somebody."""
    for page in ("README.md", "README.ru.md"):
        blocks = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / page).read_text(encoding="utf-8"), re.M | re.DOTALL)
        yield from (block for block in blocks if "sipsync: 1" in block)
    for name in ("examples/quickstart/sipsync.yaml", "sipsync/cli/templates/demo.yaml"):
        yield (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture
def clone(acme: Any, sipsync: Sipsync, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of a repository with what `init` and `import` write, one level down as well."""
    monkeypatch.chdir(home)
    git(home, "init", "--quiet", "--initial-branch=main", ".")
    assert sipsync("init", "--webhook-env", "HOOK", "--ci", "github").code == 0
    assert sipsync("import", "portals/north/acme.yaml", "--webhook-env", "HOOK").code == 0
    git(home, "add", "--all")
    git(home, "commit", "--quiet", "--message", "Begin")
    git(tmp_path, "clone", "--quiet", home, "clone")
    return tmp_path / "clone"


def test_the_files_of_a_clone_hold_to_the_schema_that_they_name(clone: Path) -> None:
    for name in ("sipsync.yaml", "portals/north/acme.yaml"):
        file = clone / name
        assert refusals(file) == ""
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("# password: ", "password: "), encoding="utf-8")
        assert refusals(file) == ""
        file.write_text(text.replace("title: ", "titel: ", 1), encoding="utf-8")
        assert "'titel' was unexpected" in refusals(file)


def test_all_of_the_project_s_own_examples_hold_to_the_schema_of_a_clone(clone: Path) -> None:
    examples = list(its_own_examples())
    assert len(examples) == 4
    line, schema = "# yaml-language-server: $schema=.sipsync/schema.json\n", clone / ".sipsync/schema.json"
    subprocess.run([CHECK, "--check-metaschema", schema], check=True, capture_output=True)
    for example in examples:
        (clone / "example.yaml").write_text(line + example.removeprefix(line), encoding="utf-8")
        assert refusals(clone / "example.yaml") == "", example
