"""A portal with a target branch."""

from __future__ import annotations

import pytest

from support.box import Box
from support.branch import BEFORE, PROTECTED, commit, git


@pytest.fixture
def branch(box: Box) -> Box:
    """A portal with two lines, and a target branch that protects one of them."""
    box.seed({"config_id": 101, "title": "Reception"}, {"config_id": 102, "title": "Sales"})
    git(box, "init", "--quiet", "--initial-branch=change")
    (box.folder / ".gitignore").write_text("state/\n", encoding="utf-8")
    box.write(PROTECTED + BEFORE)
    commit(box, "refs/remotes/origin/main")
    box.environ["GITHUB_BASE_REF"] = "main"
    return box
