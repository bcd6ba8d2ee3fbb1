"""What the eye can't tell apart."""

from __future__ import annotations

import pytest

from sipsync.model.lookalike import same_to_the_eye, stranger, unseen


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("company", "\u0441ompany", True),
        ("Отдел продаж", "Отдел\u00a0продаж", True),
        ("sip", "s\u200bip", True),
        ("é", "e\u0301", True),
        ("sip", "sip", False),
        ("sip", "zip", False),
        ("Склад", "склад", False),
        ("a b", "ab", False),
    ],
)
def test_texts_that_look_the_same(one: str, other: str, same: bool) -> None:
    assert same_to_the_eye(one, other) is same_to_the_eye(other, one) is same


def test_a_stranger_is_a_letter_of_the_rarer_script() -> None:
    assert stranger("\u0441ompany") == 0
    assert stranger("компaния") == 4
    assert stranger("sip-101") is stranger("12") is stranger("漢字") is None


def test_what_can_not_be_seen() -> None:
    assert [unseen(text) for text in ("a b", "a\u00a0b", "a\u200b", "\u2800", "\ud800")] == [None, 1, 1, 0, 0]
