"""JSON Schemas of what programs read: the documents and the event stream.

They are made from the classes that write the output, so the two can't drift apart. Readers must take keys that they
do not know (a minor step of `format_version` adds some), so nothing here forbids any.
"""

from __future__ import annotations

from typing import Any, get_type_hints

from pydantic import create_model

from sipsync.model.document import FORMAT_VERSION, Report
from sipsync.model.findings import Findings
from sipsync.model.outcome import Outcome
from sipsync.model.plan import JOINED, Plan, PortalPlan
from sipsync.model.status import Diagnosis, Status

Schema = dict[str, Any]

_DOCUMENTS = {kind.__name__.lower(): kind for kind in (Plan, Outcome, Findings, Status, Diagnosis)}
SCHEMAS = (*_DOCUMENTS, "events")

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_VERSION: Schema = {"type": "string", "pattern": r"^1\.\d+$"}


def schema(name: str) -> Schema:
    """The schema of one of SCHEMAS, in JSON Schema 2020-12. Raises KeyError for another name."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:sipsync:{name}:{FORMAT_VERSION}",
        **(_events() if name == "events" else _document(_DOCUMENTS[name])),
        "title": f"sipsync {name}",
    }


def _document(kind: type[Report]) -> Schema:
    """What `to_dict` of the class writes."""
    types = {name: _type(kind, name) for name in ("format_version", "sipsync_version", *kind.KEYS)}
    if kind is Plan:
        types["parts"] = tuple[PortalPlan, ...]
    fields: dict[str, Any] = {name: (type_, ...) for name, type_ in types.items()}
    made: Schema = create_model(kind.__name__, **fields).model_json_schema(
        mode="serialization", ref_template="#/$defs/{model}"
    )
    made["properties"]["format_version"] = _VERSION
    if kind is Plan:
        part = made["$defs"]["PortalPlan"]["properties"]
        part |= {"applyable": {"type": "boolean"}, "diagnostics": _COUNT}
        for name in JOINED:
            del part[name]
    return made | {"$defs": {name: _opened(each) for name, each in made["$defs"].items()}}


def _type(kind: type[Report], name: str) -> Any:
    """What a field or a property is annotated with."""
    field = kind.model_fields.get(name)
    return field.annotation if field else get_type_hints(getattr(kind, name).fget, include_extras=True)["return"]


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


def _events() -> Schema:
    """One object of the stream; long, as each key of each kind is written out."""
    actions = {"enum": ["noop", "create", "update", "delete"]}
    position = _object({"line": _COUNT, "column": _COUNT})
    definitions = {
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
    return {**_object(head), "oneOf": kinds, "$defs": definitions}
