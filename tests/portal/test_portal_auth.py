"""Who we are to a portal: addresses, tokens and their renewal, seals."""

from __future__ import annotations

import asyncio
import json
import logging
import stat
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sipsync.disk.system_lock import wait_for
from sipsync.model.lines import Access, Address, Call, GivenTokenAccess, OwnTokenAccess, SandboxAccess, WebhookAccess
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, ConfigError, Diagnostic, PortalError, SecretError
from sipsync.model.secret import Secret, SecretRef
from sipsync.portal.credential import Identity, hkdf, seal_by
from sipsync.portal.protocol import Unsent
from sipsync.portal.tokens import GivenToken
from sipsync.portal.transport import Transport
from support.clock import Clock
from support.scripted import REF, Open, Seen, Server, credential, error, http, ok, reset

TOKEN = SecretRef("env", "TOKEN")
CLIENT_SECRET = SecretRef("env", "CLIENT_SECRET")
REFRESH = SecretRef("env", "REFRESH")
SECRETS = {CLIENT_SECRET: Secret("clientcanary42"), REFRESH: Secret("refreshcanary42"), TOKEN: Secret("accesscanary42")}


KEYED = Operator(environ={"CI": "true"})


def webhook(url: str, operator: Operator | None = None) -> Identity:
    return credential(WebhookAccess(REF), {REF: Secret(url)}, operator).identity


# --- addresses ---


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://acme.bitrix24.ru/rest/1/abc123/", "acme.bitrix24.ru"),
        ("https://ACME.Bitrix24.com.br/rest/12/abc", "acme.bitrix24.com.br"),
        ("https://acme.bitrix24.ru:443/rest/1/abc/", "acme.bitrix24.ru"),
        ("http://127.0.0.1:8080/acme/rest/1/sandbox/", "127.0.0.1:8080/acme"),
        ("http://localhost:8080/rest/1/sandbox/", "localhost:8080"),
        ("http://[::1]:8080/rest/1/sandbox/", "[::1]:8080"),
        ("https://own.example/rest/1/abc/", "own.example"),
        ("https://own.example:8443/rest/1/abc/", "own.example:8443"),
    ],
)
def test_a_webhook_says_which_portal_it_is_of(url: str, host: str) -> None:
    operator = Operator(hosts=("OWN.example", "own.example:8443"))
    assert webhook(url, operator) == Identity(host, "webhook")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "bitrix24.ru",
        "a.b.bitrix24.ru",
        "acme.bitrix24.ru.evil.example",
        "acme.bitrix24.evil.example",
        "x-bitrix24.ru",
        "evilbitrix24.ru",
        "acme.bitrix24.ru:8443",
        "-acme.bitrix24.ru",
        "acme.bitrix24.zip",
        "128.0.0.1",
        "own.example:8443",
        "sub.own.example",
    ],
)
def test_other_hosts_receive_nothing(host: str) -> None:
    with pytest.raises(ConfigError) as caught:
        webhook(f"https://{host}/rest/1/canary123/", Operator(hosts=("own.example",)))
    assert caught.value.code in (Code.HOST_FORBIDDEN, Code.BAD_URL)
    assert "canary123" not in str(caught.value)
    if caught.value.code is Code.HOST_FORBIDDEN:
        assert f"SIPSYNC_HOSTS={host}" in caught.value.diagnostics[0].hint


@pytest.mark.parametrize(
    "url",
    [
        "",
        "canary123",
        "http://acme.bitrix24.ru/rest/1/canary123/",
        "https://acme.bitrix24.ru/rest/1/canary123/profile.json",
        "https://acme.bitrix24.ru/rest/canary123/",
        "https://acme.bitrix24.ru/prefix/rest/1/canary123/",
        "https://user@acme.bitrix24.ru/rest/1/canary123/",
        "https://evil.example\\@acme.bitrix24.ru/rest/1/canary123/",
        "https://acme.bitrix24.ru/rest/1/canary123/?x=1",
        "https://acme.bitrix24.ru/rest/1/canary123/#x",
        "https://acme.bitrix24.ru/rest/1/../canary123/",
        "https://acme。bitrix24.ru/rest/1/canary123/",
        "https://аcme.bitrix24.ru/rest/1/canary123/",
        "ftp://acme.bitrix24.ru/rest/1/canary123/",
    ],
)
def test_an_address_of_another_shape_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        webhook(url)
    assert caught.value.code is Code.BAD_URL
    assert "canary123" not in str(caught.value) + repr(caught.value.diagnostics)
    assert caught.value.diagnostics[0].hint


