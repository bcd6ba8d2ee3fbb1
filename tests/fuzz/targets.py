"""What is fuzzed. A target makes one example of chance, keeps it in the folder, and fails where a promise is broken.

The promises: no exception but a SipsyncError, and no fault of ours in a report; what is laid out means the same and
stays as it is; what was sealed is never accepted with another substance; a report names every line that was written.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import sipsync
from fuzz.mutate import encoded, of_bytes, of_json
from fuzz.readers import compare, document
from sipsync import ApplyOptions, Operator, Outcome, Plan, PlanOptions, SipsyncError, api
from sipsync.config.reader.source import Source
from sipsync.config.reader.yaml import read
from sipsync.config.writer.layout import format_text, meaning
from sipsync.fleet.status import save_all
from sipsync.model.events import ignore
from sipsync.model.problems import Code, Diagnostic, Exit
from sipsync.model.reveal import reveal
from sipsync.model.secret import SecretRef
from sipsync.portal.transport import App, Transport
from sipsync.report import Style, render
from sipsync.sandbox import Options
from sipsync.sandbox.server import create_app
from sipsync.secrets.resolve import resolve
from support.clock import Clock

if TYPE_CHECKING:
    from sipsync.model.document import Report

CORPUS = Path(__file__).parent / "corpus"
KEY = "k1ey-of-a-test-that-is-long-enough-for-anybody"
PORTAL = "http://127.0.0.1:1/p/rest/1/sandbox/"
ENVIRON = {"HOOK": PORTAL, "SALES": "new-password", "SIPSYNC_PLAN_KEY": KEY, "SIPSYNC_SNAPSHOT_KEY": KEY}
SEED = {
    "lines": [
        {
            "type": kind,
            "title": title,
            "server": "old.example",
            "login": login,
            "password": "pw",
            "app": None,
            "config_id": number,
        }
        for number, kind, title, login in (
            (69, "cloud", "Sales", "a"),
            (70, "cloud", "Support", "b"),
            (71, "office", "Door", "c"),
            (72, "cloud", "Fax", "d"),
            (73, "cloud", "Not in the file", "e"),
        )
    ]
}


def kept(kind: str) -> list[bytes]:
    """The kept examples of a kind."""
    return list(_kept(kind).values())


@cache
def _kept(kind: str) -> Mapping[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted((CORPUS / kind).iterdir())}


def yaml(chance: Random, folder: Path) -> None:
    """A portal's file is checked, whatever stands in it, and what is found can be shown."""
    for name in ("sipsync.yaml", "_a.yaml"):
        (folder / name).write_bytes(of_bytes(chance.choice(kept("yaml")), chance))
    with suppress(SipsyncError):
        shown(api.check([folder / "sipsync.yaml"], Operator(root=str(folder))), ("text", "json", "sarif"), chance)


def fmt(chance: Random, folder: Path) -> None:
    """The layout of a file means the same, and is laid out already."""
    data = of_bytes(chance.choice(kept("yaml")), chance)
    (folder / "sipsync.yaml").write_bytes(data)
    text = data.decode("utf-8", "replace")
    with suppress(SipsyncError):
        laid = format_text(text, "sipsync.yaml")
        assert format_text(laid, "sipsync.yaml") == laid
        assert said(laid) == said(text)


def readers(chance: Random, folder: Path) -> None:
    """A document that the quick reader of YAML takes is read the same by ruamel."""
    text = document(chance, kept("yaml"))
    (folder / "document.yaml").write_text(text, encoding="utf-8", newline="")
    compare(text)


def said(text: str) -> list[object]:
    """What a file says, without how."""
    roots, problems = read(Source("sipsync.yaml", text.removeprefix("\ufeff")))
    assert not problems
    return [meaning(root) for root in roots]


def plan_file(chance: Random, folder: Path) -> None:
    """A saved plan that was changed is refused, or sends what the plan itself would have sent."""
    portal = Emulated()
    file = written(chance, folder / "a.plan.json", [*kept("plan"), *[whole_plan()] * 4])
    try:
        plan = api.read_plan(file)
    except SipsyncError:
        return
    shown(plan, ("text", "json", "markdown", "html", "junit", "sarif"), chance)
    outcome = applied(plan, portal, folder)
    assert outcome is None or Code.INTERNAL not in codes(outcome.diagnostics)
    assert portal.lines in (portal.before, planned_lines()), "another change than was planned"
    if portal.lines != portal.before:
        whole = Plan.from_dict(json.loads(whole_plan()))
        assert [part.substance() for part in plan.parts] == [part.substance() for part in whole.parts]


