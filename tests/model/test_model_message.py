"""Words for people: translatable until they are shown, and each hint a sentence."""

from __future__ import annotations

import ast
import copy
import pickle
from collections.abc import Iterator
from pathlib import Path

import sipsync
from sipsync.model.message import Message, counted
from sipsync.model.outcome import PortalOutcome
from sipsync.model.problems import Code, Diagnostic

SOURCES = sorted(Path(sipsync.__file__).parent.rglob("*.py"))


def test_a_message_is_its_english_text_and_remembers_what_it_was_made_from() -> None:
    inner = Message("line {number}", number=69)
    message = Message("the title {title} is held by {holder}", title="{Sales}", holder=inner)
    assert message == "the title {Sales} is held by line 69"
    assert message.template == "the title {title} is held by {holder}"
    assert message.values == {"title": "{Sales}", "holder": inner}
    assert Message("`policy: {create: true}`") == "`policy: {create: true}`"


def test_a_count_chooses_between_two_texts() -> None:
    told = [counted(count, "1 line of {portal}", "{count} lines of {portal}", portal="acme") for count in (0, 1, 2)]
    assert told == ["0 lines of acme", "1 line of acme", "2 lines of acme"]
    assert [message.template for message in told[1:]] == ["1 line of {portal}", "{count} lines of {portal}"]


def test_a_message_outlives_a_copy_and_a_pickle() -> None:
    message = Message("{count} lines", count=2)
    for again in (copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
        assert (again, again.template, again.values) == ("2 lines", "{count} lines", {"count": 2})


def test_documents_hold_the_english_text() -> None:
    document = PortalOutcome(
        portal="acme", diagnostics=(Diagnostic(Code.INTERNAL, Message("{count} {braces}", count=2, braces="{x}")),)
    )
    read = PortalOutcome.model_validate_json(document.model_dump_json())
    assert read == document
    assert read.diagnostics[0].summary.template == "2 {x}"


def _calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield f"{file.name}:{node.lineno}", node


def test_a_message_is_a_template_and_never_a_text_put_together() -> None:
    joined = [at for at, call in _calls("Message") if call.args and isinstance(call.args[0], ast.JoinedStr | ast.BinOp)]
    assert joined == []


def test_each_diagnostic_is_written_in_one_way() -> None:
    odd = [at for at, call in _calls("Diagnostic") if len(call.args) != 2]
    assert odd == []


def _hints(node: ast.AST) -> Iterator[str]:
    """The templates that an expression may come to."""
    match node:
        case ast.Call(func=ast.Name(id="Message"), args=[ast.Constant(value=str(text)), *_]):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from (*_hints(body), *_hints(orelse))
        case ast.BoolOp(values=values):
            for value in values:
                yield from _hints(value)


def _given_hints(node: ast.AST) -> Iterator[ast.expr]:
    """What a call is given as `hint`, and what a variable of that name is set to."""
    match node:
        case ast.Call(keywords=keywords):
            yield from (keyword.value for keyword in keywords if keyword.arg == "hint")
        case ast.Assign(targets=[ast.Name(id="hint")], value=value):
            yield value


def test_each_hint_is_a_sentence() -> None:
    hints = [
        (f"{file.name}:{node.lineno}", text)
        for file in SOURCES
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call | ast.Assign)
        for given in _given_hints(node)
        for text in _hints(given)
    ]
    assert len(hints) > 100
    assert [(at, text) for at, text in hints if not text[0].isupper() and text[0] not in "`-{"] == []
    assert [(at, text) for at, text in hints if text[-1] not in ".?…}"] == []
