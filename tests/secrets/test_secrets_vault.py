"""`vault:`, against a real HTTP server that speaks Vault's paths."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sipsync.model.operator import Operator
from sipsync.model.problems import Code
from support.secrets import Ask

TOKEN = "hvs.c4n4ry-p4ssw0rd"


class Vault:
    """What the server holds, and what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.reset()

    def reset(self) -> None:
        self.secrets: dict[str, object] = {
            "kv/sip/acme": {"password": "c4n4ry-p4ssw0rd", "login": "0045", "port": 5060}
        }
        self.roles = {
            "approle": {"role_id": "r", "secret_id": "c4n4ry-p4ssw0rd"},
            "jwt": {"role": "ci", "jwt": "e.y.c4n4ry"},
        }
        self.answer: Response | None = None
        self.requests: list[str] = []
        self.namespaces: set[str | None] = set()

    async def read(self, request: Request) -> Response:
        mount, path = request.path_params["mount"], request.path_params["path"]
        self.requests.append(f"read {mount}/{path}")
        self.namespaces.add(request.headers.get("x-vault-namespace"))
        if self.answer:
            return self.answer
        if request.headers.get("x-vault-token") != TOKEN:
            return JSONResponse({"errors": ["permission denied"]}, 403)
        held = self.secrets.get(f"{mount}/{path}")
        if held is None:
            return JSONResponse({"errors": []}, 404)
        if held == "deleted":
            metadata = {"deletion_time": "2026-11-23T00:00:00Z", "destroyed": False, "version": 2}
            return JSONResponse({"data": {"data": None, "metadata": metadata}}, 404)
        return JSONResponse({"data": {"data": held, "metadata": {"version": 1}}})

    async def login(self, request: Request) -> Response:
        mount = request.path_params["mount"]
        self.requests.append(f"login {mount}")
        if self.answer:
            return self.answer
        if mount not in self.roles:
            return JSONResponse({"errors": ["no handler for route"]}, 404)
        if await request.json() != self.roles[mount]:
            return JSONResponse({"errors": ["invalid role or secret ID c4n4ry-p4ssw0rd"]}, 400)
        return JSONResponse({"auth": {"client_token": TOKEN, "policies": ["sip"], "lease_duration": 60}})


@pytest.fixture(scope="module")
def served() -> Iterator[Vault]:
    vault = Vault()
    app = Starlette(
        routes=[
            Route("/v1/auth/{mount:path}/login", vault.login, methods=["POST"]),
            Route("/v1/{mount}/data/{path:path}", vault.read),
        ]
    )
    listener = socket.create_server(("127.0.0.1", 0))
    vault.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield vault
    server.should_exit = True
    thread.join()


@pytest.fixture
def vault(served: Vault) -> Vault:
    served.reset()
    return served


def operator(vault: Vault, *paths: str, **environ: str) -> Operator:
    return Operator(environ={"VAULT_ADDR": vault.url, **environ}, vault_paths=paths or ("*",))


def logged_in(vault: Vault, *paths: str, **environ: str) -> Operator:
    return operator(vault, *paths, VAULT_TOKEN=f"{TOKEN}\n", **environ)


async def test_each_path_is_read_once_for_all_its_keys(ask: Ask, vault: Vault, canary: str) -> None:
    vault.secrets["kv/other"] = {"password": "b"}
    texts = ["vault:kv/sip/acme#password", "vault:kv/other#password", "vault:kv/sip/acme#login"]
    got = await ask(logged_in(vault), *texts)
    assert [got[text] for text in texts] == [canary, "b", "0045"]
    assert vault.requests == ["read kv/sip/acme", "read kv/other"]


async def test_an_approle_logs_in_once(ask: Ask, vault: Vault, canary: str) -> None:
    who = operator(vault, VAULT_ROLE_ID="r", VAULT_SECRET_ID=canary)
    got = await ask(who, "vault:kv/sip/acme#password", "vault:kv/gone#a")
    assert got["vault:kv/sip/acme#password"] == canary
    assert vault.requests == ["login approle", "read kv/sip/acme", "read kv/gone"]


@pytest.mark.parametrize("in_file", [True, False])
async def test_a_jwt_logs_in_from_a_variable_or_a_file(
    ask: Ask, vault: Vault, canary: str, tmp_path: Path, in_file: bool
) -> None:
    (tmp_path / "jwt").write_text("e.y.c4n4ry\n")
    given = {"VAULT_JWT_FILE": str(tmp_path / "jwt")} if in_file else {"VAULT_JWT": "e.y.c4n4ry"}
    got = await ask(operator(vault, VAULT_ROLE="ci", **given), "vault:kv/sip/acme#password")
    assert got["vault:kv/sip/acme#password"] == canary
    assert vault.requests[0] == "login jwt"


