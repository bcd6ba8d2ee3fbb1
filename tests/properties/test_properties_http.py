"""Random portals and files, over real HTTP: apply, then plan, is empty, and nothing else was touched."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sipsync.model.problems import ConfigError, Exit
from sipsync.rules.values import title_key
from support.box import Box

TITLES = st.sampled_from(
    [
        "A",
        "a ",
        "B",
        "Ё",
        "Е",
        "й",
        "и",
        "😀",
        "😎",
        "Склад",
        "СКЛАД",
        "ss",
        "ß",
        "<b>&\"'",
        "[red]",
        "0",
        "~x",
        "%",
        "_",
    ]
)
SERVERS = st.sampled_from(["old.example", "new.example", "new.example:5061"])


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """A portal's lines, those of an application among them, and a file about some of the webhook's."""
    lines = [
        {
            "config_id": 101 + place,
            "type": draw(st.sampled_from(["cloud", "office"])),
            "title": draw(TITLES).strip(),
            "server": draw(SERVERS),
            "login": f"u{place}",
            "password": draw(st.sampled_from(["", "pw", "x$time[0]y"])),
            "app": draw(st.sampled_from([None, None, None, "appa"])),
        }
        for place in range(draw(st.integers(1, 6)))
    ]
    own = [line for line in lines if line["app"] is None]
    managed = draw(st.lists(st.sampled_from(own), unique_by=lambda line: line["config_id"])) if own else []
    titles = draw(st.permutations([*(line["title"] for line in managed), "Free 1", "Free 2"]))
    wanted: dict[str, dict[str, Any]] = {}
    for line, title in zip(managed, titles, strict=False):
        fields = {"title": title, "server": draw(SERVERS), "login": draw(st.sampled_from(["u", line["login"]]))}
        chosen = draw(st.sets(st.sampled_from(["title", "server", "login", "password"])))
        entry = {name: value for name, value in fields.items() if name in chosen and value}
        if "password" in chosen:
            entry["password"] = "env:PW"
        wanted[f"l{line['config_id']}"] = {"config_id": line["config_id"], **entry}
    return lines, wanted


@pytest.mark.slow
@given(cases())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_apply_then_plan_is_empty_and_nothing_else_is_touched(
    sandbox_url: str, case: tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]
) -> None:
    lines, wanted = case
    with TemporaryDirectory() as folder:
        box = Box(sandbox_url, Path(folder))
        box.environ["PW"] = "hunter2"
        box.seed(*lines)
        box.write("lines: " + json.dumps(wanted, ensure_ascii=False) + "\n")
        asyncio.run(_check(box, wanted))


async def _check(box: Box, wanted: dict[str, dict[str, Any]]) -> None:
    before = box.lines
    titles = [entry["title"] for entry in wanted.values() if "title" in entry]
    if len(set(titles)) < len(titles):
        with pytest.raises(ConfigError, match="title"):
            box.fleet()
        return
    plan = await box.plan()
    if plan.exit is not Exit.OK:
        assert {found.code for found in plan.diagnostics if found.severity == "error"} <= {"title-held", "half-swap"}
        assert _title_clash(before, wanted)
        return
    outcome = await box.apply(plan)
    assert outcome.exit is Exit.OK, outcome
    assert not (await box.plan()).has_changes
    touched = {change.config_id for change in plan.resource_changes}
    after = box.lines
    assert {i: line for i, line in before.items() if i not in touched} == {
        i: line for i, line in after.items() if i not in touched
    }
    assert box.stats["registrations"] == sum(change.reregisters for change in plan.resource_changes)


def _title_clash(before: dict[int, dict[str, Any]], wanted: dict[str, dict[str, Any]]) -> bool:
    """Whether the titles that would be there in the end are not all different for the database."""
    titles = {config_id: line["title"] for config_id, line in before.items()}
    for entry in wanted.values():
        titles[entry["config_id"]] = entry.get("title", titles[entry["config_id"]])
    keys = [title_key(title) for title in titles.values()]
    return len(set(keys)) < len(keys)
