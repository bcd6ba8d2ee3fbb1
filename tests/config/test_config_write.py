"""fmt, import into a new file, import into an existing one."""

from __future__ import annotations

import io
import re
from collections import Counter
from itertools import cycle
from pathlib import Path

import pytest
import yaml as pyyaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from sipsync.config.load import Loaded
from sipsync.config.reader.source import Source
from sipsync.config.reader.yaml import read
from sipsync.config.writer.keys import new_keys, slug
from sipsync.config.writer.layout import format_text, meaning
from sipsync.config.writer.lines import default_names, unsaid
from sipsync.config.writer.merge import merge, secret_names
from sipsync.config.writer.new_file import portal_text
from sipsync.config.writer.scalars import ambiguous, quoted, scalar
from sipsync.model.fields import FIELDS, FieldName, LineType
from sipsync.model.lines import ADDRESS_PART, CurrentLine, Snapshot
from sipsync.model.problems import Code, ConfigError
from sipsync.model.secret import Secret, SecretRef
from sipsync.rules.values import stored
from support.files import HEAD, found, load_text

UGLY = """\
# yaml-language-server: $schema=x

sipsync: 1   # the marker
portal:
      name:   acme
      webhook: env:A<blanks>
      limits: {burst: 50, rate: 2.5}
# about lines
lines:
      # about sales
      sales:
          config_id: 69
          title: 0045281811      # digits
          login: '+7'
          server: |-
             a
               b

             c
          # the end of sales


      b: &b {title: yes, login: 1_0, password: env:P}
      101: {<<: *b, title: x:y}
policy:
  create: true
  max_changes: 3
  protected:
  - 12
  -   b
  ignore_fields:
  - line: a
    field: title
    reason: null
    until: 2026-12-31
   # odd comment
---
  sipsync: 1
  portal:
    webhook: env:B
# last

""".replace("<blanks>", "   ")
NEAT = """\
# yaml-language-server: $schema=x

sipsync: 1   # the marker
portal:
  name: acme
  webhook: env:A
  limits: {burst: 50, rate: 2.5}
# about lines
lines:
  # about sales
  sales:
    config_id: 69
    title: "0045281811"      # digits
    login: '+7'
    server: |-
       a
         b

       c
    # the end of sales


  b: &b {title: "yes", login: "1_0", password: "env:P"}
  "101": {<<: *b, title: "x:y"}
policy:
  create: true
  max_changes: 3
  protected:
    - "12"
    - b
  ignore_fields:
    - line: a
      field: title
      reason: "null"
      until: 2026-12-31
# odd comment
---
sipsync: 1
portal:
  webhook: env:B
# last
"""


def test_fmt_lays_out_and_quotes_and_keeps_the_rest() -> None:
    assert format_text(UGLY, "f") == NEAT
    assert format_text(NEAT, "f") == NEAT


@pytest.mark.parametrize("ends", [("\r",), ("\r", "\n"), ("\r\n", "\r"), ("\n", "\r\n", "\r"), ("\n", "\n", "\r\r")])
def test_line_ends_of_several_kinds_are_laid_out_once(ends: tuple[str, ...]) -> None:
    lines = UGLY.splitlines()
    text = "".join(line + end for line, end in zip(lines, cycle(ends), strict=False))
    laid = format_text(text, "f")
    assert format_text(laid, "f") == laid
    assert set(re.findall("\r\n|\r|\n", laid)) == {"\r\n" if "\r\n" in text else "\n"}


def test_fmt_keeps_line_ends_of_windows_and_the_byte_order_mark() -> None:
    crlf = "\ufeff" + UGLY.replace("\n", "\r\n")
    assert format_text(crlf, "f") == "\ufeff" + NEAT.replace("\n", "\r\n")


def test_fmt_refuses_what_is_no_mapping_or_no_yaml() -> None:
    for text, code in (("- a\n", Code.WRONG_TYPE), ("a: [\n", Code.SYNTAX), ("a: 1\na: 2\n", Code.DUPLICATE_KEY)):
        with pytest.raises(ConfigError) as caught:
            format_text(text, "f")
        assert caught.value.code is code
    assert format_text("", "f") == ""


