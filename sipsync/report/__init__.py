"""Documents to text; one renderer per file.

A renderer works from a document alone: offline, without secrets, without a clock. It is a module with one function
`render(document, style) -> str`; a row of FORMATS makes it known. A module is imported when its format is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, UsageError
from sipsync.report.language import Language

if TYPE_CHECKING:
    from sipsync.model.document import Report


@dataclass(frozen=True, slots=True)
class Style:
    """How people want to read it. Formats for programs look at none of this."""

    color: bool = False
    width: int = 80
    """Columns of the terminal; only explanations are wrapped, never a line that programs match."""
    lang: Language = "en"
    """The language of hints. Terraform's lines are the same in each."""
    all: bool = False
    """Show everything, also what is said many times over."""
    way_to_all: str = "--all"
    """How that is asked for."""
    drift: bool = False
    """Of a plan: it was made to see whether anything differs from the files, so what it would change is drift."""
    budget: int = 65_536
    """Bytes that a Markdown text may have: a comment's limit by default; a step summary has 1 MiB."""
    target: str = "default"
    """Which sticky comment a Markdown text is for, where a pull request has several."""
    whole: str = ""
    """Where the whole plan is to be had (a link or a file's name), for a text that had to be cut."""


FORMATS: dict[str, tuple[str, ...]] = {
    "text": ("Plan", "Outcome", "Findings", "Status", "Diagnosis"),
    "json": ("Plan", "Outcome", "Findings", "Status", "Diagnosis"),
    "markdown": ("Plan", "Outcome"),
    "html": ("Plan", "Outcome"),
    "gitlab": ("Plan",),
    "junit": ("Plan", "Outcome", "Findings"),
    "sarif": ("Plan", "Outcome", "Findings"),
    "github": ("Plan", "Outcome", "Findings"),
}
"""Each format and the documents that it can show; its renderer is the module of its name."""


def formats_of(document: str) -> tuple[str, ...]:
    """The formats that can show a document of this class name."""
    return tuple(name for name, documents in FORMATS.items() if document in documents)


def render(document: Report, format: str, style: Style = Style()) -> str:
    """The document in one of FORMATS. Raises UsageError where that format can't show it."""
    kind = type(document).__name__
    if kind not in FORMATS.get(format, ()):
        summary = Message('"{format}" can\'t show this: {kind}', format=format, kind=kind.lower())
        hint = Message("Formats that can: {formats_of}.", formats_of=", ".join(formats_of(kind)))
        raise UsageError(Diagnostic(Code.USAGE, summary, hint=hint))
    text: str = import_module(f"sipsync.report.formats.{format}").render(document, style)
    return text
