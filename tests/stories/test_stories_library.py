"""The library as a programmer meets it: what may be given, what is public, and what calls in a wrong place say."""

from __future__ import annotations

import inspect
import json
import traceback
from pathlib import Path
from typing import Any

import pytest

import sipsync
from sipsync.model.plan import Plan
from sipsync.model.problems import Code, UsageError
from support.box import Box
from support.clock import Clock

BLOCKING = ("apply", "doctor", "plan", "read", "snapshot", "status", "verify")


@pytest.mark.parametrize("kind", [str, Path])
def test_one_path_is_a_path_and_not_its_letters(box: Box, kind: type) -> None:
    path = box.write("lines: {sales: {title: Sales}}\n")
    for given in (kind(path), [kind(path)], (kind(path),)):
        (portal,) = sipsync.load(given, box.operator).portals
        assert (portal.name, [line.address for line in portal.lines]) == ("acme", ["acme.sales"])
        assert sipsync.check(given, box.operator).files == 1


def test_one_path_has_its_own_root(box: Box) -> None:
    (box.folder / ".git").mkdir()
    path = box.write("lines: {}\n")
    assert sipsync.load(str(path)).operator.root == str(box.folder)


def test_dir_lists_the_public_names_and_each_is_there() -> None:
    assert dir(sipsync) == sorted(sipsync.__all__)
    assert set(sipsync.__all__) == {*sipsync._HOMES, "__version__"}
    for name in sipsync.__all__:
        assert getattr(sipsync, name) is not None


def test_every_exception_and_event_is_public() -> None:
    from sipsync.model import events, problems

    known = [*vars(events).values(), *sipsync.SipsyncError.__subclasses__(), problems.SipsyncError]
    homes = (events.__name__, problems.__name__)
    public = [value for value in known if isinstance(value, type) and value.__module__ in homes]
    assert [value for value in public if getattr(sipsync, value.__name__) is not value] == []


@pytest.mark.parametrize("name", BLOCKING)
def test_a_function_has_an_async_twin_with_the_same_parameters(name: str) -> None:
    function, twin = getattr(sipsync, name), getattr(sipsync, f"a{name}")
    assert function.__name__ == name
    assert inspect.iscoroutinefunction(twin)
    assert inspect.signature(function) == inspect.signature(twin)


@pytest.mark.parametrize("name", BLOCKING)
async def test_inside_a_running_loop_a_blocking_function_names_its_twin(box: Box, name: str) -> None:
    box.write("lines: {}\n")
    with pytest.raises(UsageError) as caught:
        getattr(sipsync, name)(sipsync.Fleet((), box.operator))
    assert caught.value.code is Code.USAGE
    assert str(caught.value) == f"sipsync.{name} would block the event loop that runs already"
    assert str(caught.value.diagnostics[0].hint) == f"Write `await sipsync.a{name}(…)`."


def test_blocking_functions_read_as_their_twins_do(box: Box) -> None:
    box.seed({"config_id": 101, "title": "Sales"})
    fleet = sipsync.load(box.write("lines: {sales: {config_id: 101, title: Sales}}\n"), box.operator)
    (line,) = sipsync.status(fleet).lines
    assert line.title == "Sales"
    (reading,) = sipsync.read(fleet)
    assert reading.snapshot is not None
    assert [current.config_id for current in reading.snapshot.lines] == [101]
    assert [portal.portal for portal in sipsync.snapshot(fleet).portals] == ["acme"]
    assert sipsync.doctor(fleet).exit is sipsync.Exit.OK
    plan = sipsync.plan(fleet)
    assert sipsync.verify(plan, fleet).valid
    sipsync.write_plan(str(box.folder / "plan.json"), plan)
    assert sipsync.read_plan(str(box.folder / "plan.json")) == plan
    assert sipsync.render(plan, "text").startswith("No changes.")


def document(webhook: object = "env:HOOK", **lines: object) -> dict[str, object]:
    """What a program with a database holds."""
    return {"sipsync": 1, "portal": {"webhook": webhook}, "lines": lines}


def wrong(box: Box, name: str, given: object) -> str:
    """What is said of a document."""
    with pytest.raises(sipsync.ConfigError) as caught:
        sipsync.load({name: given}, box.operator)  # type: ignore[dict-item]  # what a caller without types gives
    return str(caught.value)


def test_documents_stand_in_the_place_of_files(box: Box) -> None:
    box.seed({"config_id": 101, "title": "Old"})
    asked = document(sales={"config_id": 101, "title": "Продажи\u2028\x85\U0001f600"}) | {
        "policy": {"protected": ["x*"]}
    }
    fleet = sipsync.load({"acme": asked, "globex": document()}, box.operator)
    assert [portal.name for portal in fleet.portals] == ["acme", "globex"]
    assert fleet.portals[0].lines[0].title == "Продажи\u2028\x85\U0001f600"
    assert fleet.portals[0].policy.protected == ("x*",)
    findings = sipsync.check({"acme": asked, "globex": document()}, box.operator)
    assert (findings.valid, findings.files, findings.portals, findings.lines) == (True, 2, 2, 1)


