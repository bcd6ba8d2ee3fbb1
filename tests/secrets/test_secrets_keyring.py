"""`keyring:`, with a keyring in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.errors import KeyringLocked

from sipsync.model.operator import Operator
from sipsync.model.problems import Code, SipsyncError
from sipsync.model.secret import Secret
from sipsync.secrets.store import keep, store_keyring
from support.keyring import Memory
from support.secrets import Ask


class Locked(Memory):
    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("c4n4ry-p4ssw0rd")


class Odd(Memory):
    def set_password(self, service: str, username: str, password: str) -> None:
        raise ZeroDivisionError(password)


Use = Callable[[KeyringBackend], None]


@pytest.fixture
def use() -> Iterator[Use]:
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


async def test_what_was_stored_is_resolved_by_the_reference_that_storing_gave(ask: Ask, use: Use, canary: str) -> None:
    use(Memory())
    references = store_keyring({"line-69": Secret(canary), "line-70": Secret("b")}, "sipsync/acme")
    assert references == {"line-69": "keyring:sipsync/acme/line-69", "line-70": "keyring:sipsync/acme/line-70"}
    got = await ask(Operator(), *references.values())
    assert [got[text] for text in references.values()] == [canary, "b"]


async def test_a_missing_entry_says_how_to_store_it(ask: Ask, use: Use) -> None:
    use(Memory())
    found = (await ask(Operator(), "keyring:acme/sales")).problem("keyring:acme/sales")
    assert found.code is Code.SECRET_UNSET
    assert found.hint == "Store it: `keyring set acme sales`."


@pytest.mark.parametrize("rest", ["", "acme", "acme/", "/sales"])
async def test_a_reference_without_service_or_user_is_refused(ask: Ask, use: Use, rest: str) -> None:
    use(Memory())
    assert (await ask(Operator(), f"keyring:{rest}")).problem(f"keyring:{rest}").code is Code.BAD_VALUE


@pytest.mark.parametrize(
    ("backend", "says"), [(fail.Keyring, "this machine has none"), (Locked, "it is locked")], ids=["none", "locked"]
)
async def test_a_keyring_that_cant_be_read_is_an_error_with_a_way_out(
    ask: Ask, use: Use, backend: Callable[[], KeyringBackend], says: str
) -> None:
    use(backend())
    found = (await ask(Operator(), "keyring:a/b")).problem("keyring:a/b")
    assert found.code is Code.SECRET_SOURCE
    assert says in found.summary
    assert "another kind of reference" in found.hint


def test_a_keyring_that_cant_be_written_is_an_error_without_the_secret(use: Use, canary: str) -> None:
    use(Odd())
    with pytest.raises(SipsyncError, match="it failed") as caught:
        store_keyring({"a": Secret(canary)}, "s")
    assert caught.value.code is Code.UNWRITABLE
    assert canary not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_typed_password_is_kept_under_the_name_that_its_reference_has(use: Use, tmp_path: Path) -> None:
    memory = Memory()
    use(memory)
    assert keep("sales", Secret("typed"), tmp_path, "sipsync") == "keyring:sipsync/sales"
    assert memory.kept == {("sipsync", "sales"): "typed"}
    assert not list(tmp_path.iterdir())