@pytest.mark.parametrize("blank", ["\n", "\r\n", " ", "\t", "\u00a0"])
def test_white_space_in_the_webhook_is_told(blank: str) -> None:
    with pytest.raises(ConfigError, match="white space or a line end") as caught:
        webhook(f"https://acme.bitrix24.ru/rest/1/canary123/{blank}")
    assert "canary123" not in str(caught.value)


def oauth(**more: Any) -> OwnTokenAccess:
    given = {"domain": "acme.bitrix24.ru", "client_id": "local.1", "client_secret": CLIENT_SECRET}
    return OwnTokenAccess(**{**given, "refresh_token": REFRESH, **more})


def identify(access: Access, secrets: Mapping[SecretRef, Secret]) -> Identity:
    return credential(access, secrets).identity


def test_an_application_is_named_by_its_id() -> None:
    assert identify(oauth(), SECRETS) == Identity("acme.bitrix24.ru", "app:local.1")
    base = oauth(domain="http://127.0.0.1:80/acme")
    assert identify(base, SECRETS).host == "127.0.0.1/acme"


def test_what_a_reference_stands_for_is_not_shown_as_the_owner() -> None:
    by_reference = oauth(client_id=SecretRef("env", "CLIENT_ID"))
    assert (
        identify(by_reference, {**SECRETS, SecretRef("env", "CLIENT_ID"): Secret("local.1")}).owner
        == "app:env:CLIENT_ID"
    )
    given = GivenTokenAccess("acme.bitrix24.ru", TOKEN)
    assert identify(given, SECRETS).owner == "app:env:TOKEN"


CLIENT_ID = SecretRef("env", "CLIENT_ID")
OTHER = SecretRef("file", "token")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (oauth(), oauth(domain="ACME.Bitrix24.RU"), True),
        (oauth(), oauth(domain="acme.bitrix24.ru/"), True),
        (oauth(), oauth(domain="acme.bitrix24.ru:443"), True),
        (oauth(), oauth(client_id="Local.1"), True),
        (oauth(), oauth(client_id=CLIENT_ID), True),
        (oauth(), oauth(client_id="local.2"), False),
        (oauth(), oauth(domain="other.bitrix24.ru"), False),
        (GivenTokenAccess("acme.bitrix24.ru", TOKEN), GivenTokenAccess("ACME.bitrix24.ru", OTHER), True),
        (GivenTokenAccess("acme.bitrix24.ru", TOKEN), GivenTokenAccess("acme.bitrix24.ru", REFRESH), False),
    ],
)
def test_one_application_in_two_spellings_is_one_owner_with_one_seal(one: Access, other: Access, same: bool) -> None:
    secrets = {**SECRETS, CLIENT_ID: Secret("local.1"), OTHER: SECRETS[TOKEN]}
    ours, theirs = credential(one, secrets, KEYED), credential(other, secrets, KEYED)
    assert ((ours.identity.host, ours.account) == (theirs.identity.host, theirs.account)) is same
    if isinstance(one, OwnTokenAccess) and ours.identity.host == theirs.identity.host:
        assert ours.seal(b"x") == theirs.seal(b"x")
    assert "local.1" not in repr(theirs).replace("app:local.1", "")


@pytest.mark.parametrize(
    ("access", "code"),
    [
        (oauth(domain="https://acme.bitrix24.ru"), Code.BAD_URL),
        (oauth(domain="acme.bitrix24.ru/x"), Code.BAD_URL),
        (oauth(domain="evil.example"), Code.HOST_FORBIDDEN),
        (oauth(token_url="https://evil.example/oauth/token/"), Code.HOST_FORBIDDEN),
        (oauth(token_url="http://oauth.bitrix.info/oauth/token/"), Code.BAD_URL),
        (oauth(token_url="https://oauth.bitrix.info/oauth/token/?x=1"), Code.BAD_URL),
    ],
)
def test_an_application_s_addresses_are_checked(access: OwnTokenAccess, code: Code) -> None:
    with pytest.raises(ConfigError) as caught:
        identify(access, SECRETS)
    assert caught.value.code is code


