"""`env:`, `file:` and `exec:`."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipsync.model.operator import OWN_SECRETS, Operator
from sipsync.model.problems import Code, Span
from sipsync.model.secret import Secret, SecretRef
from sipsync.secrets.files import MAX_BYTES, without_line_end
from sipsync.secrets.resolve import resolve
from sipsync.secrets.schemes import exec as exec_
from sipsync.secrets.schemes.exec import MOST_TRIES
from support.secrets import Answers, Ask

# --- env ---


async def test_a_variable_is_its_value_byte_for_byte(ask: Ask) -> None:
    got = await ask(Operator(environ={"A": " 0045 $x ", "Б": "пароль"}), "env:A", "env:Б")
    assert (got["env:A"], got["env:Б"]) == (" 0045 $x ", "пароль")


@pytest.mark.parametrize(("environ", "state"), [({}, "is not set"), ({"PW": ""}, "is set, but empty")])
async def test_an_unset_or_empty_variable_is_an_error_that_names_it(
    ask: Ask, environ: dict[str, str], state: str
) -> None:
    found = (await ask(Operator(environ=environ), "env:PW")).problem("env:PW")
    assert found.code is Code.SECRET_UNSET
    assert found.summary == f"the environment variable PW {state}"
    assert "PW_FILE" in found.hint
    assert str(found.at) == "portals/acme.yaml:1:1"


async def test_a_mistyped_variable_is_told_its_neighbour(ask: Ask, canary: str) -> None:
    got = await ask(Operator(environ={"ACME_WEBHOOK": canary}), "env:ACME_WEBHOK")
    assert got.problem("env:ACME_WEBHOK").hint == 'Did you mean "ACME_WEBHOOK"?'


async def test_only_variables_that_the_operator_allows_are_read_or_hinted_at(ask: Ask, canary: str) -> None:
    operator = Operator(environ={"ACME_PW": "x", "AWS_SECRET": canary}, env=("ACME_*", "SIP_PW"))
    got = await ask(operator, "env:ACME_PW", "env:AWS_SECRET", "env:ACME_SECRET", "env:acme_pw")
    assert got["env:ACME_PW"] == "x"
    assert got.problem("env:AWS_SECRET").code is Code.SECRET_FORBIDDEN
    assert "SIPSYNC_ENV" in got.problem("env:AWS_SECRET").hint
    assert "AWS_SECRET" not in got.problem("env:ACME_SECRET").hint
    assert got.problem("env:acme_pw").code is Code.SECRET_FORBIDDEN


class WindowsEnviron(dict[str, str]):
    """An environment that knows its variables in any case of letters, as `os.environ` does on Windows."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.upper())

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        return super().get(name.upper(), default)


@pytest.mark.parametrize("name", sorted(OWN_SECRETS))
@pytest.mark.parametrize("spelled", [str, str.lower, str.title, lambda name: name.replace("S", "\u017f")])
async def test_no_reference_reaches_sipsyncs_own_secrets_however_it_is_spelled(
    ask: Ask, canary: str, name: str, spelled: Callable[[str], str]
) -> None:
    ref = f"env:{spelled(name)}"
    assert (await ask(Operator(environ=WindowsEnviron({name: canary})), ref)).problem(ref).code is Code.SECRET_FORBIDDEN
    assert Operator(environ={spelled(name): canary, "PATH": "/bin"}).environ_for_others() == {"PATH": "/bin"}


