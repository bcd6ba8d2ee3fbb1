"""The pre-commit hooks, run by pre-commit itself in the clone of a repository that `init --ci github` began."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
import yaml

from support.pieces import ROOT, Job, Portal, Repository, environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

HOOKS = [hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))]
SOURCES = ["pyproject.toml", ".hatch_build.py", "README.md", "LICENSE", ".pre-commit-hooks.yaml", "sipsync"]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """This checkout as a repository that a hook can be taken from; its environment holds what was tested."""
    folder = tmp_path_factory.mktemp("published")
    folder.joinpath("home").mkdir()
    tree = folder / "sipsync"
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
        else:
            tree.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, tree)
    pinned = re.findall(r"^[\w.-]+==[^ ;]+", (ROOT / ".ci/requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    folder.joinpath("pinned.txt").write_text("\n".join(pinned), encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if name.lower().startswith(("pip_", "https_proxy"))}
    more = {"PIP_CONSTRAINT": str(folder / "pinned.txt"), "PRE_COMMIT_HOME": str(folder / "pre-commit")}
    made = Repository(tree, tree, environment(folder / "home", **kept, **more))
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message", "As it is")
    return made


@pytest.fixture
def clone(published: Repository, portal: Portal, tmp_path: Path) -> Repository:
    """A clone of what `init` wrote, with the hooks in use."""
    tree = tmp_path / "begun"
    tree.mkdir()
    begun = Repository(tree, tree, {**published.env, "HOME": str(tmp_path)})
    begun.git("init", "--quiet", "--initial-branch=main")
    done = begun.run("sipsync", "init", "--ci", "github", "--webhook-env", "ACME", env={"ACME": portal.webhook})
    assert done.code == 0, done.text
    return _with_hooks(begun, published, tmp_path / "clone")


def _with_hooks(begun: Repository, published: Repository, folder: Path) -> Repository:
    revision = published.git("rev-parse", "HEAD")
    hooks = [{"repo": str(published.tree), "rev": revision, "hooks": [{"id": name} for name in HOOKS]}]
    (begun.tree / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": hooks}), encoding="utf-8")
    begun.git("add", "--all")
    begun.git("commit", "--quiet", "--message", "Begin")
    cloned = begun.checkout(folder)
    assert cloned.run("pre-commit", "install").code == 0
    return cloned


def _commit(clone: Repository) -> Job:
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    return clone.run("git", *identity, "commit", "--all", "--message", "A change")


def test_what_init_wrote_passes_all_hooks_in_a_clone_and_so_do_a_team_s_own_files(clone: Repository) -> None:
    assert (clone.tree / ".github/workflows/sipsync.yml").is_file()
    done = clone.run("pre-commit", "run", "--all-files")
    assert (done.code, done.text.count("Passed")) == (0, len(HOOKS)), done.text
    for name in ("ci/sipsync.yml", "portals/_shared.yaml", "portals/_old/acme.yaml", ".gitlab-ci.yml"):
        (clone.tree / name).parent.mkdir(exist_ok=True)
        (clone.tree / name).write_text("job: {script: [make]}\n", encoding="utf-8")
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "--message", "Ours")


def test_a_literal_password_can_not_be_committed_and_is_not_repeated(clone: Repository) -> None:
    file = clone.tree / "sipsync.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "    password: hunter2-in-clear\n", encoding="utf-8")
    refused = _commit(clone)
    assert refused.code == 1, refused.text
    assert re.search(r"no literal SIP passwords\.+Failed\n- hook id: .*\n- exit code: 3\n", refused.text), refused.text
    assert f"sipsync.yaml:{len(file.read_text(encoding='utf-8').splitlines())}" in refused.text
    assert "hunter2-in-clear" not in refused.text


def test_the_hook_fmt_puts_a_file_into_the_layout_and_keeps_its_comment(clone: Repository) -> None:
    file = clone.tree / "sipsync.yaml"
    before = file.read_text(encoding="utf-8")
    file.write_text(f"# Ours\n{before}".replace("title: ", "title:   "), encoding="utf-8")
    refused = _commit(clone)
    assert (refused.code, "files were modified by this hook" in refused.text) == (1, True), refused.text
    assert file.read_text(encoding="utf-8") == f"# Ours\n{before}"
    clone.git("commit", "--quiet", "--all", "--message", "One blank")


def test_in_a_repository_without_portals_no_hook_runs_and_the_command_says_what_is_missing(
    published: Repository, tmp_path: Path
) -> None:
    (tmp_path / "begun").mkdir()
    begun = Repository(tmp_path / "begun", tmp_path / "begun", published.env)
    begun.git("init", "--quiet", "--initial-branch=main")
    clone = _with_hooks(begun, published, tmp_path / "clone")
    done = clone.run("pre-commit", "run", "--all-files")
    assert (done.code, done.text.count("(no files to check)Skipped")) == (0, len(HOOKS)), done.text
    missing = clone.run("sipsync", "validate")
    assert missing.code == 3, missing.text
    assert "there is neither sipsync.yaml nor a folder portals here" in missing.text
    assert "`sipsync init`" in missing.text