def snapshot(chance: Random, folder: Path) -> None:
    """A saved state that was changed is refused, or compared with as what was sealed."""
    file = written(chance, folder / "state.json", [*kept("snapshot"), *[whole_state()] * 4])
    try:
        state = api.read_state(file)
        plan = asyncio.run(sipsync.aplan(fleet(folder), PlanOptions(against=state), clock=Clock()))
    except SipsyncError:
        return
    shown(plan, ("text", "json"), chance)
    assert Code.INTERNAL not in codes(plan.diagnostics)
    if plan.exit is Exit.OK:
        whole = json.loads(whole_state())["portals"][0]
        assert any(portal.model_dump(mode="json") == whole for portal in state.portals), "an edited state was taken"


def references(chance: Random, folder: Path) -> None:
    """Each reference has a value or a finding, and nothing outside the root is read."""
    outside = folder.parent / "outside"
    outside.write_text("not for you", encoding="utf-8")
    root = folder / "root"
    (root / ".git").mkdir(parents=True)
    for name in (".git/config", ".git/credentials"):
        (root / name).write_text("not for you", encoding="utf-8")
    (root / "inside").write_text("fine", encoding="utf-8")
    (root / "link").symlink_to(outside)
    (root / "folder").symlink_to(folder.parent)
    texts = [
        of_bytes(chance.choice(kept("references")), chance).decode("utf-8", "replace").rstrip("\n") for _ in range(4)
    ]
    (folder / "references").write_text("\n".join(texts), encoding="utf-8")
    refs = [SecretRef(scheme, rest) for scheme, _, rest in (text.partition(":") for text in texts)]
    operator = Operator(environ={"ACME": "value", "EMPTY": ""}, root=str(root), env=("ACME*", "EMPTY"), vault_paths=())
    resolution = asyncio.run(resolve(refs, operator))
    assert all((ref in resolution.values) != (ref in resolution.failures) for ref in refs)
    assert not any("not for you" in reveal(secret) for secret in resolution.values.values())
    assert all(found.hint and str(found) for found in resolution.failures.values())


def answers(chance: Random, folder: Path) -> None:
    """Whatever a portal answers, what was written is in the report."""
    portal = Emulated()
    with open(folder / "answers", "wb") as log:
        hostile = Hostile(portal.app, chance, log.write)
        with connected(hostile):
            try:
                plan = asyncio.run(sipsync.aplan(fleet(folder), clock=Clock()))
            except SipsyncError:
                return
        shown(plan, ("text", "json"), chance)
        assert Code.INTERNAL not in codes(plan.diagnostics)
        assert portal.lines == portal.before, "a plan wrote"
        plan = plan if chance.random() < 0.3 else Plan.from_dict(json.loads(whole_plan()))
        options = ApplyOptions(wait=chance.choice((0.0, 0.0, 30.0)), canary=chance.random() < 0.2)
        outcome = applied(plan, portal, folder, hostile, options)
    changed = {number for number, line in portal.lines.items() if line != portal.before.get(number)}
    if outcome is None:
        assert not changed, "an error in the place of a report"
        return
    shown(outcome, ("text", "json"), chance)
    assert Code.INTERNAL not in codes(outcome.diagnostics)
    if changed:
        told = {line.config_id: line for line in outcome.lines}
        assert {change.address for part in plan.parts for change in part.changes} <= {
            line.address for line in outcome.lines
        }
        # A portal that says that it refused is believed.
        refused = hostile.refused or all(told[number].error for number in changed & told.keys())
        assert outcome.exit is not Exit.ERROR or refused, "written, and told as if nothing was"


TARGETS: dict[str, Callable[[Random, Path], None]] = {
    each.__name__: each for each in (yaml, fmt, readers, plan_file, snapshot, references, answers)
}


# --- what the targets share ---


def written(chance: Random, file: Path, whole: list[bytes]) -> Path:
    """A document of a kind, changed, in a file."""
    data = chance.choice(whole)
    try:
        document = json.loads(data) if chance.random() < 0.7 else None
    except (ValueError, RecursionError):
        document = None
    file.write_bytes(of_bytes(data, chance) if document is None else encoded(of_json(document, chance)))
    return file


def shown(document: Report, formats: Iterable[str], chance: Random) -> None:
    """Show a document in each form, as text that any file takes."""
    for form in formats:
        assert render(document, form, Style(lang=chance.choice(("en", "ru")))).encode("utf-8")