@pytest.mark.parametrize("method", ["approle", "jwt"])
async def test_a_login_may_be_mounted_elsewhere(ask: Ask, vault: Vault, canary: str, method: str) -> None:
    vault.roles = {"team/login": vault.roles[method]}
    given = {"VAULT_ROLE_ID": "r", "VAULT_SECRET_ID": canary}
    if method == "jwt":
        given = {"VAULT_JWT": "e.y.c4n4ry", "VAULT_ROLE": "ci"}
    got = await ask(operator(vault, VAULT_AUTH_PATH="team/login", **given), "vault:kv/sip/acme#password")
    assert got["vault:kv/sip/acme#password"] == canary


async def test_what_vault_login_left_is_used_where_nothing_else_is_given(
    ask: Ask, vault: Vault, canary: str, tmp_path: Path
) -> None:
    (tmp_path / ".vault-token").write_text(TOKEN)
    got = await ask(operator(vault, HOME=str(tmp_path)), "vault:kv/sip/acme#password")
    assert got["vault:kv/sip/acme#password"] == canary


async def test_the_namespace_is_sent(ask: Ask, vault: Vault) -> None:
    await ask(logged_in(vault, VAULT_NAMESPACE="team"), "vault:kv/sip/acme#password")
    assert vault.namespaces == {"team"}


async def test_only_paths_that_the_operator_allows_are_asked_for(ask: Ask, vault: Vault, canary: str) -> None:
    got = await ask(logged_in(vault, "kv/sip/*"), "vault:kv/sip/acme#password", "vault:kv/root#a", "vault:KV/sip/x#a")
    assert got["vault:kv/sip/acme#password"] == canary
    assert got.problem("vault:kv/root#a").code is got.problem("vault:KV/sip/x#a").code is Code.SECRET_FORBIDDEN
    assert "SIPSYNC_VAULT_PATHS" in got.problem("vault:kv/root#a").hint
    assert vault.requests == ["read kv/sip/acme"]


@pytest.mark.parametrize("path", ["", "kv", "/kv/a", "kv/", "kv//a", "kv/sip/../root", "kv/./a", "kv/.."])
async def test_what_is_no_path_is_refused_before_anything_is_sent(ask: Ask, vault: Vault, path: str) -> None:
    text = f"vault:{path}#key"
    assert (await ask(logged_in(vault), text)).problem(text).code is Code.BAD_VALUE
    assert vault.requests == []


@pytest.mark.parametrize(
    ("key", "code", "says"),
    [
        ("#port", Code.SECRET_VALUE, "is not a text"),
        ("#gone", Code.SECRET_UNSET, 'has no key "gone"'),
        ("", Code.BAD_VALUE, "not complete"),
        ("#", Code.BAD_VALUE, "not complete"),
    ],
)
async def test_a_key_that_is_no_text_fails_alone(
    ask: Ask, vault: Vault, canary: str, key: str, code: Code, says: str
) -> None:
    text = f"vault:kv/sip/acme{key}"
    got = await ask(logged_in(vault), text, "vault:kv/sip/acme#password")
    assert got["vault:kv/sip/acme#password"] == canary
    assert (got.problem(text).code, says in got.problem(text).summary) == (code, True)


@pytest.mark.parametrize("held", [None, "deleted"])
async def test_a_missing_or_deleted_secret_fails_alone(ask: Ask, vault: Vault, canary: str, held: object) -> None:
    vault.secrets["kv/gone"] = held
    got = await ask(logged_in(vault), "vault:kv/gone#a", "vault:kv/sip/acme#password")
    assert got["vault:kv/sip/acme#password"] == canary
    assert got.problem("vault:kv/gone#a").summary == "Vault has nothing at kv/gone"


async def test_an_expired_token_is_denied_with_what_to_look_at(ask: Ask, vault: Vault) -> None:
    found = (await ask(operator(vault, VAULT_TOKEN="old"), "vault:kv/sip/acme#password")).problem(
        "vault:kv/sip/acme#password"
    )
    assert found.code is Code.SECRET_SOURCE
    assert found.summary == "Vault denies reading kv/sip/acme"
    assert "policy" in found.hint


