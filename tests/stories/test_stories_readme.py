"""Every transcript in the readmes is what the commands print, one after the other, in a copy of the quickstart."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What a CI system sets colours the output, or names a branch to look at.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("CI", "GITHUB_", "SIPSYNC_"))}
TRANSCRIPT = re.compile(r"^```text\n\$ (sipsync [^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("readme", ["README.md", "README.ru.md"])
def test_the_transcripts_are_what_is_printed(readme: str, tmp_path: Path) -> None:
    transcripts = TRANSCRIPT.findall((ROOT / readme).read_text(encoding="utf-8"))
    assert [command.split()[1] for command, _ in transcripts] == ["plan", "apply", "plan"]
    for name in ("sipsync.yaml", "seed.json"):
        shutil.copy(ROOT / "examples/quickstart" / name, tmp_path)
    run("sipsync sandbox seed --db portal.sandbox seed.json", tmp_path)
    for command, printed in transcripts:
        assert run(command, tmp_path).strip() == printed.strip(), command


def run(command: str, folder: Path) -> str:
    arguments = [sys.executable, "-m", *shlex.split(command)]
    env = {**ENVIRONMENT, "NO_COLOR": "1"}
    done = subprocess.run(arguments, cwd=folder, env=env, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_two_blocks_of_the_readmes_are_the_two_commands() -> None:
    for readme in ("README.md", "README.ru.md"):
        blocks = re.findall(
            r"^```sh\n(.*?)^```$", (ROOT / readme).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        )
        assert blocks[0].strip().endswith("sipsync demo")
        assert blocks[1].strip().endswith("pytest")


def test_the_file_in_the_readme_is_valid(tmp_path: Path) -> None:
    blocks = re.findall(
        r"^```yaml\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    (tmp_path / "acme.yaml").write_text(blocks[0], encoding="utf-8")
    run("sipsync validate acme.yaml", tmp_path)


@pytest.mark.parametrize("page", ["README.md", "README.ru.md", "examples/library/README.md"])
def test_the_python_of_a_page_runs_from_top_to_bottom(page: str, tmp_path: Path) -> None:
    code = "".join(re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text(encoding="utf-8"), re.M | re.DOTALL))
    for name in ("sipsync.yaml", "seed.json"):
        shutil.copy(ROOT / "examples/quickstart" / name, tmp_path)
    run("sipsync sandbox seed --db portal.sandbox seed.json", tmp_path)
    (tmp_path / "page.py").write_text(code, encoding="utf-8")
    printed = run("page", tmp_path)
    assert "failed=0" in printed
    assert "No changes." in run("sipsync plan", tmp_path)


def test_the_readmes_agree_section_by_section() -> None:
    english, russian = (shape((ROOT / name).read_text(encoding="utf-8")) for name in ("README.md", "README.ru.md"))
    assert len(english) > 10
    assert english == russian


def shape(text: str) -> list[list[str]]:
    """For each section, of what it consists: its level, items, rows, and blocks with what is to be typed there."""
    sections: list[list[str]] = []
    block = False
    for line in text.splitlines():
        if line.startswith("```"):
            block = not block
        if line.startswith("#") and not block:
            sections.append([line.split()[0]])
        elif line.startswith("```") and block:
            sections[-1].append(line)
        elif match := re.match(r"- |[0-9]+\. |\||\*\*", line):
            sections[-1].append(match[0])
        elif block and re.match(r"\$ |sudo |brew |py |python3 ", line):
            sections[-1].append(line)
    return sections


@pytest.mark.parametrize("readme", ["README.md", "README.ru.md"])
def test_the_readme_counts_the_recorded_scenarios(readme: str) -> None:
    scenarios = len((ROOT / "tests/recorded/scenarios.jsonl").read_text(encoding="utf-8").splitlines())
    assert f" {scenarios} " in (ROOT / readme).read_text(encoding="utf-8")
