"""JSON Schemas of what programs read: the documents and the event stream.

They are made from the classes that write the output, so the two can't drift apart. Readers must take keys that they
do not know (a minor step of `format_version` adds some), so nothing here forbids any.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from sipsync.model.document import FORMAT_VERSION
from sipsync.model.outcome import LineOutcome
from sipsync.model.plan import PlannedCall, PortalPlan, ResourceChange, Summary
from sipsync.model.problems import Diagnostic
from sipsync.model.status import Check, LineStatus

Schema = dict[str, Any]

SCHEMAS = ("plan", "outcome", "findings", "status", "diagnosis", "events")

_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_VERSION: Schema = {"type": "string", "pattern": r"^1\.\d+$"}


def schema(name: str) -> Schema:
    """The schema of one of SCHEMAS, in JSON Schema 2020-12. Raises KeyError for another name."""
    parts = _Parts()
    body = {
        "plan": _plan,
        "outcome": _outcome,
        "findings": _findings,
        "status": _status,
        "diagnosis": _diagnosis,
        "events": _events,
    }[name](parts)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:sipsync:{name}:{FORMAT_VERSION}",
        "title": f"sipsync {name}",
        **body,
        "$defs": parts.definitions,
    }


class _Parts:
    """Collects the definitions that a schema refers to."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def of(self, kind: type) -> Schema:
        """A reference to the schema of a class, as it is written."""
        made = TypeAdapter(kind).json_schema(mode="serialization", ref_template="#/$defs/{model}")
        self.definitions |= {name: _opened(each) for name, each in made.pop("$defs", {}).items()}
        self.definitions[kind.__name__] = _opened(made)
        return {"$ref": f"#/$defs/{kind.__name__}"}

    def list_of(self, kind: type) -> Schema:
        """An array of them."""
        return {"type": "array", "items": self.of(kind)}


def _opened(made: Schema) -> Schema:
    """Open to keys and codes that a later minor version adds; what this version writes, it always writes."""
    opened = {key: value for key, value in made.items() if key != "additionalProperties" or value is not False}
    if made.get("title") == "Code":
        del opened["enum"]
    if "properties" in made:
        opened["required"] = list(made["properties"])
    return opened


def _object(properties: dict[str, Schema], *optional: str) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": properties}


_HEAD = {"format_version": _VERSION, "sipsync_version": _TEXT}


def _plan(parts: _Parts) -> Schema:
    # What stands at the top of a plan is left out of its parts.
    parts.of(PortalPlan)
    part = parts.definitions["PortalPlan"]
    for name in ("resource_changes", "calls"):
        del part["properties"][name]
        part["required"].remove(name)
    part["properties"]["diagnostics"] = _COUNT
    return _object(
        {
            **_HEAD,
            "timestamp": _TEXT,
            "plan_id": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
            "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "applyable": _FLAG,
            "complete": _FLAG,
            "errored": _FLAG,
            "resource_changes": parts.list_of(ResourceChange),
            "calls": parts.list_of(PlannedCall),
            "summary": parts.of(Summary),
            "diagnostics": parts.list_of(Diagnostic),
            "parts": {"type": "array", "items": {"$ref": "#/$defs/PortalPlan"}},
        }
    )


def _outcome(parts: _Parts) -> Schema:
    return _object(
        {
            **_HEAD,
            "timestamp": _TEXT,
            "plan_id": _TEXT,
            "dry_run": _FLAG,
            "lines": parts.list_of(LineOutcome),
            "calls": parts.list_of(PlannedCall),
            "summary": _object({name: _COUNT for name in ("added", "changed", "destroyed", "requests")}),
            "diagnostics": parts.list_of(Diagnostic),
            "exit": _COUNT,
        }
    )


def _findings(parts: _Parts) -> Schema:
    counts = {"error_count": _COUNT, "warning_count": _COUNT}
    return _object({**_HEAD, "valid": _FLAG, **counts, "diagnostics": parts.list_of(Diagnostic)})


def _status(parts: _Parts) -> Schema:
    lines = parts.list_of(LineStatus)
    return _object({**_HEAD, "lines": lines, "diagnostics": parts.list_of(Diagnostic)})


def _diagnosis(parts: _Parts) -> Schema:
    return _object({**_HEAD, "checks": parts.list_of(Check)})


def _events(parts: _Parts) -> Schema:
    """One object of the stream."""
    actions = {"enum": ["noop", "create", "update", "delete"]}
    position = _object({"line": _COUNT, "column": _COUNT})
    parts.definitions |= {
        "Resource": _object(
            {
                **{name: _TEXT for name in ("addr", "module", "resource", "implied_provider", "resource_type")},
                "resource_name": _TEXT,
                "resource_key": {"type": "null"},
            }
        ),
        "Hook": _object(
            {"resource": {"$ref": "#/$defs/Resource"}, "action": actions, "elapsed_seconds": _COUNT}, "elapsed_seconds"
        ),
        "Finding": _object(
            {
                "severity": {"enum": ["error", "warning"]},
                "summary": _TEXT,
                "detail": _TEXT,
                "code": _TEXT,
                "address": _TEXT,
                "range": _object({"filename": _TEXT, "start": position, "end": position}),
            },
            "address",
            "range",
        ),
    }
    hook = {"hook": {"$ref": "#/$defs/Hook"}}
    change = {"change": _object({"resource": {"$ref": "#/$defs/Resource"}, "action": actions})}
    counts = {name: _COUNT for name in ("add", "change", "import", "remove")}
    summary = {"changes": _object({**counts, "operation": {"enum": ["plan", "apply"]}})}
    payloads: dict[str, dict[str, Schema]] = {
        "version": {"sipsync": _TEXT, "ui": _VERSION},
        "planned_change": change,
        "change_summary": summary,
        **{f"apply_{name}": hook for name in ("start", "progress", "complete", "errored")},
        "diagnostic": {"diagnostic": {"$ref": "#/$defs/Finding"}},
        "log": {},
    }
    head = {
        "@level": {"enum": ["info", "warn", "error"]},
        "@message": _TEXT,
        "@module": {"const": "sipsync.ui"},
        "@timestamp": {"type": "string", "format": "date-time"},
    }
    kinds = [_object({"type": {"const": name}, **payload}) for name, payload in payloads.items()]
    return {**_object(head), "oneOf": kinds}
