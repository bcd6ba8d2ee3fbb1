"""SARIF 2.1.0: findings and safety limits at their lines in the YAML, one rule for each kind of finding."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from sipsync.model.document import digest_of
from sipsync.model.findings import Findings
from sipsync.model.outcome import Outcome
from sipsync.model.plan import Plan
from sipsync.model.problems import Code, Diagnostic, Span
from sipsync.report import Style
from sipsync.report.causes import Cause, by_cause
from sipsync.report.escape import visible
from sipsync.report.explain import explain
from sipsync.report.findings import hint
from sipsync.report.formats.json import dumped
from sipsync.report.outcomes import findings_of

_BRACKET = re.compile(r"[\[\]]")
_PLACEHOLDER = re.compile(r"\{\d+\}")
_WINDOWS_DRIVE = re.compile(r"^[A-Za-z]:/")


def render(document: Plan | Outcome | Findings, style: Style) -> str:
    """The findings as one run."""
    found = findings_of(document) if isinstance(document, Outcome) else document.diagnostics
    causes = by_cause(found)
    codes = list(dict.fromkeys(cause.told.code for cause in causes))
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "sipsync",
                        "semanticVersion": document.sipsync_version,
                        "rules": [_rule(code, style) for code in codes],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(cause, codes.index(cause.told.code), style) for cause in causes],
            }
        ],
    }
    return dumped(log, indent=2) + "\n"


def _rule(code: Code, style: Style) -> dict[str, Any]:
    told = explain(code, style.lang)
    return {
        "id": str(code),
        "shortDescription": {"text": told.title},
        "fullDescription": {"text": told.meaning},
        "help": {"text": told.action},
    }


def _result(cause: Cause, rule: int, style: Style) -> dict[str, Any]:
    finding = cause.told
    address = None if cause.is_of_portals else finding.address
    names = visible(", ".join(cause.portals)) if cause.is_of_portals else ""
    summary = f"{visible(finding.summary)}: {names}" if names else visible(finding.summary)
    text = " ".join(filter(None, (_sentence(summary), hint(finding, style))))
    result: dict[str, Any] = {
        "ruleId": str(finding.code),
        "ruleIndex": rule,
        "level": finding.severity,
        "message": {"text": _literally(text)},
        # Tells the same finding from a new one after lines were moved in the file.
        "partialFingerprints": {"sipsync/v1": digest_of([finding.code, address, cause.words])},
    }
    locations = list(filter(None, map(_location, cause.diagnostics)))
    return result | ({"locations": locations} if locations else {})


def _location(finding: Diagnostic) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if finding.at is not None:
        location["physicalLocation"] = _place(finding.at)
    if finding.address:
        location["logicalLocations"] = [{"fullyQualifiedName": visible(finding.address), "kind": "resource"}]
    return location


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _literally(text: str) -> str:
    """The text with what a message gives a meaning to, links and placeholders, escaped; the rest as it is."""
    if "](" in text:
        text = _BRACKET.sub(r"\\\g<0>", text)
    return _PLACEHOLDER.sub(r"{\g<0>}", text)


def _place(at: Span) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": at.line, "startColumn": at.column}
    if at.end_column > at.column:
        region["endColumn"] = at.end_column
    return {"artifactLocation": {"uri": uri(at.file)}, "region": region}


def uri(file: str) -> str:
    """A file's name as a URI reference: relative stays relative."""
    path = file.replace("\\", "/")
    if _WINDOWS_DRIVE.match(path):
        return f"file:///{quote(path, safe='/:', errors='replace')}"
    # Before its first slash a relative reference may have no colon, or it would be a scheme.
    return ("file://" if path.startswith("/") else "") + quote(path, errors="replace")