async def test_a_variable_may_be_given_by_a_file_that_references_may_reach(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("from-file\n")
    environ = {"PW_FILE": str(tmp_path / "pw"), "PW": ""}
    inside = Operator(environ=environ, root=str(tmp_path))
    assert (await ask(inside, "env:PW"))["env:PW"] == "from-file"
    allowed = Operator(environ=environ, root=str(tmp_path / "portals"), secret_roots=(str(tmp_path),))
    assert (await ask(allowed, "env:PW"))["env:PW"] == "from-file"
    both = Operator(environ={**environ, "PW": "direct"}, root=str(tmp_path / "portals"))
    assert (await ask(both, "env:PW"))["env:PW"] == "direct"


async def test_a_file_of_a_variable_outside_of_the_folders_for_secrets_is_not_read(
    ask: Ask, tmp_path: Path, canary: str
) -> None:
    (tmp_path / "age.txt").write_text(canary)
    (tmp_path / "portals").mkdir()
    environ = {"SOPS_AGE_KEY_FILE": str(tmp_path / "age.txt")}
    got = await ask(Operator(environ=environ, root=str(tmp_path / "portals")), "env:SOPS_AGE_KEY")
    assert got.problem("env:SOPS_AGE_KEY").code is Code.SECRET_FORBIDDEN
    assert "SIPSYNC_SECRET_ROOTS" in got.problem("env:SOPS_AGE_KEY").hint


async def test_a_file_of_a_variable_that_cant_be_read_is_an_error_that_names_both(ask: Ask, tmp_path: Path) -> None:
    operator = Operator(environ={"PW_FILE": str(tmp_path / "missing")}, root=str(tmp_path))
    found = (await ask(operator, "env:PW")).problem("env:PW")
    assert found.code is Code.SECRET_SOURCE
    assert "missing (from PW_FILE)" in found.summary


async def test_a_value_that_is_not_utf_8_is_an_error_before_it_can_break_anything(ask: Ask) -> None:
    found = (await ask(Operator(environ={"PW": "caf\udce9"}), "env:PW")).problem("env:PW")
    assert found.code is Code.SECRET_VALUE


# --- file ---


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


async def asked_file(ask: Ask, root: Path, name: str, roots: tuple[str, ...] = ()) -> Answers:
    return await ask(Operator(root=str(root), secret_roots=roots), f"file:{name}")


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"pw", "pw"),
        (b"pw\n", "pw"),
        (b"pw\r\n", "pw"),
        (b"pw\n\n", "pw\n"),
        (b"pw\r\n\r\n", "pw\r\n"),
        (b"pw\r", "pw\r"),
        (b" pw \n", " pw "),
        (b"\xef\xbb\xbfpw\n", "pw"),
        ("пароль".encode(), "пароль"),
    ],
)
async def test_exactly_one_line_end_is_taken_off(ask: Ask, root: Path, content: bytes, value: str) -> None:
    (root / "pw").write_bytes(content)
    assert (await asked_file(ask, root, "pw"))["file:pw"] == value


@given(st.text(), st.sampled_from(["\n", "\r\n"]))
def test_what_was_written_with_one_line_end_is_read_without(text: str, end: str) -> None:
    assert without_line_end(text + end) == (text if end == "\r\n" else text.removesuffix("\r"))
    assert without_line_end(text.rstrip("\n")) == text.rstrip("\n")


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"", Code.SECRET_UNSET, "is empty"),
        (b"\n", Code.SECRET_UNSET, "is empty"),
        ("c4n4ry-p4ssw0rd".encode("utf-16"), Code.SECRET_VALUE, "not UTF-8"),
        (b"x" * (MAX_BYTES + 1), Code.SECRET_SOURCE, "larger than 64 KiB"),
    ],
)
async def test_a_file_without_a_usable_text_is_an_error(
    ask: Ask, root: Path, content: bytes, code: Code, says: str
) -> None:
    (root / "pw").write_bytes(content)
    found = (await asked_file(ask, root, "pw")).problem("file:pw")
    assert (found.code, says in found.summary) == (code, True)


async def test_the_largest_file_that_is_allowed_is_read(ask: Ask, root: Path) -> None:
    (root / "pw").write_bytes(b"x" * MAX_BYTES)
    assert len((await asked_file(ask, root, "pw"))["file:pw"]) == MAX_BYTES


async def test_a_missing_file_and_an_empty_path_are_errors(ask: Ask, root: Path) -> None:
    assert (await asked_file(ask, root, "pw")).problem("file:pw").code is Code.SECRET_SOURCE
    assert (await asked_file(ask, root, "")).problem("file:").code is Code.BAD_VALUE
    assert "can't be reached" in (await asked_file(ask, root, "a\0b")).problem("file:a\0b").summary


