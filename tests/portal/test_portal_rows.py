"""Rows of any JSON types become lines."""

from __future__ import annotations

import pytest

from sipsync.model.problems import PortalError
from sipsync.model.secret import Secret
from sipsync.portal.envelope import whole
from sipsync.portal.rows import current_line, default_line, names, text
from support.scripted import row


def test_a_cloud_line_is_read_from_texts() -> None:
    line = current_line(row(69, REGISTRATION_ERROR_MESSAGE="Forbidden"), "acme")
    assert (line.config_id, line.type, line.reg_id, line.line_id) == (69, "cloud", 100069, "reg100069")
    assert (line.status_code, line.status_message) == (200, "Forbidden")
    assert line.values == {
        "title": "Line 69",
        "server": "sip.example",
        "login": "user69",
        "password": Secret("pass69"),
    }
    assert line.registered


def test_a_cloud_line_is_read_from_numbers() -> None:
    line = current_line(row(69, CONFIG_ID=69, REG_ID=0, REGISTRATION_STATUS_CODE=0, LOGIN=45), "acme")
    assert (line.config_id, line.reg_id, line.line_id, line.status_code) == (69, 0, "reg0", 0)
    assert line.values["login"] == "45"
    assert not line.registered


def test_an_office_line_is_named_by_its_incoming_login() -> None:
    office = row(7, TYPE="office", INCOMING_SERVER="ip.example", INCOMING_LOGIN="sip7", INCOMING_PASSWORD="p")
    line = current_line(office, "acme")
    assert (line.type, line.reg_id, line.line_id) == ("office", None, "sip7")
    assert (line.incoming_server, line.incoming_login) == ("ip.example", "sip7")
    assert "'p'" not in repr(line)
    assert current_line(row(8, TYPE="office"), "acme").line_id == "sip0"


@pytest.mark.parametrize("given", ["fax", "Cloud", "cloud ", 1, True, ["cloud"]])
def test_a_line_of_another_type_is_neither_cloud_nor_office(given: object) -> None:
    line = current_line(row(7, TYPE=given), "acme")
    assert (line.type, line.reg_id, line.registered) == ("other", None, False)


def test_null_is_empty_and_an_absent_type_is_cloud() -> None:
    bare = {"CONFIG_ID": "5", "TITLE": None, "SERVER": None, "LOGIN": None, "PASSWORD": None}
    line = current_line(bare, "acme")
    assert line.type == "cloud"
    assert line.values == {"title": "", "server": "", "login": "", "password": Secret("")}
    assert (line.reg_id, line.status_code) == (0, None)


def test_a_portal_that_returns_no_password_gives_none() -> None:
    without = row(5)
    del without["PASSWORD"]
    assert "password" not in current_line(without, "acme").values


@pytest.mark.parametrize("odd", [None, [], "5", {}, {"CONFIG_ID": None}, {"CONFIG_ID": "x"}, {"CONFIG_ID": True}])
def test_a_row_that_is_no_line_is_an_error(odd: object) -> None:
    with pytest.raises(PortalError):
        current_line(odd, "acme")


def test_names_are_unescaped() -> None:
    assert names({"reg1": "A &amp; &quot;B&quot; &lt;c&gt; &amp;amp;", "reg2": None}, "acme") == {
        "reg1": 'A & "B" <c> &amp;',
        "reg2": "",
    }
    assert names([], "acme") == {}
    with pytest.raises(PortalError):
        names(["x"], "acme")


def test_no_default_line_is_empty() -> None:
    assert default_line("LINK_BASE_NUMBER") == ""
    assert default_line("reg5") == "reg5"


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, 5),
        ("5", 5),
        (" 5 ", 5),
        ("-1", -1),
        ("", None),
        ("5x", None),
        ("٥", None),
        (None, None),
        (True, None),
        (5.5, None),
        ("9" * 5000, None),
    ],
)
def test_numbers_come_as_numbers_or_text(value: object, number: int | None) -> None:
    assert whole(value) == number
    assert text(False) == ""
    assert (text([]), text([["x"]]), text({"x": 1}), text(1.5), text(True)) == ("", "", "", "1.5", "True")
