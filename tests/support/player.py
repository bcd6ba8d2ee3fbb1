"""Plays a recorded scenario against a served sandbox and says where the answers differ.

A scenario is a portal's start state, calls, the answers that the server's own source gave, and the end state. Where
an answer can't be known beforehand it has a placeholder: `{"$any": true}`, `{"$re": pattern}`, `{"$len": n}`,
`{"$keys": [...]}`, `{"$error": code}`, `{"$bind": name, "type": ...}` remembers a value, `{"$int": name}` and
`"{{name}}"` stand for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx

_NOTHING = object()
_LINE = ("config_id", "type", "title", "server", "login", "password", "app", "reg_id", "status_code")


@dataclass
class Player:
    """One scenario under way."""

    startup: Mapping[str, Any]
    http: httpx.Client
    bound: dict[str, str] = field(default_factory=dict)

    def play(self, scenario: Mapping[str, Any]) -> list[str]:
        """The differences, those of the first wrong step only."""
        self._portal = scenario["id"]
        self._control("seed", scenario.get("seed", {}))
        for number, step in enumerate(scenario["steps"], 1):
            self._control("faults", step.get("faults", []))
            answer = self._send(step)
            self._control("faults", [])
            if found := [f"step {number} {step['method']}: {text}" for text in self._step(step["expect"], answer)]:
                return found
        return list(self._after(scenario.get("after", {})))

    def _control(self, what: str, body: object = _NOTHING) -> Any:
        url = f"{self.startup['url']}/_sandbox/{what}?{urlencode({'portal': self._portal})}"
        answer = self.http.get(url) if body is _NOTHING else self.http.post(url, json=body)
        return answer.raise_for_status().json()

    def _send(self, step: Mapping[str, Any]) -> httpx.Response:
        caller, params = step.get("as", "webhook"), self._filled(step.get("params", {}))
        query, headers = self._filled(step.get("query", {})), {}
        webhook = self.startup["webhook"].partition("/rest/")[2]
        path = {"webhook": webhook, "bad-webhook": "1/not-the-secret/"}.get(caller, "")
        if not path and caller != "none":
            token = "not-a-token" if caller == "bad-token" else self.startup["apps"][caller]["access_token"]
            where = step.get("auth_in", "params")
            if where == "header":
                headers["Authorization"] = f"Bearer {token}"
            else:
                (query if where == "query" else params)["auth"] = token
        encoding = step.get("encoding", "json")
        if encoding == "query":
            query |= params
        url = f"{self.startup['url']}/{self._portal}/rest/{path}{step['method']}?{urlencode(list(_pairs(query)))}"
        if encoding == "query":
            return self.http.get(url, headers=headers)
        form = encoding == "form"
        body = urlencode(list(_pairs(params))) if form else json.dumps(params, ensure_ascii=False)
        headers["Content-Type"] = step.get(
            "content_type", "application/x-www-form-urlencoded" if form else "application/json"
        )
        verb, content = step.get("verb", "POST"), step.get("raw_body", body).encode()
        return self.http.request(verb, url, content=content, headers=headers)

    def _step(self, expect: Mapping[str, Any], answer: httpx.Response) -> Iterator[str]:
        if answer.status_code != expect["http"]:
            yield f"HTTP {answer.status_code}, not {expect['http']}: {answer.text[:200]}"
        elif not expect.get("opaque"):
            yield from self._envelope(expect, answer.json())

    def _envelope(self, expect: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
        if "error" in expect or "error" in document:
            if str(document.get("error")) != str(expect.get("error")):
                yield f"error {document.get('error')}, not {expect.get('error')}"
            return
        for name in ("total", "next"):
            if document.get(name) != expect.get(name) or (name in document) != (name in expect):
                yield f"{name} is {document.get(name)}, not {expect.get(name)}"
        yield from (f"{name} is there" for name in expect.get("absent", ()) if name in document)
        result, wanted = document["result"], expect["result"]
        if expect.get("unordered"):
            result, wanted = self._by_id(result), self._by_id(wanted)
        yield from self._differences("result", wanted, result)

    def _after(self, after: Mapping[str, Any]) -> Iterator[str]:
        dump = self._control("dump")
        if "lines" in after:
            lines = [{name: line[name] for name in _LINE} for line in dump["lines"]]
            for line in lines:  # one that was never sent is null or empty
                line["password"] = line["password"] or ""
            yield from self._differences("lines", self._by_id(after["lines"]), self._by_id(lines))
        if "default_line" in after:
            yield from self._differences("default_line", after["default_line"], dump["default_line"])
        if "registrations" in after:
            stats = self._control("stats")
            yield from self._differences("registrations", after["registrations"], stats["registrations"])

    def _by_id(self, rows: list[Any]) -> list[Any]:
        return sorted(rows, key=lambda row: int(self._filled(row.get("CONFIG_ID", row.get("config_id", 0)))))

    def _filled(self, value: Any) -> Any:
        """The value with what was bound put in."""
        if isinstance(value, str):
            return re.sub(r"\{\{(\w+)\}\}", lambda found: self.bound[found.group(1)], value)
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        if isinstance(value, dict):
            if set(value) == {"$int"}:
                return int(self.bound[value["$int"]])
            return {self._filled(name): self._filled(item) for name, item in value.items()}
        return value

    def _differences(self, at: str, wanted: Any, got: Any) -> Iterator[str]:
        if isinstance(wanted, dict) and any(name.startswith("$") and name != "$int" for name in wanted):
            if not self._fits(wanted, got):
                yield f"{at} is {_short(got)}, which does not fit {_short(wanted)}"
            return
        if isinstance(wanted, str) or (isinstance(wanted, dict) and set(wanted) == {"$int"}):
            wanted = self._filled(wanted)
        if isinstance(wanted, dict) and isinstance(got, dict):
            wanted = {self._filled(name): item for name, item in wanted.items()}
            for name in sorted(wanted.keys() ^ got.keys()):
                yield f"{at}.{name} is {'missing' if name in wanted else 'too much'}"
            for name in wanted:  # in this order: what is bound here is used further down
                if name in got:
                    yield from self._differences(f"{at}.{name}", wanted[name], got[name])
        elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
            for place, (one, other) in enumerate(zip(wanted, got, strict=True)):
                yield from self._differences(f"{at}[{place}]", one, other)
        elif type(wanted) is not type(got) or wanted != got:
            yield f"{at} is {_short(got)}, not {_short(wanted)}"

    def _fits(self, wanted: Mapping[str, Any], got: Any) -> bool:
        match wanted:
            case {"$any": _}:
                return True
            case {"$re": pattern}:
                return isinstance(got, str) and re.search(self._filled(pattern), got) is not None
            case {"$len": length}:
                return isinstance(got, list) and len(got) == length
            case {"$keys": names}:
                return isinstance(got, dict) and sorted(got) == sorted(names)
            case {"$error": code}:
                return isinstance(got, dict) and str(got.get("error")) == str(code)
            case {"$bind": name, "type": kind}:
                self.bound[name] = str(got)
                return type(got) is (int if kind == "int" else str)
        raise ValueError(f"unknown placeholder {wanted}")


def _pairs(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Names with PHP's brackets, and their texts."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _pairs(item, f"{name}[{key}]" if name else str(key))
    elif value is not None:
        yield name, str(int(value)) if isinstance(value, bool) else str(value)


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:120]