async def test_links_may_lead_anywhere_inside_and_nowhere_outside(
    ask: Ask, root: Path, tmp_path: Path, canary: str
) -> None:
    (tmp_path / "outside").write_text(canary)
    (root / "deep").mkdir()
    (root / "deep" / "pw").write_text("inside")
    (root / "good").symlink_to(root / "deep" / "pw")
    (root / "bad").symlink_to(tmp_path / "outside")
    (root / "up").symlink_to(tmp_path)
    (root / "loop").symlink_to(root / "loop")
    assert (await asked_file(ask, root, "good"))["file:good"] == "inside"
    for name in ("bad", "up/outside", "../outside", "deep/../../outside", "../missing", str(tmp_path / "outside")):
        found = (await asked_file(ask, root, name)).problem(f"file:{name}")
        assert found.code is Code.SECRET_FORBIDDEN
        assert "SIPSYNC_SECRET_ROOTS" in found.hint
    assert (await asked_file(ask, root, "loop")).problem("file:loop").code is Code.SECRET_SOURCE


async def test_nothing_below_git_is_read(ask: Ask, root: Path, tmp_path: Path, canary: str) -> None:
    (root / "deep" / ".git").mkdir(parents=True)
    for folder in (".git", ".GIT"):
        (root / folder).mkdir(exist_ok=True)
        (root / folder / "config").write_text(canary)
    (root / "deep" / ".git" / "config").write_text(canary)
    (root / "link").symlink_to(root / ".git" / "config")
    (root / ".gitconfig").write_text("inside")
    for name in (".git/config", ".GIT/config", "deep/../.git/config", "deep/.git/config", "link", ".git/missing"):
        found = (await asked_file(ask, root, name)).problem(f"file:{name}")
        assert (found.code, "git's own" in found.summary) == (Code.SECRET_FORBIDDEN, True)
    assert (await asked_file(ask, root, ".gitconfig"))["file:.gitconfig"] == "inside"
    named = Operator(root=str(root), secret_roots=(str(root / ".git"),))
    assert (await ask(named, "file:.git/config"))["file:.git/config"] == canary


async def test_a_folder_beside_the_root_with_the_same_beginning_is_outside(
    ask: Ask, root: Path, tmp_path: Path, canary: str
) -> None:
    (tmp_path / "root2").mkdir()
    (tmp_path / "root2" / "pw").write_text(canary)
    found = (await asked_file(ask, root, "../root2/pw")).problem("file:../root2/pw")
    assert found.code is Code.SECRET_FORBIDDEN


async def test_the_operators_folders_take_the_place_of_the_root(
    ask: Ask, root: Path, tmp_path: Path, canary: str
) -> None:
    (root / "pw").write_text(canary)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "pw").write_text("secret")
    (tmp_path / "link").symlink_to(tmp_path / "run")
    roots = (str(tmp_path / "link"), str(tmp_path / "missing"))
    path = str(tmp_path / "run" / "pw")
    assert (await asked_file(ask, root, path, roots))[f"file:{path}"] == "secret"
    assert (await asked_file(ask, root, "pw", roots)).problem("file:pw").code is Code.SECRET_FORBIDDEN


async def test_only_regular_files_are_read(ask: Ask, root: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / "folder").mkdir()
    (root / "null").symlink_to("/dev/null")
    for name in ("pipe", "folder"):
        assert "not a regular file" in (await asked_file(ask, root, name)).problem(f"file:{name}").summary
    assert (await asked_file(ask, root, "null")).problem("file:null").code is Code.SECRET_FORBIDDEN
    roots = Operator(root=str(root), secret_roots=("/dev",))
    assert "not a regular file" in (await ask(roots, "file:/dev/null")).problem("file:/dev/null").summary
    variable = Operator(environ={"PW_FILE": str(root / "pipe")}, root=str(root))
    assert "not a regular file" in (await ask(variable, "env:PW")).problem("env:PW").summary


