"""One emulated portal of its own, with a folder of files about it: what the stories are told with."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

import sipsync
from sipsync.model.operator import Operator
from sipsync.model.options import Selection
from sipsync.model.outcome import Outcome
from sipsync.model.plan import Plan

KEY = "XzvB0c1Jm5kq8Tn3RfWy7LpH2sDgE9aU"
"""A key that jobs share."""


@dataclass
class Box:
    """One emulated portal of its own, and a folder with the files about it."""

    url: str
    folder: Path
    name: str = field(default_factory=lambda: f"p{uuid.uuid4().hex[:12]}")
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environ |= {"HOOK": self.webhook, "SIPSYNC_STATE_DIR": str(self.folder / "state")}

    @property
    def webhook(self) -> str:
        """The portal's webhook."""
        return f"{self.url}/{self.name}/rest/1/sandbox/"

    def _control(self, what: str, body: object = None) -> Any:
        url = f"{self.url}/_sandbox/{what}?portal={self.name}"
        verb = "GET" if body is None else "POST"
        answer = httpx.request(verb, url, json=body, trust_env=False)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def seed(self, *lines: Mapping[str, Any], **more: Any) -> None:
        """Lay these lines; what is not given is the same for all."""
        base = {"type": "cloud", "server": "old.example", "login": "user", "password": "pw", "app": None}
        self._control("seed", {"lines": [{**base, **line} for line in lines], **more})

    def faults(self, *faults: Mapping[str, Any]) -> None:
        """From now on, go wrong like this."""
        self._control("faults", list(faults))

    @property
    def lines(self) -> dict[int, dict[str, Any]]:
        """What is stored, by config_id."""
        return {line["config_id"]: line for line in self._control("dump")["lines"]}

    @property
    def titles(self) -> dict[int, str]:
        """The titles, by config_id."""
        return {config_id: line["title"] for config_id, line in self.lines.items()}

    @property
    def stats(self) -> dict[str, Any]:
        """Requests, calls and registrations since the seed."""
        stats: dict[str, Any] = self._control("stats")
        return stats

    def write(self, text: str, name: str = "acme.yaml") -> Path:
        """A file of the folder; `lines:` and the rest follow the head."""
        path = self.folder / name
        stem = name.partition(".")[0]
        path.write_text(f"sipsync: 1\nportal:\n  name: {stem}\n  webhook: env:HOOK\n{text}", encoding="utf-8")
        return path

    @property
    def operator(self) -> Operator:
        """Who runs sipsync here."""
        return Operator.from_environ(self.environ, str(self.folder))

    def fleet(self) -> sipsync.Fleet:
        """The files of the folder."""
        return sipsync.load(sorted(self.folder.glob("*.yaml")), self.operator)

    async def plan(self, **options: Any) -> Plan:
        """The plan of the folder."""
        selection = Selection(**{name: options.pop(name) for name in Selection.__slots__ if name in options})
        return await sipsync.aplan(self.fleet(), sipsync.PlanOptions(selection=selection, **options))

    async def apply(self, plan: Plan | None = None, **options: Any) -> Outcome:
        """Apply a plan, by default a new one."""
        plan = plan or await self.plan()
        return await sipsync.aapply(plan, self.fleet(), sipsync.ApplyOptions(**options))