def test_an_embedded_portal_is_its_file() -> None:
    assert identify(SandboxAccess("/demo/portal.db"), {}) == Identity("sandbox:/demo/portal.db", "webhook")


# --- a token that another program renews ---


async def test_a_given_token_is_asked_again_when_it_expires_and_never_renewed(server: Server, opened: Open) -> None:
    server.handler = lambda seen: ok(["crm"]) if seen.json["auth"] == "new" else error("expired_token", 401)
    asked = []

    async def again(ref: SecretRef) -> Secret:
        asked.append(ref)
        return Secret("new")

    access = GivenTokenAccess(server.origin, TOKEN)
    async with opened(access, SECRETS, ask_again=again) as portal:
        assert await portal.scope() == {"crm"}
        assert await portal.scope() == {"crm"}
    assert asked == [TOKEN]
    assert {seen.path for seen in server.seen} == {"/rest/scope"}


async def test_a_given_token_that_stays_expired_is_an_error(server: Server, opened: Open) -> None:
    server.handler = lambda _seen: error("expired_token", 401)

    async with opened(GivenTokenAccess(server.origin, TOKEN), SECRETS) as portal:
        with pytest.raises(PortalError, match="env:TOKEN has expired") as caught:
            await portal.scope()
    assert caught.value.code is Code.TOKEN
    assert portal.requests == 1


async def test_a_token_that_expires_twice_in_a_row_is_an_error(server: Server, opened: Open) -> None:
    server.handler = lambda _seen: error("expired_token", 401)

    async def again(_ref: SecretRef) -> Secret:
        return Secret("other")

    async with opened(GivenTokenAccess(server.origin, TOKEN), SECRETS, ask_again=again) as portal:
        with pytest.raises(PortalError) as caught:
            await portal.scope()
    assert caught.value.error == "expired_token"
    assert portal.requests == 2


async def test_a_webhook_has_no_token_to_renew(server: Server, portal: Any) -> None:
    server.handler = lambda _seen: error("expired_token", 401)
    with pytest.raises(PortalError, match="expired_token"):
        await portal.scope()
    assert portal.requests == 1


# --- tokens that we renew ---


class TokenServer:
    """An authorisation server with one-time refresh tokens, and a portal that takes its last access token only."""

    def __init__(self) -> None:
        self.refresh = "refreshcanary42"
        self.access = ""
        self.renewals = 0
        self.member_id = "member"

    def __call__(self, seen: Seen) -> bytes:
        parts = urlsplit(seen.path)
        if parts.path != "/oauth/token/":
            return ok(["telephony"]) if seen.json["auth"] == self.access else error("expired_token", 401)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert seen.method == "GET"
        assert query["grant_type"] == "refresh_token"
        assert (query["client_id"], query["client_secret"]) == ("local.1", "clientcanary42")
        if query["refresh_token"] != self.refresh:
            return error("invalid_grant")
        self.renewals += 1
        self.access, self.refresh = f"access{self.renewals}canary", f"refresh{self.renewals}canary"
        answer = {"access_token": self.access, "refresh_token": self.refresh, "member_id": self.member_id}
        return http(body=json.dumps(answer).encode())


@pytest.fixture
def tokens(server: Server) -> TokenServer:
    found = TokenServer()
    server.handler = found
    return found


@pytest.fixture
def own(server: Server) -> OwnTokenAccess:
    return oauth(domain=server.origin, token_url=f"{server.origin}/oauth/token/")


