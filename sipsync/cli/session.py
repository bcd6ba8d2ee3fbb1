"""What every command knows of its run: the environment, how people want to read, and whether they can be asked."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sipsync.cli import streams
from sipsync.cli.streams import ColorChoice

if TYPE_CHECKING:
    from sipsync.report import Style
    from sipsync.report.language import Language


@dataclass(slots=True)
class Session:
    """One run of the program. The global options fill it before a command starts."""

    environ: Mapping[str, str]
    color: ColorChoice = "auto"
    lang: Language = "en"
    json: bool = False
    """stdout is to be one JSON document, whatever happens."""
    input: bool = True
    """False: never ask anything."""
    writing: bool = False
    """Whether portals may have been written to."""

    def style(self, *, err: bool = False, everything: bool = False) -> Style:
        """How to render for the people at one of the streams."""
        from sipsync.report import Style

        terminal = (sys.stderr if err else sys.stdout).isatty()
        return Style(
            color=self.in_color(err=err),
            width=streams.width(self.environ, terminal=terminal),
            lang=self.lang,
            all=everything,
        )

    def in_color(self, *, err: bool = False) -> bool:
        """Whether one of the streams is coloured."""
        stream = sys.stderr if err else sys.stdout
        return streams.in_color(self.color, self.environ, terminal=stream.isatty())

    def say(self, text: str) -> None:
        """Tell people something beside the result: on stderr, a line of its own."""
        streams.write(text + "\n", err=True)

    def hint(self, text: str) -> None:
        """Tell people what to do next, unless a program runs this."""
        if not self.environ.get("SIPSYNC_IN_AUTOMATION") and not self.json:
            self.say(text)

    def can_ask(self) -> bool:
        """Whether a person sits there."""
        return self.input and sys.stdin is not None and sys.stdin.isatty()