def codes(diagnostics: Iterable[Diagnostic]) -> set[Code]:
    return {found.code for found in diagnostics}


class Emulated:
    """An emulated portal with a few lines."""

    def __init__(self) -> None:
        self._application = create_app(Options(seed=SEED, secret="sandbox"), Clock())
        store = self._application.state.sandbox.store
        with store.writing():
            from sipsync.sandbox import seeds

            store.replace(seeds.load_seed("p", SEED))
        self._store = store
        self.before = self.lines

    @property
    def app(self) -> App:
        """What answers."""
        return self._application

    @property
    def lines(self) -> dict[int, Any]:
        """The lines as they are, by config_id."""
        rows = self._store.portal("p").state.rows
        return {number: (row.type, dict(row.values)) for number, row in rows.items()}


def fleet(folder: Path) -> sipsync.Fleet:
    """The fleet of one portal, whose file is kept with the examples."""
    file = folder / "p.yaml"
    file.write_bytes(_kept("yaml")["whole.yaml"])
    environ = ENVIRON | {"SIPSYNC_STATE_DIR": str(folder.parent / "state")}
    return sipsync.load([file], Operator.from_environ(environ, str(folder)))


def connected(app: App) -> Any:
    """The program with this application in the place of the network."""
    return patch("sipsync.portal.client.Transport", lambda clock, _app: Transport(clock, app))


def applied(
    plan: Plan, portal: Emulated, folder: Path, app: App | None = None, options: ApplyOptions | None = None
) -> Outcome | None:
    """What became of a plan; None where an error is told in its place."""
    with connected(app or portal.app):
        try:
            return asyncio.run(sipsync.aapply(plan, fleet(folder), options or ApplyOptions(), clock=Clock()))
        except SipsyncError as error:
            if Code.INTERNAL in codes(error.diagnostics):
                raise RuntimeError("a fault of ours") from error
            return None


def _in_a_folder(work: Callable[[Path], Any]) -> Any:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        inner = Path(folder, "files")
        inner.mkdir()
        return work(inner)


@cache
def whole_plan() -> bytes:
    """The plan that is changed: a rename, a swap's half and a move with a new password."""

    def make(folder: Path) -> bytes:
        with connected(Emulated().app):
            plan = asyncio.run(sipsync.aplan(fleet(folder), clock=Clock()))
        assert plan.applyable, plan.diagnostics
        return encoded(plan.to_dict())

    made: bytes = _in_a_folder(make)
    return made


@cache
def planned_lines() -> dict[int, Any]:
    """The lines as the whole plan leaves them."""

    def make(folder: Path) -> dict[int, Any]:
        portal = Emulated()
        outcome = applied(Plan.from_dict(json.loads(whole_plan())), portal, folder)
        assert outcome is not None
        assert outcome.exit is Exit.OK, outcome.diagnostics
        assert portal.lines != portal.before
        return portal.lines

    made: dict[int, Any] = _in_a_folder(make)
    return made


@cache
def whole_state() -> bytes:
    """The state that is changed."""

    def make(folder: Path) -> bytes:
        with connected(Emulated().app):
            state = asyncio.run(save_all(fleet(folder), Clock(), ignore))
        return encoded(state.model_dump(mode="json"))

    made: bytes = _in_a_folder(make)
    return made


@dataclass
class Hostile:
    """An application that does what a portal does, and answers what chance makes of it."""

    app: App
    chance: Random
    log: Callable[[bytes], object]
    refused: bool = False
    """Whether it said of a whole request that it was refused."""

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer a request."""
        status, headers, body = 200, [], b""

        async def keep(message: MutableMapping[str, Any]) -> None:
            nonlocal status, headers, body
            if message["type"] == "http.response.start":
                status, headers = message["status"], message["headers"]
            else:
                body += message.get("body", b"")

        await self.app(scope, receive, keep)
        if self.chance.random() < 0.4:
            status, body = self._changed(status, body)
        headers = [(name, value) for name, value in headers if name.lower() != b"content-length"]
        self.log(b"%d %s\n" % (status, body))
        self.refused |= body.lstrip().startswith(b'{"error"')
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _changed(self, status: int, body: bytes) -> tuple[int, bytes]:
        chance = self.chance
        match chance.randrange(8):
            case 0:
                body = of_bytes(body, chance)
            case 1:
                body = chance.choice(kept("answers"))
            case _:
                body = encoded(of_json(json.loads(body), chance))
        return chance.choice((status, status, status, status, 200, 302, 401, 404, 500, 503)), body
