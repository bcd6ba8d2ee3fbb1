"""A target branch that protects a line, and what git and plans say of it."""

from __future__ import annotations

import subprocess

from sipsync.model.outcome import Outcome
from sipsync.model.plan import Plan
from sipsync.model.problems import Code
from support.box import Box

PROTECTED = "policy: {protected: [reception]}\n"
BEFORE = "lines:\n  reception: {config_id: 101, title: Reception}\n  sales: {config_id: 102}\n"
AFTER = "lines:\n  reception: {config_id: 101, title: Reception, server: new.example}\n  sales: {config_id: 102}\n"


def git(box: Box, *arguments: str) -> str:
    """What git says in the box's folder."""
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "protocol.file.allow=always")
    done = subprocess.run(["git", *who, "-C", str(box.folder), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(box: Box, ref: str = "HEAD") -> None:
    """Commit the folder, and have a ref stand there."""
    git(box, "add", "--all")
    git(box, "commit", "--quiet", "--allow-empty", "--message", "m")
    if ref != "HEAD":
        git(box, "update-ref", ref, "HEAD")


def codes(document: Plan | Outcome) -> list[Code]:
    """What stops it."""
    return [diagnostic.code for diagnostic in document.diagnostics if diagnostic.severity == "error"]
