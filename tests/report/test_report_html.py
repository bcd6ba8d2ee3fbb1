"""The page is one file of valid HTML that runs nothing but its own script. A browser tests the rest."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from itertools import pairwise

import html5lib
import pytest
from lxml import etree

from sipsync.model.outcome import Outcome
from sipsync.model.problems import Code, Exit
from sipsync.report import Style, render
from sipsync.report.escape import visible
from support.reports import GUARD, HOSTILE, SHOWN, change, finding, line, outcome, part, plan


def page(name: str, **style: object) -> etree._Element:
    text = render(SHOWN[name], "html", Style(**style))  # type: ignore[arg-type]  # as a test gives them
    builder = html5lib.getTreeBuilder("lxml")
    return html5lib.HTMLParser(strict=True, tree=builder, namespaceHTMLElements=False).parse(text).getroot()


def texts(root: etree._Element, path: str) -> list[str]:
    return [" ".join("".join(element.itertext()).split()) for element in root.xpath(path)]


@pytest.mark.parametrize("name", SHOWN)
def test_it_is_html_without_a_single_parse_error(name: str) -> None:
    assert texts(page(name), "//h1")


@pytest.mark.parametrize("name", SHOWN)
def test_its_policy_allows_its_own_script_and_style_and_nothing_else(name: str) -> None:
    root = page(name)
    (policy,) = root.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    (script,) = root.xpath("//script/text()")
    (style,) = root.xpath("//style/text()")
    for text, kind in ((script, "script"), (style, "style")):
        assert f"{kind}-src 'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert root.xpath("//@style | //@*[starts-with(name(), 'on')]") == []


@pytest.mark.parametrize("name", SHOWN)
def test_it_points_to_nothing_outside(name: str) -> None:
    root = page(name)
    assert root.xpath("//@src | //@action | //@srcset | //a | //img | //iframe | //object | //base") == []
    assert root.xpath("//@href") == ["data:,"]
    assert "url(" not in root.xpath("//style/text()")[0]
    assert "@import" not in root.xpath("//style/text()")[0]


def test_a_hostile_title_is_text() -> None:
    root = page("hostile")
    assert len(root.xpath("//script")) == 1
    shown = "".join(root.itertext())
    assert visible(HOSTILE) in shown
    assert "<script>alert(1)</script>" in shown


@pytest.mark.parametrize("name", SHOWN)
def test_a_reader_can_find_the_way_without_eyes(name: str) -> None:
    root = page(name)
    assert root.get("lang") == "en"
    assert len(root.xpath("//main")) == len(root.xpath("//h1")) == 1
    levels = [int(level) for level in re.findall(r"<h(\d)", etree.tostring(root).decode())]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    names = root.xpath("//@id")
    assert len(names) == len(set(names))
    assert set(root.xpath("//section/@aria-labelledby")) <= set(names)
    assert len(root.xpath("//table")) == len(root.xpath("//table/caption"))
    assert root.xpath("//input[not(ancestor::label)] | //select[not(ancestor::label)]") == []
    assert root.xpath("//th[not(@scope)]") == []


def test_the_largest_portal_comes_first_and_many_are_folded() -> None:
    rows = [change("a", {"title": "a"}, {"title": "b"}), change("b", {"title": "a"}, {"title": "b"})]
    parts = [part(*rows[: 1 + (number == 7)], portal=f"p{number:02}") for number in range(13)]
    found = re.findall(r'<details class="portal" data-portal="(\w+)"( open)?>', render(plan(*parts), "html"))
    assert found[:3] == [("p07", ""), ("p00", ""), ("p01", "")]
    assert '<details class="portal" data-portal="p00" open>' in render(plan(*parts[:12]), "html")


def test_portals_with_trouble_come_first() -> None:
    good = line("a", "update", "applied", address="zeta.a", portal="zeta")
    bad = [line(key, "update", "failed", address=f"beta.{key}", portal="beta") for key in "ab"]
    html = render(outcome(good, *bad, exit_=Exit.PARTIAL), "html")
    assert html.index('data-portal="beta"') < html.index('data-portal="zeta"')
    assert "2 lines, 2 not as planned" in html
    assert '<span class="facts">1 line</span>' in html


def test_an_outcome_of_nothing_has_no_lines() -> None:
    assert 'id="lines"' not in render(Outcome(), "html")
    assert 'id="lines"' not in render(outcome(), "html")


def test_a_change_shows_now_and_planned() -> None:
    root = page("update")
    assert texts(root, "//tbody/tr") == [
        "server old.sip.example → sip.provider.example",
        "password sensitive value → sensitive value",
    ]
    assert texts(root, "//article//li") == ["re-registers the line"]


def test_a_create_has_no_now_and_a_delete_no_planned() -> None:
    assert texts(page("create"), "//thead//th") == ["Field", "Planned"]
    assert texts(page("delete"), "//thead//th") == ["Field", "Now"]


def test_deletes_are_listed_on_top() -> None:
    assert texts(page("guard"), "//section[contains(@class, 'danger')]//li") == ["acme.old Old line"]


def test_an_empty_value_is_said_to_be_empty() -> None:
    html = render(plan(part(change("a", {"login": ""}, {"login": "7"}, hidden=1))), "html")
    assert '<bdi class="value none">empty</bdi>' in html
    assert "1 unchanged field<" in html


def test_code_in_a_hint_looks_like_code_and_a_single_tick_stays() -> None:
    hinted = (finding(Code.TIMEOUT, "a", "run `x y` or it`s over", severity="warning"), GUARD)
    html = render(plan(problems=hinted), "html")
    assert "run <code>x y</code> or it`s over" in html
    assert ">Errors and warnings<" in html


def test_many_warnings_are_folded() -> None:
    many = tuple(finding(Code.TIMEOUT, str(number), severity="warning") for number in range(6))
    assert "<summary>6 warnings</summary>" in render(plan(problems=many), "html")


def test_the_result_of_an_apply_shows_trouble_first() -> None:
    root = page("partial")
    assert texts(root, "//article[contains(@class, 'card')]//h4")[:3] == ["acme.support", "acme.night", "acme.swap"]
    assert texts(root, "//h1") == [
        "Apply incomplete. Resources: 1 added, 1 changed, 0 destroyed; 2 failed, 1 unconfirmed, 1 not attempted."
    ]


def test_a_line_without_a_place_in_a_file_needs_none() -> None:
    bare = line("a", "create", "failed", source=None, config_id=None, message="no (X)", error="X")
    assert '<span class="facts"></span>' in render(outcome(bare, exit_=Exit.ERROR), "html")


def test_a_dry_run_shows_the_calls() -> None:
    notes = texts(page("dry-run"), "//article//li")
    assert 'voximplant.sip.update CONFIG_ID=1 TYPE="cloud" TITLE="~sipsync-1"' in notes


def test_hints_are_told_in_the_language_that_they_are_in() -> None:
    assert page("guard", lang="ru").xpath("//article//p/@lang") == ["ru"]
