"""Compiles the catalogues of `sipsync/locale`, also for an editable install; a wheel gets manual pages as well."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any

import click
import polib
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SECTIONS = {"policy": "POLICY", "environment": "ENVIRONMENT", "exit-codes": "EXIT STATUS"}
"""The pages of `sipsync explain` that are sections of sipsync(1)."""


class Generated(BuildHookInterface[Any]):
    """Writes a `.mo` beside each `.po`, which git ignores and the wheel has in its place; and the manual pages."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before files are collected. One that is up to date is left alone, since somebody may be reading it."""
        for source in Path(self.root, "sipsync", "locale").glob("*/LC_MESSAGES/*.po"):
            compiled = polib.pofile(str(source)).to_binary()
            target = source.with_suffix(".mo")
            if not target.exists() or target.read_bytes() != compiled:
                target.write_bytes(compiled)
        if version == "standard":
            self.pages = tempfile.TemporaryDirectory(prefix="sipsync-man-")
            for name, text in manual(self.root):
                page = Path(self.pages.name, name)
                page.write_text(text, encoding="utf-8", newline="\n")
                build_data["shared_data"][str(page)] = f"share/man/man1/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """After the wheel is written."""
        if version == "standard":
            self.pages.cleanup()


def manual(root: str) -> Iterator[tuple[str, str]]:
    """The name and the text of each page, made of the commands themselves: one for sipsync, one for each command."""
    sys.path.insert(0, root)
    sys.dont_write_bytecode = True
    from sipsync._version import __version__
    from sipsync.cli.main import cli
    from sipsync.report.explain import pages

    contexts = list(_walk(click.Context(cli, info_name="sipsync", **cli.context_settings)))
    names = [_name(context) for context in contexts]
    for context, name in zip(contexts, names, strict=True):
        near = [other for other in names if other != name and (name.startswith(other) or other.startswith(name))]
        more = () if context.parent else _reference(pages())
        title = f'.TH "{name.upper()}" 1 "" "sipsync {__version__}" "sipsync"'
        yield f"{name}.1", "\n".join([title, *_page(context, name), *more, ".SH SEE ALSO", _references(near)]) + "\n"


def _walk(context: click.Context) -> Iterator[click.Context]:
    """A command's context, and those of its commands."""
    yield context
    if isinstance(group := context.command, click.Group):
        for name in group.list_commands(context):
            if command := group.get_command(context, name):
                yield from _walk(click.Context(command, info_name=name, parent=context))


def _name(context: click.Context) -> str:
    return context.command_path.replace(" ", "-")


def _page(context: click.Context, name: str) -> Iterator[str]:
    """The sections of a page, in the macros of man(7)."""
    command, text = context.command, cleandoc(context.command.help or "")
    yield from (".SH NAME", f"{_roff(name)} \\- {_roff(text.partition('. ')[0].partition(chr(10))[0].rstrip('.'))}")
    usage = " ".join(command.collect_usage_pieces(context))
    yield from (".SH SYNOPSIS", f"\\fB{_roff(context.command_path)}\\fR {_roff(usage)}")
    yield from (".SH DESCRIPTION", "\n.PP\n".join(map(_paragraph, text.split("\n\n"))))
    if isinstance(command, click.Group):
        yield ".SH COMMANDS"
        short = {each: command.get_command(context, each) for each in command.list_commands(context)}
        plain = {"": {each: found.get_short_help_str(200) for each, found in short.items() if found}}
        for title, rows in getattr(command, "sections", plain).items():
            yield from ([f".SS {_roff(title)}"] if title else [])
            yield from _items(rows.items())
    for param in command.params:
        if getattr(param, "fleet", False):  # the short help keeps it back; a manual tells everything
            vars(param)["hidden"] = False
    for title, kind in (("ARGUMENTS", click.Argument), ("OPTIONS", click.Option)):
        params = [param for param in command.get_params(context) if isinstance(param, kind)]
        if records := list(filter(None, (param.get_help_record(context) for param in params))):
            yield from (f".SH {title}", *_items(records))
    if examples := getattr(command, "examples", ()):
        yield from (".SH EXAMPLES", ".nf", *map(_roff, examples), ".fi")


def _paragraph(text: str) -> str:
    """A paragraph; one that click shows as it stands, behind a line that is a backspace, is so here too."""
    return f".nf\n{_roff(text[2:])}\n.fi" if text.startswith("\b\n") else _roff(text)


def _items(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, text in rows:
        yield from (".TP", f"\\fB{_roff(term)}\\fR", _roff(text))


def _reference(pages: dict[str, Any]) -> Iterator[str]:
    for name, page in pages.items():
        yield from (f".SH {_SECTIONS[name]}", _roff(page.about), *_items(page.entries))


def _references(names: Iterable[str]) -> str:
    return ",\n".join(f"\\fB{_roff(name)}\\fR(1)" for name in names)


def _roff(text: str) -> str:
    """A text that roff prints as it is: no escapes, hyphens that can be copied, and no line that is a request."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga")
    plain = "".join(each if each.isascii() else f"\\[u{ord(each):04X}]" for each in plain)
    return "\n".join(f"\\&{line}" if line.startswith((".", "'")) else line for line in plain.splitlines())
