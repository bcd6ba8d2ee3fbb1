"""Every finding is explained, in both languages."""

from __future__ import annotations

import re

import pytest
from report_scenarios import FINDINGS, GUARD, PARTIAL, finding, plan

from sipsync.model.explain import explain
from sipsync.model.explain_en import EXPLANATIONS as ENGLISH
from sipsync.model.explain_ru import EXPLANATIONS as RUSSIAN
from sipsync.model.problems import Code
from sipsync.report import Style, render

RU = Style(lang="ru")


@pytest.mark.parametrize("code", Code)
def test_every_code_is_explained_in_both_languages(code: Code) -> None:
    for told in (explain(code), explain(code, "ru")):
        assert len(told.title) < 70
        assert not told.title.endswith(".")
        assert told.meaning.endswith(".")
        assert told.action.endswith((".", "/"))


@pytest.mark.parametrize("code", Code)
def test_the_russian_text_is_russian(code: Code) -> None:
    assert all(
        re.search("[А-Яа-яЁё]", text) for text in (RUSSIAN[code].title, RUSSIAN[code].meaning, RUSSIAN[code].action)
    )
    assert not re.search("[А-Яа-яЁё]", ENGLISH[code].title + ENGLISH[code].meaning + ENGLISH[code].action)


def test_no_code_is_explained_that_does_not_exist() -> None:
    assert set(ENGLISH) == set(RUSSIAN) == set(Code)


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