async def test_tokens_are_renewed_once_and_kept_privately(
    tokens: TokenServer, own: OwnTokenAccess, opened: Open, tmp_path: Path
) -> None:
    operator = Operator(token_store=str(tmp_path / "store"))
    for _ in range(3):
        async with opened(own, SECRETS, operator) as portal:
            assert await portal.scope() == {"telephony"}
    assert tokens.renewals == 1
    assert stat.S_IMODE((tmp_path / "store").stat().st_mode) == 0o700
    (file,) = (tmp_path / "store").glob("*.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    kept = file.read_text()
    assert "refresh1canary" in kept
    assert "refreshcanary42" not in kept
    assert "local.1" not in file.name


async def test_one_application_in_two_spellings_has_one_store(
    tokens: TokenServer, own: OwnTokenAccess, opened: Open, tmp_path: Path
) -> None:
    operator = Operator(token_store=str(tmp_path / "store"))
    for domain in (own.domain, f"{own.domain}/", own.domain.upper()):
        async with opened(replace(own, domain=domain), SECRETS, operator) as portal:
            await portal.scope()
    assert tokens.renewals == 1


async def test_an_expired_kept_token_is_renewed_with_the_rotated_one(
    tokens: TokenServer, own: OwnTokenAccess, opened: Open, tmp_path: Path
) -> None:
    operator = Operator(state_dir=str(tmp_path / "state"))
    async with opened(own, SECRETS, operator) as portal:
        await portal.scope()
        tokens.access = "expired meanwhile"
        await portal.scope()
    assert tokens.renewals == 2
    assert list((tmp_path / "state" / "tokens").glob("*.json"))


async def test_many_clients_renew_an_expired_token_once(
    tokens: TokenServer, own: OwnTokenAccess, opened: Open, tmp_path: Path
) -> None:
    operator = Operator(token_store=str(tmp_path / "store"))

    async def run() -> None:
        async with opened(own, SECRETS, operator) as portal:
            await asyncio.gather(*(portal.scope() for _ in range(3)))

    await asyncio.gather(*(run() for _ in range(8)))
    assert tokens.renewals == 1


async def test_a_new_refresh_token_in_the_file_starts_the_store_anew(
    tokens: TokenServer, own: OwnTokenAccess, opened: Open, tmp_path: Path
) -> None:
    operator = Operator(token_store=str(tmp_path / "store"))
    async with opened(own, SECRETS, operator) as portal:
        await portal.scope()
    tokens.refresh, tokens.access = "authorised anew", ""
    async with opened(own, {**SECRETS, REFRESH: Secret("authorised anew")}, operator) as portal:
        await portal.scope()
    assert tokens.renewals == 2


async def test_in_ci_without_a_store_a_renewal_is_refused_before_it_is_sent(
    tokens: TokenServer, own: OwnTokenAccess, opened: Open, tmp_path: Path
) -> None:
    operator = Operator(environ={"CI": "true"}, state_dir=str(tmp_path))
    async with opened(own, SECRETS, operator) as portal:
        with pytest.raises(PortalError, match="no place to keep") as caught:
            await portal.scope()
    assert caught.value.code is Code.TOKEN
    assert portal.requests == 0


async def test_a_store_of_another_kind_says_so(own: OwnTokenAccess, opened: Open) -> None:
    async with opened(own, SECRETS, Operator(token_store="vault:kv/tokens")) as portal:
        with pytest.raises(PortalError, match="vault: is not available"):
            await portal.scope()


async def test_a_torn_store_is_no_store(tokens: TokenServer, own: OwnTokenAccess, opened: Open, tmp_path: Path) -> None:
    store = tmp_path / "store"
    operator = Operator(token_store=str(store))
    async with opened(own, SECRETS, operator) as portal:
        await portal.scope()
    (file,) = store.glob("*.json")
    for torn in (b"{", b"[]", b'{"access_token": 1}', b"\xff"):
        file.write_bytes(torn)
        tokens.refresh = "refreshcanary42"
        async with opened(own, SECRETS, operator) as portal:
            await portal.scope()
    assert tokens.renewals == 5


async def test_a_store_that_can_t_be_written_is_told_before_anything_is_sent(
    tokens: TokenServer, own: OwnTokenAccess, opened: Open, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    async with opened(own, SECRETS, Operator(token_store=str(tmp_path / "file" / "store"))) as portal:
        with pytest.raises(PortalError):
            await portal.scope()
    assert tokens.renewals == 0


async def test_a_reference_that_can_t_be_asked_again_is_the_portal_s_trouble(server: Server, opened: Open) -> None:
    server.handler = lambda _seen: error("expired_token", 401)

    async def again(_ref: SecretRef) -> Secret:
        raise SecretError(Diagnostic(Code.SECRET_UNSET, Message("env:TOKEN is not set")))

    async with opened(GivenTokenAccess(server.origin, TOKEN), SECRETS, ask_again=again) as portal:
        call = Call("acme:1", Address("acme", "a"), "update", {"title": "x"}, config_id=1, type="cloud")
        (reply,) = (await portal.send([call])).replies
    assert isinstance(reply, Unsent)
    assert reply.error is not None
    assert reply.error.code is Code.SECRET_UNSET


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (error("invalid_grant"), "invalid_grant"),
        (error("wrong_client", 200), "wrong_client"),
        (http(body=b'{"access_token": "a"}'), "no token in the answer"),
        (http(502, b"<html>", "text/html"), "status 502"),
        (http(body=b"[]"), "status 200"),
        (reset, "the answer was lost"),
    ],
)
async def test_a_renewal_that_fails_is_told_and_not_repeated(
    server: Server, own: OwnTokenAccess, opened: Open, tmp_path: Path, answer: Any, words: str
) -> None:
    server.queue = [answer]
    async with opened(own, SECRETS, Operator(token_store=str(tmp_path))) as portal:
        with pytest.raises(PortalError, match=words) as caught:
            await portal.scope()
    assert caught.value.code is Code.TOKEN
    assert portal.requests == 1
    assert caught.value.diagnostics[0].hint


