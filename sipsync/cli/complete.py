"""Portal and line names for the shell's completion: quick, and silent about files that can't be read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    import click

    from sipsync.model.lines import DesiredPortal


def complete_portals(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the portals in the files."""
    return [
        CompletionItem(portal.name, help=portal.file) for portal in _portals(ctx) if portal.name.startswith(incomplete)
    ]


def complete_lines(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The addresses of the lines in the files."""
    return [
        CompletionItem(line.address, help=line.title)
        for portal in _portals(ctx)
        for line in portal.lines
        if line.address.startswith(incomplete)
    ]


def _portals(ctx: click.Context) -> Iterator[DesiredPortal]:
    from sipsync import api
    from sipsync.model.operator import Operator
    from sipsync.model.problems import SipsyncError

    paths: tuple[Path, ...] = tuple(ctx.params.get("paths") or ())
    try:
        operator = Operator.from_environ(os.environ, root=str(api.find_root(paths)))
        yield from api.load(paths, operator).portals
    except (SipsyncError, OSError):
        return