def test_a_document_is_planned_and_applied_as_a_file_is(box: Box) -> None:
    box.seed({"config_id": 101, "title": "Old"})
    fleet = sipsync.load({"acme": document(sales={"config_id": 101, "title": "New"})}, box.operator)
    plan = sipsync.plan(fleet)
    assert (plan.summary.change, plan.resource_changes[0].source.file) == (1, "acme")
    assert sipsync.apply(plan, fleet).summary.changed == 1
    assert box.titles == {101: "New"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (document(sales={"titel": "x"}), 'acme#/lines/sales/titel:6:3: unknown key "titel"'),
        (document(sales={"config_id": "x"}), "acme#/lines/sales/config_id:6:16: "),
        (document("hunter2"), "acme#/portal/webhook:3:13: a secret must be a reference, never the value itself"),
        (document(**{"a/b": {}}), "acme#/lines/a~1b:5:2: "),
        (document(sales={"title": Path()}), "acme#/lines/sales/title:1:1: a value that no file can hold: PosixPath"),
        (document() | {"lines": []}, "acme#/lines:4:10: "),
        (document(sales={"title": "x\ud800"}), "acme#/lines/sales/title:6:12: "),
        ({}, "acme#:1:1: "),
        ("text", "acme#:1:1: "),
        (document() | {"policy": {"protected": [{"a": True}]}}, "acme#/policy/protected/0/a:8:4: "),
    ],
)
def test_a_wrong_document_is_told_with_its_name_and_the_key(box: Box, given: object, said: str) -> None:
    told = wrong(box, "acme", given)
    assert told.startswith(said)
    assert "hunter2" not in told


def test_a_secret_that_is_a_key_is_not_told(box: Box) -> None:
    assert "hunter2" not in wrong(box, "acme", document(sales={"password:hunter2": "x"}))


def test_a_document_that_contains_itself_ends(box: Box) -> None:
    deep = document()
    deep["lines"] = deep
    assert "nested deeper than 64 levels" in wrong(box, "acme", deep)
    wide: list[object] = []
    wide += [wide, wide]
    assert "larger than 4 MiB" in wrong(box, "acme", document() | {"lines": wide})


def test_each_wrong_document_is_told(box: Box) -> None:
    with pytest.raises(sipsync.ConfigError) as caught:
        sipsync.load(
            {"a": document(x={"title": Path()}), "b": document(x={"titel": ""}), "c": document()}, box.operator
        )
    places = [str(found.at) for found in caught.value.diagnostics]
    assert places[:2] == ["a#/lines/x/title:1:1", "b#/lines/x/titel:6:3"]


def test_a_relative_path_in_a_document_begins_at_the_root(box: Box) -> None:
    (box.folder / "base.yaml").write_text("defaults: {server: s.example}\n")
    asked = document(sales={"title": "x", "login": "l", "password": "file:secrets/sales"}) | {"include": ["base.yaml"]}
    (portal,) = sipsync.load({"acme": asked}, box.operator).portals
    assert portal.lines[0].values["server"] == "s.example"
    assert str(portal.lines[0].values["password"]) == "file:secrets/sales"
    assert wrong(box, "acme", asked | {"include": ["no.yaml"]}).startswith("acme#/include/0:")
    (box.folder / "base.yaml").write_text("\n" * 40 + "nope: 1\n")
    assert wrong(box, "base.yaml", asked).endswith(':41:1: unknown key "nope"')


@pytest.mark.parametrize("given", [[document()], document()])
def test_a_document_without_a_name_is_told_how_to_give_one(given: Any) -> None:
    with pytest.raises(UsageError, match="a document without a name") as caught:
        sipsync.load(given)
    hint = 'Write `sipsync.load({"acme": document})`.'
    assert str(caught.value.diagnostics[0].hint) == hint
    assert hint in "".join(traceback.format_exception(caught.value)), "a traceback shows what to do"


def test_who_looks_at_the_summary_sees_a_portal_that_can_t_be_reached(box: Box) -> None:
    box.seed({"config_id": 101, "title": "Old"})
    gone = document("env:GONE", sales={"config_id": 7, "title": "x"})
    box.environ["GONE"] = "http://127.0.0.1:9/rest/1/sandbox/"
    fleet = sipsync.load({"acme": document(a={"config_id": 101, "title": "New"}), "gone": gone}, box.operator)
    plan = sipsync.plan(fleet, clock=Clock())
    assert (plan.summary.change, plan.summary.failed, plan.applyable) == (1, 1, True)
    assert "failed=1" in str(plan.summary)
    assert [part.summary.failed for part in plan.parts] == [0, 1]
    assert json.loads(plan.to_json()) == plan.to_dict() == json.loads(sipsync.render(plan, "json"))
    assert Plan.from_dict(json.loads(plan.to_json())) == plan


def test_who_looks_at_the_outcome_s_summary_sees_a_line_that_is_not_as_planned(box: Box) -> None:
    box.seed({"config_id": 101, "title": "Old"}, {"config_id": 102, "title": "Two"})
    lines = {"a": {"config_id": 101, "title": "New"}, "b": {"config_id": 102, "title": "Other"}}
    fleet = sipsync.load({"acme": document(**lines)}, box.operator)
    plan = sipsync.plan(fleet)
    box.seed({"config_id": 101, "title": "Somebody's"}, {"config_id": 102, "title": "Two"})
    outcome = sipsync.apply(plan, fleet)
    assert (outcome.summary.changed, outcome.summary.failed) == (1, 1)
    assert json.loads(outcome.to_json()) == outcome.to_dict()


def test_documents_have_the_root_of_the_folder_where_the_program_runs(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    (box.folder / ".git").mkdir()
    (box.folder / "app").mkdir()
    monkeypatch.chdir(box.folder / "app")
    assert sipsync.load({"acme": document()}).operator.root == str(box.folder)
