"""The JSON Schema that editors use agrees with what loading says."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from sipsync.config.schema import json_schema
from support.files import HEAD, load_text

GOOD = [
    HEAD,
    HEAD + "lines: {a: {title: x, login: 0045, config_id: 7, type: office, password: env:P}}\n",
    HEAD + "$schema: x\ninclude: []\npolicy: {create: true, max_changes: 30%, protected: [a, 12]}\n",
    HEAD + "policy: {max_changes: 3, ignore_fields: [{line: a, field: title, reason: b, until: '2026-12-31'}]}\n",
    HEAD + "  limits: {cloud_lines: 20, burst: 250, rate: 5}\nremoved: {a: {config_id: 1, title: x}}\n",
    "sipsync: 1\nportal: {oauth: {domain: a.b, access_token: env:T}}\ndefaults: {server: s, type: cloud}\n",
]
BAD = [
    "portal: {webhook: env:A}\n",
    "sipsync: 2\nportal: {webhook: env:A}\n",
    "sipsync: 1\nportal: {}\n",
    HEAD + "  sandbox: x\n",
    HEAD + "lines: {a: {titel: x}}\n",
    HEAD + "lines: {a: {title: ''}}\n",
    HEAD + "lines: {a: {title: x, config_id: 0}}\n",
    HEAD + "lines: {a: {title: x, password: hunter2}}\n",
    HEAD + "lines: {a: {title: x, type: clod}}\n",
    HEAD + "lines: {a: {title: x, server:}}\n",
    HEAD + "lines: {'a b': {title: x}}\n",
    HEAD + "policy: {create: 'x'}\n",
    HEAD + "policy: {max_changes: x}\n",
    HEAD + "  limits: {rate: 0}\n",
]


def by_schema(text: str) -> bool:
    return bool(Draft202012Validator(json_schema()).is_valid(YAML(typ="safe", pure=True).load(io.StringIO(text))))


@pytest.mark.parametrize("text", GOOD)
def test_schema_and_loading_take_the_same_files(tmp_path: Path, text: str) -> None:
    assert by_schema(text)
    assert load_text(tmp_path, text).diagnostics == ()


@pytest.mark.parametrize("text", BAD)
def test_schema_and_loading_refuse_the_same_files(tmp_path: Path, text: str) -> None:
    assert not by_schema(text)
    assert load_text(tmp_path, text).diagnostics


def test_the_schema_is_of_draft_2020_12_and_explains_each_key() -> None:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "prefixItems" not in str(schema)
    for part in (schema, *schema["$defs"].values()):
        assert part["description"]
        for key, value in part["properties"].items():
            assert value.get("description") or "$ref" in value or key == "field", key