def test_fmt_leaves_a_layout_alone_that_it_can_not_improve() -> None:
    odd = "a:\n    - - x\n      - |2\n          y\n    -\n      z: 1\n"
    assert said(format_text(odd, "f")) == said(odd)
    shared = "a: &a\n   x: 1\nb:\n      <<: *a\n      y: *a\n"
    assert format_text(shared, "f") == 'a: &a\n  x: "1"\nb:\n  <<: *a\n  "y": *a\n'
    tail = "a:\n   b: |+\n     x\n\n\n"
    assert said(format_text(tail, "f")) == said(tail)


def said(text: str) -> list[object]:
    roots, found = read(Source("f", text))
    assert not found
    return [meaning(root) for root in roots]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBER_LIKE = st.from_regex(r"[-+]?[0-9.][0-9_:.,exobTZ a-f-]{0,8}", fullmatch=True) | st.sampled_from(
    [
        "yes",
        "No",
        "NULL",
        "~",
        "on",
        ".inf",
        "-.INF",
        ".nan",
        "=",
        "<<",
        "y",
        "N",
        "2024-01-01",
        "1:30",
        "0o17",
        "1e3",
        "2024-1-1 10:00:00",
        "TRUE",
        "null",
        "0b1",
        "0x1F",
        "12:30:00.5",
        "1__0",
        "+.5",
        "._1",
        "-",
        "?",
        "a: b",
        "a #b",
    ]
)


def by_pyyaml(text: str) -> object:
    return pyyaml.safe_load(text)


def by_ruamel(text: str) -> object:
    return YAML(typ="safe", pure=True).load(io.StringIO(text))


@settings(deadline=None)
@given(TEXT | NUMBER_LIKE)
@example("\x85\u2028\u2029\ufeff\x07\x00\x7f\u202e😀")
def test_every_reader_takes_a_written_scalar_for_the_same_text(text: str) -> None:
    for written in (scalar(text), quoted(text)):
        document = f"k: {written}\nf: [{quoted(text)}]\n"
        assert by_pyyaml(document) == by_ruamel(document) == {"k": text, "f": [text]}
        assert said(document) == [[("k", text), ("f", [text])]]


@settings(deadline=None)
@given(NUMBER_LIKE)
def test_what_is_not_called_ambiguous_is_text_to_every_reader(text: str) -> None:
    if not ambiguous(text) and re.fullmatch("[A-Za-z0-9+.=_-]+", text) and text not in ("-",):
        assert by_pyyaml(f"k: {text}\n") == by_ruamel(f"k: {text}\n") == {"k": text}


LEAF = st.sampled_from(["x", "a b", "0045", "+7", "1_0", "yes", "'q'", '"d\\n"', "2024-01-01", "1e3", "a:b", "", "~"])
KEY = st.sampled_from(["k", "title", "config_id", "12", "no", "'s'", "until", "create", "x-y"])


