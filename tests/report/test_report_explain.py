"""Every finding is explained, in both languages; a catalogue has the Russian."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest

import sipsync
from sipsync.cli.commands.explain import PAGES
from sipsync.model.problems import Code
from sipsync.report import Style, render
from sipsync.report.explain import explain, explanations, pages
from support.reports import FINDINGS, GUARD, PARTIAL, finding, plan

RU = Style(lang="ru")
ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "sipsync/locale/ru/LC_MESSAGES/sipsync.po"
RUSSIAN = polib.pofile(str(CATALOGUE))
PARAGRAPHS = {text for each in explanations().values() for text in (each.title, each.meaning, each.action)} | {
    text for page in pages().values() for text in (page.title, page.about, *(meaning for _, meaning in page.entries))
}


@pytest.mark.parametrize("code", Code)
def test_every_code_is_explained_in_both_languages(code: Code) -> None:
    for told in (explain(code), explain(code, "ru")):
        assert len(told.title) < 70
        assert not told.title.endswith(".")
        assert told.meaning.endswith(".")
        assert told.action.endswith((".", "/"))


def test_explanations_stand_in_the_order_of_the_codes() -> None:
    assert list(explanations()) == list(Code)


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_there_in_both_languages(name: str) -> None:
    english, russian = pages()[name], pages("ru")[name]
    assert [names for names, _ in english.entries] == [names for names, _ in russian.entries]
    texts = [russian.title, russian.about, *(meaning for _, meaning in russian.entries)]
    assert [text for text in texts if not re.search("[А-Яа-я]", text)] == []
    assert list(pages()) == list(PAGES)


def test_the_catalogue_has_each_paragraph_once_and_besides_only_texts_of_the_program() -> None:
    assert [entry.msgid for entry in RUSSIAN] == list(dict.fromkeys(entry.msgid for entry in RUSSIAN))
    others = {entry.msgid for entry in RUSSIAN} - PARAGRAPHS
    assert len(others) == len(RUSSIAN) - len(PARAGRAPHS)
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in Path(sipsync.__file__).parent.rglob("*.py")]
    assert others <= {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}


def test_each_translation_is_finished() -> None:
    assert [entry.msgid for entry in RUSSIAN if entry.fuzzy or entry.obsolete or not entry.msgstr] == []


def test_the_catalogue_knows_the_three_plurals_of_russian() -> None:
    assert RUSSIAN.metadata["Plural-Forms"].startswith("nplurals=3;")


def test_the_russian_text_is_russian_and_the_english_english() -> None:
    cyrillic = re.compile("[А-Яа-яЁё]")
    assert [entry.msgid for entry in RUSSIAN if cyrillic.search(entry.msgid) or not cyrillic.search(entry.msgstr)] == []


def test_a_translation_keeps_what_is_to_be_typed_and_what_is_put_in() -> None:
    kept = {entry.msgid: _kept(entry.msgstr.replace("ФАЙЛ", "FILE")) for entry in RUSSIAN}
    assert kept == {entry.msgid: _kept(entry.msgid) for entry in RUSSIAN}


def _kept(text: str) -> list[str]:
    """Code, options, variables and placeholders."""
    return sorted(re.findall(r"`[^`]+`|--[a-z][a-z-]+|[A-Z]+_[A-Z_]+|\{\w*\}", text))


def test_the_compiled_catalogue_is_the_one_in_the_tree() -> None:
    compiled = CATALOGUE.with_suffix(".mo")
    assert compiled.exists(), "`pip install -e .` compiles it"
    assert compiled.read_bytes() == RUSSIAN.to_binary(), "`pip install -e .` compiles it anew"


def test_without_a_compiled_catalogue_explanations_are_english(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "sipsync", tmp_path / "sipsync", ignore=shutil.ignore_patterns("*.mo", "__pycache__"))
    told, texts = _run("--lang", "ru", "explain", "file-not-found", source=tmp_path)
    assert told.startswith("File not found\n")
    assert texts == [str(tmp_path / "sipsync/report/explanations.md")]


@pytest.mark.parametrize(
    ("args", "texts"),
    [
        (["validate", "examples/quickstart/sipsync.yaml"], []),
        (["--lang", "ru", "validate", "examples/quickstart/sipsync.yaml"], []),
        (["explain", "file-not-found"], ["explanations.md"]),
        (["--lang", "ru", "explain", "file-not-found"], ["explanations.md", "sipsync.mo"]),
        (["explain", "policy"], ["reference.md"]),
    ],
)
def test_only_who_asks_for_a_text_reads_it(args: list[str], texts: list[str]) -> None:
    assert [Path(name).name for name in _run(*args)[1]] == texts


def _run(*args: str, source: Path = ROOT) -> tuple[str, list[str]]:
    """What a command prints, and the files of texts that it opens."""
    script = (
        "import sys\n"
        f"sys.path.insert(0, {str(source)!r})\n"
        "report = sys.stderr.write\n"
        "sys.addaudithook(lambda event, args: event == 'open' and report(f'opens {args[0]}\\n'))\n"
        "from sipsync.__main__ import main\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *args], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True
    )
    return done.stdout, re.findall(r"^opens (.*\.(?:md|mo|po))$", done.stderr, re.MULTILINE)


def test_only_the_hint_is_russian() -> None:
    english = render(FINDINGS["findings"], "text").splitlines()
    russian = render(FINDINGS["findings"], "text", RU).splitlines()
    assert [line for line in russian if line.startswith(("Error:", "Warning:"))] == [
        line for line in english if line.startswith(("Error:", "Warning:"))
    ]
    text = " ".join(line.strip() for line in russian)
    # What is to be typed is kept; the sentence about it is translated.
    assert 'Возьмите подсказанное имя; все ключи показывает `sipsync schema`. (Did you mean "title"?)' in text


def test_a_finding_without_a_hint_gets_none_in_russian() -> None:
    assert "sipsync doctor" not in render(plan(problems=(finding(Code.CREDENTIAL, "no"),)), "text", RU)


def test_json_is_the_same_in_every_language() -> None:
    assert render(plan(problems=(GUARD,)), "json", RU) == render(plan(problems=(GUARD,)), "json")


def test_what_to_do_about_a_failed_line_is_russian_too() -> None:
    assert "Устраните причину и запустите ещё раз: сделанное останется." in render(PARTIAL, "text", RU)