@pytest.mark.parametrize(
    "environ",
    [
        {"VAULT_ROLE_ID": "r", "VAULT_SECRET_ID": "wrong"},
        {"VAULT_ROLE_ID": "r"},
        {"VAULT_JWT": "wrong", "VAULT_ROLE": "ci"},
        {"VAULT_ROLE_ID": "r", "VAULT_AUTH_PATH": "elsewhere"},
    ],
)
async def test_a_refused_login_fails_all_references_each_at_its_place(
    ask: Ask, vault: Vault, environ: dict[str, str]
) -> None:
    got = await ask(operator(vault, **environ), "vault:kv/a#a", "vault:kv/b#b")
    for line, text in enumerate(("vault:kv/a#a", "vault:kv/b#b"), 1):
        assert got.problem(text).summary == "Vault refuses the login"
        assert str(got.problem(text).at) == f"portals/acme.yaml:{line}:1"
    assert len(vault.requests) == 1


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (JSONResponse({"errors": ["Vault is sealed c4n4ry-p4ssw0rd"]}, 503), "Vault is sealed"),
        (JSONResponse({"errors": ["not initialized"]}, 501), "not initialized"),
        (JSONResponse({"errors": ["too many"]}, 429), "refuses more requests"),
        (JSONResponse({"errors": ["1 error occurred: c4n4ry-p4ssw0rd"]}, 500), "Vault failed at"),
        (PlainTextResponse("<html>c4n4ry-p4ssw0rd", 502), "Vault failed at"),
        (PlainTextResponse("<html>c4n4ry-p4ssw0rd", 418), "Vault failed at"),
    ],
    ids=lambda value: str(getattr(value, "status_code", value)),
)
@pytest.mark.parametrize("environ", [{"VAULT_TOKEN": TOKEN}, {"VAULT_ROLE_ID": "r"}], ids=["read", "login"])
async def test_a_vault_that_cant_answer_says_why_without_its_words(
    ask: Ask, vault: Vault, answer: Response, says: str, environ: dict[str, str]
) -> None:
    vault.answer = answer
    found = (await ask(operator(vault, **environ), "vault:kv/sip/acme#password")).problem("vault:kv/sip/acme#password")
    assert found.code is Code.SECRET_SOURCE
    assert says in found.summary


@pytest.mark.parametrize(
    "answer",
    [
        JSONResponse({"data": {"password": "c4n4ry-p4ssw0rd"}}),
        JSONResponse({"data": {"data": "c4n4ry-p4ssw0rd"}}),
        JSONResponse(["c4n4ry-p4ssw0rd"]),
        PlainTextResponse("<html>c4n4ry-p4ssw0rd"),
    ],
)
async def test_an_answer_that_is_no_secret_of_version_2_is_an_error(ask: Ask, vault: Vault, answer: Response) -> None:
    vault.answer = answer
    found = (await ask(logged_in(vault), "vault:kv/sip/acme#password")).problem("vault:kv/sip/acme#password")
    assert "not a secret of KV version 2" in found.summary


async def test_a_login_that_is_answered_by_something_else_is_an_error(ask: Ask, vault: Vault) -> None:
    vault.answer = PlainTextResponse("<html>c4n4ry-p4ssw0rd")
    found = (await ask(operator(vault, VAULT_ROLE_ID="r"), "vault:kv/a#a")).problem("vault:kv/a#a")
    assert found.summary == "what answers is not Vault"


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({}, "nothing to log in to Vault with"),
        ({"VAULT_ADDR": ""}, "VAULT_ADDR is not set"),
        ({"VAULT_JWT_FILE": "/nonexistent/jwt"}, "holds no token"),
        ({"VAULT_TOKEN": TOKEN, "VAULT_ADDR": "nonsense"}, "can't be asked (MissingSchema)"),
        ({"VAULT_TOKEN": TOKEN, "VAULT_ADDR": "http://127.0.0.1:1"}, "can't be reached"),
        ({"VAULT_TOKEN": "c4n4ry-p4ssw0rd\nc4n4ry-p4ssw0rd"}, "can't be asked (InvalidHeader)"),
    ],
)
async def test_a_missing_or_wrong_setting_is_an_error_that_names_it(
    ask: Ask, vault: Vault, environ: dict[str, str], says: str
) -> None:
    found = (await ask(operator(vault, **environ), "vault:kv/a#a")).problem("vault:kv/a#a")
    assert found.code is Code.SECRET_SOURCE
    assert says in found.summary
    assert vault.requests == []


async def test_a_certificate_that_is_not_trusted_names_the_variable(ask: Ask, vault: Vault, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        from requests import Session, exceptions

        def untrusted(*_: object, **__: object) -> None:
            raise exceptions.SSLError("c4n4ry-p4ssw0rd")

        patch.setattr(Session, "request", untrusted)
        found = (await ask(logged_in(vault, VAULT_CLIENT_CERT="c", VAULT_CLIENT_KEY="k"), "vault:kv/a#a")).problem(
            "vault:kv/a#a"
        )
    assert "VAULT_CACERT" in found.hint


async def test_a_vault_that_does_not_answer_is_given_up(
    ask: Ask, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sipsync.secrets.schemes.vault._SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        who = logged_in(vault, VAULT_ADDR=f"http://127.0.0.1:{silent.getsockname()[1]}")
        found = (await ask(who, "vault:kv/a#a")).problem("vault:kv/a#a")
    assert "did not answer" in found.summary