@st.composite
def blocks(draw: st.DrawFn, depth: int = 0) -> list[str]:
    """Lines of a random block mapping: odd indentation, comments, blank lines, lists, brackets, long texts."""
    step = draw(st.integers(1, 5))
    lines: list[str] = []
    for key in draw(st.lists(KEY, min_size=1, max_size=4, unique_by=lambda key: key.strip("'"))):
        lines += draw(st.sampled_from([[], [""], ["# c"], ["", "# d", ""]]))
        kind = draw(st.sampled_from(["leaf", "map", "list", "flow", "text"] if depth < 3 else ["leaf"]))
        space = draw(st.sampled_from([" ", "   "]))
        if kind == "leaf":
            lines.append(f"{key}:{space}{draw(LEAF)}{draw(st.sampled_from(['', '  # e', '  ']))}")
        elif kind == "flow":
            lines.append(f"{key}:{space}{{a: {draw(LEAF) or 'x'}, b: [{draw(LEAF) or 'x'},")
            lines.append(" " * step + f"{draw(LEAF) or 'x'}]}}")
        elif kind == "text":
            lines.append(f"{key}:{space}{draw(st.sampled_from(['|', '>-', '|+']))}")
            lines += [" " * step + "t  ", "", " " * (step + 2) + "# no comment", " " * step + "u"]
        elif kind == "list":
            lines.append(f"{key}:")
            dash = draw(st.integers(0, 3))
            for _ in range(draw(st.integers(1, 3))):
                inner = [line for line in draw(blocks(3)) if line]
                lines += [" " * dash + ("- " if at == 0 else "  ") + line for at, line in enumerate(inner)]
        else:
            lines.append(f"{key}:")
            lines += [" " * step + line if line else line for line in draw(blocks(depth + 1))]
    return lines