@pytest.mark.parametrize("name", ["NUL", "con", "sub/COM1.txt", "lpt9 .pw", "aux:stream", "C:\\x\\prn", "CONIN$"])
async def test_names_that_are_devices_on_windows_are_refused_everywhere(ask: Ask, root: Path, name: str) -> None:
    assert (await asked_file(ask, root, name)).problem(f"file:{name}").code is Code.SECRET_FORBIDDEN


# --- exec ---

KEYED = """
import json, os, sys
with open(os.environ["COUNT"], "a") as file:
    file.write("run ")
keys = json.load(sys.stdin)
assert isinstance(keys, list)
print(json.dumps({key: key.upper() for key in keys if key != "missing"} | {"number": 45, "null": None}))
"""


def commands(script: str, **environ: str) -> Operator:
    return Operator(
        environ={"PATH": os.environ["PATH"], **environ}, commands={"op": (sys.executable, "-c", script, "…")}
    )


async def test_one_process_gives_all_keys_of_a_run(ask: Ask, tmp_path: Path) -> None:
    operator = commands(KEYED, COUNT=str(tmp_path / "count"))
    got = await ask(operator, "exec:op#a", "exec:op#b#c", "exec:op#ключ", "exec:op#", "exec:op#missing")
    assert [got[f"exec:op#{key}"] for key in ("a", "b#c", "ключ")] == ["A", "B#C", "КЛЮЧ"]
    assert got.problem("exec:op#missing").code is Code.SECRET_UNSET
    assert '"missing"' in got.problem("exec:op#missing").summary
    assert got.problem("exec:op#").code is Code.SECRET_UNSET
    assert (tmp_path / "count").read_text() == "run "


PICKY = """
import json, os, sys
with open(os.environ["COUNT"], "a") as file:
    file.write("run ")
keys = json.load(sys.stdin)
if any(key.startswith("bad") for key in keys):
    sys.exit("no such item")
print(json.dumps({key: key.upper() for key in keys}))
"""


def in_files(*keys: str) -> list[SecretRef]:
    """A reference in a file of its own for each key."""
    return [SecretRef("exec", f"op#{key}", at=Span(f"{number}.yaml", 1)) for number, key in enumerate(keys)]


@pytest.mark.parametrize("bad", ["bad", "\ud83d"])
@pytest.mark.parametrize("place", [0, 5, 99])
async def test_a_key_that_the_command_fails_for_fails_its_own_file_only(tmp_path: Path, bad: str, place: int) -> None:
    refs = in_files(*(bad if number == place else f"k{number}" for number in range(100)))
    refs.insert(0, replace(refs[place], rest="op#in the same file"))
    found = await resolve(refs, commands(PICKY, COUNT=str(tmp_path / "count")))
    assert {ref.at.file for ref in found.failures if ref.at} == {f"{place}.yaml"}
    assert len(found.values) == 99
    assert (tmp_path / "count").read_text().count("run") < 20


async def test_a_command_that_fails_for_all_is_not_asked_again_for_each(tmp_path: Path) -> None:
    refs = in_files(*(f"bad{number}" for number in range(1000)))
    found = await resolve(refs, commands(PICKY, COUNT=str(tmp_path / "count")))
    assert len(found.failures) == 1000
    assert (tmp_path / "count").read_text().count("run") <= 2 * MOST_TRIES


async def test_a_value_that_is_no_text_is_an_error_of_its_key_alone(ask: Ask, tmp_path: Path) -> None:
    operator = commands(KEYED, COUNT=str(tmp_path / "count"))
    got = await ask(operator, "exec:op#number", "exec:op#null", "exec:op#a")
    assert got.problem("exec:op#number").code is Code.SECRET_VALUE
    assert got.problem("exec:op#null").code is Code.SECRET_UNSET
    assert got["exec:op#a"] == "A"


async def test_without_a_key_the_secret_is_the_output_without_one_line_end(ask: Ask) -> None:
    script = "import sys; assert sys.stdin.read() == ''; print('pw ')"
    assert (await ask(commands(script), "exec:op"))["exec:op"] == "pw "


