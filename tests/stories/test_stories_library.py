"""The library as a programmer meets it: what may be given, what is public, and what calls in a wrong place say."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import sipsync
from sipsync.model.problems import Code, UsageError
from support.box import Box

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