@settings(max_examples=60, deadline=None)
@given(blocks())
def test_fmt_changes_no_meaning_and_formatting_again_changes_nothing(lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    roots, found = read(Source("f", text))
    if found:
        return
    laid = format_text(text, "f")
    assert said(laid) == [meaning(root) for root in roots]
    assert format_text(laid, "f") == laid
    assert by_pyyaml(laid) == by_ruamel(laid)
    assert re.findall("# [cde]", laid) == re.findall("# [cde]", text)


# --- import ---

TITLES = st.one_of(
    TEXT,
    NUMBER_LIKE,
    st.sampled_from(
        ["Склад", "склад", "a", "A", " a", "a\n", "~sipsync-7", "[red]x[/]", "\x1b]8;;x", "<script>", "x" * 256]
    ),
    st.text(max_size=3),
)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    numbers = draw(st.lists(st.integers(1, 99), max_size=5, unique=True))
    lines = tuple(
        CurrentLine(
            number,
            "cloud" if number % 2 else "office",  # never changes
            {"title": draw(TITLES), "server": draw(TITLES), "login": draw(TITLES), "password": Secret("x")},
        )
        for number in sorted(numbers)
    )
    return Snapshot(lines, {})


def differences(loaded: Loaded, snapshot: Snapshot) -> list[tuple[str, FieldName]]:
    """What a plan of this file would change."""
    errors = [found for found in loaded.diagnostics if found.severity == "error"]
    assert not errors
    current = {line.config_id: line for line in snapshot.lines}
    changes: list[tuple[str, FieldName]] = []
    for line in loaded.portals[0].lines:
        if line.config_id not in current:
            continue
        twin = current[line.config_id]
        changes += [
            (str(line.address), name)
            for name, value in line.values.items()
            if not FIELDS[name].secret and stored(name, str(value)) != twin.values[name]
        ]
        assert line.type in (None, twin.type)
    return changes


@settings(max_examples=60, deadline=None)
@given(snapshots())
def test_an_imported_portal_needs_no_change(tmp_path_factory: pytest.TempPathFactory, snapshot: Snapshot) -> None:
    text = portal_text("acme", ["webhook: env:ACME_WEBHOOK"], snapshot)
    loaded = load_text(tmp_path_factory.mktemp("i"), text)
    assert differences(loaded, snapshot) == []
    assert sorted(line.config_id or 0 for line in loaded.portals[0].lines) == [x.config_id for x in snapshot.lines]
    assert format_text(text, "f") == text
    assert "\x1b" not in text


def test_an_imported_file_reads_well(tmp_path: Path) -> None:
    snapshot = Snapshot(
        (
            CurrentLine(69, "cloud", {"title": "Отдел продаж", "server": "sip.example:5060", "login": "0045"}),
            CurrentLine(70, "office", {"title": "x\x1b\n", "server": "http://s", "login": ""}),
            CurrentLine(71, "cloud", {"title": "Отдел продаж", "server": "10.0.0.5", "login": "a"}),
        ),
        {},
    )
    text = portal_text("acme", ["webhook: env:W"], snapshot, passwords={71: "sops:s.yaml#/71"})
    assert text == (
        "# yaml-language-server: $schema=.sipsync/schema.json\n"
        "sipsync: 1\nportal:\n  name: acme\n  webhook: env:W\n\n"
        "lines:\n  line-69:\n    config_id: 69\n    title: Отдел продаж\n    server: sip.example:5060\n"
        '    login: "0045"\n    # password: env:SIP_ACME_69_PASSWORD  # not managed; without the first # it is\n'
        "  line-70:\n    config_id: 70\n    type: office\n"
        '    # title is not managed here: white space at the beginning or end: "x\\x1B\\n"\n'
        '    # server is not managed here: a SIP server has no http://: "http://s"\n'
        "    # login is not managed here: empty on the portal\n"
        "    # password: env:SIP_ACME_70_PASSWORD  # not managed; without the first # it is\n"
        "  line-71:\n    config_id: 71\n"
        '    # title is not managed here: another line of this file has the same title: "Отдел продаж"\n'
        '    server: 10.0.0.5\n    login: a\n    password: "sops:s.yaml#/71"\n'
    )
    (portal,) = load_text(tmp_path, text).portals
    assert portal.lines[2].values["password"] == SecretRef("sops", "s.yaml#/71")
    half = portal_text("acme", [], Snapshot((CurrentLine(1, "cloud", {"title": "a\ud800b"}),), {}))
    assert '# title is not managed here: characters that are no Unicode text: "a\\uD800b"' in half
    assert portal_text("acme", [], Snapshot((), {})).endswith("lines: {}\n")


# --- merge ---


def merge_text(
    text: str, name: str, snapshot: Snapshot, *, overwrite: bool, pin: bool, portal: str | None = None
) -> str:
    return merge(text, name, snapshot, overwrite=overwrite, pin=pin, portal=portal).text


FILE = (
    HEAD
    + """\
lines:
  # the first
  sales:            # our best
    title: Отдел продаж
    server: old.example   # soon gone
    password: env:P
    # login: later

  # the second
  stock: {title: СКЛАД, server: a.example}
policy: {create: true}
"""
)
PORTAL = Snapshot(
    (
        CurrentLine(1, "cloud", {"title": "Отдел продаж", "server": "new.example", "login": "1"}),
        CurrentLine(2, "cloud", {"title": "Склад", "server": "b.example", "login": "2"}),
        CurrentLine(3, "office", {"title": "Новая", "server": "c.example", "login": "3"}),
    ),
    {},
)
NEW = (
    '  line-3:\n    config_id: 3\n    type: office\n    title: Новая\n    server: c.example\n    login: "3"\n'
    "    # password: env:SIP_ACME_3_PASSWORD  # not managed; without the first # it is\n"
)


def merged(text: str, snapshot: Snapshot = PORTAL, *, overwrite: bool = False, pin: bool = False) -> str:
    return merge_text(text, "f", snapshot, overwrite=overwrite, pin=pin)


def test_a_merge_adds_the_lines_that_are_missing_and_touches_nothing_else() -> None:
    assert merged(FILE) == FILE.replace("policy:", NEW + "policy:")
    assert merged(merged(FILE)) == merged(FILE)


def test_pin_writes_the_ids_of_lines_that_were_found_by_their_titles() -> None:
    text = FILE.replace("policy:", NEW + "policy:")
    text = text.replace("    title: Отдел", "    config_id: 1\n    title: Отдел").replace(
        "{title", "{config_id: 2, title"
    )
    assert merged(FILE, pin=True) == text


def test_overwrite_brings_the_portals_values_into_the_file() -> None:
    text = FILE.replace("policy:", NEW + "policy:").replace("old.example ", "new.example ")
    assert merged(FILE, overwrite=True) == text.replace("СКЛАД, server: a", '"Склад", server: "b').replace(
        "b.example}", 'b.example"}'
    )


def test_overwrite_writes_over_defaults_and_texts_of_several_lines_and_swaps_titles() -> None:
    text = HEAD + (
        "defaults: {server: d.example, type: office}\nlines:\n  a:\n    config_id: 1\n    title: Склад\n"
        "    login: |\n      x\n      y\n  b:\n    config_id: 2\n    title: Отдел продаж\n    login: &l q\n"
    )
    assert merged(text, Snapshot(PORTAL.lines[:2], {}), overwrite=True) == HEAD + (
        "defaults: {server: d.example, type: office}\nlines:\n  a:\n    server: new.example\n    config_id: 1\n"
        '    title: Отдел продаж\n    login: "1"\n'
        "  b:\n    server: b.example\n    config_id: 2\n    title: Склад\n    login: &l q\n"
    )
    assert "    type: office\n" not in merged(text)


@pytest.mark.parametrize(
    ("tail", "start"),
    [
        ("lines: {}\n", "lines: \n  line-1:\n"),
        ("", "lines:\n  line-1:\n"),
        ("lines:\n      x: {title: y}  # c", "      x: {title: y}  # c\n      line-1:\n"),
        ("lines:\n  line-1: {title: y}\n    # own\n", "    # own\n  line-1-2:\n    config_id: 1\n"),
        ("policy:\n  protected:\n    - a\n", "    - a\nlines:\n  line-1:\n"),
        ("removed: {a: {config_id: 2, title: x}}\n", "lines:\n  line-1:\n"),
    ],
)
def test_lines_are_added_wherever_the_file_has_room_for_them(tmp_path: Path, tail: str, start: str) -> None:
    text = merged(HEAD + tail)
    assert start in text
    assert differences(load_text(tmp_path, text), PORTAL) == []
    assert ("config_id: 2\n" in text) == ("removed" not in tail)


def test_lines_between_brackets_can_not_be_added_to() -> None:
    for text in (HEAD + "lines: {a: {title: x}}\n", "{sipsync: 1}\n", HEAD + "lines: [a]\n"):
        with pytest.raises(ConfigError) as caught:
            merged(text)
        assert caught.value.code is Code.WRONG_TYPE


def test_one_document_of_several_is_chosen_by_the_portals_name() -> None:
    text = "sipsync: 1\nportal: {name: one}\n---\nsipsync: 1\nportal:\n  name: two\n---\nsipsync: 1\n"
    two = merge_text(text, "f", Snapshot(PORTAL.lines[2:], {}), overwrite=False, pin=False, portal="two")
    assert two == text.replace("name: two\n", "name: two\nlines:\n" + NEW.replace("ACME", "TWO"))
    for portal in (None, "three"):
        with pytest.raises(ConfigError) as caught:
            merge_text(text, "f", PORTAL, overwrite=False, pin=False, portal=portal)
        assert caught.value.code is Code.NO_PORTALS
    by_file = merge_text(HEAD, "f", Snapshot((), {}), overwrite=False, pin=False, portal="other")
    assert by_file == HEAD


def test_a_merge_keeps_line_ends_of_windows_and_the_byte_order_mark() -> None:
    windows = "\ufeff" + FILE.replace("\n", "\r\n")
    assert merged(windows) == "\ufeff" + merged(FILE).replace("\n", "\r\n")


def test_a_title_that_a_gone_line_keeps_holds_back_whoever_waits_for_the_next_one(tmp_path: Path) -> None:
    text = f"{HEAD}lines:\n  gone: {{config_id: 3, title: A}}\n  moved: {{config_id: 4, title: B}}\n"
    now = Snapshot(
        tuple(
            CurrentLine(key, "office", {"title": title, "server": "s", "login": "l"})
            for key, title in ((4, "A"), (5, "B"))
        ),
        {},
    )
    lines = load_text(tmp_path, merge_text(text, "f", now, overwrite=True, pin=False)).portals[0].lines
    assert [(line.config_id, line.title) for line in lines] == [(3, "A"), (4, "B"), (5, None)]


@settings(max_examples=40, deadline=None)
@given(snapshots(), snapshots(), st.booleans())
def test_a_merge_with_overwrite_leaves_nothing_to_change(
    tmp_path_factory: pytest.TempPathFactory, before: Snapshot, now: Snapshot, pin: bool
) -> None:
    text = portal_text("acme", ["webhook: env:W"], before)
    text = merge_text(text, "f", now, overwrite=True, pin=pin)
    loaded = load_text(tmp_path_factory.mktemp("m"), text)
    twins = {f"line-{line.config_id}": line for line in now.lines}
    titles = Counter(line.title for line in now.lines)
    theirs = {line.title for line in loaded.portals[0].lines}
    for address, name in differences(loaded, now):
        text_there = str(twins[address.removeprefix("acme.")].values[name])
        assert not text_there or unsaid(name, text_there) or titles[text_there] > 1 or text_there in theirs
    kept = {line.config_id for line in now.lines}
    assert kept <= {line.config_id for line in loaded.portals[0].lines}
    assert merge_text(text, "f", now, overwrite=True, pin=pin) == text


def test_a_line_that_is_neither_cloud_nor_office_is_a_comment_of_a_new_file(tmp_path: Path) -> None:
    values: dict[FieldName, str | Secret] = {"title": "Fax", "server": "s.example", "login": "f"}
    now = Snapshot((CurrentLine(9, "other", values),), {})
    text = portal_text("acme", ["webhook: env:W"], now)
    assert "# line 9 is not managed here: it is neither a cloud nor an office line" in text
    assert load_text(tmp_path, text).portals[0].lines == ()
    assert merge_text(text, "f", now, overwrite=True, pin=True) == text
    assert default_names("acme", now) == secret_names(text, "f", now, "acme") == {}
    both = portal_text("acme", ["webhook: env:W"], Snapshot((*now.lines, CurrentLine(10, "cloud", values)), {}))
    assert [line.config_id for line in load_text(tmp_path, both).portals[0].lines] == [10]


def test_a_comment_of_an_import_becomes_valid_without_its_first_sign(tmp_path: Path) -> None:
    text = portal_text("acme", ["webhook: env:W"], PORTAL)
    (portal,) = load_text(tmp_path, text.replace("# password", "password")).portals
    names = [line.values["password"] for line in portal.lines]
    assert names == [SecretRef("env", f"SIP_ACME_{line.config_id}_PASSWORD") for line in PORTAL.lines]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_password_that_is_managed_loses_the_comment_that_it_is_not(ends: str) -> None:
    snapshot = Snapshot(PORTAL.lines[:1], {})
    text = portal_text("acme", ["webhook: env:W"], snapshot).replace("\n", ends)
    assert format_text(text, "f") == merge(text, "f", snapshot, overwrite=False, pin=False).text == text
    live = text.replace("# password", "password")
    wanted = live.replace("  # not managed; without the first # it is", "")
    assert format_text(live, "f") == merge(live, "f", snapshot, overwrite=False, pin=False).text == wanted != live
    own = live.replace("it is", "it is, says Ann")
    assert format_text(own, "f") == own


def test_a_comment_that_was_half_taken_away_says_what_else_to_take_away(tmp_path: Path) -> None:
    half = HEAD + "lines:\n  a:\n    title: A\n    password: # env:SIP_1_PASSWORD  # not managed\n"
    (diagnostic,) = found(tmp_path, half)
    assert diagnostic.hint == "Take away the `# ` before env:…."
    (plain,) = found(tmp_path, HEAD + "lines:\n  a:\n    title: A\n    password: # ours\n")
    assert plain.hint == "Give it one, or delete the key."
    (empty,) = found(tmp_path, HEAD + "lines:\n")
    assert "`lines: {}`" in empty.hint


def test_a_comment_of_an_older_import_that_was_half_taken_away_says_what_to_delete(tmp_path: Path) -> None:
    old = "lines:\n  a:\n    title: A\n    password: env:SIP_1_PASSWORD  (not managed; without the # it is)\n"
    (diagnostic,) = found(tmp_path, HEAD + old)
    assert "Delete what stands behind env:SIP_1_PASSWORD" in diagnostic.hint


def test_passwords_are_linked_under_the_names_that_the_files_comments_use(tmp_path: Path) -> None:
    written = portal_text("acme", ["webhook: env:W"], Snapshot(PORTAL.lines[:2], {}))
    text = written.replace("SIP_ACME_1_PASSWORD", "SALES").replace("  line-2:", "  # no secret\n  line-2:")
    text = text.replace("    # password: env:SIP_ACME_2_PASSWORD  # not managed; without the first # it is\n", "")
    names = secret_names(text, "f", PORTAL, "acme")
    assert names == {1: "SALES", 2: "SIP_ACME_2_PASSWORD", 3: "SIP_ACME_3_PASSWORD"}
    passwords = {config_id: f"env:{name}" for config_id, name in names.items()}
    work = merge(text, "f", PORTAL, overwrite=False, pin=False, portal="acme", passwords=passwords)
    assert (work.added, work.differing, work.gone) == (("line-3",), {}, ())
    (portal,) = load_text(tmp_path, work.text).portals
    assert [str(line.values["password"]) for line in portal.lines] == list(passwords.values())
    assert "# not managed" not in work.text
    assert secret_names(work.text, "f", PORTAL, "acme") == {}
    flow = merge(FILE, "f", PORTAL, overwrite=False, pin=False, passwords={2: "env:STOCK"}).text
    assert "stock: {password: env:STOCK, title" in flow.replace('"', "")


def test_a_merge_tells_what_differs_and_what_is_gone() -> None:
    work = merge(FILE + "# end\n", "f", Snapshot(PORTAL.lines[:1], {}), overwrite=False, pin=False)
    assert (work.added, work.differing, work.gone) == ((), {"sales": ("server",)}, ("stock",))


def test_what_most_lines_share_stands_in_defaults(tmp_path: Path) -> None:
    def line(config_id: int, server: str, kind: LineType = "office") -> CurrentLine:
        return CurrentLine(config_id, kind, {"title": f"T{config_id}", "server": server, "login": "l"})

    lines = (line(1, "sip.example"), line(2, "sip.example"), line(3, "other.example", "cloud"))
    text = portal_text("acme", ["webhook: env:W"], Snapshot(lines, {}))
    assert "\ndefaults:\n  server: sip.example\n  type: office\nlines:\n" in text
    assert (text.count("  server:"), text.count("  type:")) == (2, 2)
    (portal,) = load_text(tmp_path, text).portals
    assert [(each.type, each.values["server"]) for each in portal.lines] == [
        ("office", "sip.example"),
        ("office", "sip.example"),
        ("cloud", "other.example"),
    ]
    assert "  server: sip.example\n  type" not in portal_text("acme", [], Snapshot((*lines, line(4, "")), {}))


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("Отдел продаж", "otdel-prodazh"),
        ("Щёлково, №2 (Съезд)", "shchyolkovo-no2-sezd"),
        ("Київ/Їжак", "kiyiv-yizhak"),
        ("Алматы Қазақ", "almaty-qazaq"),
        ("Café Straße №1", "cafe-strasse-no1"),
        ("  __  ", ""),
        ("電話", ""),
        ("a" * 200, "a" * 60),
    ],
)
def test_a_key_says_what_the_title_does(title: str, key: str) -> None:
    assert slug(title) == key


@given(st.lists(st.text(max_size=20)))
def test_keys_are_valid_and_each_is_there_once(titles: list[str]) -> None:
    lines = [CurrentLine(number, "cloud", {"title": title}) for number, title in enumerate(titles, 1)]
    keys = new_keys(lines, ["line-1"], by_title=True)
    assert len({"line-1", *keys.values()}) == len(titles) + 1
    assert all(re.fullmatch(ADDRESS_PART, key) for key in keys.values())