async def test_both_ways_of_using_a_command_are_a_run_each(ask: Ask, tmp_path: Path) -> None:
    script = (
        "import json, os, sys; open(os.environ['COUNT'], 'a').write('run '); text = sys.stdin.read();"
        "print(json.dumps({k: k for k in json.loads(text)}) if text else 'plain')"
    )
    got = await ask(commands(script, COUNT=str(tmp_path / "count")), "exec:op", "exec:op#a", "exec:op#b")
    assert (got["exec:op"], got["exec:op#a"], got["exec:op#b"]) == ("plain", "a", "b")
    assert (tmp_path / "count").read_text() == "run run "


async def test_a_command_is_given_the_operators_environment_without_sipsyncs_own_secrets(ask: Ask, canary: str) -> None:
    script = "import os; print(sorted(set(os.environ) & {'BW_SESSION', 'SIPSYNC_PLAN_KEY', 'PYTEST_VERSION'}))"
    got = await ask(commands(script, BW_SESSION="x", SIPSYNC_PLAN_KEY=canary), "exec:op")
    assert got["exec:op"] == "['BW_SESSION']"


@pytest.mark.parametrize(
    ("script", "ref", "code", "says"),
    [
        ("raise SystemExit('c4n4ry-p4ssw0rd')", "exec:op", Code.SECRET_SOURCE, "ended with status 1"),
        ("print('c4n4ry-p4ssw0rd')", "exec:op#a", Code.SECRET_SOURCE, "did not write a JSON object"),
        ("print('[' * 100000)", "exec:op#a", Code.SECRET_SOURCE, "did not write a JSON object"),
        ("print('[]')", "exec:op#a", Code.SECRET_SOURCE, "did not write a JSON object"),
        ("import sys; sys.stdout.buffer.write(b'\\xff')", "exec:op", Code.SECRET_SOURCE, "not UTF-8"),
        ("print()", "exec:op", Code.SECRET_UNSET, "is empty"),
        ("while True: print('x' * 2**20)", "exec:op", Code.SECRET_SOURCE, "writes more than 16 MiB"),
    ],
)
async def test_a_command_that_fails_is_an_error_without_its_words(
    ask: Ask, capfd: pytest.CaptureFixture[str], script: str, ref: str, code: Code, says: str
) -> None:
    found = (await ask(commands(script), ref)).problem(ref)
    assert (found.code, says in found.summary) == (code, True), found
    assert "c4n4ry" not in "".join(capfd.readouterr())


async def test_a_command_that_the_operator_does_not_define_is_never_run(ask: Ask) -> None:
    operator = Operator(commands={"bitwarden": ("bw",)})
    got = await ask(operator, "exec:bitwardn#k", "exec:/bin/sh", "exec:", "exec:#k")
    assert got.problem("exec:bitwardn#k").hint == 'Did you mean "bitwarden"?'
    assert got.problem("exec:/bin/sh").code is Code.SECRET_FORBIDDEN
    assert "--secret-command" in got.problem("exec:/bin/sh").hint
    assert got.problem("exec:").code is got.problem("exec:#k").code is Code.BAD_VALUE


async def test_a_command_that_cant_be_started_is_an_error(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a program")
    operator = Operator(commands={"gone": ("/nonexistent/x",), "text": (str(tmp_path / "text"),), "null": ("a\0",)})
    got = await ask(operator, "exec:gone", "exec:text", "exec:null")
    assert "no such program" in got.problem("exec:gone").summary
    assert "system refuses" in got.problem("exec:text").summary
    assert "system refuses" in got.problem("exec:null").summary


@pytest.mark.parametrize("with_child", [False, True])
async def test_a_command_that_hangs_is_ended(with_child: bool) -> None:
    ref = SecretRef("exec", "op")
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the child ends with it, as nobody else ends that
        hangs = f"import socket; socket.create_connection({silent.getsockname()!r}).recv(1)"
        child = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {hangs!r}]); " if with_child else ""
        answer = (await exec_.resolve([ref], commands(child + hangs), seconds=0.5))[ref]
    assert not isinstance(answer, Secret)
    assert "did not end within" in answer.summary
