"""A GitHub runner of our own: it runs the action, and the jobs of a workflow, from the YAML as it stands.

Expressions are names, strings, `==`, `!=`, `&&` and `||`, which is all that our files use; anything else is an error.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

from support.pieces import ROOT, Forge, Repository

ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
TOKEN = "token-of-the-job"


@dataclass
class Step:
    """What a step of a workflow left behind."""

    code: int
    text: str
    outputs: dict[str, str]
    summary: str


@dataclass
class Job:
    """How a job ended: as its last step did."""

    step: Step
    outputs: dict[str, str]


@dataclass
class Event:
    """What started a run, and the branch that jobs check out."""

    name: str
    branch: str = "main"
    schedule: str = ""
    pull_request: str = ""
    fork: str = ""

    def context(self) -> dict[str, Any]:
        """What `github.` stands for."""
        number, fork = self.pull_request, self.fork
        request = {"number": number, "head": {"repo": {"fork": fork}}} if number else None
        event = {"schedule": self.schedule, "pull_request": request}
        return {"event_name": self.name, "event": event, "token": TOKEN}


@dataclass
class Runner:
    """A runner's variables and files, as GitHub sets them."""

    folder: Path
    forge: Forge
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    """By environment; those of the repository are under ""."""
    steps: int = 0

    def event(self, repository: Repository, event: Event) -> dict[str, Job]:
        """Run the workflow of the branch; the jobs that ran, by name."""
        work = self.folder / f"run-{self.steps}"
        source = repository.shallow(work / "source", event.branch)
        workflow = yaml.safe_load((source.tree / ".github/workflows/sipsync.yml").read_text(encoding="utf-8"))
        _started(workflow[True], event)  # YAML 1.1 takes `on` for a boolean
        ran: dict[str, Job] = {}
        for name, job in workflow["jobs"].items():
            needed = [job["needs"]] if "needs" in job else []
            if any(other not in ran or ran[other].step.code for other in needed):
                continue
            secrets = {**self.secrets.get("", {}), **self.secrets.get(job.get("environment", ""), {})}
            needs = {other: {"outputs": ran[other].outputs} for other in needed}
            context = {"github": event.context(), "secrets": secrets, "needs": needs, "steps": {}}
            if _value(job.get("if", "'always'"), context):
                ran[name] = self._job(job, repository, event, context, work / name)
        return ran

    def step(
        self,
        repository: Repository,
        inputs: dict[str, str],
        secrets: dict[str, str] | None = None,
        pull_request: str = "",
        fork: str = "",
        server: str = "",
    ) -> Step:
        """Run the action with inputs; those not given have the defaults that action.yml gives them."""
        event = Event("pull_request" if pull_request else "push", pull_request=pull_request, fork=fork)
        return self._action(repository, inputs, secrets or {}, event, server)

    def _job(
        self, job: dict[str, Any], repository: Repository, event: Event, context: dict[str, Any], place: Path
    ) -> Job:
        tree: Repository | None = None
        step = Step(0, "", {}, "")
        for row in job["steps"]:
            given = {name: _filled(value, context) for name, value in row.get("with", {}).items()}
            env = {name: _filled(value, context) for name, value in row.get("env", {}).items()}
            uses = row["uses"].partition("@")[0]
            if uses == "actions/checkout":
                tree = repository.shallow(place, event.branch)
                continue
            assert tree is not None
            kept = self.folder / "artifacts" / given.get("name", "")
            if uses == "actions/upload-artifact":
                shutil.rmtree(kept, ignore_errors=True)
                kept.mkdir(parents=True)
                shutil.copy(given["path"], kept)
            elif uses == "actions/download-artifact":
                shutil.copytree(kept, tree.tree, dirs_exist_ok=True)
            else:
                assert uses == "OWNER/sipsync"
                step = self._action(tree, given, env, event)
                context["steps"][row.get("id", "")] = {"outputs": step.outputs}
                if step.code:
                    break
        return Job(step, {name: _filled(value, context) for name, value in job.get("outputs", {}).items()})

    def _action(
        self, repository: Repository, inputs: dict[str, str], secrets: dict[str, str], event: Event, server: str = ""
    ) -> Step:
        self.steps += 1
        place = self.folder / f"step-{self.steps}"
        place.mkdir(parents=True)
        (place / "sipsync").symlink_to(Path(sys.prefix))  # as an earlier step of the job has installed it
        context: dict[str, Any] = {"github": event.context()}
        assert set(inputs) <= set(ACTION["inputs"])
        defaults = {name: _filled(row["default"], context) for name, row in ACTION["inputs"].items()}
        context["inputs"] = {**defaults, **inputs}
        number = event.pull_request
        runner = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_API_URL": self.forge.url,
            "GITHUB_BASE_REF": "main" if number else "",
            "GITHUB_EVENT_PATH": str(place / "event.json"),
            "GITHUB_OUTPUT": str(place / "output"),
            "GITHUB_REF": f"refs/pull/{number}/merge" if number else f"refs/heads/{event.branch}",
            "GITHUB_REPOSITORY": "acme/sip",
            "GITHUB_SERVER_URL": server or self.forge.url,
            "GITHUB_STEP_SUMMARY": str(place / "summary"),
            "RUNNER_TEMP": str(place),
        }
        body = {"pull_request": {"number": int(number)}} if number else {}
        (place / "event.json").write_text(json.dumps(body), encoding="utf-8")
        for name in ("output", "summary"):
            (place / name).touch()
        code, text = 0, ""
        for row in ACTION["runs"]["steps"]:
            script = place / "script.sh"
            script.write_text(row["run"], encoding="utf-8")
            env = {**secrets, **{name: _filled(value, context) for name, value in row.get("env", {}).items()}, **runner}
            done = repository.run(row["shell"], "--noprofile", "--norc", "-eo", "pipefail", script, env=env)
            code, text = done.code, text + done.text
            if code:
                break
        outputs = dict(line.split("=", 1) for line in (place / "output").read_text(encoding="utf-8").splitlines())
        return Step(code, text, outputs, (place / "summary").read_text(encoding="utf-8"))


def _started(on: dict[str, Any], event: Event) -> None:
    """Fail where the event starts no run of a workflow."""
    assert event.name in on
    if event.name == "push":
        assert event.branch in on["push"]["branches"]
    if event.schedule:
        assert {"cron": event.schedule} in on["schedule"]


def _filled(text: object, context: dict[str, Any]) -> str:
    """A text with its `${{ … }}` filled in."""
    return re.sub(r"\$\{\{ (.*?) }}", lambda found: str(_value(found[1], context)), str(text))


def _value(expression: str, context: dict[str, Any]) -> str | bool:
    """What an expression comes to; a name that leads nowhere is an empty text, as GitHub has it."""
    value: str | bool = eval("".join(_python(expression, context)), {"__builtins__": {}})
    return value


def _python(expression: str, context: dict[str, Any]) -> Iterator[str]:
    operators = {"==": " == ", "!=": " != ", "&&": " and ", "||": " or "}
    for token in re.findall(r"'[^']*'|[a-z][\w.-]*|\S+", expression, re.IGNORECASE):
        if token in operators:
            yield operators[token]
        elif token.startswith("'"):
            yield repr(token[1:-1])
        else:
            names = token.split(".")
            assert all(re.fullmatch(r"[\w-]+", name) for name in names), expression
            assert names[0] in context, expression
            yield repr(reduce(lambda place, name: (place or {}).get(name, ""), names, context) or "")