async def test_tokens_of_another_portal_are_not_used(
    tokens: TokenServer, server: Server, opened: Open, tmp_path: Path
) -> None:
    access = oauth(domain=server.origin, token_url=f"{server.origin}/oauth/token/", member_id="expected")
    for _ in range(2):
        async with opened(access, SECRETS, Operator(token_store=str(tmp_path))) as portal:
            with pytest.raises(PortalError, match="another portal"):
                await portal.scope()
    assert [urlsplit(seen.path).path for seen in server.seen] == ["/oauth/token/"]
    tokens.member_id = "expected"


async def test_a_renewal_that_was_sent_is_kept_even_if_nobody_waits_any_more(
    tokens: TokenServer, server: Server, own: OwnTokenAccess, opened: Open, tmp_path: Path
) -> None:
    sent, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(writer: asyncio.StreamWriter) -> None:
        sent.set()
        await go_on.wait()
        writer.write(tokens(server.seen[-1]))
        await writer.drain()

    server.queue = [slowly]
    async with opened(own, SECRETS, Operator(token_store=str(tmp_path))) as portal:
        task = asyncio.create_task(portal.scope())
        await sent.wait()
        task.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    (file,) = tmp_path.glob("*.json")
    assert "refresh1canary" in file.read_text()


async def test_no_log_or_error_shows_a_token(
    tokens: TokenServer, own: OwnTokenAccess, opened: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with opened(own, SECRETS, Operator(token_store=str(tmp_path))) as portal:
        await portal.scope()
        tokens.access, tokens.refresh = "gone", "gone"
        with pytest.raises(PortalError) as caught:
            await portal.scope()
    shown = caplog.text + str(caught.value) + repr(caught.value.diagnostics)
    assert "/oauth/token/" in shown
    assert "canary" not in shown


async def test_another_process_that_holds_the_store_is_waited_for_and_then_told(
    tokens: TokenServer, own: OwnTokenAccess, opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = Operator(token_store=str(tmp_path))
    async with opened(own, SECRETS, operator) as portal:
        await portal.scope()
    (lock,) = tmp_path.glob("*.lock")
    monkeypatch.setattr("sipsync.portal.tokens.LOCK_SECONDS", 0.05)
    let_go = wait_for(lock)
    async with opened(own, SECRETS, operator) as portal:
        with pytest.raises(PortalError, match="locked"):
            await portal.scope()
    let_go()
    assert tokens.renewals == 1


# --- seals ---


CI = Operator(environ={"CI": "true", "WEBHOOK": "set"})


def sealed(access: Access, secrets: Mapping[SecretRef, Secret], operator: Operator = CI) -> str:
    return credential(access, secrets, operator).seal(b"plan")


@pytest.mark.parametrize("ci", ["", "true"])
def test_the_same_credential_seals_alike_and_another_does_not(tmp_path: Path, ci: str) -> None:
    operator = Operator(environ={"CI": ci, "WEBHOOK": "set"}, state_dir=str(tmp_path))

    def sealed(access: Access, secrets: Mapping[SecretRef, Secret], operator: Operator = operator) -> str:
        return credential(access, secrets, operator).seal(b"plan")

    hook = WebhookAccess(REF)
    one = sealed(hook, {REF: Secret("https://acme.bitrix24.ru/rest/1/abc/")})
    assert one == sealed(hook, {REF: Secret("https://renamed.bitrix24.ru/rest/1/abc")})
    others = {
        one,
        sealed(hook, {REF: Secret("https://acme.bitrix24.ru/rest/2/abc/")}),
        sealed(hook, {REF: Secret("https://acme.bitrix24.ru/rest/1/abd/")}),
        sealed(oauth(), SECRETS),
        sealed(oauth(domain="other.bitrix24.ru"), SECRETS),
        sealed(GivenTokenAccess("acme.bitrix24.ru", TOKEN), SECRETS),
        sealed(SandboxAccess("/x"), {}),
        sealed(oauth(), SECRETS, Operator(plan_key=Secret("key"))),
    }
    assert len(others) == 8


def test_the_operator_s_key_seals_for_every_credential() -> None:
    operator = Operator(plan_key=Secret("key"))
    seal = seal_by(operator.plan_key)
    assert seal is not None
    assert seal(b"plan") == sealed(oauth(), SECRETS, operator) == sealed(SandboxAccess("/x"), {}, operator)
    assert seal_by(None) is None


def test_a_refresh_token_may_change_without_breaking_seals() -> None:
    assert sealed(oauth(), SECRETS) == sealed(oauth(), {**SECRETS, REFRESH: Secret("other")})


def test_the_key_derivation_is_that_of_rfc_5869() -> None:
    import hashlib
    import hmac

    extracted = hmac.new(b"sipsync plan key", b"secret", hashlib.sha256).digest()
    assert hkdf(b"secret", "webhook") == hmac.new(extracted, b"webhook\x01", hashlib.sha256).digest()


async def test_a_given_token_that_was_asked_meanwhile_is_not_asked_again() -> None:
    async def again(_ref: SecretRef) -> Secret:
        return Secret("new")

    given = GivenToken(TOKEN, Secret("old"), again)
    async with Transport(Clock()) as transport:
        for expired in (Secret("old"), Secret("old"), None):
            assert await given.token(transport, expired) == Secret("new")


async def test_a_lock_that_can_t_be_taken_is_told(
    tokens: TokenServer, own: OwnTokenAccess, opened: Open, tmp_path: Path
) -> None:
    operator = Operator(token_store=str(tmp_path))
    async with opened(own, SECRETS, operator) as portal:
        await portal.scope()
    (lock,) = tmp_path.glob("*.lock")
    lock.unlink()
    lock.mkdir()
    async with opened(own, SECRETS, operator) as portal:
        with pytest.raises(PortalError, match="can't be used"):
            await portal.scope()


PROCESS = """
import asyncio, sys
from sipsync.model.lines import DesiredPortal, Limits, OwnTokenAccess
from sipsync.model.operator import Operator
from sipsync.model.problems import Span
from sipsync.model.secret import Secret, SecretRef
from sipsync.portal.client import connect
from sipsync.disk.clock import SystemClock
from sipsync.portal.credential import credential_of
from sipsync.portal.throttle import Throttle

async def main(origin, store):
    secret, refresh = SecretRef("env", "CLIENT_SECRET"), SecretRef("env", "REFRESH")
    access = OwnTokenAccess(origin, "local.1", secret, refresh, token_url=origin + "/oauth/token/")
    portal = DesiredPortal("acme", Span("acme.yaml", 2), access, ())
    secrets = {secret: Secret("clientcanary42"), refresh: Secret("refreshcanary42")}
    operator, clock = Operator(token_store=store), SystemClock()
    credential = credential_of(portal, secrets, operator, clock, ask_again=None, embedded=None)
    async with connect(credential, Throttle("acme", Limits(), clock)) as portal:
        assert await portal.scope() == {"telephony"}

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.slow
async def test_many_processes_renew_once(tokens: TokenServer, server: Server, tmp_path: Path) -> None:
    arguments = (sys.executable, "-c", PROCESS, server.origin, str(tmp_path / "store"))
    processes = await asyncio.gather(*(asyncio.create_subprocess_exec(*arguments) for _ in range(4)))
    assert [await process.wait() for process in processes] == [0] * 4
    assert tokens.renewals == 1
